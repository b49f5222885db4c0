/** An HTTP API as an input: its records as lines of one stream, which is nowhere written down. */

import type { ApiSettings } from '../../config/api.ts'
import type { PseudonymKey } from '../../pseudonym.ts'
import type { Input } from '../input.ts'
import { openClient } from './client.ts'
import { apiName } from './name.ts'
import { type Page, pagesOf, withParameter } from './pages.ts'
import { findPosition, seal, unseal } from './position.ts'

export interface ApiRequest {
  readonly settings: ApiSettings
  readonly key: PseudonymKey
  /** Where the last load ended, sealed; undefined: from the beginning. */
  readonly after: string | undefined
  readonly signal: AbortSignal
  readonly onWait: (line: string) => void
  /** The first wait before a request is made again. */
  readonly firstWaitMs?: number
}

const HEAD_BYTES = 256 * 1024

/**
 * Asks for the first page that holds records, and for the others while it is read.
 * @returns undefined when there are no records at all
 */
export async function openApi(request: ApiRequest): Promise<Input | undefined> {
  const { settings, key } = request
  const name = apiName(settings)
  const startedAt = new Date()
  const before = request.after === undefined ? undefined : unseal(key, request.after, settings)
  const get = await openClient(request)
  const url = new URL(settings.url)
  const first = before ? withParameter(url, before.parameter, before.value) : url
  const pages = pagesOf(settings, first, name, get)
  const finder = findPosition(settings, before, startedAt)

  /** Number of each page, and of the first of its records. */
  const starts: { readonly page: number; readonly record: number }[] = []
  let records = 0
  const take = ({ done, value: page }: IteratorResult<Page>): Page | undefined => {
    if (done) return undefined
    starts.push({ page: page.number, record: records + 1 })
    records += page.records.length
    finder?.add(page)
    return page
  }
  let page = take(await pages.next())
  while (page?.records.length === 0) page = take(await pages.next())
  if (!page) return undefined

  let isOver = false
  const firstLines = [...linesOf(page)]
  return {
    ...{ name, format: 'ndjson', compression: 'none', hasBom: false, delimiter: ',', stats: undefined },
    head: headOf(firstLines),
    async *open() {
      yield* firstLines.splice(0)
      for (let next = take(await pages.next()); next; next = take(await pages.next())) yield* linesOf(next)
      isOver = true
    },
    placeOf(line) {
      const start = starts.findLast(({ record }) => record <= line)
      return `${name}:page-${start?.page}:record-${line - (start?.record ?? 1) + 1}`
    },
    cursor() {
      const end = isOver ? finder?.end() : undefined
      return end && seal(key, end)
    },
  }
}

const CHUNK_BYTES = 1 << 20
const [LF, CR, SPACE] = [10, 13, 32]

/** The records of a page as they are written, each on a line of its own, in chunks of whole lines. */
function* linesOf({ json, records }: Page): Generator<Buffer> {
  // In JSON, line ends stand between values only.
  const hasLineEnds = json.includes(LF) || json.includes(CR)
  for (let first = 0; first < records.length; ) {
    let last = first
    let length = 0
    for (; last < records.length && length < CHUNK_BYTES; last += 1) {
      const { start, end } = records[last] as (typeof records)[number]
      length += end - start + 1
    }
    const chunk = Buffer.allocUnsafe(length)
    let at = 0
    for (const { start, end } of records.slice(first, last)) {
      json.copy(chunk, at, start, end)
      if (hasLineEnds) {
        for (let byte = at; byte < at + end - start; byte += 1)
          if (chunk[byte] === LF || chunk[byte] === CR) chunk[byte] = SPACE
      }
      at += end - start
      chunk[at] = LF
      at += 1
    }
    yield chunk
    first = last
  }
}

/** Whole lines, as far as they are looked at. */
function headOf(chunks: readonly Buffer[]): string {
  const [first] = chunks
  if (!first || first.length <= HEAD_BYTES) return first?.toString('utf8') ?? ''
  const end = first.lastIndexOf(LF, HEAD_BYTES)
  return first.toString('utf8', 0, end < 0 ? first.indexOf(LF) + 1 : end + 1)
}
