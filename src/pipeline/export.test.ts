/** What an export writes, refuses and leaves as it was. */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { accessWarehouse } from '../policy/access.test-support.ts'
import { type Export, type ExportRequest, exportCore } from './export.ts'
import { withWarehouse } from './warehouse.ts'

const { signal } = new AbortController()

/** A title that a spreadsheet would run, one that is empty, and none. */
const COURSES = `course_id,course_title,category_id,duration_hours,starts_on
one,=1+1,,12.50,2026-01-05
two,"",,,
three,"Reading, ""slowly""",,3.25,2026-02-01
`
const ENROLLMENTS = `enrollment_id,learner_id,course_id,enrolled_at,price_amount,price_currency
e1,anna,one,2026-01-12T08:13:22.125Z,99.90,EUR
e2,ben,one,2026-01-13T08:00:00Z,,
e3,cleo,three,2026-01-14T23:59:59Z,0.10,EUR
`

let its: TryWarehouse
beforeAll(async () => {
  its = await TryWarehouse.create('[sources.lms]\nuri = "lms/*"\n')
  its.write('lms/courses.csv', COURSES)
  its.write('lms/enrollments.csv', ENROLLMENTS)
  await its.load(
    ['courses', 'enrollments'].map((name) => join(its.folder, 'lms', `${name}.csv`)),
    { source: 'lms' },
  )
  await its.build()
}, 60_000)
afterAll(() => its[Symbol.dispose]())

const place = (name: string) => join(its.folder, 'out', name)

function exported(name: string, asked: Partial<ExportRequest> = {}, of = its): Promise<Export> {
  const request = { tables: [], format: 'parquet' as const, force: false, raw: false, ...asked }
  return exportCore(of.config, { folder: place(name), ...request }, signal, () => {})
}

const packageOf = (name: string) => JSON.parse(readFileSync(join(place(name), 'datapackage.json'), 'utf8'))

async function readParquet(name: string, table: string): Promise<Record<string, unknown>[]> {
  const file = await asyncBufferFromFile(join(place(name), `${table}.parquet`))
  return parquetReadObjects({ file, compressors })
}

test('writes every dimension and fact, which another reader takes for what they are', async () => {
  const { tables } = await exported('all')
  expect(tables.map(({ table }) => table)).toMatchInlineSnapshot(`
    [
      "core.dim_date",
      "core.dim_course_category",
      "core.dim_instructor",
      "core.bridge_course_instructor",
      "core.dim_course",
      "core.dim_learner",
      "core.fact_enrollment",
      "core.fact_learning_event",
      "core.fact_course_completion",
      "core.agg_course_day",
      "core.learner",
      "core.course",
    ]
  `)
  for (const { table, rows } of tables) {
    expect(rows, table).toBe(Number(await its.value(`select count(*) from ${table}`)))
    expect(await readParquet('all', table.slice('core.'.length)), table).toHaveLength(rows)
  }
  const enrollments = await readParquet('all', 'fact_enrollment')
  expect(enrollments.map(({ enrolled_at }) => enrolled_at).sort()).toEqual([
    new Date('2026-01-12T08:13:22.125Z'),
    new Date('2026-01-13T08:00:00Z'),
    new Date('2026-01-14T23:59:59Z'),
  ])
  expect(enrollments.map(({ price_amount }) => price_amount).sort()).toEqual([0.1, 99.9, null])
  const course = (await readParquet('all', 'course')).find(({ course_id }) => course_id === 'one')
  expect(course).toMatchObject({ duration_hours: 12.5, starts_on: new Date('2026-01-05') })
})

test('tells columns, keys and hashes in the package', async () => {
  await exported('told', { tables: ['fact_enrollment', 'core.course', 'dim_date'] })
  const told = packageOf('told')
  expect(Date.parse(told.created)).toBeGreaterThan(Date.now() - 60_000)
  const [enrollments] = told.resources
  expect({ ...enrollments, bytes: 0, hash: '' }).toMatchSnapshot()
  expect(enrollments.hash).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(enrollments.bytes).toBe(statSync(join(place('told'), 'fact_enrollment.parquet')).size)
  const files = readdirSync(place('told')).map((name) => join(place('told'), name))
  expect(files.map((file) => statSync(file).mode & 0o777)).toEqual(files.map(() => 0o600))
  expect(statSync(place('told')).mode & 0o777).toBe(0o700)
})

test('writes CSV that a spreadsheet does not run, in which nothing is not the empty text', async () => {
  await exported('csv', { tables: ['course'], format: 'csv' })
  const lines = readFileSync(join(place('csv'), 'course.csv'), 'utf8').split('\n')
  const line = (id: string) => lines.find((one) => one.split(',')[1] === id)
  expect(line('one')).toMatch(/,one,'=1\+1,/)
  expect(line('three')).toMatch(/,three,"Reading, ""slowly""",.*,3\.25,2026-02-01,,/)
  await exported('raw', { tables: ['course'], format: 'csv', raw: true })
  expect(readFileSync(join(place('raw'), 'course.csv'), 'utf8')).toMatch(/,one,=1\+1,/)
})

test('is of one state, whatever is committed meanwhile', async () => {
  const read = () => 'select count(*) from core.fact_enrollment'
  const seen = await its.read((engine) =>
    engine.oneState(async () => {
      const before = await engine.query(read())
      await withWarehouse(its.config, 'write', signal, (other) =>
        other.transaction(() =>
          other.execute(`insert into core.fact_enrollment by name
            select * replace ('later' as enrollment_id) from core.fact_enrollment limit 1`),
        ),
      )
      return [before.rows, (await engine.query(read())).rows]
    }),
  )
  expect(seen).toEqual([[[3]], [[3]]])
  expect(await its.value(read())).toBe(4)
  const earlier = String(Number((await exported('now', { tables: ['fact_enrollment'] })).version) - 1)
  const then = await exported('then', { tables: ['fact_enrollment'], at: earlier })
  expect(then).toMatchObject({ version: earlier, tables: [{ rows: 3 }] })
})

describe('what is there already', () => {
  const refused = (name: string, force = false) =>
    exported(name, { tables: ['dim_date'], force }).then(
      () => expect.unreachable(),
      (error) => error,
    )

  test('stays, unless it is an export and may go', async () => {
    await exported('twice', { tables: ['dim_date', 'course', 'core.course'] })
    expect(await refused('twice')).toMatchObject({ code: 'LPA-EXPORT-EXISTS', exit: 'cannotCreate' })
    expect(readdirSync(place('twice'))).toContain('course.parquet')
    await exported('twice', { tables: ['dim_date'], force: true })
    expect(readdirSync(place('twice')).sort()).toEqual(['datapackage.json', 'dim_date.parquet'])
  })

  test('stays where it is something else', async () => {
    mkdirSync(place('mine'), { recursive: true })
    writeFileSync(join(place('mine'), 'thesis.txt'), 'years of work')
    expect(await refused('mine', true)).toMatchObject({ code: 'LPA-EXPORT-FOREIGN' })
    const resources = [{ path: 'thesis.txt' }]
    writeFileSync(join(place('mine'), 'datapackage.json'), JSON.stringify({ name: 'thesis', resources }))
    expect(await refused('mine', true)).toMatchObject({ code: 'LPA-EXPORT-FOREIGN' })
    writeFileSync(place('a-file'), '')
    expect(await refused('a-file', true)).toMatchObject({ code: 'LPA-FOLDER-EXISTS' })
    const inside = relative(join(its.folder, 'out'), join(its.config.warehouse.path, 'data', 'x'))
    expect(await refused(inside)).toMatchObject({ code: 'LPA-EXPORT-PLACE' })
    expect(readdirSync(place('mine')).sort()).toEqual(['datapackage.json', 'thesis.txt'])
  })

  test('stays when the new one fails, and nothing is left beside it', async () => {
    await exported('kept', { tables: ['dim_date'] })
    const stop = new AbortController()
    const request = { tables: [], format: 'parquet' as const, force: true, raw: false }
    const stopped = exportCore(its.config, { folder: place('kept'), ...request }, stop.signal, (table) => {
      if (table === 'core.fact_enrollment') stop.abort(new Error('stopped'))
    })
    await expect(stopped).rejects.toThrow('stopped')
    expect(packageOf('kept').resources).toHaveLength(1)
    expect(readdirSync(join(its.folder, 'out')).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('comes back when a run was killed while it replaced it', async () => {
    await exported('killed', { tables: ['dim_date'] })
    const dead = '999999999'
    const [part, old] = ['part', 'old'].map((kind) => join(its.folder, 'out', `.killed.${dead}.${kind}`))
    mkdirSync(part ?? '')
    renameSync(place('killed'), old ?? '')
    expect(await refused('killed')).toMatchObject({ code: 'LPA-FOLDER-EXISTS' })
    expect(readdirSync(place('killed')).sort()).toEqual(['datapackage.json', 'dim_date.parquet'])
    await exported('killed', { tables: ['dim_date'], force: true })
    expect([part, old].filter((folder) => existsSync(folder ?? ''))).toEqual([])
  })
})

test('names the table that was meant', async () => {
  await expect(exported('x', { tables: ['fact_enrolment'] })).rejects.toMatchObject({
    code: 'LPA-EXPORT-TABLE',
    next: [expect.stringContaining('fact_enrollment'), expect.any(String)],
  })
  expect(existsSync(place('x'))).toBe(false)
})

describe('of a role', () => {
  let roles: TryWarehouse
  beforeAll(async () => {
    roles = await accessWarehouse()
  }, 60_000)
  afterAll(() => roles[Symbol.dispose]())

  async function seenBy(role: string, user: string, tables: readonly string[]): Promise<Export> {
    const config = { ...roles.config, security: { ...roles.config.security, user } }
    const request = { role, tables, format: 'csv' as const, force: true, raw: false }
    return exportCore(config, { folder: place(role), ...request }, signal, () => {})
  }
  const rows = (role: string, table: string) =>
    readFileSync(join(place(role), `${table}.csv`), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)

  test('has what it may see, masked, and no keys that would not hold', async () => {
    await seenBy('lpa_instructor', 'noor', [])
    expect(rows('lpa_instructor', 'fact_enrollment').length).toBeLessThan(
      Number(await roles.value('select count(*) from core.fact_enrollment')),
    )
    const names = rows('lpa_instructor', 'dim_instructor').join('\n')
    expect(names).toContain('***')
    expect(names).not.toContain('Noor Haddad')
    const { resources, description } = packageOf('lpa_instructor')
    expect(description).toContain('lpa_instructor')
    for (const { schema } of resources) expect(Object.keys(schema)).toEqual(['fields'])
  })

  test('is refused where it may see reports only', async () => {
    await expect(seenBy('lpa_dashboard', 'screens', [])).rejects.toMatchObject({
      code: 'LPA-ROLE-CELLS',
      exit: 'notPermitted',
    })
    expect(existsSync(place('lpa_dashboard'))).toBe(false)
  })
})
