/** Two engines that were given the same, compared cell by cell. */

import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import type { Config } from '../../src/config.ts'
import { openDuckDB, quoteText, readRows } from '../../src/duckdb.ts'
import { exactJson } from '../../src/output/json.ts'
import { readDeclared } from '../../src/pipeline/declared.ts'
import { runReport } from '../../src/pipeline/report.ts'
import { listSql, packageRoot, readSql } from '../../src/sql-files.ts'
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

/** What only a stream over Kafka writes, as SQL of both engines. */
export const OFFSETS = `insert into meta.stream_offsets (source, topic, topic_id, partition, next_offset, committed_at)
  values ('clicks', 'clicks', 'AAAA', 0, 9007199254740993, timestamp '2026-06-01 08:00:00'),
    ('clicks', 'clicks', 'AAAA', 1, 42, timestamp '2026-06-01 09:30:00')`

/** For lpa.toml: a second source of the campus' learners and courses, in a file of `doubledEvents`. */
export const ELSEWHERE = '[sources.elsewhere]\nuri = "again.ndjson"\nid_space = "lms"\n'

/** Events of the campus once more, as another source would have them. */
export function doubledEvents(): string {
  const lines = gunzipSync(readFileSync(join(packageRoot(), 'fixtures/campus/events.ndjson.gz')))
    .toString('utf8')
    .split('\n')
  const doubled = lines.filter((line) => line.includes('"BIO101"'))
  return `${doubled.join('\n').replaceAll('"event_id":"', '"event_id":"again-')}\n`
}

/** One value for each parameter of the reports, of what the campus has: so many at once that all still find something. */
const NARROWED: readonly Readonly<Record<string, string>>[] = [
  {
    ...{ course: 'BIO101', cohort: '2026-W11', since: '2026-03-05', until: '2026-05-31' },
    ...{ days: '30', most: '2', top: '1', short_minutes: '1', long_minutes: '10' },
  },
  { category: 'Science', country: 'IN', min_learners: '2' },
]

/** What a report answers, columns first, as text without times of loads. */
async function reportText(
  engine: Asked,
  config: Config,
  name: string,
  params: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { columns, rows } = await runReport(engine, config, name, params)
  const records = rows.map((row) =>
    Object.fromEntries(columns.map((column, index) => [column.name, row[index]])),
  )
  return [exactJson(columns), ...records.map((record) => exactJson(record))].join('\n').replace(TIMES, '')
}

type ReportTexts = Readonly<Record<string, string>>

/** Every report as it is unless told otherwise. */
export async function reportTexts(engine: Asked, config: Config): Promise<ReportTexts> {
  const told: Record<string, string> = {}
  for (const name of listSql('reports')) told[name] = await reportText(engine, config, name)
  return told
}

/** Every report with each of its parameters given; those that have none as they are. */
export async function narrowedTexts(engine: Asked, config: Config): Promise<ReportTexts> {
  const told: Record<string, string> = {}
  for (const name of listSql('reports')) {
    const own = readSql('reports', name).params.map((param) => param.name)
    if (own.length === 0) told[name] = await reportText(engine, config, name)
    for (const values of NARROWED) {
      const given = Object.entries(values).filter(([param]) => own.includes(param))
      if (given.length === 0) continue
      const params = Object.fromEntries(given)
      told[`${name} ${JSON.stringify(params)}`] = await reportText(engine, config, name, params)
    }
  }
  return told
}

export function expectSameTexts(one: ReportTexts, other: ReportTexts): void {
  for (const name of Object.keys(one)) expect([name, other[name]]).toEqual([name, one[name]])
}

/** Nothing is the same as nothing: of the campus each report has rows, and others where it is narrowed. */
export function expectTelling(plain: ReportTexts, narrowed: ReportTexts): void {
  const all = { ...plain, ...narrowed }
  const empty = Object.keys(all).filter((name) => !all[name]?.includes('\n'))
  const unmoved = Object.keys(narrowed).filter(
    (name) => name.includes(' ') && narrowed[name] === plain[name.split(' ')[0] ?? ''],
  )
  expect({ empty, unmoved }).toEqual({ empty: [], unmoved: [] })
}
