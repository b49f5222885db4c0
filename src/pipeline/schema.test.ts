import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDuckLake } from '../engines/duckdb/engine.ts'
import { packageRoot } from '../sql-files.ts'
import type { Engine } from '../types.ts'
import { readDeclared } from './declared.ts'
import { applySchema, planSchema, readPlan, type SchemaPlan, schemaStatus } from './schema.ts'

let folder: string
let engine: Engine
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-schema-'))
  engine = await openDuckLake({
    folder: join(folder, 'warehouse'),
    memoryLimit: '300MB',
    timeTravelMs: 0,
    timezone: 'Asia/Tokyo',
    lockWaitMs: 0,
    mode: 'create',
  })
})
afterEach(async () => {
  await engine.close()
  rmSync(folder, { recursive: true })
})

/** A copy of the declared schema, to be changed. */
function ownSchema(): string {
  const own = join(folder, 'schema')
  cpSync(join(packageRoot(), 'schema'), own, { recursive: true })
  return own
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')))
}

const targets = ({ steps }: Pick<SchemaPlan, 'steps'>) => steps.map(({ kind, target }) => `${kind} ${target}`)

describe('the declared schema', () => {
  test('is made in one transaction, recorded, and then left alone', async () => {
    const before = await planSchema(engine)
    const made = await applySchema(engine)
    expect(made.steps).toEqual(before.steps)
    expect(made.findings).toEqual([])
    expect(Number(made.version)).toBe(Number(before.baseVersion) + 1)

    const status = await schemaStatus(engine)
    expect(status).toMatchObject({ upToDate: true, steps: [], findings: [] })
    const { sha256 } = readDeclared('duckdb')
    expect(status.applied).toEqual([{ number: 0, name: 'base', sha256, applied_at: expect.any(String) }])
    // Instants are UTC, whatever the zone of the warehouse.
    const age = Date.now() - Date.parse(String(status.applied[0]?.applied_at))
    expect(Math.abs(age)).toBeLessThan(60_000)

    expect(await applySchema(engine)).toEqual({ steps: [], findings: [], version: made.version })
  })

  test('has in every table the columns that its text declares', async () => {
    await applySchema(engine)
    const { tables } = readDeclared('duckdb')
    const { rows } = await engine.query(
      "select schema_name || '.' || table_name, count(*) from duckdb_columns() where database_name = 'lake' group by all",
    )
    const live = new Map(rows.map(([name, columns]) => [name, columns]))
    for (const { kind, name, columns } of tables) {
      expect(kind === 'table' ? live.get(name) : undefined, name).toBe(
        kind === 'table' ? columns.length : undefined,
      )
    }
  })
})

describe('a changed declaration', () => {
  test('adds columns, widens types, renews views and keeps the rows', async () => {
    await applySchema(engine)
    await engine.transaction(() =>
      engine.execute(`insert into core.dim_course_category values (1, 'S', 'Science', null, 1, 'Science')`),
    )
    const own = ownSchema()
    edit(join(own, 'ddl_core.sql'), (text) =>
      text
        .replace('  level integer not null,\n', '  level bigint not null,\n')
        .replace('  path varchar\n', '  path varchar,\n  color varchar\n')
        .replace('where is_current;', 'where is_current and learner_key > 0;'),
    )
    const made = await applySchema(engine, undefined, own)
    expect(targets(made)).toEqual([
      'widen column core.dim_course_category.level',
      'add column core.dim_course_category.color',
      'replace view core.learner',
    ])
    const { rows, columns } = await engine.query('from core.dim_course_category')
    expect(rows).toEqual([[1, 'S', 'Science', null, 1, 'Science', null]])
    expect(columns.at(-1)?.name).toBe('color')
    expect(targets(await planSchema(engine, own))).toEqual([])
    // The base is recorded once for each declaration.
    expect((await schemaStatus(engine)).applied).toHaveLength(2)
    // Seen from the old declaration it has drifted.
    const findings = (await planSchema(engine)).findings.map(({ kind, target }) => `${kind} ${target}`)
    expect(findings).toEqual([
      'different type core.dim_course_category.level',
      'undeclared column core.dim_course_category.color',
    ])
  })

  test('brings a numbered change, which runs once and whose file must stay as it is', async () => {
    await applySchema(engine)
    await engine.transaction(() =>
      engine.execute(`insert into core.dim_instructor values (7, 'x', 'Ada', 'Maths')`),
    )
    const own = ownSchema()
    edit(join(own, 'ddl_core.sql'), (text) => text.replace('  department varchar\n', '  faculty varchar\n'))
    const change = join(own, 'changes', '0001_faculty.sql')
    writeFileSync(
      change,
      `-- Departments are called faculties.
alter table core.dim_instructor rename column department to faculty;
update core.dim_instructor set faculty = 'none' where faculty is null;
`,
    )
    expect(targets(await applySchema(engine, undefined, own))).toEqual(['run change 0001_faculty'])
    const { rows, columns } = await engine.query('from core.dim_instructor')
    expect(rows).toEqual([[7, 'x', 'Ada', 'Maths']])
    expect(columns.at(-1)?.name).toBe('faculty')
    expect(targets(await applySchema(engine, undefined, own))).toEqual([])

    edit(change, (text) => `${text}-- later\n`)
    const findings = (await planSchema(engine, own)).findings.map(({ kind, target }) => `${kind} ${target}`)
    expect(findings).toEqual(['edited change 0001_faculty'])
  })

  test('that fails half way changes nothing', async () => {
    await applySchema(engine)
    const own = ownSchema()
    writeFileSync(
      join(own, 'changes', '0001_broken.sql'),
      'create table core.half (a integer);\ninsert into core.nowhere values (1);\n',
    )
    const version = await engine.version()
    await expect(applySchema(engine, undefined, own)).rejects.toThrow(/nowhere/)
    expect(await engine.version()).toBe(version)
    expect(await schemaStatus(engine)).toMatchObject({ upToDate: true })
  })
})

describe('a saved plan', () => {
  test('is applied as it is, also after rows were committed', async () => {
    await applySchema(engine)
    const own = ownSchema()
    edit(join(own, 'ddl_core.sql'), (text) =>
      text.replace('  path varchar\n', '  path varchar,\n  color varchar\n'),
    )
    const plan = await planSchema(engine, own)
    await engine.transaction(() =>
      engine.execute(`insert into core.dim_instructor values (7, 'x', 'Ada', 'M')`),
    )
    const made = await applySchema(engine, plan, own)
    expect(made.steps).toEqual(plan.steps)
  })

  test('is refused when the schema has changed meanwhile, or somebody edited it', async () => {
    const plan = await planSchema(engine)
    const edited = { ...plan, steps: plan.steps.slice(1) }
    const stale = { code: 'LPA-SCHEMA-STALE', exit: 'findings' }
    await expect(applySchema(engine, edited)).rejects.toMatchObject(stale)
    await engine.transaction(() => engine.execute('create table core.mine (a integer)'))
    const version = await engine.version()
    await expect(applySchema(engine, plan)).rejects.toMatchObject(stale)
    expect(await engine.version()).toBe(version)
  })

  test('comes from a file that holds one', () => {
    const file = join(folder, 'plan.json')
    expect(() => readPlan(file)).toThrow(
      expect.objectContaining({ code: 'LPA-SCHEMA-PLAN', exit: 'noInput' }),
    )
    writeFileSync(file, '{"steps": 1}')
    expect(() => readPlan(file)).toThrow(expect.objectContaining({ code: 'LPA-SCHEMA-PLAN', exit: 'data' }))
    const plan = { steps: [], findings: [], baseVersion: '4', hash: 'a' }
    writeFileSync(file, JSON.stringify(plan))
    expect(readPlan(file)).toEqual(plan)
  })
})
