/** Where a Spark Connect server is: `sc://HOST[:PORT][/;use_ssl=true]`, as Spark's own clients write it. */

import { didYouMean } from '../../did-you-mean.ts'
import { UserError } from '../../errors.ts'

export interface SparkAddress {
  readonly host: string
  readonly port: number
  readonly isEncrypted: boolean
  /** Whose session it is on the server. */
  readonly user: string
}

const DEFAULT_PORT = 15_002
const PARAMETERS = ['use_ssl', 'user_id']

/** @throws UserError config (78) for what is no such address, and for a token in it */
export function parseAddress(text: string): SparkAddress {
  const match = /^sc:\/\/(\[[^\]]+\]|[^/:;?#@\s]+)(?::(\d{1,5}))?\/?((?:;[^;]*)*)$/.exec(text)
  const [, host, port = String(DEFAULT_PORT), rest = ''] = match ?? []
  if (host === undefined || Number(port) === 0 || Number(port) > 65_535)
    throw wrong(
      'This is no address of Spark Connect.',
      'For example: sc://spark.example.org:15002/;use_ssl=true',
    )
  const given = new Map(
    rest
      .split(';')
      .filter(Boolean)
      .map((part) => part.split(/=(.*)/s, 2) as [string, string | undefined]),
  )
  // A command line and a configuration are read by others.
  if (given.has('token'))
    throw wrong(
      'The token stands in the address.',
      'Take it out, and give it by SPARK_CONNECT_AUTHENTICATE_TOKEN, or in a file: spark.token_file',
    )
  for (const name of given.keys()) {
    if (PARAMETERS.includes(name)) continue
    const near = didYouMean(name, PARAMETERS)
    throw wrong(
      `The address has no parameter ${name}.`,
      near ? `Did you mean ${near}?` : `It has: ${PARAMETERS.join(', ')}`,
    )
  }
  const isEncrypted = given.get('use_ssl') ?? 'false'
  if (isEncrypted !== 'true' && isEncrypted !== 'false') throw wrong('use_ssl is true or false.')
  return {
    ...{ host, port: Number(port), isEncrypted: isEncrypted === 'true' },
    user: given.get('user_id') ?? 'lpa',
  }
}

function wrong(message: string, next?: string): UserError {
  return new UserError('LPA-SPARK-ADDRESS', message, { exit: 'config', ...(next && { next }) })
}

/** `http://127.0.0.1:15002` */
export function urlOf({ host, port, isEncrypted }: SparkAddress): string {
  return `${isEncrypted ? 'https' : 'http'}://${host}:${port}`
}

export function isLoopback({ host }: Pick<SparkAddress, 'host'>): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(host)
}

/**
 * Anybody on the way would read it.
 * @throws UserError notPermitted (77) for a secret that would leave this machine in the clear
 */
export function refuseClear(address: SparkAddress, secret: 'The token' | 'The pseudonym key'): void {
  if (address.isEncrypted || isLoopback(address)) return
  throw new UserError('LPA-SPARK-CLEAR', `${secret} would go over the network in the clear.`, {
    exit: 'notPermitted',
    where: `${address.host}:${address.port}`,
    next: [
      'Put a proxy with TLS before Spark Connect, and say so: sc://HOST:443/;use_ssl=true',
      'Or go through a tunnel: ssh -L 15002:localhost:15002 HOST, then sc://localhost:15002',
    ],
  })
}
