import { describe, expect, test } from 'vitest'
import { parseDdl } from '../ddl.ts'
import { alterTable, createTable } from '../engines/duckdb/table-ddl.ts'
import * as snowflake from '../engines/snowflake/ddl.ts'
import type { TableDeclaration } from '../types.ts'
import { type SchemaChange, sha256, statementsOf } from './schema-changes.ts'
import { type AppliedChange, type LiveTable, planSteps } from './schema-plan.ts'

const DDL = `-- cluster: day, course_key
-- partition: month of at
create table core.fact (
  id varchar not null,
  course_key bigint not null,
  day integer not null,
  at timestamp not null,
  price decimal(12, 2),
  note varchar
);

create view core.recent as SELECT id FROM core.fact;
`
const declared = parseDdl(DDL)

/** The live tables that these declarations make. */
function asLive(tables: readonly TableDeclaration[]): LiveTable[] {
  return tables.map(({ kind, name, columns, cluster, partitionMonth, sql }) => ({
    kind,
    name,
    columns: columns.map((column) => ({ ...column, type: column.type.toUpperCase().replace(' ', '') })),
    cluster,
    partitionMonth,
    definition: kind === 'view' ? sql.replace(/^create view \S+ as /, '') : undefined,
  }))
}

/** The live fact, changed. */
function liveFact(change: (fact: LiveTable) => Partial<LiveTable>): LiveTable[] {
  return asLive(declared).map((table) =>
    table.name === 'core.fact' ? { ...table, ...change(table) } : table,
  )
}

function withoutColumn(...names: string[]) {
  return liveFact(({ columns }) => ({ columns: columns.filter(({ name }) => !names.includes(name)) }))
}

function withColumn(name: string, column: Partial<LiveTable['columns'][number]>) {
  return liveFact(({ columns }) => ({
    columns: columns.map((live) => (live.name === name ? { ...live, ...column } : live)),
  }))
}

function change(number: number, name: string, sql: string): SchemaChange {
  return { number, name, sha256: sha256(sql), statements: statementsOf(sql) }
}

function plan(
  live: readonly LiveTable[],
  changes: readonly SchemaChange[] = [],
  applied: readonly AppliedChange[] = [],
) {
  const { steps, findings, changes: remembered } = planSteps(declared, live, applied, changes, ddl)
  return {
    steps: steps.map(({ kind, target }) => `${kind} ${target}`),
    sql: steps.flatMap(({ sql }) => sql),
    findings: findings.map(({ kind, target }) => `${kind} ${target}`),
    remembered: remembered.map(({ number }) => number),
  }
}

const ddl = { createTable, alterTable }
const column = (name: string, type: string) => ({ name, type, required: false })

describe('declared against live', () => {
  test('an empty warehouse gets tables, their clustering, then views', () => {
    const { steps, sql, findings } = plan([])
    expect(steps).toEqual(['create table core.fact', 'create view core.recent'])
    expect(sql.slice(1)).toEqual([
      'alter table core.fact set sorted by ("day", "course_key")',
      'alter table core.fact set partitioned by (year("at"), month("at"))',
      'create or replace view core.recent as SELECT id FROM core.fact',
    ])
    expect(findings).toEqual([])
  })

  test('what is as declared needs nothing', () => {
    expect(plan(asLive(declared))).toEqual({ steps: [], sql: [], findings: [], remembered: [] })
  })

  test('a new column is added, and one that forbids null is told of', () => {
    expect(plan(withoutColumn('note'))).toMatchObject({
      steps: ['add column core.fact.note'],
      sql: ['alter table core.fact add column "note" varchar'],
      findings: [],
    })
    expect(plan(withoutColumn('day'))).toMatchObject({
      steps: ['add column core.fact.day'],
      findings: ['null allowed core.fact.day'],
    })
  })

  test.each([
    ['course_key', 'INTEGER'],
    ['at', 'DATE'],
    ['price', 'DECIMAL(9,2)'],
  ])('%s is widened from %s', (name, type) => {
    const { steps, findings } = plan(withColumn(name, { type }))
    expect(steps).toEqual([`widen column core.fact.${name}`])
    expect(findings).toEqual([])
  })

  test.each([
    ['core.t', 'json', 'variant', ['replace column core.t.v'], []],
    ['core.t', 'variant', 'json', ['replace column core.t.v'], []],
    ['raw.t', 'json', 'variant', ['replace column raw.t.v'], []],
    ['raw.t', 'variant', 'json', [], ['different type raw.t.v']],
    ['core.t', 'json', 'varchar', [], ['different type core.t.v']],
  ])('%s, declared as %s and found as %s', (table, type, found, steps, findings) => {
    const [own] = parseDdl(`create table ${table} (\n  v ${type}\n);\n`) as [TableDeclaration]
    const live = asLive([{ ...own, columns: [{ name: 'v', type: found, required: false }] }])
    const planned = planSteps([own], live, [], [], ddl)
    expect(planned.steps.map(({ kind, target }) => `${kind} ${target}`)).toEqual(steps)
    expect(planned.findings.map(({ kind, target }) => `${kind} ${target}`)).toEqual(findings)
    // Core is made anew by the next batch; raw cannot be.
    const rebuilds = planned.steps.some(({ sql }) => sql.includes('delete from meta.built_loads'))
    expect(rebuilds).toBe(steps.length > 0 && table === 'core.t')
  })

  test.each([
    ['day', 'BIGINT'],
    ['note', 'INTEGER'],
    ['price', 'DECIMAL(12,4)'],
    ['price', 'DECIMAL(18,2)'],
    ['price', 'DOUBLE'],
  ])('%s of type %s would lose something: drift', (name, type) => {
    const { steps, findings } = plan(withColumn(name, { type }))
    expect(steps).toEqual([])
    expect(findings).toEqual([`different type core.fact.${name}`])
  })

  test('null is allowed where the declaration does, and drift where only the warehouse does', () => {
    expect(plan(withColumn('note', { required: true })).steps).toEqual(['allow null core.fact.note'])
    expect(plan(withColumn('id', { required: false })).findings).toEqual(['null allowed core.fact.id'])
  })

  test('columns and tables that nobody declared are drift', () => {
    const extra = liveFact(({ columns }) => ({
      columns: [...columns, { name: 'mine', type: 'VARCHAR', required: false }],
    }))
    const table: LiveTable = { ...(extra[0] as LiveTable), name: 'core.mine' }
    expect(plan([...extra, table])).toMatchObject({
      steps: [],
      findings: ['undeclared column core.fact.mine', 'undeclared table core.mine'],
    })
  })

  test('another clustering is set anew', () => {
    const { steps, sql } = plan(liveFact(() => ({ cluster: [], partitionMonth: undefined })))
    expect(steps).toEqual(['cluster core.fact'])
    expect(sql).toHaveLength(2)
  })

  test('a view with another text is replaced; a table in its place is drift', () => {
    const other = asLive(declared).map((table) =>
      table.definition ? { ...table, definition: 'SELECT 1' } : table,
    )
    expect(plan(other).steps).toEqual(['replace view core.recent'])
    const table = asLive(declared).map((live) => ({ ...live, kind: 'table' as const, definition: undefined }))
    expect(plan(table)).toMatchObject({ steps: [], findings: ['different kind core.recent'] })
  })
})

test('a view whose text may not be seen is left', () => {
  const hidden = asLive(declared).map((live) => ({ ...live, definition: undefined }))
  expect(plan(hidden)).toMatchObject({ steps: [], findings: [] })
})

test('numbers of Snowflake are widened, and no text becomes a VARIANT in place of what is there', () => {
  const [own] = parseDdl(
    'create table raw.raw_learning_events (\n  price decimal(12, 2),\n  payload json\n);\n',
  )
  if (!own) throw new Error('It cannot be read.')
  const table = snowflake.withSnowflakeTypes(own)
  const [live] = asLive([table]) as [LiveTable]
  const found = { ...live, columns: [column('price', 'number(9,2)'), column('payload', 'text')] }
  const { steps, findings } = planSteps([table], [found], [], [], snowflake)
  expect(steps.map(({ sql }) => sql)).toEqual([
    ['alter table raw.raw_learning_events alter column price set data type number(12,2)'],
  ])
  expect(findings.map(({ kind, target }) => `${kind} ${target}`)).toEqual([
    'different type raw.raw_learning_events.payload',
  ])
})

describe('numbered changes', () => {
  const rename = change(1, 'rename_note', 'alter table core.fact rename column remark to note;')
  const before = liveFact(({ columns }) => ({
    columns: columns.map((column) => (column.name === 'note' ? { ...column, name: 'remark' } : column)),
  }))

  test('run first, and the rest is compared with what they leave', () => {
    expect(plan(before, [rename])).toMatchObject({
      steps: ['run change 0001_rename_note'],
      sql: ['alter table core.fact rename column remark to note'],
      findings: [],
      remembered: [1],
    })
    // Without the change the same warehouse has drifted.
    expect(plan(before)).toMatchObject({
      steps: ['add column core.fact.note'],
      findings: ['undeclared column core.fact.remark'],
    })
  })

  test('do not run on an empty warehouse, and never later', () => {
    expect(plan([], [rename])).toMatchObject({
      steps: ['create table core.fact', 'create view core.recent'],
      remembered: [1],
    })
    expect(plan(asLive(declared), [rename], [rename])).toMatchObject({ steps: [], remembered: [] })
  })

  test('an applied change with another checksum, or without a file, is drift', () => {
    const applied = { ...rename, sha256: sha256('something else') }
    expect(plan(asLive(declared), [rename], [applied]).findings).toEqual(['edited change 0001_rename_note'])
    expect(plan(asLive(declared), [], [rename]).findings).toEqual(['unknown change 0001_rename_note'])
  })

  test.each([
    ['drop table core.old', { name: 'core.old' }],
    ['alter table core.old rename to fact', { name: 'core.old' }, 'core.fact'],
  ])('%s is understood', (sql, { name }, replaces = '') => {
    const live = asLive(declared).filter((table) => table.name !== replaces)
    const old: LiveTable = { ...(asLive(declared)[0] as LiveTable), name }
    expect(plan([...live, old], [change(2, 'tables', sql)])).toMatchObject({
      steps: ['run change 0002_tables'],
      findings: [],
    })
  })

  test.each([
    ['alter table core.fact drop column mine', 'mine', { type: 'VARCHAR' }],
    ['alter table core.fact alter column day set data type integer', 'day', { type: 'SMALLINT' }],
    ['update core.fact set id = 1;\nalter table core.fact alter column id set not null', 'id', {}],
    ['alter table core.fact add column day integer;', 'day', undefined],
  ])('%s is understood', (sql, name, column) => {
    const live = liveFact(({ columns }) => ({
      columns: [
        ...columns.filter((declared) => declared.name !== name),
        ...(column ? [{ name, type: 'VARCHAR', required: false, ...column }] : []),
      ],
    }))
    const { steps, findings } = plan(live, [change(3, 'columns', sql)])
    expect(steps).toEqual(['run change 0003_columns'])
    // SET NOT NULL was only part of one of them.
    expect(findings).toEqual(name === 'day' ? ['null allowed core.fact.day'] : [])
  })
})
