/** Every attempt of fixtures/access/break-outs.sql to see more than a role may fails, and is one: the owner gets an answer. */

import { globSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { UserError } from '../src/errors.ts'
import { readAs } from '../src/pipeline/role.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import { accessWarehouse, breakOuts } from '../src/policy/access.test-support.ts'
import type { Engine } from '../src/types.ts'
import type { TryWarehouse } from './try-warehouse.ts'

const ATTEMPTS = breakOuts()

let warehouse: TryWarehouse
beforeAll(async () => {
  warehouse = await accessWarehouse()
})
afterAll(() => warehouse[Symbol.dispose]())

const signal = () => new AbortController().signal
const asUser = (user: string) => ({ ...warehouse.config, security: { ...warehouse.config.security, user } })

function inPlace(sql: string): string {
  const { path } = warehouse.config.warehouse
  const [parquet = ''] = globSync('data/**/*.parquet', { cwd: path })
  const places = {
    folder: path,
    parquet: join(path, parquet),
    catalog: join(path, 'catalog.sqlite'),
    csv: warehouse.write('grades.csv', 'a,b\n1,2\n'),
  }
  return sql.replace(/\{(\w+)\}/g, (whole, name) => places[name as keyof typeof places] ?? whole)
}

/** How an attempt ends: as lpa query --sql runs it. */
async function attempt(engine: Engine, sql: string): Promise<string> {
  try {
    await engine.assertReadOnly(sql)
    const { rows } = await engine.query(sql)
    return `SUCCEEDED: ${JSON.stringify(rows.slice(0, 3), (_, value) => (typeof value === 'bigint' ? String(value) : value))}`
  } catch (error) {
    if (error instanceof UserError)
      return error.exit === 'notPermitted' || error.exit === 'usage' ? 'refused' : error.code
    return engine.faultOf(error) === undefined ? String(error) : 'refused'
  }
}

test('there are 200 attempts or more, of all kinds', () => {
  expect(ATTEMPTS.length).toBeGreaterThanOrEqual(200)
  expect(new Set(ATTEMPTS.map(({ sql }) => sql)).size).toBe(ATTEMPTS.length)
})

test.each([
  ['lpa_analyst', 'rui'],
  ['lpa_instructor', 'noor'],
])('none succeeds as %s', async (role, user) => {
  const ends: string[] = []
  await withWarehouse(
    ...([asUser(user), 'confined', signal()] as const),
    async (engine) => {
      for (const { kind, sql } of ATTEMPTS) {
        const end = await attempt(engine, inPlace(sql))
        if (end !== 'refused') ends.push(`${kind}: ${sql}: ${end}`)
      }
      // The role can still ask what it may.
      expect(await attempt(engine, 'select count(*) from fact_enrollment')).toBe('SUCCEEDED: [[2]]')
    },
    readAs(asUser(user), role),
  )
  expect(ends).toEqual([])
})

test('without the role most work, and all are SQL', async () => {
  const ends = { works: 0, fails: 0, 'no SQL': [] as string[] }
  // A connection each for what changes it, or leaves a transaction open.
  for (const batch of [...CHANGING.map((one) => [one]), READING]) {
    await withWarehouse(warehouse.config, 'read', signal(), async (engine) => {
      for (const sql of batch) {
        await engine.execute(inPlace(sql)).then(
          () => (ends.works += 1),
          (error) => {
            if (/^Parser Error/.test((error as Error).message)) ends['no SQL'].push(sql)
            else ends.fails += 1
          },
        )
      }
    })
  }
  expect(ends['no SQL']).toEqual([])
  expect(ends.works).toBeGreaterThanOrEqual(200)
})

/**
 * Conditions that fail, or not, by what is in a row: DuckDB takes them for ones that cannot fail, and moves them below what
 * hides the row, unless something is in between. `H` holds of a row that rui may not see, learner 102.
 */
const ORACLES = [
  'chr(case when H then -5 else 65 end) is not null',
  'substring(source, 1, case when H then 9223372036854775807 else 1 end) is not null',
  'bar(attempt, 0, 10, case when H then -1 else 10 end) is not null',
  'list_reduce(case when H then [] else [1] end, lambda x, y: x) is not null',
  "source similar to (case when H then '[' else '.*' end)",
]
const ORACLE = (condition: string, table: string) =>
  `select count(*) from ${table} where ${condition.replace('H', 'learner_key = 102')}`

test('an error tells nothing of hidden rows', async () => {
  const { rows } = await withWarehouse(warehouse.config, 'read', signal(), (engine) =>
    engine.query(`select learner_key from fact_enrollment where learner_key = 102`),
  )
  expect(rows).toEqual([[102]])
  // Without what is in between, they tell.
  const told = await withWarehouse(warehouse.config, 'read', signal(), async (engine) => {
    const rule = "learner_key in (select learner_key from lake.core.dim_learner where region = 'Norte')"
    return failing(engine, `(select * from lake.core.fact_enrollment where ${rule})`)
  })
  expect(told).toEqual(ORACLES)
  const asRole = await withWarehouse(
    ...([asUser('rui'), 'confined', signal()] as const),
    (engine) => failing(engine, 'fact_enrollment'),
    readAs(asUser('rui'), 'lpa_analyst'),
  )
  expect(asRole).toEqual([])
})

async function failing(engine: Engine, table: string): Promise<string[]> {
  const failed: string[] = []
  for (const condition of ORACLES)
    await engine.query(ORACLE(condition, table)).catch(() => failed.push(condition))
  return failed
}

test('an error tells no value that is masked', async () => {
  const asked = [
    'select cast(display_name as int) from dim_instructor',
    "select date_trunc(display_name, date '2026-01-01') from dim_instructor",
    'select cast(learner_id as int) from learner',
    'select json(display_name) from dim_instructor',
    "select strptime(display_name, '%Y') from dim_instructor",
    'select cast(payload as int) from raw.rejected_rows',
    'select regexp_matches(display_name, display_name || chr(91)) from dim_instructor',
  ]
  const said = await withWarehouse(
    ...([asUser('rui'), 'confined', signal()] as const),
    async (engine) => {
      const all: string[] = []
      for (const sql of asked) {
        await engine.assertReadOnly(sql)
        await engine.query(sql).catch((error) => all.push((error as Error).message))
      }
      return all
    },
    readAs(asUser('rui'), 'lpa_analyst'),
  )
  expect(said.length).toBeGreaterThanOrEqual(5)
  for (const message of said) expect(message).not.toMatch(/Noor|Emil|id-ada|id-bea|id-col|parquet|lake\./i)
})

const isChanging = ({ kind }: { kind: string }) =>
  kind === 'statements that are no SELECT' || kind === 'more than one statement'
const CHANGING = ATTEMPTS.filter(isChanging).map(({ sql }) => sql)
const READING = ATTEMPTS.filter((one) => !isChanging(one)).map(({ sql }) => sql)
