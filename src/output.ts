/** Rows on standard output, in every format. */

import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UserError } from './errors.ts'
import { collect, piecesOf } from './output/cells.ts'
import type { Terminal } from './output/terminal.ts'
import { scrub } from './secrets.ts'
import type { Result, ResultStream, Size } from './types.ts'

export { exactJson } from './output/json.ts'
export { describeTerminal, type Terminal } from './output/terminal.ts'

export const FORMATS = ['table', 'json', 'ndjson', 'csv', 'markdown', 'parquet', 'chart'] as const
export type Format = (typeof FORMATS)[number]

export interface WriteOptions {
  readonly format: Format
  readonly to: NodeJS.WritableStream
  readonly terminal: Terminal
  /** CSV exactly as in the data: spreadsheet formulas are not escaped, nor control characters unless on a terminal. */
  readonly raw?: boolean
  /** Draws the chart as text. Charts are above this layer, so who has one brings it. */
  readonly draw?: (result: Result, size: Size, terminal: Terminal) => string | Promise<string>
  /** Writes the rows to this new file as Parquet: the engine does it, so the caller brings it. */
  readonly parquet?: (file: string) => Promise<unknown>
}

/**
 * Writes rows as they come and answers how many there were (0 for Parquet, whose rows never pass here).
 * Memory stays flat and the reader's pace is kept in every format but chart.
 */
export async function writeRows(rows: Result | ResultStream, options: WriteOptions): Promise<number> {
  const write = writerTo(options.to)
  let count = 0
  const counted = counting(rows, (more) => {
    count += more
  })
  switch (options.format) {
    case 'table': {
      const { tableText } = await import('./output/table.ts')
      for await (const text of tableText(counted, options.terminal)) await write(text)
      return count
    }
    case 'json':
    case 'ndjson': {
      await writeJson(counted, options.format === 'json', write)
      return count
    }
    case 'csv': {
      const { csvWriter } = await import('./output/csv.ts')
      const raw = options.raw === true
      const csv = await csvWriter(rows.columns, {
        escapeFormulas: !raw,
        safe: !raw || options.terminal.isTerminal,
      })
      await write(csv.head)
      for await (const piece of piecesOf(counted)) if (piece.length > 0) await write(csv.rows(piece))
      return count
    }
    case 'markdown': {
      const { markdownHead, markdownRows } = await import('./output/markdown.ts')
      await write(markdownHead(rows.columns))
      for await (const piece of piecesOf(counted)) await write(markdownRows(piece))
      return count
    }
    case 'chart': {
      if (!options.draw) throw noSuchFormat('chart')
      const { width, height } = options.terminal
      const size = { width: Number.isFinite(width) ? width : 80, height: Math.min(height - 2, 20) }
      await write(withLineEnd(await options.draw(await collect(counted), size, options.terminal)))
      return count
    }
    case 'parquet': {
      if (!options.parquet) throw noSuchFormat('parquet')
      await writeParquet(options.parquet, options)
      return 0
    }
  }
}

/** Writes one text, and waits until its reader has taken it. For what a command prints that is not rows. */
export async function writeText(text: string, to: NodeJS.WritableStream): Promise<void> {
  await writerTo(to)(withLineEnd(text))
}

async function writeJson(rows: ResultStream, asArray: boolean, write: Write): Promise<void> {
  const { objectKeys, rowJson } = await import('./output/json.ts')
  const keys = objectKeys(rows.columns)
  let separator = asArray ? '[\n' : ''
  for await (const piece of rows.chunks) {
    if (piece.length === 0) continue
    const lines = piece.map((row) => rowJson(row, rows.columns, keys))
    await write(separator + lines.join(asArray ? ',\n' : '\n') + (asArray ? '' : '\n'))
    if (asArray) separator = ',\n'
  }
  if (asArray) await write(separator === '[\n' ? '[]\n' : '\n]\n')
}

async function writeParquet(
  parquet: (file: string) => Promise<unknown>,
  options: WriteOptions,
): Promise<void> {
  if (options.terminal.isTerminal) {
    throw new UserError('LPA-OUTPUT-BINARY', 'Parquet is binary and would garble the terminal.', {
      exit: 'usage',
      next: 'Send it to a file: … --format parquet > result.parquet',
    })
  }
  const folder = await mkdtemp(join(tmpdir(), 'lpa-parquet-'))
  try {
    const file = join(folder, 'result.parquet')
    await parquet(file)
    const write = writerTo(options.to)
    for await (const chunk of createReadStream(file)) await write(chunk)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function counting(rows: Result | ResultStream, add: (rows: number) => void): ResultStream {
  async function* chunks() {
    for await (const piece of piecesOf(rows)) {
      add(piece.length)
      yield piece
    }
  }
  return { columns: rows.columns, chunks: chunks() }
}

type Write = (chunk: string | Uint8Array) => Promise<void>

/** Writing that waits while the reader is slower, and hides secrets in text. */
function writerTo(stream: NodeJS.WritableStream): Write {
  return (chunk) =>
    new Promise((resolve, reject) => {
      stream.write(typeof chunk === 'string' ? scrub(chunk) : chunk, (error) => {
        if (error) reject(error)
        else resolve()
      })
    })
}

function withLineEnd(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

function noSuchFormat(format: Format): UserError {
  return new UserError('LPA-OUTPUT-FORMAT', `This cannot be shown as ${format}.`, {
    exit: 'usage',
    next: 'Use --format table, json, ndjson, csv or markdown.',
  })
}
