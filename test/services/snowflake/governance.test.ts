/** The emulator's ledger of who may see what: it tells what was said, and refuses what Snowflake would; it enforces nothing. */

import { beforeEach, expect, test } from 'vitest'
import { EmulatorDatabase } from './database.ts'
import { DriverSession } from './driver.ts'
import { describeWithSnowflake } from './shared-emulator.ts'

describeWithSnowflake('the ledger of who may see what', (snowflake) => {
  let database: EmulatorDatabase
  beforeEach(async () => {
    database = await EmulatorDatabase.create(snowflake)
    await using session = await DriverSession.signIn(database)
    for (const statement of [
      'create schema core',
      'create schema policy',
      'create table core.t (a varchar, n number)',
      'create view core.v as select a from core.t',
      `create role r comment = 'it''s one'`,
      `create tag policy.c allowed_values 'low', 'high'`,
      `create masking policy policy.m as (val varchar) returns varchar -> case when is_role_in_session('R') then val else '*' end`,
      'create row access policy policy.f as (v1 varchar, v2 number(38,0)) returns boolean -> v1 is not null',
    ])
      await session.query(statement)
  })

  async function asked(session: DriverSession, question: string, ...columns: string[]) {
    const rows = await session.query(question)
    return rows.map((row) => columns.map((column) => row[column]))
  }

  test('tells what was said', async () => {
    await using session = await DriverSession.signIn(database)
    for (const statement of [
      'grant usage on schema core to role r',
      'grant select on all tables in schema core to role r',
      'grant select on future views in schema core to role r',
      'grant role r to user somebody',
      'alter tag policy.c set masking policy policy.m',
      `alter table core.t modify column a set tag policy.c = 'high'`,
      'alter table core.t add row access policy policy.f on (a, n)',
      `alter table core.t set tag policy.c = 'low'`,
    ])
      await session.query(statement)
    const { name } = database
    expect(await asked(session, 'show grants to role r', 'privilege', 'granted_on', 'name')).toEqual([
      ['USAGE', 'SCHEMA', `${name}.CORE`],
      ['SELECT', 'TABLE', `${name}.CORE.T`],
    ])
    expect(await asked(session, 'show grants of role r', 'granted_to', 'grantee_name')).toEqual([
      ['USER', 'SOMEBODY'],
    ])
    expect(
      await asked(session, 'show future grants in schema core', 'grant_on', 'name', 'grantee_name'),
    ).toEqual([['VIEW', `${name}.CORE.<VIEW>`, 'R']])
    expect(await asked(session, 'show tags in schema policy', 'name', 'allowed_values')).toEqual([
      ['C', '["low", "high"]'],
    ])
    expect(await asked(session, 'describe masking policy policy.m', 'signature', 'body')).toEqual([
      ['(VAL VARCHAR)', `case when is_role_in_session('R') then val else '*' end`],
    ])
    const references = (policy: string) =>
      `select ref_entity_name, ref_entity_domain, ref_column_name, ref_arg_column_names, tag_name from table(information_schema.policy_references(policy_name => 'policy.${policy}'))`
    const columns = [
      'REF_ENTITY_NAME',
      'REF_ENTITY_DOMAIN',
      'REF_COLUMN_NAME',
      'REF_ARG_COLUMN_NAMES',
      'TAG_NAME',
    ]
    expect(await asked(session, references('m'), ...columns)).toEqual([
      ['C', 'TAG', null, null, 'C'],
      ['T', 'TABLE', 'A', null, 'C'],
    ])
    expect(await asked(session, references('f'), ...columns)).toEqual([
      ['T', 'TABLE', null, '["A", "N"]', null],
    ])
    const tags = `select tag_value, level, column_name from table(information_schema.tag_references_all_columns('core.t', 'table')) where tag_schema = 'POLICY'`
    expect(await asked(session, tags, 'TAG_VALUE', 'LEVEL', 'COLUMN_NAME')).toEqual([
      ['high', 'COLUMN', 'A'],
      ['low', 'TABLE', 'N'],
    ])
    await session.query('drop role r')
    expect(await asked(session, 'show future grants in schema core', 'name')).toEqual([])
  })

  test.each([
    'grant select on table core.t to role nobody',
    'grant select on table core.none to role r',
    'grant select on view core.t to role r',
    `alter table core.t modify column a set tag policy.c = 'middle'`,
    `alter table core.t modify column b set tag policy.c = 'low'`,
    'alter table core.t modify column n set masking policy policy.m',
    'alter table core.t add row access policy policy.f on (a)',
    'alter table core.t drop row access policy policy.f',
    'alter tag policy.c unset masking policy policy.m',
  ])('refuses what Snowflake would: %s', async (statement) => {
    await using session = await DriverSession.signIn(database)
    await expect(session.query(statement)).rejects.toThrow()
  })

  test('refuses a second policy, and the drop of one that is used', async () => {
    await using session = await DriverSession.signIn(database)
    await session.query('alter table core.t modify column a set masking policy policy.m')
    await session.query('alter table core.t add row access policy policy.f on (a, n)')
    for (const statement of [
      'alter table core.t modify column a set masking policy policy.m',
      'alter table core.t add row access policy policy.f on (a, n)',
      'drop masking policy policy.m',
      'drop row access policy policy.f',
    ])
      await expect(session.query(statement)).rejects.toThrow()
    await session.query('alter table core.t modify column a set masking policy policy.m force')
  })

  test('enforces nothing', async () => {
    await using session = await DriverSession.signIn(database)
    await session.query(`insert into core.t values ('clear', 1)`)
    await session.query('alter table core.t modify column a set masking policy policy.m')
    expect(await session.query('select a from core.t')).toEqual([{ A: 'clear' }])
  })
})
