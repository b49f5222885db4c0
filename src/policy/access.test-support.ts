/** A warehouse with the rows of fixtures/access, and the policy that lpa comes with, for the users there. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { readDeclared } from '../pipeline/declared.ts'
import { writeLedger } from '../pipeline/ledger.ts'
import { withWarehouse } from '../pipeline/warehouse.ts'
import { packageRoot } from '../sql-files.ts'
import { wantedObjects } from './objects.ts'
import type { Policy } from './policy.ts'
import { readPolicyFiles } from './read.ts'

const FOLDER = join(packageRoot(), 'fixtures', 'access')
const DECLARED = readDeclared('duckdb').tables
const never = () => new AbortController().signal

export interface AccessRow {
  readonly table: string
  readonly row: string
  readonly values: ReadonlyMap<string, { readonly value: string; readonly masked: string }>
}

/** Rows by table, in the order of the file. */
export function accessRows(): readonly AccessRow[] {
  const rows = new Map<string, AccessRow & { values: Map<string, { value: string; masked: string }> }>()
  for (const { table = '', row = '', column = '', value = '', masked = '' } of readCsv('rows.csv')) {
    const key = `${table} ${row}`
    const one = rows.get(key) ?? { table, row, values: new Map() }
    one.values.set(column, { value, masked })
    rows.set(key, one)
  }
  return [...rows.values()]
}

/** Views that show the rows of a table: of each, which. */
export const SHOWS: Readonly<Record<string, string>> = {
  'core.course': 'core.dim_course',
  'core.course_progress': 'core.fact_learning_event',
  'core.learner': 'core.dim_learner',
  'staging.live_course': 'staging.stg_course',
  'staging.live_course_category': 'staging.stg_course_category',
  'staging.live_course_completion': 'staging.stg_course_completion',
  'staging.live_enrollment': 'staging.stg_enrollment',
  'staging.live_instructor': 'staging.stg_instructor',
  'staging.live_learner': 'staging.stg_learner',
}

/** What rows.csv does not have the rows of, since lpa writes or computes them: only who may read it is expected. */
export const UNLISTED = ['core.newest_day', 'meta.policy_objects', 'meta.schema_changes']

export interface Expectation {
  /** `core.dim_learner` */
  readonly table: string
  readonly column: string
  readonly role: string
  readonly user: string
  /** `ada bea: masked`, `no row`, `not granted`; `granted` of what is not listed */
  readonly seen: string
}

export function expectations(): readonly Expectation[] {
  return readCsv('expected.csv').flatMap(({ column: name = '', ...cells }) => {
    const dot = name.lastIndexOf('.')
    return Object.entries(cells).map(([who, seen = '']) => {
      const [role = '', user = ''] = who.split('/')
      return { table: name.slice(0, dot), column: name.slice(dot + 1), role, user, seen }
    })
  })
}

/** The policy that lpa comes with, and the users of the fixture or of a text. */
export function readyMadePolicy(users = readFileSync(join(FOLDER, 'users.yaml'), 'utf8')): Promise<Policy> {
  const names = ['masks', 'roles', 'rows', 'tags']
  const files = names.map((name) => {
    const shown = `security/${name}.yaml`
    return { shown, text: readFileSync(join(packageRoot(), shown), 'utf8') }
  })
  return readPolicyFiles({
    files: [...files, { shown: 'users.yaml', text: users }],
    declared: DECLARED,
    minCell: 10,
  })
}

export async function applyPolicy({ config }: TryWarehouse, policy: Policy): Promise<void> {
  await withWarehouse(config, 'write', never(), (engine) =>
    engine.transaction(async () => {
      await engine.execute('delete from meta.policy_objects')
      for (const { kind, name, definition } of wantedObjects(policy))
        await writeLedger(engine, 'add-policy-object', {
          ...{ kind, name, definition },
          applied_at: '2026-01-12T08:00:00Z',
        })
    }),
  )
}

/** A role `screen`, which may not see fewer than ten. */
export async function applyScreenPolicy(warehouse: TryWarehouse): Promise<void> {
  const text = 'roles: { screen: { reads: { schemas: [core, staging] }, min_cell: 10 } }'
  const declared = readDeclared('duckdb').tables
  const policy = await readPolicyFiles({ files: [{ shown: 'p.yaml', text }], declared, minCell: 10 })
  await applyPolicy(warehouse, policy)
}

export async function accessWarehouse(toml = ''): Promise<TryWarehouse> {
  const warehouse = await TryWarehouse.create(toml)
  await withWarehouse(warehouse.config, 'write', never(), (engine) =>
    engine.transaction(async () => {
      for (const row of accessRows()) await engine.execute(insert(row))
    }),
  )
  await applyPolicy(warehouse, await readyMadePolicy())
  return warehouse
}

/** What is required and not said is a zero of its type. */
function insert({ table, values }: AccessRow): string {
  const columns = DECLARED.find(({ name }) => name === table)?.columns ?? []
  const used = columns.filter(({ name, required }) => required || values.has(name))
  const cells = used.map(({ name, type }) => {
    const given = values.get(name)?.value
    if (given !== undefined) return `'${given.replaceAll("'", "''")}'`
    if (/^varchar/.test(type)) return "'x'"
    if (type === 'timestamp') return `timestamp '2026-01-01'`
    return type === 'date' ? `date '2026-01-01'` : type === 'boolean' ? 'true' : '0'
  })
  return `insert into ${table} (${used.map(({ name }) => name).join(', ')}) values (${cells.join(', ')})`
}

/** Attempts to see more than a role may, one a line of break-outs.sql. */
export function breakOuts(): readonly { readonly kind: string; readonly sql: string }[] {
  const [, ...kinds] = readFileSync(join(FOLDER, 'break-outs.sql'), 'utf8').split(/^-- kind: /m)
  return kinds.flatMap((part) => {
    const [kind = '', ...lines] = part.trim().split('\n')
    return lines.map((sql) => ({ kind, sql }))
  })
}

/** The files of the fixture: quotes only where a cell needs them. */
function readCsv(name: string): Record<string, string>[] {
  const [head = '', ...lines] = readFileSync(join(FOLDER, name), 'utf8').trim().split('\n')
  const keys = head.split(',')
  return lines.map((line) => {
    const cells = [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = '']) =>
      cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
    )
    return Object.fromEntries(keys.map((key, index) => [key, cells[index] ?? '']))
  })
}
