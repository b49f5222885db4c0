/**
 * What reports answered last, kept beside the warehouse: shown when a dashboard starts, until the engine is there and has
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

export class StoredResults {
  readonly #folder: string
  readonly #settings: string

  /** `root` is the folder of package.json: another lpa may have other reports. */
  constructor({ warehouse, metrics }: Pick<Config, 'warehouse' | 'metrics'>, root: string) {
    this.#folder = join(warehouse.path, 'results')
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    this.#settings = JSON.stringify([version, warehouse.timezone, metrics])
  }

  /** Nothing where there is none, or none that can be read. */
  read(request: ReportRequest): StoredResult | undefined {
    try {
      const { version, columns, rows } = JSON.parse(readFileSync(this.#file(request), 'utf8'))
      if (typeof version !== 'string' || !Array.isArray(columns) || !Array.isArray(rows)) return undefined
      return { version, result: { columns, rows: rows.map((row) => row.map(fromJson(columns))) } }
    } catch {
      return undefined
    }
  }

  /** Does nothing where it may not: who only reads a warehouse starts without. */
  write(request: ReportRequest, { version, result }: StoredResult): void {
    const file = this.#file(request)
    const part = join(this.#folder, `.${process.pid}.part`)
    try {
      mkdirSync(this.#folder, { mode: 0o700, recursive: true })
      const { columns, rows } = result
      writeFileSync(part, JSON.stringify({ version, columns, rows }, toJson), { mode: 0o600 })
      renameSync(part, file)
      this.#removeOldest()
    } catch {
      // The disk may be full of it.
      if (existsSync(part)) rmSync(part, { force: true })
    }
  }

  #file(request: ReportRequest): string {
    const name = createHash('sha256')
      .update(`${this.#settings}\n${keyOf(request)}`)
      .digest('hex')
    return join(this.#folder, `${name.slice(0, 32)}.json`)
  }

  #removeOldest(): void {
    const names = readdirSync(this.#folder)
    if (names.length <= MOST_FILES) return
    const files = names.map((name) => join(this.#folder, name))
    const byAge = files.toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
    for (const file of byAge.slice(0, names.length - MOST_FILES)) rmSync(file, { force: true })
  }
}

/** An integer beyond what a number holds is a text, as no other integer is. */
function toJson(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

function fromJson(columns: readonly Column[]): (cell: Cell, index: number) => Cell {
  return (cell, index) =>
    typeof cell === 'string' && columns[index]?.type === 'integer' ? BigInt(cell) : cell
}
