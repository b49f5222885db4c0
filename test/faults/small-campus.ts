/**
 * A campus small enough to be checked by hand: records by entity, each with the history that exports have (late
 * versions, states that change, corrections, events sent twice), and the export files they are split into.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../src/pipeline/sample/random.ts'
import { shuffled } from './seeds.ts'

/** Instants are milliseconds since 1970. */
export interface LearnerVersion {
  readonly learner: string
  readonly email: string
  readonly birthDate: string
  readonly gender: string
  readonly country: string
  readonly region: string
  readonly education: string
  readonly signedUpOn: string
  readonly plan: string
  readonly at: number
}

export interface CourseVersion {
  readonly course: string
  readonly title: string
  readonly category: string
  /** The lead first; empty: nobody. */
  readonly instructors: readonly string[]
  readonly hours: number
  readonly required: number
  readonly at: number
}

export interface EnrollmentState {
  readonly id: string
  readonly learner: string
  readonly course: string
  readonly enrolledAt: number
  readonly status: 'active' | 'completed' | 'withdrawn'
  readonly withdrawnAt: number | undefined
  readonly price: string
  readonly at: number
}

export interface Completion {
  readonly learner: string
  readonly course: string
  readonly at: number
  readonly score: number
  readonly passed: boolean
}

export interface Happening {
  readonly id: string
  readonly type: string
  readonly learner: string
  /** '' = none */
  readonly course: string
  readonly activityType: string
  readonly at: number
  readonly thousandths: number | undefined
}

/** What a delta export says is gone; some of it was never there. */
export interface Deletion {
  readonly entity: 'learner' | 'course' | 'enrollment'
  readonly id: string
  readonly at: number
}

export interface SmallCampus {
  readonly deletions: readonly Deletion[]
  readonly learners: readonly LearnerVersion[]
  readonly courses: readonly CourseVersion[]
  readonly enrollments: readonly EnrollmentState[]
  readonly completions: readonly Completion[]
  readonly events: readonly Happening[]
}

export const DAY_MS = 86_400_000
const START = Date.parse('2026-03-02T00:00:00Z')
const LEARNERS = ['S0000001', 'S0000002', 'S0000003', 'S0000004', 'S0000005', 'S0000006']
const COURSES = ['CS101', 'CS102', 'BIO7']

const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)] as T

export function randomCampus(random: Random): SmallCampus {
  const moment = () => START + random.below(20 * 24) * 3_600_000 + random.below(3600) * 1000
  // In UTC, and in New York before and after 2026-03-08.
  const aroundMidnight = () =>
    START + random.below(20) * DAY_MS + pick(random, [0, 4, 5]) * 3_600_000 - random.below(40) * 60_000
  const learners = LEARNERS.flatMap((learner, index) => {
    // Some are known by what they do only.
    const times = new Set(Array.from({ length: random.below(5) }, moment))
    return [...times].map((at) => ({
      learner,
      email: `${pick(random, ['Ana', 'ana', 'bo'])}${index}@example.org`,
      birthDate: `${1960 + 9 * index}-05-06`,
      gender: pick(random, ['female', 'male']),
      country: pick(random, ['DE', 'NG']),
      region: pick(random, ['', 'Hessen']),
      education: 'master',
      signedUpOn: '2026-03-01',
      plan: pick(random, ['free', 'yearly']),
      at,
    }))
  })
  const courses = COURSES.flatMap((course) =>
    [...new Set(Array.from({ length: random.below(4) }, moment))].map((at) => ({
      course,
      title: pick(random, ['Cells', 'Cells', 'Life']),
      category: pick(random, ['bio', 'sci']),
      instructors: pick(random, [[], ['T1'], ['T1', 'T2'], ['T2', 'T1', 'T3']]),
      hours: pick(random, [12, 7.5]),
      required: 5 + random.below(3),
      at,
    })),
  )
  const enrollments = Array.from({ length: 14 }, (_, index) => {
    const learner = pick(random, LEARNERS)
    const course = pick(random, COURSES)
    const enrolledAt = moment()
    const times = new Set(
      Array.from({ length: 1 + random.below(3) }, () => enrolledAt + random.below(15 * DAY_MS)),
    )
    return [...times].map((at) => {
      const status = pick(random, ['active', 'active', 'completed', 'withdrawn'] as const)
      return {
        id: `E${index}`,
        learner,
        // Now and then the registrar had put somebody into the wrong course.
        course: random.below(8) === 0 ? pick(random, COURSES) : course,
        enrolledAt,
        status,
        withdrawnAt: status === 'withdrawn' ? at : undefined,
        price: pick(random, ['', '19.90']),
        at,
      }
    })
  }).flat()
  const completions = Array.from({ length: 6 }, () => ({
    learner: pick(random, LEARNERS),
    course: pick(random, COURSES),
    at: moment(),
    score: random.below(101) / 100,
    passed: random.below(3) > 0,
  }))
  const kinds = [
    'viewed',
    'viewed',
    'played',
    'registered',
    'unregistered',
    'completed',
    'passed',
    'progressed',
    'logged_in',
  ]
  const events: Happening[] = []
  while (events.length < 120) {
    const learner = pick(random, LEARNERS)
    const course = pick(random, COURSES)
    // A session: events some minutes apart, with pauses on both sides of half an hour.
    let at = random.below(3) === 0 ? aroundMidnight() : moment()
    for (let step = 1 + random.below(6); step > 0; step -= 1) {
      const type = pick(random, kinds)
      const isOfCourse = type === 'registered' || type === 'unregistered' || random.below(3) === 0
      events.push({
        id: `ev${events.length}`,
        type,
        learner,
        course: type === 'logged_in' ? '' : course,
        activityType: isOfCourse ? 'course' : 'video',
        at,
        thousandths: random.below(4) === 0 ? 1 + random.below(3000) : undefined,
      })
      at += pick(random, [1, 60_000, 1_799_999, 1_800_000, 1_800_001, 4 * 3_600_000])
    }
  }
  const deletions = Array.from({ length: 8 }, (): Deletion => {
    const entity = pick(random, ['learner', 'course', 'enrollment', 'enrollment'] as const)
    const id = {
      learner: pick(random, LEARNERS),
      course: pick(random, COURSES),
      enrollment: `E${random.below(15)}`,
    }
    return { entity, id: id[entity], at: moment() }
  })
  return { learners, courses, enrollments, completions, events, deletions }
}

const text = (at: number | undefined) => (at === undefined ? '' : new Date(at).toISOString())
const csv = (header: string, rows: readonly (readonly (string | number | boolean)[])[]) =>
  [header, ...rows.map((row) => row.join(','))].join('\n')

/**
 * The same campus with records that contradict others of the same time: which of them counts depends on the order of
 * loads, but not on how often core is built.
 */
export function withContradictions(campus: SmallCampus, random: Random): SmallCampus {
  const some = <T>(items: readonly T[], change: (item: T) => T) => [
    ...items,
    ...items.filter(() => random.below(4) === 0).map(change),
  ]
  return {
    learners: some(campus.learners, (row) => ({ ...row, region: 'Bayern', plan: 'campus' })),
    courses: some(campus.courses, (row) => ({ ...row, title: 'Other', instructors: ['T3'] })),
    enrollments: some(campus.enrollments, (row) => ({
      ...row,
      course: pick(random, COURSES),
      price: '1.00',
    })),
    completions: some(campus.completions, (row) => ({ ...row, score: 0.99 })),
    events: some(campus.events, (row) => ({ ...row, thousandths: 7 })),
    deletions: some(campus.deletions, (row) => ({ ...row, at: row.at + DAY_MS })),
  }
}

/** Files by name; each part of an entity is a whole export of its rows. Some rows are in two files. */
export function exportFiles(campus: SmallCampus, random: Random, parts: number): Map<string, string> {
  const files = new Map<string, string>()
  const split = <T>(name: string, rows: readonly T[], write: (rows: readonly T[]) => string) => {
    const twice = rows.filter(() => random.below(7) === 0)
    const all = shuffled([...rows, ...twice], random)
    for (let part = 0; part < parts; part += 1) {
      const own = all.filter((_, index) => index % parts === part)
      if (own.length > 0) files.set(`${part}-${name}`, `${write(own)}\n`)
    }
  }
  split('learners.csv', campus.learners, (rows) =>
    csv(
      'learner_id,first_name,last_name,email,birth_date,gender,country,region,education_level,signed_up_on,plan,updated_at',
      rows.map((row) => [
        ...[row.learner, 'Ana', 'García', row.email, row.birthDate, row.gender, row.country, row.region],
        ...[row.education, row.signedUpOn, row.plan, text(row.at)],
      ]),
    ),
  )
  split('courses.json', campus.courses, (rows) => JSON.stringify(rows.map(courseRecord)))
  split('enrollments.csv', campus.enrollments, (rows) =>
    csv(
      'enrollment_id,learner_id,course_id,enrolled_at,status,mode,withdrawn_at,price_amount,price_currency,updated_at',
      rows.map((row) => [
        ...[
          row.id,
          row.learner,
          row.course,
          text(row.enrolledAt),
          row.status,
          'audit',
          text(row.withdrawnAt),
        ],
        ...[row.price, row.price === '' ? '' : 'EUR', text(row.at)],
      ]),
    ),
  )
  split('completions.csv', campus.completions, (rows) =>
    csv(
      'learner_id,course_id,completed_at,final_score,grade,passed',
      rows.map((row) => [row.learner, row.course, text(row.at), row.score, 'B', row.passed]),
    ),
  )
  split('events.ndjson', campus.events, (rows) => rows.map(eventLine).join('\n'))
  for (const entity of ['learner', 'course', 'enrollment'] as const) {
    const own = campus.deletions.filter((row) => row.entity === entity)
    split(`deleted-${entity}.csv`, own, (rows) =>
      csv(
        'id,gone,changed',
        rows.map((row) => [row.id, true, text(row.at)]),
      ),
    )
  }
  return files
}

function courseRecord({ course, title, category, instructors, hours, required, at }: CourseVersion): object {
  return {
    course_id: course,
    course_title: title,
    category_id: category,
    instructor_id: instructors[0] ?? null,
    co_instructor_ids: instructors.length > 1 ? instructors.slice(1) : null,
    language: 'en',
    difficulty: 'beginner',
    duration_hours: hours,
    starts_on: '2026-03-02',
    ends_on: null,
    published_on: '2025-01-01',
    required_activities: required,
    updated_at: text(at),
  }
}

function eventLine({ id, type, learner, course, activityType, at, thousandths }: Happening): string {
  return JSON.stringify({
    event_id: id,
    event_type: type,
    learner_id: learner,
    ...(course !== '' && {
      course_id: course,
      activity_id: `${course}/01-${activityType}`,
      activity_type: activityType,
    }),
    session_id: 's1',
    occurred_at: text(at),
    ...(thousandths !== undefined && { quantity: thousandths / 1000 }),
    attributes: { device: { type: 'mobile' } },
    user_name: 'agarcia1',
  })
}

/** The mapping of a file `deleted-ENTITY.csv`. */
export function deltaMapping(entity: string): string {
  const personal = entity === 'learner' ? '-- personal: id(learner)' : '-- not-personal: id'
  return `-- entity: ${entity}\n-- export: delta\n${personal}
select id as ${entity}_id, gone as deleted, changed as effective_at from source\n`
}

export function writeFiles(folder: string, files: ReadonlyMap<string, string>): string[] {
  mkdirSync(folder, { recursive: true })
  return [...files].map(([name, content]) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  })
}
