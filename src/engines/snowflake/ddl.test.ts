import { expect, test } from 'vitest'
import { parseDdl } from '../../ddl.ts'
import type { TableChange, TableDeclaration } from '../../types.ts'
import { alterTable, createTable, sessionTable, withSnowflakeTypes } from './ddl.ts'

function declared(sql: string): TableDeclaration {
  return withSnowflakeTypes(parseDdl(sql)[0] as TableDeclaration)
}

const FACT = `-- cluster: made_date_key, course_key
-- partition: month of made_at
-- key: fact_id
create table core.fact_made (
  fact_id varchar not null,
  course_key bigint not null,
  made_date_key integer not null,
  made_at timestamp,
  price decimal(12, 2),
  share double,
  is_made boolean,
  rows bigint,
  more variant
);
`

test('a table has its types, keys, clustering and a day of its states, and no partitions', () => {
  const table = declared(FACT)
  expect(table.partitionMonth).toBeUndefined()
  expect(createTable(table)).toEqual([
    `create table if not exists core.fact_made (
  fact_id varchar not null,
  course_key number(38,0) not null,
  made_date_key number(38,0) not null,
  made_at timestamp_ntz,
  price number(12,2),
  share float,
  is_made boolean,
  "ROWS" number(38,0),
  more variant,
  primary key (fact_id),
  foreign key (made_date_key) references core.dim_date (date_key)
)
cluster by (made_date_key, course_key)
data_retention_time_in_days = 1`,
  ])
})

test('staging is transient and has no keys to dimensions; raw events are VARIANT, all other JSON is text', () => {
  const staged = declared('create table staging.stg_x (\n  date_key integer not null,\n  a json\n);\n')
  expect(createTable(staged)).toEqual([
    'create transient table if not exists staging.stg_x (\n  date_key number(38,0) not null,\n  a varchar\n)\ndata_retention_time_in_days = 1',
  ])
  const raw = declared('create table raw.raw_learning_events (\n  payload json\n);\n')
  expect(raw.columns).toMatchObject([{ type: 'variant' }])
  const rejected = declared('create table raw.rejected_rows (\n  payload json\n);\n')
  expect(rejected.columns).toMatchObject([{ type: 'text' }])
})

test('a dimension is no key to itself', () => {
  const [sql] = createTable(
    declared(
      'create table core.dim_course_category (\n  category_key bigint,\n  parent_category_key bigint\n);\n',
    ),
  )
  expect(sql).not.toContain('foreign key')
})

test('the ledger of loads comes with its stage and its numbers', () => {
  const statements = createTable(declared('create table meta.loads (\n  load_id bigint not null\n);\n'))
  expect(statements.map((sql) => sql.split(' ').slice(0, 2).join(' '))).toEqual([
    'create sequence',
    'create stage',
    'create table',
  ])
})

test('a view can be made again; tables of a session are made anew', () => {
  expect(createTable(declared('create view core.v as\nselect 1;\n'))).toEqual([
    'create or replace view core.v as\nselect 1',
  ])
  const [session] = parseDdl('create table batch_load (\n  load_id bigint,\n  name varchar\n);\n')
  expect(sessionTable(session as TableDeclaration)).toBe(
    'create or replace temporary table batch_load (load_id number(38,0), name varchar)',
  )
})

test.each<[TableChange, string[]]>([
  [{ kind: 'add column', column: 'rows', type: 'text' }, ['add column "ROWS" varchar']],
  [
    { kind: 'widen column', column: 'price', type: 'number(14,2)' },
    ['alter column price set data type number(14,2)'],
  ],
  [{ kind: 'allow null', column: 'fact_id' }, ['alter column fact_id drop not null']],
  [{ kind: 'cluster' }, ['cluster by (made_date_key, course_key)']],
])('%j', (change, expected) => {
  expect(alterTable(declared(FACT), change)).toEqual(
    expected.map((words) => `alter table core.fact_made ${words}`),
  )
})

test('a table without a key loses it', () => {
  const plain = declared('create table raw.x (\n  a varchar\n);\n')
  expect(alterTable(plain, { kind: 'cluster' })).toEqual(['alter table raw.x drop clustering key'])
})

test('a type that nobody thought of is an error', () => {
  expect(() => declared('create table raw.x (\n  a hugeint\n);\n')).toThrow(
    'Snowflake has no type for hugeint',
  )
})
