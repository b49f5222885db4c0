/** Who may see what, on Snowflake: planned, applied, and compared with what is there. Recorded by the emulator, not enforced. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, type TestContext, test, vi } from 'vitest'
import { build } from '../../../src/pipeline/build.ts'
import type { GrantPlan } from '../../../src/pipeline/grant.ts'
import { readRelations } from '../../../src/pipeline/grant-snowflake.ts'
import { statementsOf } from '../../../src/pipeline/schema-changes.ts'
import { readPlace, readSnowflake } from '../../../src/policy/snowflake/read.ts'
import { packageRoot } from '../../../src/sql-files.ts'
import { until } from '../../faults/until.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { nonsense } from './privileges.ts'
import { malformed } from './sqlfluff.ts'
import { wrongStatements } from './statements.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const GOLDEN = fileURLToPath(new URL('../../../fixtures/golden/snowflake', import.meta.url))
const USERS = readFileSync(join(packageRoot(), 'fixtures/access/users.yaml'), 'utf8')
const FILES = ['masks', 'roles', 'rows', 'tags'].map(
  (name) => [`${name}.yaml`, readFileSync(join(packageRoot(), 'security', `${name}.yaml`), 'utf8')] as const,
)

/** A place with the tables of lpa and, of its own, the policy that lpa comes with and some users. */
async function placeWithPolicy(): Promise<LpaPlace> {
  const place = await LpaPlace.create()
  await place.lpaOk(['schema', 'apply'])
  for (const [name, text] of FILES) place.write(`security/${name}`, text)
  place.write('security/users.yaml', USERS)
  return place
}

const planned = async (place: LpaPlace, ...flags: string[]) =>
  (await place.json<GrantPlan>(['grant', 'plan', ...flags])).steps.map(
    ({ action, kind, name }) => `${action} ${kind} ${name}`,
  )

/** All that Snowflake tells of a policy; its order tells nothing. */
function stateOf(place: LpaPlace): Promise<unknown> {
  return place.engine(async (engine) => {
    const wanted = ['admin', 'analyst', 'dashboard', 'engineer', 'instructor'].map((name) => ({
      ...{ kind: 'role', name: `lpa_${name}`, definition: '', managed: true },
    }))
    const relations = await readRelations(engine)
    const { database, ...state } = await readSnowflake(
      (sql) => engine.query(sql),
      relations,
      wanted,
      await readPlace((sql) => engine.query(sql)),
    )
    return Object.fromEntries(
      Object.entries(state).map(([name, value]) => [
        name,
        Array.isArray(value)
          ? value.map((one) => JSON.stringify(one).replaceAll(new RegExp(database, 'gi'), 'DB')).sort()
          : value,
      ]),
    )
  })
}

describeLpaOnSnowflake('lpa grant on Snowflake', () => {
  if (process.env.LPA_SNOWFLAKE_LIVE) {
    test('needs the emulator', (context) => context.skip('roles are the account’s, and no test’s to change'))
    return
  }
  let place: LpaPlace
  let whole: unknown
  beforeAll(async () => {
    place = await placeWithPolicy()
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  // In this order: each needs what those before it made.
  test('apply does what plan showed, after which there is nothing to do', async (context) => {
    const shown = await place.json<GrantPlan>(['grant', 'plan'])
    await place.database?.forgetStatements()
    const applied = await place.json<GrantPlan>(['grant', 'apply'])
    expect(applied.steps).toEqual(shown.steps)
    // How often it says that it is alive is how long it takes.
    const renewal = /^update meta\.policy_objects\b/
    await expectGolden('grant-apply', context, (sent) =>
      sent.filter((sql) => !/^(show|describe|select|use|alter session)\b/.test(sql) && !renewal.test(sql)),
    )
    expect(await planned(place)).toEqual([])
    await place.database?.forgetStatements()
    expect((await place.lpaOk(['grant', 'check'])).stdout).toContain('The warehouse has the policy.')
    // Several are asked at once.
    await expectGolden('grant-check', context, (sent) => sent.toSorted())
    whole = await stateOf(place)
  })

  async function expectGolden(
    name: string,
    context: TestContext,
    ordered: (sent: readonly string[]) => readonly string[] = (sent) => sent,
  ): Promise<void> {
    const database = place.emulated(context)
    const sent = (await database.statements()).map(
      ({ sql }) => `${sql.trim().replaceAll(database.name, 'LPA')};\n`,
    )
    const own = sent.map((sql) => sql.replaceAll(database.name.toLowerCase(), 'lpa'))
    await expect(ordered(own).join('\n')).toMatchFileSnapshot(join(GOLDEN, `${name}.sql`))
  }

  test('what was done behind its back is found and mended', async () => {
    for (const statement of [
      'revoke select on table core.dim_date from role lpa_analyst',
      'grant select on table meta.runs to role lpa_dashboard',
      'alter table core.dim_learner modify column learner_id unset masking policy',
      'alter masking policy policy.mask_signup_days_date set body -> val',
      'alter table core.dim_learner modify column country unset tag policy.classification',
      'alter table core.dim_course drop row access policy policy.rows_own_courses_number',
      'revoke select on future tables in schema core from role lpa_analyst',
      'revoke role lpa_analyst from role lpa_engineer',
      `insert into policy.user_values values ('RUI', 'region', '*')`,
    ])
      await place.sql(statement)
    const found = await place.lpa(['grant', 'check'])
    expect([found.code, found.stdout.trim().split('\n').sort()]).toEqual([
      1,
      [
        'different: masking policy policy.mask_signup_days_date',
        'missing: future grant select on future tables in schema core to role lpa_analyst',
        'missing: grant select on all tables in schema core to role lpa_analyst',
        'missing: mask of a column core.dim_learner.learner_id',
        'missing: role in role role lpa_analyst to role lpa_engineer',
        'missing: rows of a table core.dim_course',
        'missing: tag of a column core.dim_learner.country policy.classification',
        'not declared: grant select on table meta.runs to role lpa_dashboard',
        'not declared: value of a user ["RUI","region","*"]',
        expect.stringMatching(/^note: lpa_dashboard: Snowflake hides no counts/),
      ],
    ])
    await place.lpaOk(['grant', 'apply'])
    expect(await stateOf(place)).toEqual(whole)
  })

  test('the audit tells of tables and columns that others made where roles read', async () => {
    await place.sql('create table core.people_notes (name varchar)')
    await place.sql('alter table core.dim_learner add column full_name varchar')
    const { stdout } = await place.lpa(['grant', 'check', '--audit'])
    expect(stdout.match(/undeclared.*? may read it/g)).toEqual([
      'undeclared column: core.dim_learner.full_name. lpa_admin, lpa_analyst, lpa_engineer, lpa_instructor may read it',
      'undeclared table: core.people_notes. lpa_admin, lpa_analyst, lpa_engineer, lpa_instructor may read it',
    ])
    await place.sql('alter table core.dim_learner drop column full_name')
    await place.sql('drop table core.people_notes')
  })

  test('what others gave is told, and taken back only when it is to be pruned', async () => {
    await place.sql('grant role lpa_admin to user eve_of_others')
    await place.sql('grant role lpa_admin to role sysadmin')
    const check = await place.lpa(['grant', 'check'])
    expect([check.code, check.stdout]).toEqual([
      1,
      expect.stringContaining('of others: role of a user role lpa_admin to user eve_of_others\n'),
    ])
    expect(await planned(place)).toEqual([])
    await place.lpaOk(['grant', 'apply', '--prune'])
    const members = (await place.sql('show grants of role lpa_admin')).rows.map((row) => row[3])
    expect(members.sort()).toEqual(['ADAM', 'SYSADMIN'])
  })

  test('a user who leaves the policy loses the roles that lpa gave', async () => {
    place.write('security/users.yaml', USERS.replace(/^ {2}eve:.*\n/m, ''))
    expect(await planned(place)).toEqual([
      'remove role of a user role lpa_engineer to user eve',
      'remove given role ["eve","lpa_engineer"]',
    ])
    place.write('security/users.yaml', USERS)
  })

  test('a saved plan is refused when another one is needed by then', async () => {
    await place.sql('revoke role lpa_analyst from role lpa_engineer')
    await place.lpaOk(['grant', 'plan', '--out', 'grants.json'])
    await place.sql('revoke select on table core.dim_date from role lpa_analyst')
    const ran = await place.lpa(['grant', 'apply', 'grants.json'])
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('LPA-GRANT-STALE')])
    await place.lpaOk(['grant', 'plan', '--out', 'grants.json'])
    await place.lpaOk(['grant', 'apply', 'grants.json'])
    expect(await planned(place)).toEqual([])
  })

  test('which rows a user may see is found anew by apply and by each batch', async () => {
    const allowed = async () =>
      (await place.sql('select rule_name, user_name, value from policy.allowed_rows order by 1, 2, 3')).rows
    expect(await allowed()).toEqual([])
    const learner = (key: number, region: string) =>
      `insert into core.dim_learner (learner_key, region, valid_from, valid_to, is_current) values (${key}, '${region}', '2026-01-01', '9999-12-31', true)`
    await place.sql(learner(101, 'Norte'))
    await place.sql(learner(102, 'Centro'))
    await place.sql(`insert into core.dim_instructor (instructor_key, instructor_id) values (1, 'p-noor')`)
    await place.sql('insert into core.bridge_course_instructor values (11, 1, true)')
    // One of noor's course, and one of nobody's.
    const enrollment = (learner: number, course: number) =>
      `insert into core.fact_enrollment (enrollment_id, learner_key, course_key, attempt, enrolled_date_key, enrolled_at, status, source) values ('e-${learner}', ${learner}, ${course}, 1, 20260112, '2026-01-12', 'active', 'x')`
    await place.sql(enrollment(101, 11))
    await place.sql(enrollment(102, 12))
    await place.lpaOk(['grant', 'apply'])
    expect(await allowed()).toEqual([
      ['own_courses', 'NOOR', '11'],
      ['own_learners', 'NOOR', '101'],
      ['own_region', 'ANA', '101'],
      ['own_region', 'ANA', '102'],
      ['own_region', 'RUI', '101'],
    ])
    // The first batch makes core anew, of what was loaded.
    place.write(
      'learners.csv',
      'learner_id,email,country,region,signed_up_on\nS1,,PT,Norte,2026-01-12\nS2,,PT,Centro,2026-01-12\n',
    )
    await place.lpaOk(['load', 'learners.csv'])
    await place.lpaOk(['batch'])
    const keys = (region: string) =>
      place.value(`select learner_key from core.learner where region = '${region}'`)
    const [norte, centro] = [String(await keys('Norte')), String(await keys('Centro'))]
    const keyOf = (region: string, besides: string) =>
      place.value(
        `select learner_key from core.learner where region = '${region}' and learner_key <> ${besides}`,
      )
    expect(await allowed()).toEqual([
      ...['0', norte, centro].sort().map((key) => ['own_region', 'ANA', key]),
      ['own_region', 'RUI', norte],
    ])
    // As a stream builds: without checks, and only rules that read what was touched.
    place.write('new.csv', 'learner_id,email,country,region,signed_up_on\nS3,,PT,Norte,2026-01-12\n')
    await place.lpaOk(['load', 'new.csv'])
    await place.sql("insert into policy.allowed_rows values ('own_courses', 'NOOR', 'untouched')")
    const request = { select: [], full: false, runId: 'of a stream', checks: false }
    const { signal } = new AbortController()
    await build(place.config(), request, signal, { onModel: () => {} })
    expect(await allowed()).toContainEqual(['own_region', 'RUI', String(await keyOf('Norte', norte))])
    expect(await allowed()).toContainEqual(['own_courses', 'NOOR', 'untouched'])
  })

  test('two at once are one after the other, and who was killed holds nobody up for long', async () => {
    place.write(
      'security/more.yaml',
      'roles: { lpa_more: { reads: { tables: [core.course, core.dim_date] } } }',
    )
    const waiting = ['grant', 'apply', '--lock-wait', '2m']
    const both = await Promise.all([place.lpa(waiting), place.lpa(waiting)])
    expect(both.map(({ code, stderr }) => (code === 0 ? '' : stderr))).toEqual(['', ''])
    expect(await planned(place)).toEqual([])
    const begun = (at: string) =>
      place.sql(`insert into meta.policy_objects values ('apply', 'another', '', '${at}')`)
    await begun(new Date().toISOString().slice(0, -1))
    const refused = await place.lpa(['grant', 'apply', '--lock-wait', '0s'])
    expect([refused.code, refused.stderr]).toEqual([75, expect.stringContaining('LPA-GRANT-LOCKED')])
    await place.sql("delete from meta.policy_objects where kind = 'apply'")
    await begun(new Date(Date.now() - 90_000).toISOString().slice(0, -1))
    await place.lpaOk(['grant', 'apply', '--lock-wait', '0s'])
    expect(await place.value("select count(*) from meta.policy_objects where kind = 'apply'")).toBe(0)
  })

  test('who is masked or filtered does not build', async (context) => {
    await place.emulated(context).fault({
      kind: 'rows',
      match: 'is_role_in_session\\(role_name\\)',
      columns: [
        ['ROLE_NAME', 'VARCHAR'],
        ['IS_HELD', 'BOOLEAN'],
      ],
      rows: [['LPA_ENGINEER', 'false']],
    })
    place.write('more.csv', 'course_id,course_title\nC2,More SQL\n')
    await place.lpaOk(['load', 'more.csv'])
    const ran = await place.lpa(['batch'])
    expect([ran.code, ran.stderr]).toEqual([77, expect.stringContaining('LPA-BUILD-MASKED')])
    expect(ran.stderr).toContain('lpa_engineer')
    await place.lpaOk(['batch'])
  })

  test('who may not reveal is told nobody', async (context) => {
    place.write('roster.csv', 'student_no\nS1\n')
    const words = ['query', 'at-risk', '--reveal', 'roster.csv:student_no', '--id-space', 'learners']
    await place.lpaOk(words)
    await place.emulated(context).fault({
      kind: 'rows',
      match: 'is_role_in_session\\(role_name\\).* policy.revealers',
      columns: [
        ['ROLE_NAME', 'VARCHAR'],
        ['IS_HELD', 'BOOLEAN'],
      ],
      rows: [['LPA_INSTRUCTOR', 'false']],
    })
    const ran = await place.lpa(words)
    expect(ran).toMatchObject({ code: 77, stdout: '', stderr: expect.stringContaining('LPA-ROLE-REVEAL') })
    expect(ran.stderr).toContain('Connect with a role that has one of these: lpa_instructor')
    // Where no policy was applied, nobody has such a role.
    await using other = await LpaPlace.create()
    await other.lpaOk(['schema', 'apply'])
    other.write('roster.csv', 'student_no\nS1\n')
    expect(await other.lpa(words)).toMatchObject({
      ...{ code: 77, stdout: '' },
      stderr: expect.stringContaining('lpa grant apply'),
    })
  })

  test('are Snowflake’s SQL, and grants of what there is to grant', async (context) => {
    const database = place.emulated(context)
    expect(await wrongStatements(database)).toEqual([])
    const sent = (await database.statements()).map(({ sql }) => sql)
    expect(sent.flatMap((sql) => nonsense(sql) ?? [])).toEqual([])
  })

  test('what others made is not taken over', async () => {
    await using other = await placeWithPolicy()
    await other.sql(`create role lpa_analyst comment = 'of the finance team'`)
    const ran = await other.lpa(['grant', 'apply'])
    expect([ran.code, ran.stderr]).toEqual([
      78,
      expect.stringContaining('There is a role lpa_analyst that lpa did not make.'),
    ])
    const [, statement = ''] = /(alter role lpa_analyst set comment = .*)$/m.exec(ran.stderr) ?? []
    await other.sql(statement)
    expect((await planned(other)).filter((step) => / role lpa_analyst$/.test(step))).toContain(
      'change role lpa_analyst',
    )
  })

  test('a step that is refused is named, and the next run goes on', async (context) => {
    await using other = await placeWithPolicy()
    const refusal = { kind: 'answer', code: '003001', message: 'Insufficient privileges' } as const
    await other.emulated(context).fault({ ...refusal, match: '^alter tag .* set masking policy' })
    const ran = await other.lpa(['grant', 'apply'])
    expect(ran.code).toBe(77)
    expect(ran.stderr).toMatch(/Step \d+ of \d+ failed: .*Insufficient privileges/)
    expect(ran.stderr).toContain('alter tag policy.classification set masking policy')
    await other.lpaOk(['grant', 'apply'])
    expect(await planned(other)).toEqual([])
  })

  test.each(['create masking policy', 'add row access policy', 'insert into policy'])(
    'killed at “%s”, ends as if it had not been when it is run again',
    async (statement) => {
      await using other = await placeWithPolicy()
      const database = other.database
      if (!database) return
      await database.fault({ kind: 'slow', seconds: 30, match: statement })
      const { child, ended } = other.start(['grant', 'apply'])
      const isThere = async () => (await database.statements()).some(({ sql }) => sql.includes(statement))
      await until(isThere, 'it is there')
      child.kill('SIGKILL')
      await ended
      await other.endSessions()
      await database.clearFaults()
      await other.lpaOk(['grant', 'apply'])
      expect(await stateOf(other)).toEqual(whole)
      expect(await planned(other)).toEqual([])
    },
  )

  test('the script for a DBA leaves nothing to do', async (context) => {
    await using other = await LpaPlace.create()
    const { name } = other.emulated(context)
    await other.lpaOk(['schema', 'apply'])
    const script = readFileSync(join(packageRoot(), 'security', 'rbac_masking.sql'), 'utf8')
    const own = script
      .replaceAll('lpa.policy', `${name.toLowerCase()}.policy`)
      .replaceAll('database lpa ', `database ${name.toLowerCase()} `)
    const statements = statementsOf(own)
    for (const statement of statements) await other.sql(statement)
    expect(await planned(other)).toEqual([])
    expect(await malformed(statements)).toEqual([])
    expect(statements.flatMap((sql) => nonsense(sql) ?? [])).toEqual([])
  })
})
