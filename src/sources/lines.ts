/** Records that never were a file, as lines in memory: what messages and the pages of an API have in common. */

import { HEAD_BYTES, type Input } from './input.ts'

const [LF, CR, SPACE] = [10, 13, 32]

/** What every input of such lines is: one record a line, as it is, read from no file. */
export const LINES = {
  ...{ format: 'ndjson', compression: 'none', hasBom: false, delimiter: ',', stats: undefined },
} as const satisfies Partial<Input>

/**
 * Records as a line each, in one chunk. Inside JSON, line ends stand between values only: they become blanks.
 * @param copy writes the record of this number into the chunk, and answers its length
 */
export function linesOf(
  lengths: readonly number[],
  copy: (record: number, chunk: Buffer, at: number) => void,
): Buffer {
  const chunk = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + length + 1, 0))
  let at = 0
  for (const [record, length] of lengths.entries()) {
    copy(record, chunk, at)
    chunk[at + length] = SPACE
    at += length + 1
  }
  for (const mark of [LF, CR])
    for (let end = chunk.indexOf(mark); end >= 0; end = chunk.indexOf(mark, end + 1)) chunk[end] = SPACE
  at = -1
  for (const length of lengths) {
    at += length + 1
    chunk[at] = LF
  }
  return chunk
}

/** Whole lines of the first chunks, as far as they are looked at; the first line whole, however long it is. */
export function headOfLines(chunks: readonly Buffer[]): string {
  const some: Buffer[] = []
  let length = 0
  for (const chunk of chunks) {
    some.push(chunk.subarray(0, HEAD_BYTES))
    length += chunk.length
    if (length >= HEAD_BYTES) break
  }
  const head = Buffer.concat(some).subarray(0, HEAD_BYTES)
  const end = head.lastIndexOf(LF)
  if (end >= 0) return head.toString('utf8', 0, end + 1)
  const [first] = chunks
  return first?.toString('utf8', 0, first.indexOf(LF) + 1) ?? ''
}
