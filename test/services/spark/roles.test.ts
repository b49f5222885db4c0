/** What each role sees on Spark, against the same table that was written by hand (fixtures/access); and what it does not. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SparkReader } from '../../../src/engines/spark/reader.ts'
import { readDeclared } from '../../../src/pipeline/declared.ts'
import { readAs } from '../../../src/pipeline/role.ts'
import { withSparkReports } from '../../../src/pipeline/spark.ts'
import { withWarehouse } from '../../../src/pipeline/warehouse.ts'
import { accessWarehouse, applyPolicy } from '../../../src/policy/access.test-support.ts'
import { seenAndExpected, WHO } from '../../../src/policy/access-seen.test-support.ts'
import { readPolicyFiles } from '../../../src/policy/read.ts'
import { packageRoot } from '../../../src/sql-files.ts'
import type { Result, Row } from '../../../src/types.ts'
import type { TryWarehouse } from '../../try-warehouse.ts'
import { describeWithSpark } from './shared-spark.ts'

const { signal } = new AbortController()
const ENTRY = join(packageRoot(), 'bin', 'run.js')

/** One user of each role, unless all are asked for. */
const roleOf = (who: string) => who.split('/')[0]
const SOME = WHO.filter((who, index) => WHO.findIndex((one) => roleOf(one) === roleOf(who)) === index)
const ASKED = process.env.LPA_FAULTS === 'full' ? WHO : [...SOME, 'lpa_instructor/newcomer']

describeWithSpark('a role on Spark', ({ state }) => {
  let warehouse: TryWarehouse
  beforeAll(async () => {
    warehouse = await accessWarehouse()
  })
  afterAll(() => warehouse?.[Symbol.dispose]())

  const asUser = (user: string) => ({
    ...warehouse.config,
    security: { ...warehouse.config.security, user },
  })

  function as<T>(role: string, user: string, work: (reader: SparkReader) => Promise<T>): Promise<T> {
    const config = asUser(user)
    return withWarehouse(config, 'read', signal, (engine) =>
      withSparkReports(config, engine, signal, work, role),
    )
  }

  test.each(ASKED)('%s sees what is expected, and nothing else', async (who) => {
    const [role = '', user = ''] = who.split('/')
    const [found, expected] = await as(role, user, (reader) =>
      seenAndExpected(who, async (sql) => {
        try {
          return await reader.ask(sql)
        } catch (error) {
          expect((error as Error).message).toMatch(/or the role \w+ may not read it/)
          // What the checker refuses must not be there either.
          await expect(reader.query(sql)).rejects.toThrow(/which the role \w+ may not/)
          return undefined
        }
      }),
    )
    expect(found).toEqual(expected)
  })

  test('names in a session are the role’s views only, whatever was made on the way', async () => {
    await as('lpa_analyst', 'rui', async (reader) => {
      expect((await reader.ask('select count(*) from fact_enrollment')).rows).toEqual([[2]])
      for (const name of ['lpa_all_core_fact_enrollment', 'lpa_all_core_dim_learner'])
        await expect(reader.query(`select * from ${name}`)).rejects.toThrow(/TABLE_OR_VIEW_NOT_FOUND/)
      await expect(reader.query('select * from raw.raw_learning_events')).rejects.toThrow(
        'reads raw.raw_learning_events, which the role lpa_analyst may not',
      )
    })
  })

  test('an error tells nothing of hidden rows', async () => {
    const fails = '1 / case when learner_key = 102 then 0 else 1 end > 0'
    const rule = "learner_key in (select learner_key from dim_learner where region = 'Norte')"
    // Without what is in between, it tells.
    await expect(
      ask(undefined, `select count(*) from (select * from fact_enrollment where ${rule}) where ${fails}`),
    ).rejects.toThrow(/DIVIDE_BY_ZERO/)
    expect((await ask('rui', `select count(*) from fact_enrollment where ${fails}`)).rows).toEqual([[2]])
  })

  async function ask(user: string | undefined, sql: string) {
    if (user !== undefined) return as('lpa_analyst', user, (reader) => reader.ask(sql))
    return withWarehouse(warehouse.config, 'read', signal, (engine) =>
      withSparkReports(warehouse.config, engine, signal, (reader) => reader.ask(sql)),
    )
  }

  test('gets reports without small counts, is told that this is advisory, and is recorded', async () => {
    const asked = ['query', 'completion-rate', '--json', '--role', 'lpa_dashboard']
    const [there, here] = [lpa([...asked, '--engine', 'spark']), lpa(asked)]
    expect(JSON.parse(there.stdout)).toEqual(JSON.parse(here.stdout))
    expect(here.stderr).toContain('left out')
    expect(there.stderr.split('advisory')).toHaveLength(2)
    const told = here.stderr.trim().split('\n')[0]
    expect(there.stderr).toContain(told)
    expect(lpa(['query', '--sql', 'select 1', '--role', 'lpa_dashboard', '--engine', 'spark'])).toMatchObject(
      {
        status: 77,
        stderr: expect.stringContaining('It gets reports only.'),
      },
    )
    const runs = lpa([
      'query',
      '--json',
      '--sql',
      "select role, exit_code from meta.runs where role = 'lpa_dashboard' order by started_at",
    ])
    expect(JSON.parse(runs.stdout).map((run: { exit_code: number }) => run.exit_code)).toEqual([0, 0, 77])
  })

  function lpa(args: readonly string[]) {
    return spawnSync(process.execPath, [ENTRY, ...args], {
      cwd: warehouse.folder,
      encoding: 'utf8',
      env: { ...process.env, XDG_STATE_HOME: state },
    })
  }

  describe('by a policy with every mask', () => {
    const POLICY = `
roles: { reader: { reads: { schemas: [core] } } }
masks:
  full: { how: full, columns: [core.dim_course.course_title] }
  none: { how: "null", columns: [core.dim_course.attributes, core.dim_course.is_current] }
  partial: { how: partial, keep: 2, columns: [core.dim_course.language] }
  hash: { how: hash, columns: [core.dim_course.difficulty] }
  month: { how: month, columns: [core.dim_course.starts_on, core.dim_course.valid_from] }
  band: { how: band, width: 5, columns: [core.dim_course.duration_hours, core.dim_course.category_key] }
  doubles: { how: band, width: 1, columns: [core.fact_learning_event.quantity, core.fact_learning_event.score] }
row_rules:
  own: { roles: [reader], attribute: own, on: [core.dim_course.course_id] }
  events:
    roles: [reader]
    attribute: own
    allowed: select c.course_key from core.dim_course c where c.is_current and c.course_id in ($values)
    on: [core.fact_learning_event.course_key]
users: { ann: { roles: [reader], attributes: { own: ["O'Brien", "back\\\\slash", "$values", "x') or true --"] } } }`
    const QUESTIONS = [
      'select * from dim_course order by course_key',
      'select * from fact_learning_event order by event_id',
    ]

    test('sees the same as on the embedded engine', async () => {
      await withWarehouse(warehouse.config, 'write', signal, (engine) =>
        engine.transaction(async () => {
          await engine.execute(`insert into core.dim_course (course_key, course_id, course_title, language, difficulty, category_key, instructor_key, duration_hours, starts_on, valid_from, valid_to, is_current, attributes) values
            (1, 'back\\slash', 'Ünïcode', 'Ünï', 'Ünïcode', 12, 1, 12.50, '2026-02-28', '2026-02-28 23:59:59', '9999-12-31', true, '{"x": 1}'),
            (2, 'O''Brien', null, null, null, -7, 1, null, null, '0001-01-01', '9999-12-31', true, null),
            (3, '$values', 'x', 'x', 'x', -10, 1, -0.5, '0001-01-01', '1999-12-31', '9999-12-31', false, null),
            (4, 'hidden', 'x', 'x', 'x', -10, 1, -0.5, '0001-01-01', '1999-12-31', '9999-12-31', false, null)`)
          await engine.execute(`insert into core.fact_learning_event (event_id, learner_key, course_key, date_key, occurred_at, event_type, source, quantity, score) values
            ('e', 1, 1, 20260101, '2026-01-01', 'played', 'x', 1, 0.55), ('f', 1, 1, 20260101, '2026-01-01', 'played', 'x', -1.5, 'nan'),
            ('g', 1, 1, 20260101, '2026-01-01', 'played', 'x', 1e300, 'infinity')`)
        }),
      )
      const files = [{ shown: 'policy.yaml', text: POLICY }]
      await applyPolicy(
        warehouse,
        await readPolicyFiles({ files, declared: readDeclared('duckdb').tables, minCell: 10 }),
      )
      const config = asUser('ann')
      const embedded = await withWarehouse(
        ...([config, 'confined', signal] as const),
        (engine) => answers((sql) => engine.query(sql)),
        readAs(config, 'reader'),
      )
      expect(embedded.map(({ length }) => length)).toEqual([3, 3])
      expect(await as('reader', 'ann', (reader) => answers((sql) => reader.ask(sql)))).toEqual(embedded)
    })

    async function answers(ask: (sql: string) => Promise<Result>) {
      const all: (readonly Row[])[] = []
      for (const sql of QUESTIONS) all.push((await ask(sql)).rows)
      return all
    }
  })
})
