/** Two engines that were given the same, compared cell by cell. */

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Config } from '../../src/config.ts'
import { openDuckDB, quoteText, readRows } from '../../src/duckdb.ts'
import { exactJson } from '../../src/output/json.ts'
import { readDeclared } from '../../src/pipeline/declared.ts'
import { runReport } from '../../src/pipeline/report.ts'
import { listSql } from '../../src/sql-files.ts'
import type { Engine, Reader } from '../../src/types.ts'

type Asked = Pick<Reader, 'dialect' | 'query'>

/** When a load or a check was done: not the same in two warehouses. */
export const TIMES = /,"(?:checked_at|newest_load_at|committed_at)":"[^"]+"/g

const CORE = readDeclared('duckdb').tables.filter(({ name }) => name.startsWith('core.'))

/** Every row of every table and view of core as text, sorted. */
export async function coreRows(engine: Asked): Promise<Readonly<Record<string, readonly string[]>>> {
  const tables: Record<string, string[]> = {}
  for (const table of CORE) {
    const { name } = table
    const { rows } = await engine.query(selectOf(table))
    tables[name] = rows.map((row) => exactJson(row)).sort()
  }
  return tables
}

export function expectSameTables(
  one: Readonly<Record<string, readonly string[]>>,
  other: Readonly<Record<string, readonly string[]>>,
): void {
  for (const { name } of CORE) {
    const [here = [], there = []] = [one[name], other[name]]
    expect([name, only(here, there), only(there, here)]).toEqual([name, [], []])
    expect(here.length).toBe(there.length)
  }
}

function selectOf({ name, kind, columns }: (typeof CORE)[number]): string {
  // A view declares none.
  return `select ${kind === 'view' ? '*' : columns.map((column) => column.name).join(', ')} from ${name}`
}

/** Every row of every table and view of core as a Parquet file each: for more rows than can be held as text. */
export async function coreFiles(engine: Pick<Engine, 'exportParquet'>, folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const table of CORE)
    await engine.exportParquet(selectOf(table), {}, join(folder, `${table.name}.parquet`))
}

/** Of two folders of `coreFiles`. */
export async function expectSameFiles(one: string, other: string): Promise<void> {
  await using database = await openDuckDB({ memoryLimit: '1GB', spillFolder: one, timezone: 'UTC' })
  for (const { name } of CORE) {
    const [here, there] = [one, other].map(
      (folder) => `select * from read_parquet(${quoteText(join(folder, `${name}.parquet`))})`,
    )
    const [counted] = await readRows(
      database.connection,
      `select (select count(*) from (${here} except all ${there})) as lacking,
         (select count(*) from (${there} except all ${here})) as more`,
    )
    expect([name, counted]).toEqual([name, { lacking: 0, more: 0 }])
  }
}

/** The first rows of `a` that `b` lacks; both are sorted. */
function only(a: readonly string[], b: readonly string[], most = 3): string[] {
  const there = new Set(b)
  return a.filter((line) => !there.has(line)).slice(0, most)
}

/** What a report answers, columns first, as text without times of loads. */
export async function reportText(engine: Asked, config: Config, name: string): Promise<string> {
  const { columns, rows } = await runReport(engine, config, name)
  const records = rows.map((row) =>
    Object.fromEntries(columns.map((column, index) => [column.name, row[index]])),
  )
  return [exactJson(columns), ...records.map((record) => exactJson(record))].join('\n').replace(TIMES, '')
}

export async function reportTexts(engine: Asked, config: Config): Promise<Readonly<Record<string, string>>> {
  const told: Record<string, string> = {}
  for (const name of listSql('reports')) told[name] = await reportText(engine, config, name)
  return told
}
