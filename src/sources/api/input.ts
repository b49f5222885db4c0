/** An HTTP API as an input: its records as lines of one stream, which is nowhere written down. */

import type { ApiSettings } from '../../config/api.ts'
import type { PseudonymKey } from '../../pseudonym.ts'
import type { Input } from '../input.ts'
import { headOfLines, LINES, linesOf } from '../lines.ts'
import { openClient } from './client.ts'
import { apiName, withParameter } from './name.ts'
import { type Page, pagesOf } from './pages.ts'
import { type Beginning, findPosition, seal, unseal } from './position.ts'

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

/**
 * Asks for the first page that holds records, and for the others while it is read.
 * @returns undefined when there are no records at all
 */
export async function openApi(request: ApiRequest): Promise<Input | undefined> {
  const { settings, key } = request
  const name = apiName(settings)
  const before = request.after === undefined ? undefined : unseal(key, request.after, settings)
  const get = await openClient(request)
  const url = new URL(settings.url)
  const first = before ? withParameter(url, before.parameter, before.value) : url
  const pages = pagesOf(settings, first, name, get)
  const startedAt = new Date()
  const asked = performance.now()
  const opening = await pages.next()
  const began = beginning(opening.done ? undefined : opening.value, startedAt, performance.now() - asked)
  const finder = findPosition(settings, before, began)

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
  let page = take(opening)
  while (page?.records.length === 0) page = take(await pages.next())
  if (!page) return undefined

  let isOver = false
  const firstLines = [...pageLines(page)]
  return {
    ...{ ...LINES, name },
    head: headOfLines(firstLines),
    async *open() {
      yield* firstLines.splice(0)
      for (let next = take(await pages.next()); next; next = take(await pages.next())) yield* pageLines(next)
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

/** A server tells whole seconds, and may commit late what it took earlier. */
const MARGIN_MS = 2000

/** By the server's clock, which knows nothing of this machine's, where it tells the time with its first answer. */
function beginning(first: Page | undefined, startedAt: Date, tookMs: number): Beginning {
  const served = first?.servedAt?.getTime()
  if (served === undefined) return { at: startedAt, latest: startedAt }
  return { at: new Date(served - Math.ceil(tookMs) - MARGIN_MS), latest: new Date(served + 1000) }
}

const CHUNK_BYTES = 1 << 20

/** The records of a page as they are written, each on a line of its own, in chunks of whole lines. */
function* pageLines({ json, records }: Page): Generator<Buffer> {
  for (let first = 0; first < records.length; ) {
    const lengths: number[] = []
    for (let size = 0; first + lengths.length < records.length && size < CHUNK_BYTES; ) {
      const { start, end } = records[first + lengths.length] as Page['records'][number]
      lengths.push(end - start)
      size += end - start + 1
    }
    const from = first
    yield linesOf(lengths, (record, chunk, at) => {
      const { start, end } = records[from + record] as Page['records'][number]
      json.copy(chunk, at, start, end)
    })
    first += lengths.length
  }
}
