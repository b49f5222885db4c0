/**
 * What a warehouse holds, apart from when and in which order it came in: two warehouses with equal dumps hold the
 * same. Load ids, times of runs and what is stamped with them are left out.
 */

import { existsSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openDuckLake } from '../../src/engines/duckdb/engine.ts'
import { readDeclared } from '../../src/pipeline/declared.ts'
import type { Engine, Row, TableDeclaration } from '../../src/types.ts'
import type { Place } from './lpa.ts'

/** Rows and a hash of them, by table. */
export type Dump = Readonly<Record<string, string>>

/** Book-keeping of runs, and names of files: different each time. */
const LEFT_OUT = ['meta.runs', 'meta.load_files', 'meta.schema_changes']
const LEFT_OUT_COLUMNS = [
  'load_id',
  'received_at',
  'requeued_at',
  'started_at',
  'committed_at',
  'built_at',
  'applied_at',
  'checked_at',
  'erased_at',
  'run_id',
]

export async function withEngine<T>(place: Place, work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await openDuckLake({
    folder: place.warehouse,
    memoryLimit: '600MB',
    timezone: 'UTC',
    timeTravelMs: 0,
    lockWaitMs: 0,
    mode: 'read',
  })
  try {
    return await work(engine)
  } finally {
    await engine.close()
  }
}

/** The rows of a SELECT, in this process: a process of lpa for each would take most of a test's time. */
export async function rowsOf(place: Place, sql: string): Promise<readonly Row[]> {
  return withEngine(place, async (engine) => (await engine.query(sql)).rows)
}

export interface DumpOptions {
  /** Chooses tables by name; all unless said. */
  readonly isMeant?: ((table: string) => boolean) | undefined
  /** Leaves out in which loads rows came, and where in them: another run may have split the same messages otherwise. */
  readonly apartFromLoads?: boolean | undefined
}

export function dump(place: Place, { isMeant = () => true, ...options }: DumpOptions = {}): Promise<Dump> {
  return withEngine(place, async (engine) => {
    const dumped: Record<string, string> = {}
    for (const table of dumpedTables()) {
      if (!isMeant(table.name)) continue
      const { rows } = await engine.query(
        `select count(*)::varchar || ' rows ' || coalesce(md5(string_agg(line, chr(10) order by line)), '-') from (${lines(table, options)})`,
      )
      dumped[table.name] = String(rows[0]?.[0])
    }
    return dumped
  })
}

/**
 * The tables in which two warehouses differ, with the first rows that only one of them has. Empty: none does.
 * `known` is the dump of `a`, when it is compared often.
 */
export async function difference(
  a: Place,
  b: Place,
  { known, ...options }: DumpOptions & { readonly known?: Dump } = {},
): Promise<string> {
  const [left, right] = [known ?? (await dump(a, options)), await dump(b, options)]
  const told: string[] = []
  for (const table of dumpedTables()) {
    if (left[table.name] === right[table.name]) continue
    const [leftRows, rightRows] = [await linesOf(a, table, options), await linesOf(b, table, options)]
    told.push(
      `${table.name}: ${left[table.name]} / ${right[table.name]}`,
      ...only(leftRows, rightRows).map((line) => `  - ${line}`),
      ...only(rightRows, leftRows).map((line) => `  + ${line}`),
    )
  }
  return told.join('\n')
}

/** Each row as a line of text. */
export function tableLines(place: Place, name: string): Promise<string[]> {
  const table = dumpedTables().find((declared) => declared.name === name)
  if (!table) throw new Error(`${name} is no table of a dump.`)
  return linesOf(place, table)
}

function linesOf(place: Place, table: TableDeclaration, options: DumpOptions = {}): Promise<string[]> {
  return withEngine(place, async (engine) => {
    const { rows } = await engine.query(`${lines(table, options)} order by line`)
    return rows.map((row) => String(row[0]))
  })
}

/** The first rows of `a` that `b` lacks, each as often as it lacks them. */
function only(a: readonly string[], b: readonly string[], most = 5): string[] {
  const counts = new Map<string, number>()
  for (const line of b) counts.set(line, (counts.get(line) ?? 0) + 1)
  const found: string[] = []
  for (const line of a) {
    const count = counts.get(line) ?? 0
    if (count > 0) counts.set(line, count - 1)
    else if (found.push(line) >= most) break
  }
  return found
}

function dumpedTables(): TableDeclaration[] {
  return readDeclared('duckdb').tables.filter(
    ({ kind, name }) => kind === 'table' && !LEFT_OUT.includes(name),
  )
}

function lines({ name, columns }: TableDeclaration, { apartFromLoads = false }: DumpOptions): string {
  // Of a load, a position is a number; a rejected row has it as text that says which message it was.
  const isLeftOut = (column: { readonly name: string; readonly type: string }) =>
    LEFT_OUT_COLUMNS.includes(column.name) ||
    (apartFromLoads && column.name === 'position' && column.type === 'bigint')
  const told = columns
    .filter((column) => !isLeftOut(column))
    .map(({ name: column, type }) => {
      if (column === 'superseded_by') return `'superseded ' || (t.superseded_by is not null)::varchar`
      const value = type === 'variant' ? `cast(t.${column} as json)` : `t.${column}`
      // Records without a time of their own carry the time of their load.
      const own = column === 'effective_at' ? `case when ${value} <> l.started_at then ${value} end` : value
      return `coalesce(cast(${own} as varchar), '∅')`
    })
  const isOfLoad = columns.some((column) => column.name === 'load_id') && name !== 'meta.loads'
  const join = isOfLoad ? 'left join meta.loads l on l.load_id = t.load_id' : ''
  const load = isOfLoad && !apartFromLoads ? [`coalesce(l.uri || ' ' || l.content_sha256, 'no load')`] : []
  return `select concat_ws(' | ', ${[...load, ...told].join(', ')}) as line from ${name} t ${join}`
}

/**
 * What a warehouse holds that it should not, or lacks: files of dead runs, Parquet files that no snapshot knows,
 * snapshots whose files are gone, rows without their load, loads without their rows, a damaged catalog.
 */
export async function faultsOf(place: Place): Promise<string[]> {
  return [...brokenCatalog(place), ...leftovers(place), ...(await brokenLoads(place))]
}

/** Files that belong to no run that is alive and to no snapshot; and files that a snapshot lacks. */
export function leftovers({ warehouse, tmp }: Place): string[] {
  const expected =
    /^(catalog\.sqlite(-wal|-shm)?|sequences\.sqlite|writer\.lock|SHA256SUMS|data|streams|tmp)$/
  const known = catalogFiles(warehouse)
  const found = filesBelow(join(warehouse, 'data'))
  return [
    ...readdirSync(warehouse)
      .filter((name) => !expected.test(name))
      .map((name) => `left over: ${name}`),
    ...readdirSync(join(warehouse, 'tmp')).map((name) => `left over: tmp/${name}`),
    ...readdirSync(tmp).map((name) => `left over in TMPDIR: ${name}`),
    ...found.filter((file) => !known.has(file)).map((file) => `no snapshot knows data/${file}`),
    ...[...known].filter((file) => !found.includes(file)).map((file) => `a snapshot lacks data/${file}`),
  ]
}

function brokenCatalog({ warehouse }: Place): string[] {
  const database = new DatabaseSync(join(warehouse, 'catalog.sqlite'))
  try {
    const rows = database.prepare('pragma integrity_check').all()
    return rows.map((row) => String(row.integrity_check)).filter((text) => text !== 'ok')
  } finally {
    database.close()
  }
}

/** Every load is there with all its rows, or not at all. */
function brokenLoads(place: Place): Promise<string[]> {
  return withEngine(place, async (engine) => {
    const staged = dumpedTables().filter(({ name }) => name.startsWith('staging.') || name.startsWith('raw.'))
    // A load's deletions lie in a table of their own and count with its entity.
    const counts = staged
      .map(({ name }) => {
        const told = name === 'staging.stg_deletion' ? `'staging.stg_' || entity` : `'${name}'`
        return `select ${told} as name, load_id, count(*) as n from ${name} group by all`
      })
      .join(' union all ')
    const { rows } = await engine.query(`
      with counted as (select name, load_id, sum(n) as n from (${counts}) group by all),
      expected as (
        select 'staging.stg_' || e.entity as name, e.load_id, e.rows as n
        from meta.load_entities e join meta.loads l on l.load_id = e.load_id
        where l.superseded_by is null and e.rows > 0
        union all
        select 'raw.rejected_rows', load_id, records_rejected
        from meta.loads where superseded_by is null and records_rejected > 0
      )
      select coalesce(c.name, e.name) || ' of load ' || coalesce(c.load_id, e.load_id) || ': '
        || coalesce(c.n, 0) || ' rows, its ledger says ' || coalesce(e.n, 0)
      from counted c
      full join expected e on e.name = c.name and e.load_id = c.load_id
      where c.n is distinct from e.n
        and not (c.name = 'raw.raw_learning_events' and c.load_id in (select load_id from meta.loads where superseded_by is null))`)
    return rows.map((row) => String(row[0]))
  })
}

/** Data files of all snapshots, below `data/`. */
function catalogFiles(warehouse: string): Set<string> {
  const catalog = join(warehouse, 'catalog.sqlite')
  if (!existsSync(catalog)) return new Set()
  const database = new DatabaseSync(catalog)
  try {
    const rows = database
      .prepare(`
        select case when f.path_is_relative then s.path || t.path else '' end || f.path as path
        from (
          select table_id, path, path_is_relative from ducklake_data_file
          union select table_id, path, path_is_relative from ducklake_delete_file
        ) f
        join ducklake_table t on t.table_id = f.table_id
        join ducklake_schema s on s.schema_id = t.schema_id
        union select path from ducklake_files_scheduled_for_deletion where path_is_relative`)
      .all()
    return new Set(rows.map((row) => String(row.path)))
  } finally {
    database.close()
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}
