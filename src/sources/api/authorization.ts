/** How a source shows who asks: by a secret that is never in lpa.toml, or by a token that is asked for. */

import type { ApiSettings } from '../../config/api.ts'
import { UserError } from '../../errors.ts'
import { rememberSecret } from '../../secrets.ts'
import { readSecret } from '../source-secret.ts'
import type { Answer, Exchange } from './exchange.ts'
import { apiName, shownAddress, withParameter } from './name.ts'

export interface Authorization {
  /** A request with the credentials in it: what is sent, and never kept or shown. */
  signed(exchange: Exchange): Promise<Exchange>
  /** After a 401: whether another try may be answered otherwise. */
  renew(): boolean
}

/** A token that runs out sooner is renewed before it is used. */
const LEAST_LIFE_MS = 30_000

/** `send` carries the request for a token out, and tries again where it may. */
export function openAuthorization(
  settings: ApiSettings,
  send: (exchange: Exchange, what: string) => Promise<Answer>,
): Authorization {
  const { auth, user = '', authName = '' } = settings
  if (auth === undefined) return fixed((exchange) => exchange)
  const secret = readSecret(settings, apiName(settings))
  if (auth === 'bearer') return fixed(withHeader('Authorization', `Bearer ${secret}`))
  if (auth === 'basic') return fixed(withHeader('Authorization', basic(user, secret)))
  if (auth === 'header') return fixed(withHeader(authName, secret))
  if (auth === 'query')
    return fixed((exchange) => ({ ...exchange, url: withParameter(exchange.url, authName, secret) }))
  let token: { readonly text: string; readonly until: number } | undefined
  return {
    async signed(exchange) {
      if (!token || token.until < Date.now()) token = await askForToken(settings, secret, send)
      return withHeader('Authorization', `Bearer ${token.text}`)(exchange)
    },
    renew() {
      token = undefined
      return true
    },
  }
}

function fixed(sign: (exchange: Exchange) => Exchange): Authorization {
  return { signed: async (exchange) => sign(exchange), renew: () => false }
}

function withHeader(name: string, value: string) {
  return (exchange: Exchange): Exchange => ({ ...exchange, headers: { ...exchange.headers, [name]: value } })
}

function basic(user: string, secret: string): string {
  const pair = Buffer.from(`${user}:${secret}`).toString('base64')
  rememberSecret(pair)
  return `Basic ${pair}`
}

/** RFC 6749, section 4.4; the client as in section 2.3.1, either way. */
async function askForToken(
  { tokenUri = '', tokenAuth = 'basic', user = '', scope }: ApiSettings,
  secret: string,
  send: (exchange: Exchange, what: string) => Promise<Answer>,
): Promise<{ text: string; until: number }> {
  const formEncoded = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)
  const asked = Date.now()
  const { body } = await send(
    {
      url: new URL(tokenUri),
      method: 'POST',
      headers: {
        Accept: 'application/json',
        'Content-Type': 'application/x-www-form-urlencoded',
        ...(tokenAuth === 'basic' && { Authorization: basic(formEncoded(user), formEncoded(secret)) }),
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        ...(tokenAuth === 'body' && { client_id: user, client_secret: secret }),
        ...(scope !== undefined && { scope }),
      }).toString(),
    },
    'token',
  )
  const { access_token: text, expires_in: seconds } = parsed(body)
  if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text)) {
    throw new UserError('LPA-API-TOKEN', 'What token_uri answers holds no access token.', {
      ...{ exit: 'unavailable', where: shownAddress(new URL(tokenUri)) },
      next: 'Check token_uri, user and scope of the source in lpa.toml.',
    })
  }
  rememberSecret(text)
  const life =
    typeof seconds === 'number' || typeof seconds === 'string' ? Number(seconds) * 1000 : Number.NaN
  // Without a time, or with a very short one, it is used until it is refused.
  return { text, until: life > 2 * LEAST_LIFE_MS ? asked + life - LEAST_LIFE_MS : Number.POSITIVE_INFINITY }
}

function parsed(body: Buffer): { access_token?: unknown; expires_in?: unknown } {
  try {
    return (JSON.parse(body.toString('utf8')) as object | null) ?? {}
  } catch {
    return {}
  }
}
