/** Gets pages of an API: who asks, where redirects may lead, what is tried again, and what an answer's status means. */

import { setTimeout as sleep } from 'node:timers/promises'
import { readCaFile } from '../../ca-file.ts'
import type { ApiSettings } from '../../config/api.ts'
import { formatDuration } from '../../duration.ts'
import { type ExitName, UserError } from '../../errors.ts'
import { openAuthorization } from './authorization.ts'
import { type Answer, type Exchange, openExchanger } from './exchange.ts'
import { shownAddress } from './name.ts'
import { backoffMs, LONGEST_WAIT_MS, retryAfterMs } from './waiting.ts'

export interface ClientOptions {
  readonly settings: ApiSettings
  readonly signal: AbortSignal
  /** Told before a wait: why, and for how long. */
  readonly onWait: (line: string) => void
  /** The first wait of a backoff. */
  readonly firstWaitMs?: number
}

/** Answers with 200, or 204 where there is nothing; `from` is where redirects led, `where` names the page in errors. */
export type GetPage = (url: URL, where: string) => Promise<Answer & { readonly from: URL }>

const MOST_TRIES = 6
const MOST_REDIRECTS = 5
const FIRST_WAIT_MS = 1000

export const NO_CONTENT = 204

/** What may be answered otherwise a little later; a server without the method, or the version, stays so. */
const isPassing = (status: number) =>
  [408, 425, 429].includes(status) || (status >= 500 && ![501, 505].includes(status))
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** The connection failed for a reason that stays. */
const LASTING = /^(ENOTFOUND|ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/

/**
 * @throws UserError, each with the page: notPermitted (77) for 401, 403 and addresses that may not be reached, noInput
 *   (66) for 404, config (78) for other requests that the server does not take, unavailable (69) when it does not answer
 */
export async function openClient(options: ClientOptions): Promise<GetPage> {
  const { settings, signal, onWait, firstWaitMs = FIRST_WAIT_MS } = options
  const exchange = await openExchanger({
    ca: settings.caFile === undefined ? undefined : readCaFile(settings.caFile, 'LPA-SOURCE-CA'),
    timeoutMs: settings.timeoutMs,
    allowPrivate: settings.allowPrivate,
    signal,
  })

  /** Until it is answered with something that will not change. */
  async function send(request: Exchange, where: string): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      let failure: UserError
      let asked: number | undefined
      try {
        const answer = await exchange(request, where)
        if (!isPassing(answer.status)) return answer
        failure = statusFailure(answer.status, where)
        asked = retryAfterMs(answer.headers['retry-after'], Date.now())
        if (asked !== undefined && asked > LONGEST_WAIT_MS) throw askedForLong(answer.status, asked, where)
      } catch (error) {
        if (error instanceof UserError || signal.aborted) throw error
        failure = connectionFailure(error, where)
        if (LASTING.test(codeOf(error))) throw failure
      }
      if (attempt === MOST_TRIES) throw failure
      const waitMs = Math.max(asked ?? 0, backoffMs(attempt, firstWaitMs, Math.random()))
      onWait(`${where}: ${failure.message} Again in ${formatDuration(waitMs)}.`)
      await sleep(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }

  const authorization = openAuthorization(settings, async (request, what) => {
    const where = `${shownAddress(request.url)} (${what})`
    const answer = await send(request, where)
    if (answer.status === 200) return answer
    throw statusFailure(answer.status, where)
  })

  return async (first, where) => {
    let url = first
    let isRenewed = false
    for (let redirects = 0; ; ) {
      const headers = { Accept: 'application/json', ...settings.headers }
      const answer = await send(await authorization.signed({ url, method: 'GET', headers }), where)
      if (answer.status === 200 || answer.status === NO_CONTENT) return { ...answer, from: url }
      if (answer.status === 401 && !isRenewed && authorization.renew()) {
        isRenewed = true
        continue
      }
      if (!REDIRECTS.has(answer.status)) throw statusFailure(answer.status, where)
      redirects += 1
      if (redirects > MOST_REDIRECTS) throw redirectFailure('It redirects in a circle.', where)
      url = sameOrigin(answer.headers.location, url, 'It redirects', where)
    }
  }
}

/**
 * An address that the server names, which must be of the same origin: what it would get otherwise are the credentials
 * of this one. Without user and password that it may hold.
 */
export function sameOrigin(address: string | undefined, from: URL, who: string, where: string): URL {
  const url = address === undefined ? null : URL.parse(address, from.href)
  if (!url) throw redirectFailure(`${who} to what is no address.`, where)
  if (url.origin !== from.origin) {
    const to = url.origin === 'null' ? url.protocol : url.origin
    throw redirectFailure(
      `${who} to another origin, ${to}, where the credentials of this one must not go.`,
      where,
    )
  }
  url.username = ''
  url.password = ''
  url.hash = ''
  return url
}

function redirectFailure(message: string, where: string): UserError {
  return new UserError('LPA-API-REDIRECT', message, {
    ...{ exit: 'notPermitted', where },
    next: 'If that is where the API is now, name it in lpa.toml: uri = "https://…"',
  })
}

const STATUS: Readonly<Record<number, readonly [exit: ExitName, what: string, next: string]>> = {
  401: ['notPermitted', 'It does not take the credentials', 'Check auth, user and the secret of the source.'],
  403: [
    'notPermitted',
    'These credentials may not read this',
    'Ask its owner for the permission to read it.',
  ],
  404: ['noInput', 'It is not there', 'Check the uri of the source.'],
  410: ['noInput', 'It is not there any more', 'Check the uri of the source.'],
  429: ['unavailable', 'It is asked too often', 'Run it again later.'],
}

function statusFailure(status: number, where: string): UserError {
  const [exit, what, next] = STATUS[status] ?? otherStatus(status)
  return new UserError('LPA-API-STATUS', `${what} (HTTP ${status}).`, { exit, where, next })
}

function otherStatus(status: number): readonly [exit: ExitName, what: string, next: string] {
  if (isPassing(status) || status >= 500)
    return ['unavailable', 'The server is not able to answer', 'Run it again later.']
  if (status >= 400)
    return ['config', 'It does not take this request', 'Check uri, parameters and headers of the source.']
  return ['data', 'It answers what lpa does not know', 'Check the uri of the source.']
}

const DAY_MS = 86_400_000

function askedForLong(status: number, ms: number, where: string): UserError {
  const time = ms > DAY_MS ? 'more than a day' : formatDuration(ms)
  return new UserError('LPA-API-STATUS', `It asks to wait for ${time} (HTTP ${status}).`, {
    ...{ exit: 'unavailable', where },
    next: 'Run it again then: nothing was changed.',
  })
}

const CONNECTION: readonly (readonly [code: RegExp, what: string, next: string])[] = [
  [/^ENOTFOUND$/, 'Its host has no address', 'Check the host in its uri, and the network.'],
  [/^EAI_/, 'The name of its host cannot be looked up', 'Check the network.'],
  [/^ECONNREFUSED$/, 'Its host refuses connections', 'Check that the server is running.'],
  [/^ETIMEDOUT$/, 'It does not answer in time', 'Check the server, or give it more time: timeout = "5m"'],
  [
    /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/,
    'Its certificate cannot be trusted',
    'If it is signed in your own house, name who signed it: ca_file = "ca.pem"',
  ],
  [/^Z_|^ERR_ZLIB/, 'Its answer is cut off or damaged', 'Run it again later.'],
]

function connectionFailure(error: unknown, where: string): UserError {
  const code = codeOf(error)
  const [, what, next] = CONNECTION.find(([pattern]) => pattern.test(code)) ?? [
    undefined,
    'The connection broke',
    'Run it again later.',
  ]
  const words = code === '' ? what : `${what} (${code})`
  return new UserError('LPA-API-CONNECTION', `${words}.`, {
    ...{ exit: 'unavailable', where, cause: error },
    next: [
      next,
      ...(hasProxy() ? ['lpa uses no proxy (HTTPS_PROXY): it has to reach the host itself.'] : []),
    ],
  })
}

/** Behind a proxy no address could be looked at (decision 0015). */
function hasProxy(): boolean {
  return ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some((name) => process.env[name])
}

function codeOf(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: readonly unknown[] }
  if (typeof code === 'string') return code
  // Of several addresses that were tried.
  return errors?.[0] === undefined ? '' : codeOf(errors[0])
}
