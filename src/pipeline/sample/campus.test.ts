import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Campus, type CampusSize, generateCampus } from './campus.ts'
import { personalValues } from './people.ts'

// Everything here is read back by an own small reader and counted again: what the generator says of itself is
// compared, never trusted.

const folders: string[] = []
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'lpa-sample-'))
  folders.push(folder)
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const small: CampusSize = { learners: 600, events: 18_000, seed: 7, courses: 20, badRows: 0.01 }

type Fields = Record<string, string>
type Event = Record<string, unknown> & { event_id: string; event_type: string; learner_id: string }

/** RFC 4180, strict enough to tell ragged rows. */
function readCsv(text: string): { rows: Fields[]; ragged: number } {
  const records: string[][] = []
  let record: string[] = []
  for (let at = 0; at < text.length; ) {
    let field = ''
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (text[at] !== '"') field += text[at]
        else if (text[at + 1] === '"') {
          field += '"'
          at++
        } else break
      }
      at++
    } else {
      while (at < text.length && text[at] !== ',' && text[at] !== '\n') field += text[at++]
    }
    record.push(field)
    if (text[at++] === '\n') {
      records.push(record)
      record = []
    }
  }
  const header = records.shift() as string[]
  const whole = records.filter((one) => one.length === header.length)
  return {
    rows: whole.map((one) => Object.fromEntries(header.map((name, index) => [name, one[index] as string]))),
    ragged: records.length - whole.length,
  }
}

function readEvents(text: string) {
  const lines = text.trimEnd().split('\n')
  const events: Event[] = []
  let malformed = 0
  for (const line of lines) {
    try {
      events.push(JSON.parse(line) as Event)
    } catch {
      malformed++
    }
  }
  return { lines, events, malformed }
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/
const isInstant = (value: unknown) =>
  typeof value === 'string' &&
  instant.test(value) &&
  !Number.isNaN(Date.parse(value)) &&
  Date.parse(value) > 0
const isDate = (value: string) => {
  const ms = Date.parse(`${value}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(value)
}
/** Date.parse rolls 2026-04-31 over into May. */
const isRealInstant = (value: unknown) => isInstant(value) && isDate((value as string).slice(0, 10))

const distinct = (values: Iterable<unknown>) => new Set(values).size
const groupCount = (values: Iterable<string>) => {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}
const digest = (folder: string) =>
  readdirSync(folder)
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(folder, name))
      const content = name.endsWith('.gz') ? gunzipSync(bytes) : bytes
      return `${name} ${createHash('sha256').update(content).digest('hex')}`
    })

let folder: string
let campus: Campus
const text = (name: string) => readFileSync(join(folder, name), 'utf8')

beforeAll(async () => {
  folder = newFolder()
  campus = await generateCampus(folder, small)
})

describe('the same arguments', () => {
  test('give the same bytes, here and on every other machine', async () => {
    const again = newFolder()
    await generateCampus(again, small)
    expect(digest(again)).toEqual(digest(folder))
    const all = createHash('sha256').update(digest(folder).join('\n')).digest('hex')
    expect(all).toMatchInlineSnapshot(`"043df0681a7053a6093095123ad7a6fecad4cb816fceca6a25ac64693f1e46e5"`)
  })

  test('but another seed gives other people and other events', async () => {
    const other = newFolder()
    await generateCampus(other, { ...small, seed: 8 })
    const mine = new Set(readCsv(text('learners.csv')).rows.map((row) => row.learner_id))
    const theirs = readCsv(readFileSync(join(other, 'learners.csv'), 'utf8')).rows
    const shared = theirs.filter((row) => mine.has(row.learner_id))
    expect(shared.length).toBeLessThan(10)
  })
})

describe('an independent reader finds the expected numbers', () => {
  test('of learners', () => {
    const { expected } = campus
    const { rows, ragged } = readCsv(text('learners.csv'))
    const bad = {
      missing_learner_id: rows.filter((row) => row.learner_id === '').length,
      bad_date: rows.filter((row) => !isDate(row.signed_up_on as string)).length,
      bad_time: rows.filter((row) => !isRealInstant(row.updated_at)).length,
      ragged_row: ragged,
    }
    expect(bad).toEqual(expected.learners.bad)
    expect(Math.min(...Object.values(bad))).toBeGreaterThan(0)
    expect(rows.length + ragged).toBe(expected.learners.rows)
    expect(distinct(rows.map((row) => row.learner_id).filter((id) => id !== ''))).toBe(small.learners)
    expect(expected.learners.good).toBeGreaterThan(small.learners) // some have a history
    expect(distinct(rows.filter((row) => row.learner_id !== '').map((row) => row.email?.toLowerCase()))).toBe(
      small.learners,
    )
    expect(rows.every((row) => row.learner_id === '' || /^S\d{7}$/.test(row.learner_id as string))).toBe(true)
  })

  test('of instructors, categories and courses', () => {
    const instructors = readCsv(text('instructors.csv')).rows
    const categories = readCsv(text('categories.csv')).rows
    const courses = JSON.parse(text('courses.json')) as Record<string, string>[]
    expect(instructors.length).toBe(campus.expected.instructors.rows)
    expect(categories.length).toBe(campus.expected.categories.rows)
    expect(courses.length).toBe(campus.expected.courses.rows)
    expect(distinct(courses.map((course) => course.course_id))).toBe(small.courses)
    const known = new Set(categories.map((row) => row.category_id))
    expect(courses.every((course) => known.has(course.category_id as string))).toBe(true)
    expect(
      categories.every((row) => row.parent_category_id === '' || known.has(row.parent_category_id as string)),
    ).toBe(true)
    const staff = new Set(instructors.map((row) => row.instructor_id))
    expect(courses.every((course) => staff.has(course.instructor_id as string))).toBe(true)
  })

  test('of enrollments', () => {
    const { enrollments } = campus.expected
    const { rows, ragged } = readCsv(text('enrollments.csv'))
    const faults = {
      missing_learner_id: (row: Fields) => row.learner_id?.trim() === '',
      unknown_status: (row: Fields) => row.status === 'paused',
      bad_time: (row: Fields) => !isRealInstant(row.enrolled_at),
      bad_number: (row: Fields) => Number.isNaN(Number(row.price_amount)),
    }
    const bad = Object.fromEntries(Object.entries(faults).map(([kind, is]) => [kind, rows.filter(is).length]))
    expect({ ...bad, ragged_row: ragged }).toEqual(enrollments.bad)
    expect(rows.length + ragged).toBe(enrollments.rows)
    const good = rows.filter((row) => !Object.values(faults).some((is) => is(row)))
    expect(good.length).toBe(5 * small.learners)
    expect(good.length).toBe(enrollments.good)
    expect(distinct(good.map((row) => row.enrollment_id))).toBe(good.length)
    expect(distinct(good.map((row) => row.learner_id?.trim()))).toBe(enrollments.learners)
    expect(distinct(good.map((row) => `${row.learner_id?.trim()} ${row.course_id}`))).toBe(enrollments.pairs)
    expect(good.filter((row) => row.status === 'withdrawn').length).toBe(enrollments.withdrawn)
    expect(enrollments.pairs + enrollments.again).toBe(good.length)
    expect(good.some((row) => row.learner_id?.endsWith(' '))).toBe(true)
  })

  test('of events', () => {
    const { events: expected } = campus.expected
    const { lines, events, malformed } = readEvents(text('events.ndjson'))
    expect(lines.length).toBe(expected.rows)
    const faults: Record<string, (event: Event) => boolean> = {
      missing_learner_id: (event) => event.learner_id === undefined,
      missing_time: (event) => event.occurred_at === undefined,
      bad_time: (event) => event.occurred_at !== undefined && !isRealInstant(event.occurred_at),
      bad_number: (event) => typeof event.duration_seconds === 'string',
      score_out_of_range: (event) => event.score === 140,
    }
    const bad = Object.fromEntries(
      Object.entries(faults).map(([kind, is]) => [kind, events.filter(is).length]),
    )
    expect({ ...bad, malformed_json: malformed }).toEqual(expected.bad)
    expect(Math.min(...Object.values(expected.bad))).toBeGreaterThan(10)
    const good = events.filter((event) => !Object.values(faults).some((is) => is(event)))
    const once = [...new Map(good.map((event) => [event.event_id, event])).values()]
    expect(once.length).toBe(small.events)
    expect(once.length).toBe(expected.good)
    expect(good.length - once.length).toBe(expected.doubles)
    expect(expected.doubles).toBeGreaterThan(0)
    expect(groupCount(once.map((event) => event.event_type))).toEqual(expected.byType)
    expect(distinct(once.map((event) => event.learner_id))).toBe(expected.learners)
    expect(distinct(once.map((event) => event.course_id).filter(Boolean))).toBe(expected.courses)
    expect(distinct(events.map((event) => event.event_id))).toBe(events.length - expected.doubles)
  })

  test('of statements', () => {
    const { xapi } = campus.expected
    const lines = gunzipSync(readFileSync(join(folder, 'xapi-statements.ndjson.gz')))
      .toString()
      .trimEnd()
      .split('\n')
    const statements = lines.map((line) => JSON.parse(line))
    expect(statements.length).toBe(xapi.rows)
    const voids = statements.filter((one) => one.verb.id.endsWith('/voided'))
    expect(voids.length).toBe(xapi.voided)
    const gone = new Set(voids.flatMap((one) => [one.id, one.object.id]))
    const rest = statements.filter((one) => !gone.has(one.id))
    expect(rest.length).toBe(xapi.rows - 2 * xapi.voided)
    expect(groupCount(rest.map((one) => one.verb.display['en-US']))).toEqual(xapi.byVerb)
    const { account, mbox, mbox_sha1sum } = rest[0].actor
    expect([account, mbox, mbox_sha1sum].filter(Boolean).length).toBe(1)
    const actor = (one: { actor: Record<string, unknown> }) => JSON.stringify(one.actor)
    expect(distinct(rest.map(actor))).toBe(xapi.actors)
  })

  test('of files', () => {
    for (const file of campus.files) expect(readFileSync(file.path).length).toBe(file.bytes)
    const rows = Object.fromEntries(
      campus.files.map((file) => [file.path.slice(folder.length + 1), file.rows]),
    )
    expect(rows).toEqual({
      'learners.csv': campus.expected.learners.rows,
      'instructors.csv': campus.expected.instructors.rows,
      'categories.csv': campus.expected.categories.rows,
      'courses.json': campus.expected.courses.rows,
      'events.ndjson': campus.expected.events.rows,
      'completions.csv': campus.expected.completions.rows,
      'enrollments.csv': campus.expected.enrollments.rows,
      'xapi-statements.ndjson.gz': campus.expected.xapi.rows,
    })
  })
})

describe('the files agree with each other', () => {
  const goodEvents = () =>
    [
      ...new Map(
        readEvents(text('events.ndjson'))
          .events.filter(
            (event) => isRealInstant(event.occurred_at) && event.learner_id && event.score !== 140,
          )
          .map((event) => [event.event_id, event]),
      ).values(),
    ].filter((event) => typeof event.duration_seconds !== 'string')

  test('a completion is in completions.csv, the enrollment’s status and the events', () => {
    const events = goodEvents()
    const completions = readCsv(text('completions.csv')).rows
    expect(completions.length).toBe(campus.expected.completions.good)
    const key = (row: Record<string, unknown>) => `${String(row.learner_id).trim()} ${row.course_id}`
    const ofCourse = (type: string) =>
      events.filter((event) => event.event_type === type && event.activity_type === 'course')
    const completed = ofCourse('completed')
    const line = (pair: string, at: unknown, score: unknown) => `${pair} ${at} ${Number(score)}`
    expect(completed.map((event) => line(key(event), event.occurred_at, event.score)).sort()).toEqual(
      completions.map((row) => line(key(row), row.completed_at, row.final_score)).sort(),
    )
    const passed = completions.filter((row) => row.passed === 'true')
    expect(passed.length).toBe(campus.expected.completions.passed)
    expect(ofCourse('passed').map(key).sort()).toEqual(passed.map(key).sort())
    expect(ofCourse('failed').length).toBe(completions.length - passed.length)
    expect(passed.every((row) => Number(row.final_score) >= 0.6)).toBe(true)
    const statuses = readCsv(text('enrollments.csv')).rows.filter((row) => row.status === 'completed')
    const ids = new Set(statuses.filter((row) => row.learner_id).map(key))
    expect(ids).toEqual(new Set(completions.map(key)))
    const certificates = events.filter((event) => event.event_type === 'earned')
    const passedPairs = new Set(passed.map(key))
    expect(certificates.length).toBeGreaterThan(20)
    expect(
      certificates.every((event) => passedPairs.has(key(event)) && event.activity_type === 'certificate'),
    ).toBe(true)
  })

  test('who completes has completed every required activity, and nobody else has', () => {
    const courses = JSON.parse(text('courses.json')) as { course_id: string; required_activities: number }[]
    const required = new Map(courses.map((course) => [course.course_id, course.required_activities]))
    const done = new Map<string, Set<unknown>>()
    for (const event of goodEvents()) {
      if (event.event_type !== 'completed' || event.activity_type === 'course') continue
      const pair = `${event.learner_id} ${event.course_id}`
      done.set(pair, (done.get(pair) ?? new Set()).add(event.activity_id))
    }
    const completed = new Set(
      readCsv(text('completions.csv')).rows.map((row) => `${row.learner_id} ${row.course_id}`),
    )
    for (const [pair, activities] of done) {
      const enough = activities.size >= (required.get(pair.split(' ')[1] as string) as number)
      expect(`${pair} ${enough}`).toBe(`${pair} ${completed.has(pair)}`)
    }
    for (const pair of completed) expect(done.has(pair)).toBe(true)
  })

  test('events lie between enrolling and leaving, and enrolling again follows leaving', () => {
    const spans = new Map<string, [string, string][]>()
    for (const row of readCsv(text('enrollments.csv')).rows) {
      if (!isRealInstant(row.enrolled_at) || row.learner_id === '' || row.status === 'paused') continue
      if (Number.isNaN(Number(row.price_amount))) continue
      const pair = `${row.learner_id?.trim()} ${row.course_id}`
      const list = spans.get(pair) ?? []
      spans.set(pair, list)
      const before = list.at(-1)
      if (before !== undefined) expect(before[1] < (row.enrolled_at as string)).toBe(true)
      list.push([row.enrolled_at as string, (row.withdrawn_at as string) || '9999'])
    }
    expect([...spans.values()].reduce((sum, list) => sum + list.length - 1, 0)).toBe(
      campus.expected.enrollments.again,
    )
    for (const event of goodEvents()) {
      if (event.course_id === undefined) continue
      const second = `${String(event.occurred_at).slice(0, 19)}Z`
      const list = spans.get(`${event.learner_id} ${event.course_id}`) ?? []
      expect(list.some(([from, to]) => from <= second && second <= to)).toBe(true)
    }
  })

  test('sessions are bursts of one learner on one day', () => {
    const sessions = Map.groupBy(
      goodEvents().filter((event) => event.session_id !== undefined),
      (event) => event.session_id,
    )
    expect(sessions.size).toBeGreaterThan(2000)
    let gaps = 0
    let long = 0
    for (const events of sessions.values()) {
      expect(distinct(events.map((event) => event.learner_id))).toBe(1)
      const times = events.map((event) => Date.parse(event.occurred_at as string)).sort((a, b) => a - b)
      expect((times.at(-1) as number) - (times[0] as number)).toBeLessThan(86_400_000)
      for (let index = 1; index < times.length; index++) {
        gaps++
        if ((times[index] as number) - (times[index - 1] as number) > 1_800_000) long++
      }
    }
    expect(long / gaps).toBeGreaterThan(0.002)
    expect(long / gaps).toBeLessThan(0.03)
  })

  test('only the events that were sent late are out of order', () => {
    let newest = 0
    let late = 0
    for (const event of readEvents(text('events.ndjson')).events) {
      if (!isRealInstant(event.occurred_at)) continue
      const at = Date.parse(event.occurred_at as string)
      if (at < newest - 3_600_000) late++
      newest = Math.max(newest, at)
    }
    const { late: expected, doubles } = campus.expected.events
    expect(expected).toBeGreaterThan(30)
    // Doubles come late too; what is held until the end of the file may follow nothing newer.
    expect(late).toBeGreaterThan(0.8 * expected)
    expect(late).toBeLessThanOrEqual(expected + doubles)
  })
})

describe('it looks like a campus', () => {
  const times = () =>
    readEvents(text('events.ndjson'))
      .events.filter((event) => isRealInstant(event.occurred_at))
      .map((event) => new Date(event.occurred_at as string))

  test('weekdays are busier than weekends', () => {
    const perDay = groupCount(times().map((time) => String(time.getUTCDay())))
    const weekend = ((perDay['0'] as number) + (perDay['6'] as number)) / 2
    const week = [1, 2, 3, 4, 5].reduce((sum, day) => sum + (perDay[day] as number), 0) / 5
    expect(week / weekend).toBeGreaterThan(1.4)
    expect(week / weekend).toBeLessThan(5)
  })

  test('the window is the default one, and terms start in waves', () => {
    const days = times().map((time) => time.toISOString().slice(0, 10))
    days.sort()
    expect(days[0]).toBe('2026-03-03')
    expect(days.at(-1)).toBe('2026-06-30')
    const enrolled = readCsv(text('enrollments.csv')).rows.filter((row) => isRealInstant(row.enrolled_at))
    const weeks = Object.values(
      groupCount(
        enrolled.map((row) =>
          String(Math.floor((Date.parse(row.enrolled_at as string) - 1_772_496_000_000) / 604_800_000)),
        ),
      ),
    ).sort((a, b) => a - b)
    expect(weeks.at(-1) as number).toBeGreaterThan(4 * (weeks[4] as number))
  })

  test('a few courses draw most learners', () => {
    const perCourse = Object.values(
      groupCount(readCsv(text('enrollments.csv')).rows.map((row) => row.course_id as string)),
    )
    perCourse.sort((a, b) => b - a)
    expect(perCourse[0] as number).toBeGreaterThan(3 * (perCourse.at(-1) as number))
  })

  test('most learners leave early', () => {
    const reached = new Map<string, number>()
    for (const event of readEvents(text('events.ndjson')).events) {
      const order = /\/(\d\d)-/.exec(String(event.activity_id))?.[1]
      const pair = `${event.learner_id} ${event.course_id}`
      if (order !== undefined) reached.set(pair, Math.max(reached.get(pair) ?? 0, Number(order)))
    }
    const atLeast = (order: number) => [...reached.values()].filter((last) => last >= order).length
    const survivors = [1, 2, 3, 4, 5].map(atLeast)
    expect(survivors).toEqual([...survivors].sort((a, b) => b - a))
    expect((survivors[4] as number) / (survivors[0] as number)).toBeLessThan(0.4)
    const { enrollments, completions } = campus.expected
    expect(reached.size / enrollments.pairs).toBeLessThan(0.9) // some never start
    expect(completions.good / enrollments.pairs).toBeGreaterThan(0.07)
    expect(completions.good / enrollments.pairs).toBeLessThan(0.25)
  })
})

describe('personal values', () => {
  test('are in the files, and nowhere in what stays readable', () => {
    const values = personalValues(small.seed, 200)
    const roster = text('learners.csv').replaceAll('""', '"')
    const { rows } = readCsv(text('learners.csv'))
    const names = new Set(rows.map((row) => `${row.first_name} ${row.last_name}`))
    const events = text('events.ndjson')
    let seenInEvents = 0
    for (const { kind, value } of values) {
      if (kind === 'name') expect(names.has(value)).toBe(true)
      else if (kind === 'user_name') seenInEvents += events.includes(`"user_name":"${value}"`) ? 1 : 0
      else expect(roster).toContain(value)
    }
    expect(seenInEvents).toBeGreaterThan(150)
    const kept = [text('courses.json'), text('categories.csv'), text('instructors.csv')]
      .join('\n')
      .toLowerCase()
    const regions = new Set(rows.map((row) => row.region?.toLowerCase()))
    for (const { kind, value } of values) {
      if (kind === 'birth_date') continue
      expect(kept).not.toContain(value.toLowerCase())
      expect(regions.has(value.toLowerCase())).toBe(false)
      // A name made of a-f alone would be found in any digest.
      expect(value).not.toMatch(/^[a-f\d]+$/i)
    }
    expect(distinct(values.filter((one) => one.kind === 'email').map((one) => one.value))).toBe(200)
  })

  test('come from several scripts and need quoting', () => {
    const roster = text('learners.csv')
    expect(roster).toMatch(/[ąęłżźŚŻ]/)
    expect(roster).toMatch(/\p{Script=Han}/u)
    expect(roster).toMatch(/\p{Script=Arabic}/u)
    expect(roster).toMatch(/\p{Script=Devanagari}/u)
    expect(roster).toContain('"')
    expect(
      readCsv(roster).rows.every((row) => /^[a-zA-Z.]+[0-9a-z]+@[a-z.]+$/.test(row.email as string)),
    ).toBe(true)
  })
})

describe('formats', () => {
  test('CSV says the same as NDJSON', async () => {
    const other = newFolder()
    const { expected } = await generateCampus(other, { ...small, format: 'csv' })
    const { rows, ragged } = readCsv(readFileSync(join(other, 'events.csv'), 'utf8'))
    expect(rows.length + ragged).toBe(expected.events.rows)
    expect(ragged).toBe(expected.events.bad.ragged_row)
    expect(expected.events.byType).toEqual(campus.expected.events.byType)
    const row = rows.find((one) => one.attributes?.includes('device'))
    expect(JSON.parse(row?.attributes as string)).toHaveProperty('device.type')
    expect(rows.filter((one) => one.score === '140').length).toBe(expected.events.bad.score_out_of_range)
  })

  test('compressed files hold the same bytes', async () => {
    for (const [compress, unpack] of [
      ['gz', gunzipSync],
      ['zst', zstdDecompressSync],
    ] as const) {
      const other = newFolder()
      await generateCampus(other, { ...small, compress })
      expect(unpack(readFileSync(join(other, `events.ndjson.${compress}`))).toString()).toBe(
        text('events.ndjson'),
      )
    }
  })

  test('Parquet is typed and has every row', async () => {
    const { parquetReadObjects, asyncBufferFromFile } = await import('hyparquet')
    const { compressors } = await import('hyparquet-compressors')
    const other = newFolder()
    const { expected, files } = await generateCampus(other, { ...small, format: 'parquet' })
    expect(readdirSync(other)).not.toContain('events.ndjson')
    const path = join(other, 'events.parquet')
    expect(files.find((file) => file.path === path)?.rows).toBe(expected.events.rows)
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors })
    expect(rows.length).toBe(expected.events.rows)
    const counts = groupCount([
      ...new Map(
        rows
          .filter((row) => row.learner_id && row.occurred_at && row.score !== 140)
          .map((row) => [row.event_id, row.event_type as string]),
      ).values(),
    ])
    expect(counts).toEqual(expected.events.byType)
    expect(rows[0]?.occurred_at).toBeInstanceOf(Date)
  })
})

describe('limits', () => {
  test('a sample never overwrites a file', async () => {
    await expect(generateCampus(folder, small)).rejects.toMatchObject({
      code: 'LPA-SAMPLE-EXISTS',
      exitCode: 73,
      where: join(folder, 'learners.csv'),
    })
  })

  test('a stopped run leaves nothing behind', async () => {
    const other = newFolder()
    const stop = new AbortController()
    const run = generateCampus(other, small, {
      signal: stop.signal,
      onProgress: ({ events }) => {
        if (events > 4000) stop.abort()
      },
    })
    await expect(run).rejects.toThrow(/abort/)
    expect(readdirSync(other)).toEqual([])
  })

  test('few events make few completions, and still exactly that many events', async () => {
    for (const events of [0, 1, 50, 900]) {
      const other = newFolder()
      const { expected } = await generateCampus(other, { ...small, events, badRows: 0 })
      expect(expected.events.good).toBe(events)
      expect(readFileSync(join(other, 'events.ndjson'), 'utf8').split('\n').length - 1).toBe(
        expected.events.rows,
      )
      expect(expected.completions.good * 8).toBeLessThanOrEqual(events)
    }
  })

  test('tiny and long campuses work', async () => {
    const tiny = await generateCampus(newFolder(), { learners: 1, events: 30, seed: 3 })
    expect(tiny.expected.events.good).toBe(30)
    const long = newFolder()
    const years = await generateCampus(long, { ...small, badRows: 0, days: 1095, endsOn: '2025-12-31' })
    expect(years.expected.events.good).toBe(small.events)
    const found = readFileSync(join(long, 'events.ndjson'), 'utf8').match(/"occurred_at":"20\d\d-/g)
    expect(new Set(found)).toEqual(new Set(['2023', '2024', '2025'].map((year) => `"occurred_at":"${year}-`)))
  })

  test.each([
    [{ learners: 0 }, /learners is 0/],
    [{ events: -1 }, /events is -1/],
    [{ seed: 1.5 }, /seed is 1.5/],
    [{ badRows: 2 }, /share of bad rows/],
    [{ days: 3 }, /days is 3/],
    [{ endsOn: 'soon' }, /last day is "soon"/],
    [{ enrollments: 1_000_000 }, /too many/],
    [{ enrollments: 0 }, /too few/],
    [{ format: 'parquet' as const, compress: 'gz' as const }, /compressed inside/],
  ])('%j is refused with exit 2', async (change, message) => {
    const run = generateCampus(newFolder(), { ...small, ...change })
    await expect(run).rejects.toThrow(message)
    await expect(run).rejects.toMatchObject({ exitCode: 2 })
  })
})
