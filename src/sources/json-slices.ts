/**
 * Parts of a JSON text as they are written: parsed and written again, large numbers would become others. The text must
 * be known to be JSON. Places are byte offsets.
 */

import type { JsonPath } from './json-path.ts'

export interface Slice {
  readonly start: number
  readonly end: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d] as const

/** The value at a path below the value that starts at `from`; of a key that stands twice the last, as JSON.parse has it. */
export function sliceAt(json: Buffer, path: JsonPath, from = 0): Slice | undefined {
  const start = pastSpace(json, from)
  const [key, ...rest] = path
  if (key === undefined) return { start, end: pastValue(json, start) }
  let found: Slice | undefined
  for (const member of membersOf(json, start)) {
    if (keyIs(json, member.key, key)) found = member.value
  }
  return found && (rest.length === 0 ? found : sliceAt(json, rest, found.start))
}

/** The first elements of the array that starts at `from`, so many at most; undefined when it is none. */
export function elementsAt(json: Buffer, from: number, most = Number.POSITIVE_INFINITY): Slice[] | undefined {
  let at = pastSpace(json, from)
  if (json[at] !== OPEN_ARRAY) return undefined
  const elements: Slice[] = []
  for (
    at = pastSpace(json, at + 1);
    at < json.length && json[at] !== CLOSE_ARRAY && elements.length < most;
  ) {
    const end = pastValue(json, at)
    elements.push({ start: at, end })
    at = pastSpace(json, end)
    if (json[at] === COMMA) at = pastSpace(json, at + 1)
  }
  return elements
}

/** A text or a number as text, exactly; undefined for all else and for nothing. */
export function textAt(json: Buffer, path: JsonPath, from = 0): string | undefined {
  const slice = sliceAt(json, path, from)
  if (!slice) return undefined
  const written = json.toString('utf8', slice.start, slice.end)
  if (json[slice.start] === QUOTE) return JSON.parse(written) as string
  return /^[-\d]/.test(written) ? written : undefined
}

function* membersOf(json: Buffer, from: number): Generator<{ key: Slice; value: Slice }> {
  if (json[from] !== OPEN_OBJECT) return
  for (let at = pastSpace(json, from + 1); at < json.length && json[at] !== CLOSE_OBJECT; ) {
    const key = { start: at, end: pastText(json, at) }
    // Past the colon.
    const start = pastSpace(json, pastSpace(json, key.end) + 1)
    const value = { start, end: pastValue(json, start) }
    yield { key, value }
    at = pastSpace(json, value.end)
    if (json[at] === COMMA) at = pastSpace(json, at + 1)
  }
}

function keyIs(json: Buffer, { start, end }: Slice, key: string): boolean {
  return JSON.parse(json.toString('utf8', start, end)) === key
}

function pastSpace(json: Buffer, from: number): number {
  let at = from
  while ((json[at] as number) <= 0x20) at += 1
  return at
}

function pastValue(json: Buffer, from: number): number {
  const first = json[from]
  if (first === QUOTE) return pastText(json, from)
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
    let depth = 0
    for (let at = from; at < json.length; at += 1) {
      const byte = json[at] as number
      if (byte === QUOTE) at = pastText(json, at) - 1
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth += 1
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        depth -= 1
        if (depth === 0) return at + 1
      }
    }
    return json.length
  }
  let at = from
  while (at < json.length && !isEnd(json[at] as number)) at += 1
  return at
}

function isEnd(byte: number): boolean {
  return byte <= 0x20 || byte === COMMA || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT
}

/** Past the closing quote of the text that begins at `from`. */
function pastText(json: Buffer, from: number): number {
  let at = from + 1
  for (; at < json.length && json[at] !== QUOTE; at += 1) if (json[at] === BACKSLASH) at += 1
  return at + 1
}
