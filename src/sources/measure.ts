/**
 * The independent count: reads an input's bytes once, apart from the engine, and tells its hash, its size and
 * how many records it must give. What the engine reads is held against it.
 */

import { createHash } from 'node:crypto'
export type TextFormat = 'csv' | 'ndjson' | 'json'

export interface Measure {
  /** Of the bytes as they lie, compressed or not. */
  readonly sha256: string
  readonly bytes: number
  /** CSV rows without the header, lines that are not blank, or elements of the array. */
  readonly records: number
  /** The line on which a record (from 1) starts. */
  lineOf(record: number): number
}

const LF = 10
const CR = 13
const QUOTE = 34
const SPACE = 32
const TAB = 9

/** Counts records as bytes go by. Feed it every chunk of the decompressed text, then `end()`. */
export interface RecordCounter {
  push(chunk: Buffer): void
  end(): { records: number; lineOf(record: number): number; badLine?: { line: number; why: string } }
}

/** Where records stop being one line each: record number and its line, ascending. */
class Lines {
  readonly records: number[] = []
  readonly lines: number[] = []

  add(record: number, line: number): void {
    const last = this.records.length - 1
    const expected =
      last < 0 ? record : (this.lines[last] as number) + (record - (this.records[last] as number))
    if (line !== expected) {
      this.records.push(record)
      this.lines.push(line)
    }
  }

  lineOf(record: number): number {
    let low = 0
    let high = this.records.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.records[middle] as number) <= record) low = middle + 1
      else high = middle
    }
    if (low === 0) return record
    return (this.lines[low - 1] as number) + (record - (this.records[low - 1] as number))
  }
}

/** Lines that are not blank. A carriage return inside a line is an error: engines split there, JSON does not. */
export function lineCounter(): RecordCounter {
  const lines = new Lines()
  let line = 1
  let records = 0
  let blank = true
  let carriage = false
  let badLine: { line: number; why: string } | undefined

  const finish = () => {
    if (!blank) {
      records += 1
      lines.add(records, line)
    }
    line += 1
    blank = true
  }

  return {
    push(chunk) {
      let start = 0
      while (start < chunk.length) {
        let end = chunk.indexOf(LF, start)
        const ends = end >= 0
        if (!ends) end = chunk.length
        if (blank) blank = isBlank(chunk, start, end)
        start = end + 1
        if (ends) finish()
      }
      // One search a chunk: carriage returns are rare, and those before a line feed are ordinary.
      let at = badLine ? -1 : chunk.indexOf(CR)
      if (carriage && chunk[0] !== LF && chunk.length > 0)
        badLine ??= { line, why: 'a carriage return inside a line' }
      carriage = chunk[chunk.length - 1] === CR
      while (at >= 0 && at < chunk.length - 1) {
        if (chunk[at + 1] !== LF) {
          badLine = { line: line - countLines(chunk, at), why: 'a carriage return inside a line' }
          break
        }
        at = chunk.indexOf(CR, at + 1)
      }
    },
    end() {
      if (!blank) finish()
      return { records, lineOf: (record) => lines.lineOf(record), ...(badLine ? { badLine } : {}) }
    },
  }
}

function countLines(chunk: Buffer, from: number): number {
  let count = 0
  for (let at = chunk.indexOf(LF, from); at >= 0; at = chunk.indexOf(LF, at + 1)) count += 1
  return count
}

function isBlank(chunk: Buffer, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    const byte = chunk[index]
    if (byte !== SPACE && byte !== TAB && byte !== CR) return false
  }
  return true
}

/**
 * CSV records by RFC 4180: a field is quoted when it starts with a quote, quotes in it double, lines end LF, CRLF
 * or CR. Empty lines are no records.
 */
export function csvCounter(delimiter: string, hasHeader: boolean): RecordCounter {
  const DELIMITER = delimiter.charCodeAt(0)
  const lines = new Lines()
  let line = 1
  let records = hasHeader ? -1 : 0
  let recordLine = 1
  let quoted = false
  let fieldStart = true
  let closed = false
  let empty = true
  let afterCarriage = false

  const finish = () => {
    if (!empty) {
      records += 1
      if (records > 0) lines.add(records, recordLine)
    }
    line += 1
    recordLine = line
    empty = true
    fieldStart = true
    closed = false
  }

  const pushPlain = (chunk: Buffer) => {
    let start = afterCarriage && chunk[0] === LF ? 1 : 0
    afterCarriage = false
    while (start < chunk.length) {
      const end = chunk.indexOf(LF, start)
      if (end !== start) empty = false
      if (end < 0) {
        fieldStart = chunk[chunk.length - 1] === DELIMITER
        return
      }
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
    empty = false
    if (byte === QUOTE && (fieldStart || closed)) quoted = true
    closed = false
    fieldStart = byte === DELIMITER
  }

  return {
    push(chunk) {
      if (chunk.length === 0) return
      const isPlain = !quoted && !closed && chunk.indexOf(QUOTE) < 0 && chunk.indexOf(CR) < 0
      if (isPlain) pushPlain(chunk)
      else for (let index = 0; index < chunk.length; index += 1) pushByte(chunk[index] as number)
    },
    end() {
      if (!empty) finish()
      return {
        records: Math.max(0, records),
        lineOf: (record) => lines.lineOf(record),
        ...(quoted ? { badLine: { line: recordLine, why: 'a quote that is never closed' } } : {}),
      }
    },
  }
}

/** Elements of one JSON array. */
export function arrayCounter(): RecordCounter {
  const lines = new Lines()
  let line = 1
  let depth = 0
  let inText = false
  let escaped = false
  let records = 0
  let expectsElement = false
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
        if (expectsElement && depth === 1 && byte !== 93) {
          records += 1
          lines.add(records, line)
          expectsElement = false
        }
        if (byte === QUOTE) inText = true
        else if (byte === 91 || byte === 123) {
          depth += 1
          if (depth === 1 && byte === 91) expectsElement = true
        } else if (byte === 93 || byte === 125) depth -= 1
        else if (byte === 44 && depth === 1) expectsElement = true
      }
    },
    end() {
      return {
        records,
        lineOf: (record) => lines.lineOf(record),
        ...(depth !== 0 || inText ? { badLine: { line, why: 'the array is not closed' } } : {}),
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
