/** A small campus as plain rows, made from a seed, and a scratch DuckDB that holds it as core and staging. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance, DuckDBTypeId } from '@duckdb/node-api'
import { expand } from './sql-expand.ts'
import { packageRoot, paramValues, readSql } from './sql-files.ts'
import type { Cell, Column, ColumnType, Result, Row } from './types.ts'

export interface Enrollment {
  id: string
  learner: number
  course: number
  attempt: number
  at: number
  status: 'active' | 'completed' | 'withdrawn'
}

export interface Event {
  id: string
  learner: number
  course: number
  at: number
  type: string
  activity: string | null
  activityType: string | null
  progress: number | null
}

export interface Completion {
  learner: number
  course: number
  at: number
  score: number | null
  passed: boolean | null
  days: number | null
}

export interface Campus {
  enrollments: Enrollment[]
  events: Event[]
  /** The first of each pair, which is the fact. */
  completions: Completion[]
  /** Staged after them: later completions, and corrections. */
  laterCompletions?: Completion[]
}

// The fourth has no title: a course that only events speak of.
export const COURSES = [
  { key: 1, id: 'CS101', title: 'Programming', category: 12, required: 4, endsOn: null },
  { key: 2, id: 'CS102', title: 'Databases', category: 13, required: null, endsOn: null },
  { key: 3, id: 'HI201', title: 'The Baltic', category: 15, required: null, endsOn: '2026-02-20' },
  { key: 4, id: 'SF1', title: null, category: 12, required: null, endsOn: null },
  { key: 5, id: 'ZZ9', title: 'Nobody came', category: 11, required: 8, endsOn: null },
] as const

// `Science Fiction` sorts between a plain `Science` and its children, unless the report sees to it.
export const CATEGORIES = [
  { key: 11, name: 'Science', parent: null, level: 1, path: 'Science' },
  { key: 12, name: 'Computing', parent: 11, level: 2, path: 'Science/Computing' },
  { key: 13, name: 'Data', parent: 12, level: 3, path: 'Science/Computing/Data' },
  { key: 14, name: 'Science Fiction', parent: null, level: 1, path: 'Science Fiction' },
  { key: 15, name: 'History', parent: null, level: 1, path: 'History' },
] as const

export const DAY = 86_400_000
/** A Thursday, and the first day of dim_date: the Monday of its week lies before both. */
export const FIRST = Date.UTC(2026, 0, 1)

export const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10)
export const learnerId = (learner: number) => String(learner).padStart(64, '0')

/** Learners by chance from 1; then those of `addEdges`. */
const BY_CHANCE = 40
const LEARNERS = 46

/** 40 learners, four courses, ten weeks; gaps at, just under and just over the session limits. */
export function makeCampus(seed: number): Campus {
  let state = seed
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const below = (n: number) => Math.floor(random() * n)
  const pick = <T>(list: readonly T[]) => list[below(list.length)] as T
  const campus: Campus = { enrollments: [], events: [], completions: [] }
  let count = 0
  const add = (event: Omit<Event, 'id'>) =>
    campus.events.push({ id: `e${String(++count).padStart(5, '0')}`, ...event })

  for (let learner = 1; learner <= BY_CHANCE; learner += 1) {
    const courses = [1, 2, 3, 4].filter(() => random() < 0.5)
    for (const course of courses) {
      let at = FIRST + below(49) * DAY + below(DAY)
      const id = `${learner}-${course}`
      const again = random() < 0.2
      if (again) {
        campus.enrollments.push({ id: `${id}-1`, learner, course, attempt: 1, at, status: 'withdrawn' })
        at += (1 + below(15)) * DAY
      }
      const last: Enrollment = {
        id: `${id}-2`,
        learner,
        course,
        attempt: again ? 2 : 1,
        at,
        status: 'active',
      }
      campus.enrollments.push(last)
      if (random() < 0.5) {
        add({ learner, course, at, type: 'registered', activity: null, activityType: null, progress: null })
      }
      const sessions = pick([0, 0, 1, 2, 4, 8])
      let time = at
      for (let session = 0; session < sessions; session += 1) {
        time += below(6 * DAY)
        for (let n = 1 + below(6); n > 0; n -= 1) {
          time += pick([0, 1_000, 60_500, 299_999, 300_000, 300_001, 1_800_000, 1_800_001, 4_000_000])
          const order = 1 + Math.min(7, session + below(2))
          const kind = pick(['video', 'quiz'])
          // CS courses number their activities, the others name them.
          const activity =
            course <= 2 ? `CS10${course}/0${order}-${kind}` : `https://campus/${'cabdfhge'[order - 1]}`
          const type = pick([
            'viewed',
            'played',
            'completed',
            'progressed',
            'course',
            'logged_in',
            'searched',
          ])
          if (type === 'course') {
            const progress = below(101) / 100
            add({
              learner,
              course,
              at: time,
              type: 'progressed',
              activity: `C${course}`,
              activityType: 'course',
              progress,
            })
          } else if (type === 'logged_in') {
            add({ learner, course: 0, at: time, type, activity: null, activityType: null, progress: null })
          } else {
            // Progress of a video is no progress of the course.
            const progress = type === 'progressed' ? 0.99 : null
            add({ learner, course, at: time, type, activity, activityType: kind, progress })
          }
        }
      }
      if (sessions > 1 && random() < 0.5) {
        const passed = pick([true, true, false, null])
        const done = time + 3_600_000
        const days = Math.round((Date.parse(dayOf(done)) - Date.parse(dayOf(at))) / DAY)
        campus.completions.push({
          learner,
          course,
          at: done,
          score: pick([0.25, 0.7, 1, null]),
          passed,
          days,
        })
        last.status = 'completed'
        add({
          learner,
          course,
          at: done,
          type: 'completed',
          activity: `C${course}`,
          activityType: 'course',
          progress: null,
        })
        if (passed) {
          const activity = `C${course}/certificate`
          add({
            learner,
            course,
            at: done + 1,
            type: 'earned',
            activity,
            activityType: 'certificate',
            progress: null,
          })
        }
      } else if (random() < 0.15) {
        last.status = 'withdrawn'
        add({
          learner,
          course,
          at: time + DAY,
          type: 'unregistered',
          activity: null,
          activityType: null,
          progress: null,
        })
      }
    }
  }
  addEdges(campus, add)
  return campus
}

/** What chance would hit seldom: both sides of every limit. */
function addEdges(campus: Campus, add: (event: Omit<Event, 'id'>) => void) {
  const newest = Math.max(...campus.events.map((event) => Math.floor(event.at / DAY) * DAY))
  const plain = { activity: null, activityType: null, progress: null }
  const enroll = (learner: number, course: number, at: number) =>
    campus.enrollments.push({ id: `${learner}-${course}`, learner, course, attempt: 1, at, status: 'active' })
  // A completion of a course that the learner is not known to be enrolled in.
  campus.completions.push({
    learner: 40,
    course: 5,
    at: FIRST + 9 * DAY,
    score: null,
    passed: true,
    days: null,
  })
  // One of four required activities; the course's own completed event is no activity.
  enroll(41, 1, FIRST)
  add({ ...plain, learner: 41, course: 1, at: FIRST, type: 'completed', activity: 'CS101/01-video' })
  add({
    ...plain,
    learner: 41,
    course: 1,
    at: FIRST,
    type: 'completed',
    activity: 'CS101',
    activityType: 'course',
  })
  campus.completions.push({ learner: 41, course: 1, at: FIRST, score: null, passed: null, days: 0 })
  // The first and last days of windows of 7 and 14 days, and a completion before the enrollment.
  for (const [n, back] of [0, 6, 7, 13, 14, 20, 21, 27, 28].entries()) {
    const at = newest - back * DAY + n
    const learner = 42 + (n % 4)
    enroll(learner, 1 + Math.floor(n / 4), at)
    add({ ...plain, learner, course: 2, at, type: 'viewed', activity: 'CS102/01-video' })
    if (n % 2 === 0)
      campus.completions.push({ learner, course: 1 + Math.floor(n / 4), at, score: 1, passed: true, days: 0 })
  }
  enroll(46, 1, newest)
  campus.completions.push({
    learner: 46,
    course: 1,
    at: newest - 8 * DAY,
    score: 0.5,
    passed: true,
    days: -8,
  })
  // Silent for 6, 7 and 8 days; and an event of nobody.
  for (const [course, back] of [
    [2, 6],
    [3, 7],
    [4, 8],
  ] as const) {
    enroll(46, course, FIRST)
    add({ ...plain, learner: 46, course, at: newest - back * DAY + 1, type: 'viewed' })
  }
  add({ ...plain, learner: 0, course: 1, at: newest, type: 'searched', activity: 'CS101/01-video' })
}

const text = (value: string | null) => (value === null ? 'null' : `'${value.replaceAll("'", "''")}'`)
const instant = (at: number) => `timestamp '${new Date(at).toISOString().slice(0, -1)}'`
const dateKey = (at: number) => dayOf(at).replaceAll('-', '')

/** Creates the declared tables in memory and fills them; `backwards` inserts every table's rows in reverse. */
export async function openCampus(campus: Campus, backwards = false): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: backwards ? '1' : '2' })
  const connection = await instance.connect()
  await connection.run('create schema core; create schema staging; create schema raw; create schema meta')
  for (const schema of ['core', 'staging', 'raw', 'meta']) {
    const ddl = readFileSync(join(packageRoot(), 'schema', `ddl_${schema}.sql`), 'utf8')
    // As the embedded engine keeps them unless told otherwise.
    await connection.run(expand(ddl.replaceAll('attributes variant', 'attributes json'), 'duckdb'))
  }
  const fill = async (table: string, columns: string, rows: readonly string[]) => {
    const ordered = backwards ? rows.toReversed() : rows
    if (rows.length > 0)
      await connection.run(`insert into ${table} (${columns}) values ${ordered.join(', ')}`)
  }
  // From DuckDB's own calendar, so that the oracle's weeks and the table's have nothing in common. Whole years around
  // the facts, as the model makes them.
  await connection.run(`insert into core.dim_date
    select strftime(d, '%Y%m%d')::int, d, year(d), quarter(d), month(d), monthname(d), isoyear(d), weekofyear(d), day(d),
      isodow(d), dayname(d), isodow(d) >= 6, null
    from (select unnest(generate_series(date '2026-01-01', date '2026-12-31', interval 1 day))::date as d)`)
  const always = "timestamp '0001-01-01', timestamp '9999-12-31', true"
  await fill(
    'core.dim_course_category',
    'category_key, category_id, category_name, parent_category_key, level, path',
    [
      '(0, null, null, null, 1, null)',
      ...CATEGORIES.map(
        (c) => `(${c.key}, 'cat${c.key}', ${text(c.name)}, ${c.parent}, ${c.level}, ${text(c.path)})`,
      ),
    ],
  )
  const courseColumns =
    'course_key, course_id, course_title, category_key, instructor_key, ends_on, attributes, valid_from, valid_to, is_current'
  await fill('core.dim_course', courseColumns, [
    `(0, null, null, 0, 0, null, null, ${always})`,
    // An older version, which no report may count.
    "(1, 'CS101', 'Old title', 15, 0, null, null, timestamp '0001-01-01', timestamp '2026-01-01', false)",
    ...COURSES.map((c) => {
      const attributes = c.required === null ? 'null' : `'{"required_activities": ${c.required}}'::json`
      const from = c.key === 1 ? "timestamp '2026-01-01', timestamp '9999-12-31', true" : always
      return `(${c.key}, '${c.id}', ${text(c.title)}, ${c.category}, 0, ${text(c.endsOn)}, ${attributes}, ${from})`
    }),
  ])
  await fill('core.dim_learner', 'learner_key, learner_id, country, valid_from, valid_to, is_current', [
    `(0, null, null, ${always})`,
    ...Array.from({ length: LEARNERS }, (_, n) => n + 1).flatMap((n) => [
      `(${n}, '${learnerId(n)}', 'FR', timestamp '0001-01-01', timestamp '2026-02-01', false)`,
      `(${n}, '${learnerId(n)}', 'DE', timestamp '2026-02-01', timestamp '9999-12-31', true)`,
    ]),
  ])
  await fill(
    'core.fact_enrollment',
    'enrollment_id, learner_key, course_key, attempt, enrolled_date_key, enrolled_at, status, source',
    campus.enrollments.map(
      (e) =>
        `('${e.id}', ${e.learner}, ${e.course}, ${e.attempt}, ${dateKey(e.at)}, ${instant(e.at)}, '${e.status}', 'roster')`,
    ),
  )
  await fill(
    'core.fact_learning_event',
    'event_id, learner_key, course_key, date_key, occurred_at, event_type, activity_id, activity_type, progress, quantity, source',
    campus.events.map(
      (e) =>
        `('${e.id}', ${e.learner}, ${e.course}, ${dateKey(e.at)}, ${instant(e.at)}, '${e.type}', ${text(e.activity)}, ` +
        `${text(e.activityType)}, ${e.progress}, 1, 'lms')`,
    ),
  )
  await fill(
    'core.fact_course_completion',
    'learner_key, course_key, completed_date_key, completed_at, final_score, passed, days_to_complete, source',
    campus.completions.map(
      (c) =>
        `(${c.learner}, ${c.course}, ${dateKey(c.at)}, ${instant(c.at)}, ${c.score}, ${c.passed}, ${c.days}, 'roster')`,
    ),
  )
  const courseId = (key: number) => COURSES.find((c) => c.key === key)?.id ?? null
  await fill(
    'staging.stg_enrollment',
    'enrollment_id, learner_id, learner_key, course_id, course_key, enrolled_at, enrolled_date_key, effective_at, source, load_id, position',
    campus.enrollments.map(
      (e, n) =>
        `('${e.id}', '${learnerId(e.learner)}', ${e.learner}, '${courseId(e.course)}', ${e.course}, ${instant(e.at)}, ` +
        `${dateKey(e.at)}, ${instant(e.at)}, 'roster', 1, ${n})`,
    ),
  )
  await fill(
    'staging.stg_learning_event',
    'event_id, learner_id, learner_key, course_id, course_key, date_key, occurred_at, event_type, quantity, source, load_id, position',
    campus.events.map(
      (e, n) =>
        `('${e.id}', '${learnerId(e.learner)}', ${e.learner}, ${text(courseId(e.course))}, ${e.course}, ${dateKey(e.at)}, ` +
        `${instant(e.at)}, '${e.type}', 1, 'lms', 2, ${n})`,
    ),
  )
  await fill(
    'staging.stg_course_completion',
    'learner_id, learner_key, course_id, course_key, completed_at, completed_date_key, final_score, passed, effective_at, source, load_id, position',
    [...campus.completions, ...(campus.laterCompletions ?? [])].map(
      (c, n) =>
        `('${learnerId(c.learner)}', ${c.learner}, '${courseId(c.course)}', ${c.course}, ${instant(c.at)}, ${dateKey(c.at)}, ` +
        `${c.score}, ${c.passed}, ${instant(c.at)}, 'roster', 1, ${n})`,
    ),
  )
  await connection.run("insert into core.dim_instructor values (0, null, null, null), (7, 'i7', 'Ada', 'CS')")
  await connection.run('insert into core.bridge_course_instructor values (1, 7, true)')
  await connection.run(`insert into core.agg_course_day
    select course_key, date_key, sum(e), 0, sum(c), 0, sum(v), sum(v), 0
    from (
      select course_key, date_key, 0 as e, 0 as c, count(*) as v from core.fact_learning_event group by all
      union all select course_key, enrolled_date_key, count(*), 0, 0 from core.fact_enrollment group by all
      union all select course_key, completed_date_key, 0, count(*), 0 from core.fact_course_completion group by all)
    group by all`)
  await fill(
    'meta.loads',
    'load_id, source, format, uri, content_sha256, bytes, records_read, records_mapped, records_rejected, records_filtered, records_doubled, mapping_sha256, key_id, superseded_by, started_at, committed_at, next_cursor',
    [
      [1, 'lms', 'ndjson', 10, 7, 1, 1, 1, null, '2026-06-30 00:00:00'],
      [2, 'lms', 'ndjson', 10, 7, 1, 1, 1, null, '2026-06-30 00:00:00'],
      [3, 'clicks', 'xapi', 5, 4, 1, 0, 0, null, '2026-07-01 08:00:00'],
      [4, 'lms', 'ndjson', 3, 3, 0, 0, 0, 2, '2026-06-29 00:00:00'],
    ].map(
      ([load, source, format, read, mapped, rejected, filtered, doubled, by, at]) =>
        `(${load}, '${source}', '${format}', 'x', '', 0, ${read}, ${mapped}, ${rejected}, ${filtered}, ${doubled}, '', '', ${by}, timestamp '${at}', timestamp '${at}', null)`,
    ),
  )
  await fill('meta.built_loads', 'load_id, built_at', ["(1, timestamp '2026-06-30 00:01:00')"])
  await fill('meta.checks', 'run_id, check_name, severity, failures, checked_at', [
    "('r1', 'one-key', 'error', 2, timestamp '2026-06-29 09:00:00')",
    "('r2', 'one-key', 'error', 0, timestamp '2026-06-30 09:00:00')",
    "('r2', 'unique-facts', 'error', 3, timestamp '2026-06-30 09:00:00')",
    "('r2', 'known-words', 'warning', 12, timestamp '2026-06-30 09:00:00')",
  ])
  await fill('raw.rejected_rows', 'load_id, source, position, reason_code, reason, column_name', [
    "(1, 'lms', 'a.ndjson:4', 'bad_date', 'is no date', 'occurred_at')",
    "(2, 'lms', 'b.ndjson:9', 'bad_date', 'is no date', 'occurred_at')",
    "(3, 'clicks', 'clicks-0-17', 'not_json', 'is not JSON', null)",
  ])
  await fill('meta.stream_offsets', 'source, topic, topic_id, partition, next_offset, committed_at', [
    "('clicks', 'clicks', 't', 1, 40, timestamp '2026-07-01 07:59:00')",
    "('clicks', 'clicks', 't', 0, 18, timestamp '2026-07-01 08:00:00')",
  ])
  await connection.run('create temp table checked_load as select load_id from meta.loads')
  await connection.run("set search_path = 'core'")
  return connection
}

export type Plain = Record<string, string | number | boolean | null>

const TYPES: Readonly<Record<number, ColumnType>> = {
  [DuckDBTypeId.BIGINT]: 'integer',
  [DuckDBTypeId.INTEGER]: 'integer',
  [DuckDBTypeId.DOUBLE]: 'double',
  [DuckDBTypeId.VARCHAR]: 'text',
  [DuckDBTypeId.DATE]: 'date',
  [DuckDBTypeId.TIMESTAMP]: 'timestamp',
}

/** Runs a report as the dashboard does: expanded for DuckDB, parameters bound. Dates come as YYYY-MM-DD. */
export async function reportResult(
  connection: DuckDBConnection,
  name: string,
  given: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const file = readSql('reports', name)
  const values = paramValues(file, given) as Record<string, string | number | boolean | null>
  const reader = await connection.runAndReadAll(expand(file.body, 'duckdb'), values)
  const types = reader.columnTypes().map(({ typeId }) => TYPES[typeId])
  const columns = reader.columnNames().map((column, index): Column => {
    const type = types[index]
    if (type === undefined) throw new Error(`${name}: ${column} is of a type that reports do not have`)
    return { name: column, type }
  })
  const rows = reader.getRowsJson() as Row[]
  // DuckDB writes whole numbers of 64 bits as text.
  const plain = (cell: Cell, index: number) =>
    types[index] === 'integer' && cell !== null ? Number(cell) : cell
  return { columns, rows: rows.map((row) => row.map(plain)) }
}

/** The same as one object a row. */
export async function runReport(
  connection: DuckDBConnection,
  name: string,
  given: Readonly<Record<string, string>> = {},
): Promise<Plain[]> {
  const { columns, rows } = await reportResult(connection, name, given)
  return rows.map(
    (row) => Object.fromEntries(columns.map((column, index) => [column.name, row[index] ?? null])) as Plain,
  )
}
