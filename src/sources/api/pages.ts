/** The pages of an API one after the other, and where their end is. */

import type { ApiSettings } from '../../config/api.ts'
import { UserError } from '../../errors.ts'
import { type JsonPath, parseJsonPath } from '../json-path.ts'
import { elementsAt, type Slice, sliceAt, textAt } from '../json-slices.ts'
import { type GetPage, NO_CONTENT, sameOrigin } from './client.ts'
import { type Answer, pageTooLarge } from './exchange.ts'
import { nextLink } from './link-header.ts'
import { withParameter } from './name.ts'

export interface Page {
  /** From 1. */
  readonly number: number
  readonly where: string
  readonly json: Buffer
  /** Its records, as places in `json`. */
  readonly records: readonly Slice[]
  /** Of pagination by cursor: the one that leads on, else the one that led here. */
  readonly cursor: string | undefined
  /** When the server answered, by its own clock, if it says so. */
  readonly servedAt?: Date | undefined
}

const MOST_EMPTY_PAGES = 100
/** With less than 64 bytes each; what they take in memory beside them is more. */
const MOST_RECORDS = 500_000
const NOTHING = Buffer.from('{}')

export function pathOf(text: string): JsonPath {
  return parseJsonPath(text)?.keys ?? []
}

/**
 * @param first The address of the first page
 * @param shown How errors name the API
 * @throws UserError data (65) for a page that is not as expected, for pages that repeat and for too many of them
 */
export async function* pagesOf(
  settings: ApiSettings,
  first: URL,
  shown: string,
  get: GetPage,
): AsyncGenerator<Page> {
  const seen = new Set<string>()
  let before: Buffer | undefined
  let empty = 0
  let url: URL | undefined = first
  for (let number = 1; url; number += 1) {
    const where = `${shown}, page ${number}`
    if (number > settings.maxPages) throw tooManyPages(settings.maxPages, where)
    if (seen.has(url.href)) throw loop(where, 'It leads back to a page that was read before.')
    seen.add(url.href)
    const answer = await get(url, where)
    const page = readPage(settings, url, answer, { number, where })
    empty = page.records.length === 0 ? empty + 1 : 0
    if (empty > MOST_EMPTY_PAGES)
      throw loop(where, `${MOST_EMPTY_PAGES} pages one after the other hold no records, and there is no end.`)
    if (number > 1 && page.records.length > 0 && before?.equals(page.json))
      throw loop(where, 'It is the same page as the one before.')
    yield page
    url = nextOf(settings, url, answer, page)
    before = page.json
  }
}

function readPage(
  settings: ApiSettings,
  url: URL,
  answer: Answer,
  { number, where }: Pick<Page, 'number' | 'where'>,
): Page {
  const isEmpty = answer.status === NO_CONTENT
  const json = isEmpty ? NOTHING : jsonOf(answer, where)
  const records = isEmpty ? [] : recordsOf(json, settings.records, where)
  const cursor =
    settings.pagination === 'cursor'
      ? (nextText(settings, json) ?? url.searchParams.get(parameterOf(settings)) ?? undefined)
      : undefined
  return { number, where, json, records, cursor, servedAt: dateOf(answer) }
}

function recordsOf(json: Buffer, path: string, where: string): readonly Slice[] {
  const place = sliceAt(json, pathOf(path))
  const records = place && elementsAt(json, place.start, MOST_RECORDS + 1)
  if (!records) throw noRecords(json, path, where)
  if (records.length > MOST_RECORDS)
    throw pageTooLarge(`The page holds more than ${MOST_RECORDS.toLocaleString('en')} records.`, where)
  return records
}

function dateOf({ headers }: Answer): Date | undefined {
  const time = Date.parse(headers.date ?? '')
  return Number.isNaN(time) ? undefined : new Date(time)
}

/** The text of a page, known to be JSON. */
function jsonOf({ headers, body }: Answer, where: string): Buffer {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== undefined && !/^(application|text)\/([\w.-]+\+)?json$/.test(type)) {
    const said = /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'something else'
    throw badPage(
      `It answers ${said} instead of JSON.`,
      where,
      'Check the uri: this may be a page for people.',
    )
  }
  const hasMark = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf
  const json = hasMark ? body.subarray(3) : body
  try {
    JSON.parse(json.toString('utf8'))
  } catch {
    // What Node says of it quotes it.
    throw badPage('Its JSON is cut off or malformed.', where, 'Run it again; if it stays so, tell its owner.')
  }
  return json
}

/** Names that many APIs give their array of records. Other keys are not shown: they may be values. */
const USUAL = ['data', 'items', 'results', 'records', 'statements', 'entries', 'content', 'value']

function noRecords(json: Buffer, path: string, where: string): UserError {
  const usual = USUAL.find((key) => {
    const place = sliceAt(json, [key])
    return place && elementsAt(json, place.start, 1)
  })
  const what = path === '$' ? 'It is no array of records.' : `It has no array of records at ${path}.`
  return badPage(what, where, `Say where the records are, as in: records = "$.${usual ?? 'data'}"`)
}

// ── the next page ─────────────────────────────────────────────────────────────────────────────────────────

function nextOf(
  settings: ApiSettings,
  url: URL,
  answer: Awaited<ReturnType<GetPage>>,
  page: Page,
): URL | undefined {
  const { where, records } = page
  switch (settings.pagination) {
    case 'link': {
      const link = nextLink(answer.headers.link?.toString())
      if (link !== undefined) return sameOrigin(link, answer.from, 'It leads', where)
      refuseMore(page)
      refuseOnlyPage(page, totalOf(answer))
      return undefined
    }
    case 'more': {
      const more = nextText(settings, page.json)
      return more === undefined ? undefined : sameOrigin(more, answer.from, 'It leads', where)
    }
    case 'cursor': {
      const cursor = nextText(settings, page.json)
      const isSame = cursor === url.searchParams.get(parameterOf(settings))
      // A feed tells the same cursor until there is something new.
      if (cursor === undefined || (isSame && records.length === 0)) return undefined
      return withParameter(url, parameterOf(settings), cursor)
    }
    case 'page':
      return records.length === 0 ? undefined : counted(url, parameterOf(settings), 1, 1, where)
    case 'offset': {
      const parameter = parameterOf(settings)
      const next = counted(url, parameter, 0, records.length, where)
      const total = totalOf(answer)
      const read = Number(next.searchParams.get(parameter))
      if (records.length > 0) return read >= total ? undefined : next
      if (read < total)
        throw badPage(
          `It says that there are ${total} records, and ends after ${read}.`,
          where,
          'Run it again.',
        )
      return undefined
    }
  }
}

/** NaN when it is not told: no comparison holds then. */
function totalOf({ headers }: Answer): number {
  const said = headers['x-total-count']?.toString() ?? ''
  return /^\d+$/.test(said) ? Number(said) : Number.NaN
}

/** A server that pages in another way gives its first page, and no link. */
function refuseOnlyPage({ number, records, where }: Page, total: number): void {
  if (number > 1 || !(records.length < total)) return
  throw badPage(
    `It says that there are ${total} records, and ends after ${records.length} without a link to more.`,
    where,
    'Say how its pages lead on: pagination = "page" or "offset"',
  )
}

/** xAPI's own way to go on, which would be passed over. */
function refuseMore({ json, where }: Page): void {
  if (!textAt(json, ['more'])) return
  throw badPage('It has more pages, which this pagination does not see.', where, 'Add: pagination = "more"')
}

function nextText({ next = '$.more' }: ApiSettings, json: Buffer): string | undefined {
  return textAt(json, pathOf(next)) || undefined
}

function parameterOf({ parameter, pagination }: ApiSettings): string {
  return parameter ?? pagination
}

function counted(url: URL, parameter: string, first: number, step: number, where: string): URL {
  const now = Number(url.searchParams.get(parameter) ?? first)
  if (!Number.isSafeInteger(now) || now < 0)
    throw badPage(`The parameter ${parameter} in its uri is no number.`, where, 'Take it out of the uri.')
  return withParameter(url, parameter, String(now + step))
}

// ── errors ────────────────────────────────────────────────────────────────────────────────────────────────

export function badPage(message: string, where: string, next: string): UserError {
  return new UserError('LPA-API-PAGE', message, { exit: 'data', where, next })
}

function loop(where: string, message: string): UserError {
  return new UserError('LPA-API-LOOP', message, {
    ...{ exit: 'data', where },
    next: 'Check pagination, parameter and next of the source: nothing was loaded.',
  })
}

function tooManyPages(most: number, where: string): UserError {
  return new UserError('LPA-API-PAGES', `There are more than ${most.toLocaleString('en')} pages.`, {
    ...{ exit: 'data', where },
    next: 'If so many are meant: max_pages in lpa.toml. More records a page make fewer: uri = "https://…?limit=500"',
  })
}
