/**
 * The independent count: reads an input's bytes once, apart from the engine, and tells its hash, its size and
 * how many records it must give. What the engine reads is held against it.
 */

import { createHash } from 'node:crypto'

export type TextFormat = 'csv' | 'ndjson' | 'json'

export interface Measure extends Count {
  /** Of the bytes as they lie, compressed or not. */
  readonly sha256: string
  readonly bytes: number
}

export interface Count {
  /** CSV rows without the header, lines that are not blank, or elements of the array. */
  readonly records: number
  /** The line on which a record (from 1) starts. */
  lineOf(record: number): number
  /** The record (from 1) that starts on a line. */
  recordAt(line: number): number
  /** Lines between records that hold nothing. */
  readonly blankLines: number
  /** Whether the first line is one of them. */
  readonly beginsBlank: boolean
  readonly hasCarriageReturns: boolean
  /** Records longer than MAX_RECORD_BYTES. */
  readonly tooLong: readonly number[]
}

/** Why no reader can take a text, where it is known: the line and the words after "There is". */
export interface BadLine {
  readonly line: number
  readonly why: string
}

/** Counts records as bytes go by. Feed it every chunk of the decompressed text, then `end()`. */
export interface RecordCounter {
  push(chunk: Buffer): void
  end(): Count & { readonly badLine?: BadLine }
}

/** Longer records are quarantined: the engine needs many times as much memory for one. */
export const MAX_RECORD_BYTES = 8 * 1024 * 1024

const LF = 10
const CR = 13
const QUOTE = 34
const SPACE = 32

/** Where records stop being one line each: record number and its line, ascending. */
class Lines {
  readonly #records: number[] = []
  readonly #lines: number[] = []

  add(record: number, line: number): void {
    const last = this.#records.length - 1
    const expected =
      last < 0 ? record : (this.#lines[last] as number) + (record - (this.#records[last] as number))
    if (line !== expected) {
      this.#records.push(record)
      this.#lines.push(line)
    }
  }

  lineOf(record: number): number {
    return translate(record, this.#records, this.#lines)
  }

  recordAt(line: number): number {
    return translate(line, this.#lines, this.#records)
  }
}

/** The place in `to` that is as far behind its mark as `value` is behind the last mark of `from` before it. */
function translate(value: number, from: readonly number[], to: readonly number[]): number {
  let low = 0
  let high = from.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((from[middle] as number) <= value) low = middle + 1
    else high = middle
  }
  if (low === 0) return value
  return (to[low - 1] as number) + (value - (from[low - 1] as number))
}

const LONE_CARRIAGE_RETURN = 'a carriage return inside a line'

/** Lines that are not blank. A carriage return inside a line is an error: engines split there, JSON does not. */
function lineCounter(): RecordCounter {
  const lines = new Lines()
  const tooLong: number[] = []
  let line = 1
  let records = 0
  let blankLines = 0
  let isBlankSoFar = true
  let length = 0
  let endsInCarriage = false
  let hasCarriageReturns = false
  let badLine: BadLine | undefined

  const finish = () => {
    if (isBlankSoFar) blankLines += 1
    else {
      records += 1
      lines.add(records, line)
      if (length > MAX_RECORD_BYTES) tooLong.push(records)
    }
    line += 1
    length = 0
    isBlankSoFar = true
  }

  return {
    push(chunk) {
      if (chunk.length === 0) return
      if (endsInCarriage && chunk[0] !== LF) badLine ??= { line, why: LONE_CARRIAGE_RETURN }
      for (let start = 0; start < chunk.length; ) {
        let end = chunk.indexOf(LF, start)
        const isEnded = end >= 0
        if (!isEnded) end = chunk.length
        length += end - start
        if (isBlankSoFar) isBlankSoFar = isBlank(chunk, start, end)
        start = end + 1
        if (isEnded) finish()
      }
      // One search a chunk: carriage returns are rare, and those before a line feed are ordinary.
      let at = badLine ? -1 : chunk.indexOf(CR)
      hasCarriageReturns ||= at >= 0
      endsInCarriage = chunk[chunk.length - 1] === CR
      while (at >= 0 && at < chunk.length - 1) {
        if (chunk[at + 1] !== LF) {
          badLine = { line: line - countLines(chunk, at), why: LONE_CARRIAGE_RETURN }
          break
        }
        at = chunk.indexOf(CR, at + 1)
      }
    },
    end() {
      if (!isBlankSoFar) finish()
      return {
        records,
        lineOf: (record) => lines.lineOf(record),
        recordAt: (at) => lines.recordAt(at),
        ...{ blankLines, beginsBlank: false, hasCarriageReturns, tooLong },
        ...(badLine ? { badLine } : {}),
      }
    },
  }
}

function countLines(chunk: Buffer, from: number): number {
  let count = 0
  for (let at = chunk.indexOf(LF, from); at >= 0; at = chunk.indexOf(LF, at + 1)) count += 1
  return count
}

/** Of ASCII white space only, as the engine's query judges it. */
function isBlank(chunk: Buffer, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    const byte = chunk[index] as number
    if (byte !== SPACE && (byte < 9 || byte > CR)) return false
  }
  return true
}

/**
 * CSV records by RFC 4180: a field is quoted when it starts with a quote, quotes in it double, lines end LF, CRLF
 * or CR. Empty lines are no records.
 */
function csvCounter(delimiter: string, hasHeader: boolean): RecordCounter {
  const DELIMITER = delimiter.charCodeAt(0)
  const lines = new Lines()
  const tooLong: number[] = []
  let line = 1
  let records = hasHeader ? -1 : 0
  let recordLine = 1
  let length = 0
  let quoted = false
  let fieldStart = true
  let closed = false
  let afterCarriage = false
  let blankLines = 0
  let beginsBlank = false
  let hasCarriageReturns = false

  const finish = () => {
    if (length === 0) {
      blankLines += 1
      beginsBlank ||= line === 1
    } else {
      records += 1
      if (records > 0) lines.add(records, recordLine)
      if (length > MAX_RECORD_BYTES) tooLong.push(records)
    }
    line += 1
    recordLine = line
    length = 0
    fieldStart = true
    closed = false
  }

  const pushPlain = (chunk: Buffer) => {
    let start = afterCarriage && chunk[0] === LF ? 1 : 0
    afterCarriage = false
    while (start < chunk.length) {
      const end = chunk.indexOf(LF, start)
      if (end < 0) {
        length += chunk.length - start
        fieldStart = chunk[chunk.length - 1] === DELIMITER
        return
      }
      length += end - start
      finish()
      start = end + 1
    }
  }

  const pushByte = (byte: number) => {
    if (afterCarriage) {
      afterCarriage = false
      if (byte === LF) return
    }
    if (quoted) {
      length += 1
      if (byte === QUOTE) {
        quoted = false
        closed = true
      } else if (byte === LF || byte === CR) {
        line += 1
        afterCarriage = byte === CR
      }
      return
    }
    if (byte === LF || byte === CR) {
      finish()
      afterCarriage = byte === CR
      return
    }
    length += 1
    if (byte === QUOTE && (fieldStart || closed)) quoted = true
    closed = false
    fieldStart = byte === DELIMITER
  }

  return {
    push(chunk) {
      if (chunk.length === 0) return
      const hasCarriage = chunk.indexOf(CR) >= 0
      hasCarriageReturns ||= hasCarriage
      const isPlain = !quoted && !closed && !hasCarriage && chunk.indexOf(QUOTE) < 0
      if (isPlain) pushPlain(chunk)
      else for (let index = 0; index < chunk.length; index += 1) pushByte(chunk[index] as number)
    },
    end() {
      const unclosed = quoted ? { line: recordLine, why: 'a quote that is never closed' } : undefined
      if (length > 0) finish()
      return {
        records: Math.max(0, records),
        lineOf: (record) => lines.lineOf(record),
        recordAt: (at) => lines.recordAt(at),
        ...{ blankLines, beginsBlank, hasCarriageReturns, tooLong },
        ...(unclosed ? { badLine: unclosed } : {}),
      }
    },
  }
}

/** Elements of one JSON array. */
function arrayCounter(): RecordCounter {
  const lines = new Lines()
  let line = 1
  let depth = 0
  let inText = false
  let escaped = false
  let records = 0
  let expectsElement = false
  let isClosed = false
  let badLine: BadLine | undefined
  return {
    push(chunk) {
      for (let index = 0; index < chunk.length; index += 1) {
        const byte = chunk[index] as number
        if (byte === LF) line += 1
        if (inText) {
          if (escaped) escaped = false
          else if (byte === 92) escaped = true
          else if (byte === QUOTE) inText = false
          continue
        }
        if (byte <= SPACE) continue
        if (isClosed) badLine ??= { line, why: 'something behind the array' }
        if (expectsElement && depth === 1 && byte !== 93) {
          records += 1
          lines.add(records, line)
          expectsElement = false
        }
        if (byte === QUOTE) inText = true
        else if (byte === 91 || byte === 123) {
          depth += 1
          if (depth === 1 && byte === 91) expectsElement = true
        } else if (byte === 93 || byte === 125) {
          depth -= 1
          isClosed ||= depth === 0
        } else if (byte === 44 && depth === 1) expectsElement = true
      }
    },
    end() {
      if (depth !== 0 || inText) badLine ??= { line, why: 'an array that is not closed' }
      return {
        records,
        lineOf: (record) => lines.lineOf(record),
        recordAt: (at) => lines.recordAt(at),
        ...{ blankLines: 0, beginsBlank: false, hasCarriageReturns: false, tooLong: [] },
        ...(badLine ? { badLine } : {}),
      }
    },
  }
}

export function counterFor(format: TextFormat, delimiter: string, hasHeader: boolean): RecordCounter {
  if (format === 'csv') return csvCounter(delimiter, hasHeader)
  return format === 'json' ? arrayCounter() : lineCounter()
}

export function hasher() {
  const hash = createHash('sha256')
  let bytes = 0
  return {
    push(chunk: Buffer) {
      hash.update(chunk)
      bytes += chunk.length
    },
    end: () => ({ sha256: hash.digest('hex'), bytes }),
  }
}
