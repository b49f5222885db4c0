/** What a connection must have before it is opened: each refusal says where the field belongs, and shows no value. */

import { createPrivateKey, type KeyObject } from 'node:crypto'
import { isLoopbackName } from '../../config/source-place.ts'
import { nearest } from '../../did-you-mean.ts'
import { UserError } from '../../errors.ts'
import { missingFor, PROVIDERS } from './authenticators.ts'
import { fieldOf } from './connection-fields.ts'
import type { ConnectionFiles, ConnectionWarning } from './connection-files.ts'

export interface Sought {
  readonly name: string
  readonly home: string
  readonly files: ConnectionFiles
}

/** A value as it was written, and where. */
export interface Written {
  readonly field: string
  readonly value: unknown
  readonly where: string
}

/** Options of the driver, as far as they are known. */
export type Options = Record<string, unknown>

/** Where the value of an option was written. */
export type ByOption = ReadonlyMap<string, Written>

export function sectionOf({ name, files }: Sought): string {
  return `[${[...files.path, name].join('.')}] of ${files.file?.shown ?? `${files.folder}/connections.toml`}`
}

export function noConnection(sought: Sought): UserError {
  const { name, files } = sought
  const known = Object.keys(files.connections).filter((key) => typeof files.connections[key] === 'object')
  const isOwn = files.file !== undefined && files.path.length === 0
  return new UserError('LPA-SNOWFLAKE-CONNECTION', `There is no connection ${name} of Snowflake.`, {
    exit: 'config',
    where: files.file?.shown ?? files.folder,
    next: [
      ...(known.length > 0 ? nearest(name, known) : []),
      ...(isOwn ? ['While there is a connections.toml, those of config.toml do not count.'] : []),
      'Choose one: warehouse.connection = "NAME" in lpa.toml',
      `Or make it: ${sectionOf(sought)}, snow connection add, or ${prefixOf(name)[1]}ACCOUNT and others in the environment.`,
    ],
  })
}

export function refuseMissing(
  sought: Sought,
  authenticator: string,
  options: Readonly<Options>,
  warnings: readonly ConnectionWarning[],
): void {
  const [missing] = [
    ...missingFor(authenticator, options),
    // lpa's schemas are all in one database.
    ...(options.database === undefined ? [['database']] : []),
  ]
  if (missing === undefined) return
  const [field = '', ...others] = missing.map(fieldOf)
  const or = others.length > 0 ? ` or ${others.join(' or ')}` : ''
  const why =
    field === 'database' ? 'which lpa keeps its schemas in' : `which ${authenticator.toLowerCase()} needs`
  const variable = `${prefixOf(sought.name)[1]}${field.toUpperCase()}`
  throw new UserError(
    'LPA-SNOWFLAKE-MISSING',
    `The connection ${sought.name} has no ${field}${or}, ${why}.`,
    {
      exit: 'config',
      where: sought.files.file?.shown ?? sought.files.folder,
      next: [
        ...warnings.flatMap(({ message, next }) => [message, ...next]),
        `Add it to ${sectionOf(sought)}: ${field} = "…"`,
        `Or to the environment: ${variable}`,
      ],
    },
  )
}

/** An address in place of the account is the commonest slip. */
export function refuseAccount(options: Readonly<Options>, byOption: ByOption): void {
  const account = String(options.account)
  if (/^\w+([.-]\w+)*$/.test(account) && !/\.snowflakecomputing\./i.test(account)) return
  throw new UserError('LPA-SNOWFLAKE-FIELD', 'This is not the identifier of an account.', {
    ...{ exit: 'config', where: byOption.get('account')?.where ?? '' },
    next: 'Write it without https:// and .snowflakecomputing.com: account = "myorg-myaccount"',
  })
}

/** Without TLS, whoever is on the way reads the password and the rows. */
export function refuseClear(options: Readonly<Options>, byOption: ByOption): void {
  const { accessUrl, host } = options
  const address =
    accessUrl === undefined ? `${options.protocol ?? 'https'}://${host ?? 'account'}` : String(accessUrl)
  const one = byOption.get(accessUrl === undefined ? 'protocol' : 'accessUrl') ?? byOption.get('host')
  const where = one?.where ?? ''
  const url = URL.parse(address)
  if (url?.protocol === 'https:') return
  if (url?.protocol !== 'http:' || url.hostname === '')
    throw new UserError('LPA-SNOWFLAKE-FIELD', 'This is no address: https://….', { exit: 'config', where })
  if (isLoopbackName(url.hostname)) return
  throw new UserError(
    'LPA-SNOWFLAKE-CLEAR',
    'This address is not encrypted: what is sent could be read by others.',
    {
      ...{ exit: 'config', where },
      next: 'Take protocol out: it is https then. Without TLS lpa connects to this machine only.',
    },
  )
}

export function readProvider(options: Options, byOption: ByOption): void {
  if (options.workloadIdentityProvider === undefined) return
  const provider = String(options.workloadIdentityProvider).toUpperCase()
  const one = byOption.get('workloadIdentityProvider')
  if (!PROVIDERS.includes(provider) && one) throw wrong(one, `one of ${PROVIDERS.join(', ')}`)
  options.workloadIdentityProvider = provider
}

/** The key as the driver wants it, whichever way it is kept: PKCS#8 without a passphrase. */
export function unlockKey(options: Options, byOption: ByOption): void {
  const where = byOption.get('privateKey')?.where ?? ''
  const refuse = (message: string, next: string) =>
    new UserError('LPA-SNOWFLAKE-KEY', message, { exit: 'config', where, next })
  const passphrase = options.privateKeyPass as string | undefined
  let key: KeyObject
  try {
    key = createPrivateKey({
      key: String(options.privateKey),
      ...(passphrase !== undefined && { passphrase }),
    })
  } catch (error) {
    const isLocked = /ENCRYPTED/.test(String(options.privateKey))
    if (isLocked && passphrase === undefined)
      throw refuse('The private key has a passphrase, and none is given.', 'Add private_key_file_pwd = "…"')
    throw isLocked && (error as NodeJS.ErrnoException).code !== 'ERR_OSSL_UNSUPPORTED'
      ? refuse('The passphrase does not open the private key.', 'Check private_key_file_pwd.')
      : refuse('This is not a private key in PEM format.', 'It begins with -----BEGIN PRIVATE KEY-----')
  }
  if (key.asymmetricKeyType !== 'rsa')
    throw refuse(
      'Snowflake takes RSA keys only.',
      'Make one: openssl genrsa 2048 | openssl pkcs8 -topk8 -out key.p8',
    )
  options.privateKey = String(key.export({ type: 'pkcs8', format: 'pem' })).trim()
  delete options.privateKeyPass
}

/** As the `snow` command writes it, and as shells let it be written: they take no hyphen in a name. */
export function prefixOf(name: string): string[] {
  const upper = name.toUpperCase()
  return [upper, upper.replace(/\W/g, '_')].map((part) => `SNOWFLAKE_CONNECTIONS_${part}_`)
}

/** The value is not shown: a password may stand in the wrong place. */
export function wrong({ field, where }: Written, expected: string): UserError {
  return new UserError('LPA-SNOWFLAKE-FIELD', `${field} should be ${expected}.`, { exit: 'config', where })
}
