/** That the parser tells good from broken, so that what it takes is worth something. */

import { expect, test } from 'vitest'
import { describeWithSnowflake } from './shared-emulator.ts'
import { FALSELY_REJECTED, malformed, parseSnowflake, rejections } from './sqlfluff.ts'

const GOOD = [
  `create transient table if not exists staging.event (event_id number(38,0) not null, props variant, primary key (event_id))
    cluster by (event_id) data_retention_time_in_days = 0`,
  `put 'file:///tmp/a.parquet' @staging.load/run-1/ auto_compress = false overwrite = true`,
  `copy into staging.event (event_id, props) from (select $1:event_id::number(38,0), parse_json($1:props::text)
    from @staging.load/run-1/) file_format = (type = parquet) on_error = abort_statement`,
  `copy into staging.event from @staging.load/run-1/ file_format = (type = parquet)
    match_by_column_name = case_insensitive on_error = abort_statement`,
  'remove @staging.load/run-1/',
  'begin transaction',
  `merge into t using s on t.a = s.a when matched then update set b = s.b when not matched then insert (a) values (s.a)`,
  `select a, props:b.c[0]::number as n from t at (timestamp => '2024-01-01'::timestamp_tz) qualify row_number() over (order by a) = 1`,
  'alter table t add column if not exists c number(38,0)',
  `alter session set query_tag = 'lpa'`,
  'alter table t set data_retention_time_in_days = 7',
  'undrop table t',
  `create dynamic table d target_lag = '1 day' warehouse = w as select a, count(*) as n from t group by all`,
  `select system$clustering_information('t', '(a, b)')`,
  `create masking policy p as (v varchar) returns varchar -> case when current_role() in ('X') then v else '*' end`,
  'grant select on future tables in schema core to role teacher',
  `select '{{ not a template }}' as text`,
]

const BROKEN = [
  'selec 1',
  'select a from',
  'create table t (a number(38,0)',
  'alter tabel t add column c number',
  'copy into t from @st on_error = whatever_it_is',
  'alter table t add constraint',
  'create row access policy p as (a) returns boolean -> true',
  `select * from t at (tomorrow => '2024-01-01')`,
  'merge into t using s when matched then delete',
]

const REJECTED: Readonly<Record<keyof typeof FALSELY_REJECTED, string>> = {
  'EXEMPT_OTHER_POLICIES of a masking policy':
    'create masking policy p as (v varchar) returns varchar -> v exempt_other_policies = true',
  'a qualified policy of a tag': 'alter tag t set masking policy db.s.p',
  'IF EXISTS of DROP MASKING POLICY': 'drop masking policy if exists p',
  'FORCE of a tag': `alter table t set tag x = 'y' force`,
  'PROPAGATE of a tag': 'create tag t propagate = on_dependency',
  'tags of a user': `alter user u set tag x = 'y'`,
  'COMMENT ON TAG': `comment on tag t is 'x'`,
  'SHOW TAGS IN SCHEMA': 'show tags in schema s',
  'SHOW ROW ACCESS POLICIES': 'show row access policies in schema s',
  'several parameters in one ALTER SESSION': `alter session set timezone = 'UTC' lock_timeout = 2`,
}

describeWithSnowflake('sqlfluff', () => {
  test('takes what is good, and only that', async () => {
    const parsed = await parseSnowflake([...GOOD, ...BROKEN])
    expect(parsed.map(({ statement }) => statement)).toEqual([...GOOD, ...BROKEN])
    expect(parsed.filter(({ error }) => error === null).map(({ statement }) => statement)).toEqual(GOOD)
    expect(parsed.at(-1)?.error).toMatch(/unparsable/)
  })

  test('still rejects what it is excused for', async () => {
    expect(Object.keys(REJECTED)).toEqual(Object.keys(FALSELY_REJECTED))
    const statements = Object.values(REJECTED)
    expect(await rejections(statements)).toEqual(statements.map(() => expect.stringMatching(/unparsable/)))
    expect(await parseSnowflake(statements)).toEqual(
      statements.map((statement) => ({ statement, error: null })),
    )
  })

  test('finds what is malformed, also beside what it knows already, and with binds', async () => {
    const good = [
      'select a from t where b = ? and c in (?, ?) limit ?',
      'insert into t values (?, ?), (?, ?)',
    ]
    const bad = 'select a from t where b = ? and'
    // The second time the good ones are known.
    for (const _ of [1, 2])
      expect(await malformed([...good, bad])).toEqual([
        expect.stringMatching(/unparsable(?:.|\n)*\nselect a from t where b = 0 and$/),
      ])
  })
})
