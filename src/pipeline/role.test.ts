/** What each role sees of the embedded engine, against the table that was written by hand (fixtures/access). */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TryWarehouse } from '../../test/try-warehouse.ts'
import {
  type AccessRow,
  accessRows,
  accessWarehouse,
  type Expectation,
  expectations,
} from '../policy/access.test-support.ts'
import type { Engine } from '../types.ts'
import { readAs } from './role.ts'
import { withWarehouse } from './warehouse.ts'

const ROWS = accessRows()
const EXPECTED = expectations()
const WHO = [...new Set(EXPECTED.map(({ role, user }) => `${role}/${user}`))]

/** Tables by what names their rows, and views by the table that they show. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  'core.dim_instructor': ['instructor_key'],
  'core.bridge_course_instructor': ['course_key', 'instructor_key'],
  'core.dim_course': ['course_key'],
  'core.dim_learner': ['learner_key'],
  'core.fact_enrollment': ['enrollment_id'],
  'core.fact_learning_event': ['event_id'],
  'core.fact_course_completion': ['learner_key', 'course_key'],
  'core.agg_course_day': ['course_key'],
  'staging.stg_instructor': ['instructor_key'],
  'staging.stg_learner': ['learner_key'],
  'staging.stg_enrollment': ['enrollment_id'],
  'staging.stg_learning_event': ['event_id'],
  'staging.stg_course_completion': ['learner_key', 'course_key'],
  'raw.raw_learning_events': ['position'],
  'raw.rejected_rows': ['reason_code'],
  'meta.loads': ['load_id'],
  'meta.runs': ['run_id'],
}
const SHOWS: Readonly<Record<string, string>> = {
  'core.course': 'core.dim_course',
  'core.learner': 'core.dim_learner',
  'staging.live_learner': 'staging.stg_learner',
  'staging.live_enrollment': 'staging.stg_enrollment',
  'staging.live_course_completion': 'staging.stg_course_completion',
}

let warehouse: TryWarehouse
beforeAll(async () => {
  warehouse = await accessWarehouse()
})
afterAll(() => warehouse[Symbol.dispose]())

function as<T>(role: string, user: string, work: (engine: Engine) => Promise<T>): Promise<T> {
  const { config } = warehouse
  const asked = { ...config, security: { ...config.security, user } }
  return withWarehouse(asked, 'confined', new AbortController().signal, work, readAs(asked, role))
}

/** What a role sees of a column, in the words of the table. */
async function seen(engine: Engine, { table, column }: Expectation): Promise<string> {
  const base = SHOWS[table] ?? table
  const keys = KEYS[base] ?? []
  const sql = `select ${[...keys, column].join(', ')} from ${table}`
  try {
    await engine.assertReadOnly(sql)
  } catch (error) {
    // What the checker refuses must not be there either.
    await expect(engine.query(sql)).rejects.toThrow(/Catalog Error/)
    expect((error as Error).message).toMatch(/or the role \w+ may not read it/)
    return 'not granted'
  }
  const { rows } = await engine.query(sql)
  const cells = rows.map((row) => {
    const known = ROWS.find(
      (one) => one.table === base && keys.every((key, i) => one.values.get(key)?.value === String(row[i])),
    )
    if (!known) throw new Error(`${table} shows a row that is not in rows.csv: ${row.join(', ')}`)
    return { name: known.row, how: shownAs(known, column, row[keys.length] ?? null) }
  })
  if (cells.length === 0) return 'no row'
  const order = (name: string) => ROWS.findIndex((one) => one.table === base && one.row === name)
  const names = cells.map(({ name }) => name).sort((a, b) => order(a) - order(b))
  return `${names.join(' ')}: ${[...new Set(cells.map(({ how }) => how))].join(' and ')}`
}

function shownAs({ values }: AccessRow, column: string, cell: unknown): string {
  const { value = '', masked = '' } = values.get(column) ?? {}
  const isSame = (text: string) =>
    text === String(cell) || (text !== '' && Number(text) === Number(cell) && cell !== null)
  const how = [...(isSame(value) ? ['clear'] : []), ...(masked !== '' && isSame(masked) ? ['masked'] : [])]
  // In the fixture no mask leaves a value as it is.
  return how.length === 1 ? (how[0] ?? '') : `neither or both: ${cell}`
}

describe.each(WHO)('%s', (who) => {
  test('sees what is expected, and nothing else', async () => {
    const [role = '', user = ''] = who.split('/')
    const mine = EXPECTED.filter((one) => one.role === role && one.user === user)
    const found = await as(role, user, async (engine) => {
      const all: string[] = []
      for (const one of mine) all.push(`${one.table}.${one.column} ${await seen(engine, one)}`)
      return all
    })
    expect(found).toEqual(mine.map(({ table, column, seen }) => `${table}.${column} ${seen}`))
  })
})
