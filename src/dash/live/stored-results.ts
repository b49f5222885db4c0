/**
 * What reports answered last, kept in the warehouse's folder: shown when a dashboard starts, until the engine is there and has
 * answered anew. Whoever may read the warehouse may read them; they may be deleted at any time.
 */

import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import type { Cell, Column, Result } from '../../types.ts'
import type { ReportRequest } from '../screen.ts'
import { keyOf } from './messages.ts'

export interface StoredResult {
  /** Of the warehouse, when the report was run. */
  readonly version: string
  readonly result: Result
}

/** Screens, time ranges and courses that were looked at; the oldest go. */
const MOST_FILES = 100
/** What takes longer to be read than to be asked anew is not kept. */
const MOST_BYTES = 4 * 1024 * 1024

export class StoredResults {
  readonly #folder: string
  readonly #root: string
  readonly #settings: string

  /** `root` is the folder of package.json, below which reports are. */
  constructor({ warehouse, metrics }: Pick<Config, 'warehouse' | 'metrics'>, root: string) {
    this.#folder = join(warehouse.path, 'results')
    this.#root = root
    const { engine, connection, timezone } = warehouse
    this.#settings = JSON.stringify([engine, connection, timezone, metrics])
  }

  /** Nothing where there is none, or none that can be read. */
  read(request: ReportRequest): StoredResult | undefined {
    try {
      const file = this.#file(request)
      const stat = statSync(file)
      if (!stat.isFile() || stat.size > MOST_BYTES) return undefined
      const { version, columns, rows } = JSON.parse(readFileSync(file, 'utf8'))
      if (typeof version !== 'string' || !areColumns(columns) || !Array.isArray(rows)) return undefined
      const result = { columns, rows: rows.map((row) => row.map(fromJson(columns))) }
      // What is looked at stays longest.
      utimesSync(file, new Date(), new Date())
      return { version, result }
    } catch {
      return undefined
    }
  }

  /** Does nothing where it may not: who only reads a warehouse starts without. */
  write(request: ReportRequest, { version, result }: StoredResult): void {
    const part = join(this.#folder, `.${process.pid}.part`)
    try {
      const file = this.#file(request)
      // Never the warehouse's own folder: it may have been moved away.
      if (!existsSync(this.#folder)) mkdirSync(this.#folder, { mode: 0o700 })
      const { columns, rows } = result
      const text = JSON.stringify({ version, columns, rows }, toJson)
      if (text.length > MOST_BYTES) return
      writeFileSync(part, text, { mode: 0o600 })
      renameSync(part, file)
      this.#removeOldest()
    } catch {
      // The disk may be full of it.
      if (existsSync(part)) rmSync(part, { force: true })
    }
  }

  #file(request: ReportRequest): string {
    // Another lpa may have another report of that name.
    const sql = readFileSync(join(this.#root, 'sql', 'reports', `${request.report}.sql`))
    const name = createHash('sha256')
      .update(`${this.#settings}\n${keyOf(request)}\n`)
      .update(sql)
      .digest('hex')
    return join(this.#folder, `${name.slice(0, 32)}.json`)
  }

  #removeOldest(): void {
    const names = readdirSync(this.#folder).filter((name) => name.endsWith('.json'))
    if (names.length <= MOST_FILES) return
    const files = names.map((name) => join(this.#folder, name))
    const byAge = files.toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
    for (const file of byAge.slice(0, names.length - MOST_FILES)) rmSync(file, { force: true })
  }
}

function areColumns(columns: unknown): columns is readonly Column[] {
  return (
    Array.isArray(columns) &&
    columns.every((column) => typeof column?.name === 'string' && typeof column.type === 'string')
  )
}

/** An integer beyond what a number holds is a text, as no other integer is. */
function toJson(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

function fromJson(columns: readonly Column[]): (cell: Cell, index: number) => Cell {
  return (cell, index) =>
    typeof cell === 'string' && columns[index]?.type === 'integer' ? BigInt(cell) : cell
}
