/** One request and its whole answer, over a connection whose address was looked at. */

import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http'
import { LONGEST_TIMER_MS } from '../../duration.ts'
import { UserError } from '../../errors.ts'
import { assertHost, checkedLookup } from './addresses.ts'

// Node's own client, not undici: its lookup is that of the connection, and nothing is added for it (decision 0015).

export interface Exchange {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Unpacked. */
  readonly body: Buffer
}

export interface ConnectionOptions {
  readonly allowPrivate: boolean
  /** Certificates that are trusted beside the usual ones, as PEM. */
  readonly ca: string | undefined
  /** Without a byte for so long, a connection counts as dead. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** A page is in memory as a whole. */
const MAX_BODY_BYTES = 32 * 1024 * 1024
/** However steadily it trickles, an answer takes no longer than so many timeouts. */
const TIMEOUTS_OF_AN_ANSWER = 10

/** Makes requests to what is configured, over connections that are kept. */
export type Exchanger = (exchange: Exchange, where: string) => Promise<Answer>

export async function openExchanger(options: ConnectionOptions): Promise<Exchanger> {
  const [http, https, tls] = await Promise.all([
    import('node:http'),
    import('node:https'),
    import('node:tls'),
  ])
  const ca = options.ca === undefined ? undefined : [...tls.getCACertificates('default'), options.ca]
  const kept = { keepAlive: true, maxSockets: 1 }
  const plain = new http.Agent(kept)
  const encrypted = new https.Agent(kept)

  return async ({ url, method, headers, body }, where) => {
    const rules = { allowPrivate: options.allowPrivate, where }
    assertHost(url, rules)
    const late = AbortSignal.timeout(Math.min(options.timeoutMs * TIMEOUTS_OF_AN_ANSWER, LONGEST_TIMER_MS))
    const isEncrypted = url.protocol === 'https:'
    const how: RequestOptions = {
      method,
      headers: { 'Accept-Encoding': 'gzip', ...headers },
      agent: isEncrypted ? encrypted : plain,
      lookup: checkedLookup(url.protocol, rules),
      timeout: Math.min(options.timeoutMs, LONGEST_TIMER_MS),
      signal: AbortSignal.any([options.signal, late]),
    }
    // Also where the environment says that certificates need not be looked at.
    const request = isEncrypted
      ? https.request(url, { ...how, rejectUnauthorized: true, ...(ca && { ca }) })
      : http.request(url, how)
    let response: IncomingMessage | undefined
    request.on('timeout', () => (response ?? request).destroy(timedOut()))
    try {
      response = await new Promise<IncomingMessage>((resolve, reject) => {
        request.on('response', resolve).on('error', reject)
        request.end(body)
      })
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: await unpackedBody(response, where),
      }
    } catch (error) {
      request.destroy()
      options.signal.throwIfAborted()
      throw late.aborted ? timedOut() : error
    }
  }
}

function timedOut(): Error {
  return Object.assign(new Error('The server is silent.'), { code: 'ETIMEDOUT' })
}

async function unpackedBody(response: IncomingMessage, where: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) throw tooLarge(where)
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks)
  if (response.headers['content-encoding']?.toLowerCase() !== 'gzip' || body.length === 0) return body
  const { gunzip } = await import('node:zlib')
  return new Promise((resolve, reject) => {
    gunzip(body, { maxOutputLength: MAX_BODY_BYTES }, (error, unpacked) => {
      if (!error) resolve(unpacked)
      else reject((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(where) : error)
    })
  })
}

function tooLarge(where: string): UserError {
  return pageTooLarge(`The page is larger than ${MAX_BODY_BYTES / 1024 / 1024} MB.`, where)
}

export function pageTooLarge(message: string, where: string): UserError {
  return new UserError('LPA-API-SIZE', message, {
    exit: 'data',
    where,
    next: 'Ask for fewer records a page, as in: uri = "https://…?limit=500"',
  })
}
