/** The keys of [sources.NAME] that say how an HTTP API is read. */

import { UserError } from '../errors.ts'
import { SECRET_NAME } from '../secrets.ts'
import { choice, duration, path, type Setting, text, whole, yesOrNo } from './settings.ts'
import { isLoopbackName, readKey, type SourcePlace, secretOf } from './source-place.ts'

/** How `lpa load NAME` reads an HTTP API. Paths into JSON are as mappings write them: `$.meta.next`. */
export interface ApiSettings {
  readonly url: string
  readonly pagination: 'link' | 'more' | 'cursor' | 'page' | 'offset'
  /** Where the array of records is in an answer: `$` when the answer is the array. */
  readonly records: string
  /** Where an answer says how to go on: the next page's cursor, or its address. */
  readonly next?: string
  /** The parameter that takes the cursor, the number of the page, or the offset. */
  readonly parameter?: string
  readonly headers: Readonly<Record<string, string>>
  readonly auth?: 'bearer' | 'basic' | 'oauth' | 'header' | 'query'
  /** The header or the parameter that takes the secret, of auth by these. */
  readonly authName?: string
  /** The user of basic, the client id of oauth. */
  readonly user?: string
  /** Token, password or client secret: in this variable, else in this file. */
  readonly secretVariable: string
  readonly secretFile?: string
  readonly tokenUri?: string
  /** Where a request for a token says who asks: in the Authorization header, unless said. */
  readonly tokenAuth?: 'basic' | 'body'
  readonly scope?: string
  /** The parameter that asks for what is new. */
  readonly since?: string
  /** Its value: the largest that records have there; without it, the time at which the run began. */
  readonly sincePath?: string
  readonly overlapMs: number
  /** The next run goes on from the last cursor. */
  readonly resume: boolean
  readonly maxPages: number
  readonly timeoutMs: number
  readonly allowPrivate: boolean
  readonly caFile?: string
}

const JSON_PATH = /^\$(\.("(?:[^"\\]|\\.)+"|[\w-]+))*$/
const PARAMETER = /^[^\s&=#?]+$/
const HEADER = /^[\w!#$%&'*+.^`|~-]+$/
/** What belongs to the connection. */
const OWN_HEADER =
  /^(host|connection|content-.*|transfer-encoding|accept-encoding|te|trailer|upgrade|expect|proxy-.*)$/i

const headers: Setting<Readonly<Record<string, string>>> = {
  default: null,
  read: (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const isHeader = ([name, content]: [string, unknown]) =>
      HEADER.test(name) && typeof content === 'string' && /^[\x20-\x7e]*$/.test(content)
    return Object.entries(value).every(isHeader) ? (value as Record<string, string>) : undefined
  },
  expected: 'a table of texts: {X-Experience-API-Version = "1.0.3"}',
}

const KEYS = {
  pagination: choice(['link', 'more', 'cursor', 'page', 'offset'], 'link'),
  records: text(null, 'a JSON path such as $.statements', JSON_PATH),
  next: text(null, 'a JSON path such as $.meta.next', JSON_PATH),
  parameter: text(null, 'the name of a parameter', PARAMETER),
  headers,
  auth: choice(['bearer', 'basic', 'oauth', 'header', 'query'], 'bearer'),
  auth_name: text(null, 'the name of a header or a parameter', PARAMETER),
  user: text(null, 'a text'),
  secret_file: path(null),
  token_uri: text(null, 'an address: https://…'),
  token_auth: choice(['basic', 'body'], 'basic'),
  scope: text(null, 'a text'),
  since: text(null, 'the name of a parameter', PARAMETER),
  since_path: text(null, 'a JSON path such as $.stored', JSON_PATH),
  overlap: duration('0s'),
  resume: yesOrNo,
  max_pages: whole(10_000, 1, 'pages'),
  timeout: duration('60s'),
  allow_private: yesOrNo,
  ca_file: path(null),
} as const

export const API_KEYS = Object.keys(KEYS)

export function isApi(uri: string): boolean {
  return /^https?:\/\//i.test(uri)
}

/**
 * The settings of an API.
 * @throws UserError config (78) for a wrong value, for keys that do not go together, and for secrets in clear
 */
export function readApi(
  url: string,
  source: Readonly<Record<string, unknown>>,
  place: SourcePlace,
): ApiSettings {
  const { name, where } = place
  const get = <K extends keyof typeof KEYS>(key: K) => readKey(KEYS, key, source, place)
  const refuse = (key: string, message: string, next: string) =>
    new UserError('LPA-CONFIG-API', `sources.${name}.${key} ${message}`, {
      ...{ exit: 'config', where: where(key), next },
    })
  const needs = (key: keyof typeof KEYS, isThere: boolean, what: string) => {
    if (source[key] !== undefined && !isThere)
      throw refuse(key, `does nothing without ${what}.`, 'Add that, or take this out.')
  }

  checkAddress(url, 'uri', refuse)
  const pagination = get('pagination') ?? 'link'
  const auth = get('auth')
  const tokenUri = get('token_uri')
  const since = get('since')
  const resume = get('resume') ?? false
  const next = get('next')
  const sent = get('headers') ?? {}

  const open = Object.keys(sent).find((header) => SECRET_NAME.test(header))
  if (open !== undefined)
    throw refuse(
      'headers',
      `holds a secret in clear: ${open}.`,
      `Take it out, and put it into a file: auth = "header", auth_name = "${open}"`,
    )
  if (pagination === 'cursor' && next === undefined)
    throw refuse('pagination', 'needs to know where a page tells the next cursor.', 'next = "$.meta.next"')
  needs('next', pagination === 'cursor' || pagination === 'more', 'pagination = "cursor"')
  needs('parameter', pagination !== 'link' && pagination !== 'more', 'pagination = "cursor"')
  needs('resume', pagination === 'cursor', 'pagination = "cursor"')
  needs('since_path', since !== undefined, 'since = "since"')
  needs('overlap', since !== undefined, 'since = "since"')
  needs('secret_file', auth !== undefined, 'auth = "bearer"')
  needs('user', auth === 'basic' || auth === 'oauth', 'auth = "basic"')
  needs('token_uri', auth === 'oauth', 'auth = "oauth"')
  needs('token_auth', auth === 'oauth', 'auth = "oauth"')
  needs('scope', auth === 'oauth', 'auth = "oauth"')
  const authName = get('auth_name')
  needs('auth_name', auth === 'header' || auth === 'query', 'auth = "header" or auth = "query"')
  if ((auth === 'header' || auth === 'query') && authName === undefined)
    throw refuse(
      'auth',
      `needs to know which ${auth === 'header' ? 'header' : 'parameter'}.`,
      `auth_name = "${auth === 'header' ? 'X-Api-Key' : 'api_key'}"`,
    )
  if (auth === 'header' && authName !== undefined && (!HEADER.test(authName) || OWN_HEADER.test(authName)))
    throw refuse('auth_name', 'is no header that can be sent.', 'auth_name = "X-Api-Key"')
  if (resume && since !== undefined)
    throw refuse('resume', 'and since say the same thing in two ways.', 'Take one of them out.')
  if ((auth === 'basic' || auth === 'oauth') && source.user === undefined)
    throw refuse('auth', 'needs a user.', auth === 'oauth' ? 'user = "the client id"' : 'user = "lpa"')
  if (auth === 'oauth') {
    if (tokenUri === undefined)
      throw refuse('auth', 'needs the address that gives tokens.', 'token_uri = "https://…"')
    checkAddress(tokenUri, 'token_uri', refuse)
  }

  const optional = {
    ...{ next, parameter: get('parameter'), since, auth, authName, user: get('user') },
    ...{ tokenUri, tokenAuth: get('token_auth'), scope: get('scope') },
    sincePath: get('since_path'),
    caFile: get('ca_file'),
  }
  return {
    ...{ url, pagination, headers: sent, resume },
    records: get('records') ?? '$',
    ...secretOf(place, get('secret_file'), auth !== undefined),
    overlapMs: get('overlap') ?? 0,
    maxPages: get('max_pages') ?? 10_000,
    timeoutMs: get('timeout') ?? 60_000,
    allowPrivate: get('allow_private') ?? false,
    ...(Object.fromEntries(
      Object.entries(optional).filter(([, value]) => value !== undefined),
    ) as Partial<ApiSettings>),
  }
}

type Refuse = (key: string, message: string, next: string) => UserError

/** Nothing of a refused address is shown: it may hold what it is refused for. */
function checkAddress(address: string, key: 'uri' | 'token_uri', refuse: Refuse): void {
  let url: URL
  try {
    url = new URL(address)
  } catch {
    throw refuse(key, 'is no address.', 'Write it as https://host/path')
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackName(url.hostname)))
    throw refuse(key, 'is not encrypted: what it answers is personal.', 'Write it with https://')
  const secret = [...url.searchParams.keys()].find((name) => SECRET_NAME.test(name))
  if (url.username !== '' || url.password !== '' || secret !== undefined)
    throw refuse(
      key,
      `holds a secret in clear${secret === undefined ? '' : `: ${secret}`}.`,
      secret === undefined
        ? 'Take it out, and use auth, which takes it from a file.'
        : `Take it out, and put it into a file: auth = "query", auth_name = "${secret}"`,
    )
}
