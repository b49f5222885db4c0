import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDuckDB, quoteText, readRows } from '../../duckdb.ts'
import { createKey } from '../../pseudonym.ts'
import { NOBODY } from '../../sources/erased.ts'
import { type FileRequest, recogniseFile, type StagedFile, stageFile } from '../../sources/files.ts'
import { type Campus, generateCampus } from './campus.ts'

// The campus's mappings, through the whole front end, against the numbers that the generator knows.

let folder: string
let campus: Campus
let key: ReturnType<typeof createKey>
const files = new Map<string, Promise<StagedFile>>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-campus-mappings-'))
  key = createKey(join(folder, 'pseudonym.key'))
  const size = { learners: 500, events: 9000, seed: 11, courses: 24, badRows: 0.02 }
  campus = await generateCampus(join(folder, 'exports'), size)
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

let loads = 0

/** An export through the front end, once. */
function staged(name: string): Promise<StagedFile> {
  const file = files.get(name) ?? stage(join(folder, 'exports', name))
  files.set(name, file)
  return file
}

async function stage(path: string): Promise<StagedFile> {
  const scratch = join(folder, 'scratch')
  mkdirSync(scratch, { recursive: true })
  const request: FileRequest = {
    mappings: [],
    source: 'campus',
    idSpace: 'campus',
    key,
    erased: NOBODY,
    timezone: 'UTC',
    memoryLimit: '300MB',
    scratch,
    nextLoadId: async () => ++loads,
    signal: new AbortController().signal,
  }
  const [file] = await stageFile(await recogniseFile(path, request), request)
  return file as StagedFile
}

const sum = (counts: object) =>
  Object.values(counts).reduce((total: number, count: number) => total + count, 0)

async function rowsOf<T>(name: string, select: string): Promise<T[]> {
  const file = (await staged(name)).batch.files.find(({ table }) => table.startsWith('staging.'))
  await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
  // Awaited here: the database closes when this function returns.
  return await readRows<T>(
    database.connection,
    select.replace('STAGED', `read_parquet(${quoteText(file?.path as string)})`),
  )
}

test.each([
  ['learners.csv', 'campus_learner'],
  ['instructors.csv', 'campus_instructor'],
  ['categories.csv', 'campus_course_category'],
  ['courses.json', 'campus_course'],
  ['enrollments.csv', 'campus_enrollment'],
  ['completions.csv', 'campus_course_completion'],
  ['events.ndjson', 'campus_learning_event'],
])('%s is recognised and maps its good records, no other', async (name, mapping) => {
  const file = await staged(name)
  const { learners, instructors, categories, courses, enrollments, completions, events } = campus.expected
  const all = { learners, instructors, categories, courses, enrollments, completions, events }
  const expected = all[name.split('.')[0] as keyof typeof all]
  expect(file.mapping.name).toBe(mapping)
  expect(file.batch.load.counts).toEqual({
    read: expected.rows,
    mapped: expected.good,
    rejected: sum(expected.bad),
    filtered: 0,
    doubled: 'doubles' in expected ? expected.doubles : 0,
  })
})

describe('every bad row is rejected for its own reason', () => {
  const codes = async (name: string): Promise<Record<string, number>> =>
    Object.fromEntries((await staged(name)).reasons.map(({ code, count }) => [code, count]))
  const ragged = (counts: Record<string, number>) =>
    (counts['csv:too-many-columns'] ?? 0) + (counts['csv:missing-columns'] ?? 0)

  test('in events', async () => {
    const { bad } = campus.expected.events
    expect(await codes('events.ndjson')).toEqual({
      'json:malformed': bad.malformed_json,
      'learner_id:missing': bad.missing_learner_id,
      'occurred_at:missing': bad.missing_time,
      'occurred_at:type': bad.bad_time,
      'duration_seconds:type': bad.bad_number,
      'score:range': bad.score_out_of_range,
    })
  })

  test('in learners', async () => {
    const { bad } = campus.expected.learners
    const found = await codes('learners.csv')
    expect(found['learner_id:missing']).toBe(bad.missing_learner_id)
    expect(found['signed_up_on:type']).toBe(bad.bad_date)
    expect(found['effective_at:type']).toBe(bad.bad_time)
    expect(ragged(found)).toBe(bad.ragged_row)
  })

  test('in enrollments', async () => {
    const { bad } = campus.expected.enrollments
    const found = await codes('enrollments.csv')
    expect(found['learner_id:missing']).toBe(bad.missing_learner_id)
    expect(found['enrolled_at:type']).toBe(bad.bad_time)
    expect(found['price_amount:type']).toBe(bad.bad_number)
    expect(found['status:unknown']).toBe(bad.unknown_status)
    expect(ragged(found)).toBe(bad.ragged_row)
  })
})

describe('what is staged', () => {
  test('learners have a pseudonym, an age band and a history; nothing clear', async () => {
    const [found] = await rowsOf<Record<string, number>>(
      'learners.csv',
      `select count(distinct learner_id) as learners, count(distinct learner_key) as keys,
         count(distinct email_hash) as mails, count(*) filter (age_band is null) as ageless,
         count(*) filter (length(learner_id) <> 64 or length(email_hash) <> 64) as clear,
         count(*) filter (attributes ->> '$.plan' is null) as planless from STAGED`,
    )
    expect(found).toEqual({
      learners: campus.expected.learners.distinct,
      keys: campus.expected.learners.distinct,
      mails: campus.expected.learners.distinct,
      ageless: 0,
      clear: 0,
      planless: 0,
    })
    const bands = await rowsOf<{ age_band: string }>(
      'learners.csv',
      'select age_band from STAGED group by all order by 1',
    )
    expect(bands.map((row) => row.age_band)).toEqual([
      ...['18-24', '25-34', '35-44', '45-54', '55-64', '65 and over', 'under 18'],
    ])
  })

  test('courses keep their co-instructors, lead first, and their required activities', async () => {
    const rows = await rowsOf<{ instructor_key: string; keys: string; required: number }>(
      'courses.json',
      `select instructor_key::varchar as instructor_key, instructor_keys as keys,
         (attributes ->> '$.required_activities')::integer as required from STAGED`,
    )
    expect(rows.every((row) => row.keys.split(',')[0] === row.instructor_key)).toBe(true)
    expect(rows.some((row) => row.keys.split(',').length > 1)).toBe(true)
    expect(rows.every((row) => row.required >= 5)).toBe(true)
  })

  test('enrollments of one learner and course are pairs, however the id was padded', async () => {
    const [found] = await rowsOf<Record<string, number>>(
      'enrollments.csv',
      `select count(distinct (learner_key, course_key)) as pairs, count(distinct learner_key) as learners,
         count(*) filter (status = 'withdrawn' and withdrawn_at is not null) as withdrawn,
         count(*) filter (mode = 'verified' and price_amount > 0) as paid from STAGED`,
    )
    const { pairs, learners, withdrawn } = campus.expected.enrollments
    expect(found).toMatchObject({ pairs, learners, withdrawn })
    expect(found?.paid).toBeGreaterThan(100)
  })

  test('events keep their types, their own ids and their attributes', async () => {
    const types = await rowsOf<{ type: string; n: number }>(
      'events.ndjson',
      'select event_type as type, count(distinct event_id) as n from STAGED group by all',
    )
    expect(Object.fromEntries(types.map(({ type, n }) => [type, n]))).toEqual(campus.expected.events.byType)
    const [found] = await rowsOf<Record<string, number>>(
      'events.ndjson',
      `select count(distinct learner_key) as learners, count(distinct course_key) filter (course_key <> 0) as courses,
         count(*) filter (attributes ->> '$.device.type' is not null) as devices,
         count(*) filter (event_type = 'logged_in' and course_key <> 0) as placed from STAGED`,
    )
    const { learners, courses } = campus.expected.events
    expect(found).toMatchObject({ learners, courses, placed: 0 })
    expect(found?.devices).toBeGreaterThan(500)
  })

  test.each(['csv', 'parquet'] as const)('the event log as %s gives the same events', async (format) => {
    const other = join(folder, format)
    const { expected } = await generateCampus(other, {
      learners: 500,
      events: 9000,
      seed: 11,
      courses: 24,
      badRows: 0.02,
      format,
    })
    const file = await stage(join(other, `events.${format}`))
    const { rows, good, bad, doubles } = expected.events
    expect(file.batch.load.counts).toEqual({
      read: rows,
      mapped: good,
      rejected: sum(bad),
      filtered: 0,
      doubled: doubles,
    })
    files.set(format, Promise.resolve(file))
    const types = await rowsOf<{ type: string; n: number }>(
      format,
      'select event_type as type, count(*) as n from STAGED group by all',
    )
    expect(Object.fromEntries(types.map(({ type, n }) => [type, n]))).toEqual(expected.events.byType)
  })

  test('the event log as xAPI statements gives the same events, whatever their courses are called', async () => {
    const other = join(folder, 'xapi')
    const size = {
      learners: 500,
      events: 9000,
      seed: 11,
      courses: 24,
      badRows: 0.02,
      format: 'xapi' as const,
    }
    const { expected } = await generateCampus(other, size)
    const file = await stage(join(other, 'events.ndjson'))
    files.set('xapi', Promise.resolve(file))
    const { rows, good, bad, doubles } = expected.events
    expect(file.mapping.name).toBe('xapi')
    expect(file.batch.load.counts).toEqual({
      ...{ read: rows, mapped: good, rejected: sum(bad), filtered: 0, doubled: doubles },
    })
    const said = `select event_id, event_type, cast(occurred_at as varchar) as occurred_at, session_id, course_id is null as "nowhere",
      duration_seconds, score, progress, attributes ->> '$.verb' as verb from STAGED order by event_id`
    expect(await rowsOf('xapi', said)).toEqual(await rowsOf('events.ndjson', said))
    const people = 'select count(distinct learner_id) as n, count(distinct course_id) as courses from STAGED'
    expect(await rowsOf('xapi', people)).toEqual(await rowsOf('events.ndjson', people))
  }, 30_000)

  test('statements map by the xAPI mapping', async () => {
    const { rows, voided, byVerb } = campus.expected.xapi
    const { mapping, batch } = await staged('xapi-statements.ndjson.gz')
    expect(mapping.name).toBe('xapi')
    expect(batch.load.counts).toEqual({
      read: rows,
      // What is voided is staged, and so is what voids it.
      mapped: sum(byVerb) + 2 * voided,
      rejected: 0,
      filtered: 0,
      doubled: 0,
    })
  })
})
