/** The schema of lpa in Snowflake: made once, left alone, compared with what others did to it, mended where it can be. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readDeclared } from '../../../src/pipeline/declared.ts'
import { planSchema, type SchemaPlan } from '../../../src/pipeline/schema.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { wrongStatements } from './statements.ts'

const UP_TO_DATE = 'Nothing to do: the schema is up to date.\n'

describeLpaOnSnowflake('lpa schema on Snowflake', () => {
  let place: LpaPlace
  beforeAll(async () => {
    place = await LpaPlace.create()
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  /** Steps and findings of what would be planned now. */
  async function plan(): Promise<string[]> {
    const { steps, findings } = await place.engine(planSchema)
    return [...steps, ...findings].map(({ kind, target }) => `${kind} ${target}`)
  }

  test('nothing can be asked before there are tables, and the answer says what makes them', async () => {
    for (const args of [
      ['query', 'funnel'],
      ['load', '-'],
      ['schema', 'status'],
    ]) {
      const ran = await place.lpa(args, { stdin: '' })
      expect([args, ran.code, ran.stdout]).toEqual([args, 66, ''])
      expect(ran.stderr).toContain('Make it: lpa schema apply')
    }
  })

  test('apply makes what plan showed, and the plan leaves nothing behind', async () => {
    const declared = readDeclared('snowflake').tables.map(({ name }) => name)
    const planned = await place.json<SchemaPlan>(['schema', 'plan'])
    expect(planned.steps.map(({ target }: SchemaPlan['steps'][number]) => target).sort()).toEqual(
      declared.sort(),
    )
    const schemas = `select count(*) from information_schema.schemata where schema_name in ('RAW', 'STAGING', 'CORE', 'META')`
    expect(await place.value(schemas)).toBe(0)

    const applied = await place.json<SchemaPlan>(['schema', 'apply'])
    expect(applied).toMatchObject({ steps: planned.steps, findings: [] })
    expect(await place.value(schemas)).toBe(4)
    const { sha256 } = readDeclared('snowflake')
    const status = await place.json(['schema', 'status'])
    expect(status).toMatchObject({ upToDate: true, applied: [{ number: 0, name: 'base', sha256 }] })
  })

  test('apply does nothing the second time', async (context) => {
    const database = place.emulated(context)
    await database.forgetStatements()
    const ran = await place.lpaOk(['schema', 'apply'])
    expect(ran.stdout).toBe(UP_TO_DATE)
    const sent = (await database.statements()).map(({ sql }) => sql)
    const changes = sent.filter((sql) =>
      /^\s*(create|alter (?!session)|drop|insert|update|delete)/i.test(sql),
    )
    expect(changes).toEqual([
      // The lock of the writer, and the history of runs.
      expect.stringMatching(/^update meta.schema_changes set applied_at = applied_at where number = 0$/),
      expect.stringMatching(/^insert into meta.runs\b/),
    ])
  })

  test('what others did is told, and what can be mended is: rows stay', async () => {
    await place.sql(
      `insert into core.dim_date select 20260102, '2026-01-02', 2026, 1, 1, 'January', 2026, 1, 2, 5, 'Friday', false, 'spring'`,
    )
    await place.sql('alter table core.dim_learner add column shoe_size number')
    await place.sql('alter table core.dim_date drop column term')
    await place.sql('alter table core.fact_enrollment cluster by (course_key)')
    await place.sql(
      'create or replace view core.newest_day as select max(date_key) + 1 as date_key from core.dim_date',
    )
    await place.sql('drop table core.bridge_course_instructor')
    await place.sql('create table core.budget (amount number)')
    const drift = ['undeclared column core.dim_learner.shoe_size', 'undeclared table core.budget']
    expect(await plan()).toEqual([
      'add column core.dim_date.term',
      'create table core.bridge_course_instructor',
      'cluster core.fact_enrollment',
      'replace view core.newest_day',
      ...drift,
    ])
    const told = await place.lpa(['schema', 'plan'])
    expect(told.code).toBe(1)
    expect(told.stdout).toContain(
      'alter table core.fact_enrollment cluster by (enrolled_date_key, course_key);\n',
    )
    expect(told.stdout).toContain('drift: The table core.budget is not part of the declared schema.\n')
    expect((await place.lpa(['schema', 'status'])).code).toBe(1)

    // Drift is left, and it says so; nobody else's table is touched.
    expect((await place.lpa(['schema', 'apply'])).code).toBe(1)
    expect(await plan()).toEqual(drift)
    expect(await place.value('select count(*) from core.budget')).toBe(0)
    const day = (await place.sql('select date_key, term from core.dim_date')).rows
    expect(day).toEqual([[20260102, null]])
    expect(await place.value('select date_key from core.newest_day')).not.toBe(20260103)

    await place.sql('alter table core.dim_learner drop column shoe_size')
    await place.sql('drop table core.budget')
    expect((await place.lpaOk(['schema', 'plan'])).stdout).toBe(UP_TO_DATE)
  })

  test('a type that no step can change is drift', async () => {
    await place.sql('alter table core.dim_date drop column is_weekend')
    await place.sql('alter table core.dim_date add column is_weekend varchar')
    expect(await plan()).toEqual([
      'different type core.dim_date.is_weekend',
      'null allowed core.dim_date.is_weekend',
    ])
    await place.sql('drop table core.dim_date')
    expect((await place.json<SchemaPlan>(['schema', 'apply'])).steps).toHaveLength(1)
  })

  test('a saved plan is applied as it is, and refused when it is stale or edited', async () => {
    await place.sql('drop table core.dim_instructor')
    const [good, edited] = ['plan.json', 'edited.json']
    await place.lpaOk(['schema', 'plan', '--out', good, '--quiet'])
    const text = readFileSync(join(place.folder.root, good), 'utf8')
    writeFileSync(
      join(place.folder.root, edited),
      text.replace('create table if not exists core.dim_instructor', 'drop table core.dim_course'),
    )
    const refused = await place.lpa(['schema', 'apply', edited])
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('LPA-SCHEMA-STALE') })

    await place.sql('drop table core.bridge_course_instructor')
    const stale = await place.lpa(['schema', 'apply', good])
    expect(stale).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was changed.') })
    expect(await plan()).toHaveLength(2)

    await place.lpaOk(['schema', 'plan', '--out', good, '--quiet'])
    expect((await place.lpaOk(['schema', 'apply', good])).stderr).toMatch(/^lpa schema apply: 2 steps/)
    expect(await plan()).toEqual([])
  })

  test('no load goes into tables of an older lpa, where what has no column would be left out', async () => {
    await place.sql('alter table staging.stg_course drop column language')
    place.write('courses.json', '[{"course_id": "C1", "course_title": "Intro to SQL", "language": "en"}]')
    const ran = await place.lpa(['load', 'courses.json'])
    expect(ran).toMatchObject({ code: 78, stderr: expect.stringContaining('lpa schema apply') })
    expect(await place.value('select count(*) from meta.loads')).toBe(0)
    await place.lpaOk(['schema', 'apply', '--quiet'])
    await place.lpaOk(['load', 'courses.json'])
    expect(await place.value('select language from staging.stg_course')).toBe('en')
  })

  test('was sent as Snowflake’s SQL', async (context) => {
    expect(await wrongStatements(place.emulated(context))).toEqual([])
  })
})
