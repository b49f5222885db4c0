/** The exports beside the event log: learners, instructors, categories, courses, enrollments, completions. */
import { type BadCounts, type BadKind, badDate, badTimes, csvRow, raggedRow } from './bad-rows.ts'
import {
  type Category,
  type Course,
  courseAt,
  courseHasHistory,
  type Instructor,
  type Window,
} from './catalog.ts'
import { finalScore } from './event-row.ts'
import type { ExportFile } from './export-file.ts'
import { Instants } from './instants.ts'
import { currencyOf, type Learner, learnerAt, learnerId } from './people.ts'
import { OUTCOME, type Plan } from './plan.ts'
import { hash } from './random.ts'

export interface RosterCounts {
  /** Records in the file, without its header. */
  rows: number
  /** Good records. */
  good: number
  bad: BadCounts
}

export interface Roster {
  readonly plan: Plan
  readonly courses: readonly Course[]
  readonly window: Window
  readonly seed: number
  readonly badRows: number
  /** Called after each megabyte. */
  readonly onChunk: () => Promise<void>
}

const streams = { history: 90, badLearner: 91, badEnrollment: 92, signUp: 93, padding: 94 }
const dayMs = 86_400_000

const learnerColumns = [
  'learner_id',
  'first_name',
  'last_name',
  'email',
  'birth_date',
  'gender',
  'country',
  'region',
  'education_level',
  'signed_up_on',
  'plan',
  'updated_at',
]
const enrollmentColumns = [
  'enrollment_id',
  'learner_id',
  'course_id',
  'enrolled_at',
  'status',
  'mode',
  'withdrawn_at',
  'price_amount',
  'price_currency',
  'updated_at',
]

/** Every learner once; one in 25 twice, with an earlier home and plan, not always in order. */
export async function writeLearners(file: ExportFile, roster: Roster): Promise<RosterCounts> {
  const { plan, seed, window } = roster
  const counts: RosterCounts = { rows: 0, good: 0, bad: {} }
  const kinds: BadKind[] = ['missing_learner_id', 'bad_date', 'bad_time', 'ragged_row']
  const isBad = lot(seed, streams.badLearner, roster.badRows)
  file.write(csvRow(learnerColumns))
  for (let index = 0; index < plan.firstDay.length; index++) {
    const bits = hash(seed, streams.signUp, index)
    const firstMs = window.startMs + (plan.firstDay[index] as number) * dayMs
    const signedUpMs = firstMs - (bits % 3 === 0 ? bits % 7 : bits % 1500) * dayMs
    const changedMs = Math.max(signedUpMs, window.startMs + ((bits >>> 12) % window.days) * dayMs)
    const versions = [learnerRow(learnerAt(seed, index), signedUpMs, changedMs + (bits % 86_400) * 1000)]
    if (hash(seed, streams.history, index) % 25 === 0) {
      const earlier = learnerRow(learnerAt(seed, index, 0), signedUpMs, signedUpMs - dayMs)
      if (bits % 2 === 0) versions.push(earlier)
      else versions.unshift(earlier)
    }
    for (const row of versions) file.write(csvRow(row))
    counts.good += versions.length
    if (isBad(index)) {
      const row = versions[0] as string[]
      addBad(file, counts, kinds, row, (kind, turn) => {
        if (kind === 'missing_learner_id') return { learner_id: '' }
        return kind === 'bad_date' ? { signed_up_on: badDate } : { updated_at: badTimes[turn % 4] as string }
      })
    }
    if (file.full) await rest(file, roster)
  }
  return finish(file, counts)
}

/** Every enrollment once, in order of time; some learner ids carry a space, as hand-made lists do. */
export async function writeEnrollments(file: ExportFile, roster: Roster): Promise<RosterCounts> {
  const { plan, seed, window, courses } = roster
  const counts: RosterCounts = { rows: 0, good: 0, bad: {} }
  const kinds: BadKind[] = ['missing_learner_id', 'bad_time', 'ragged_row', 'bad_number', 'unknown_status']
  const isBad = lot(seed, streams.badEnrollment, roster.badRows)
  const instants = new Instants(window)
  const statuses = ['active', 'withdrawn', 'completed', 'completed']
  file.write(csvRow(enrollmentColumns))
  for (let rank = 0; rank < plan.count; rank++) {
    const index = plan.order[rank] as number
    const learner = plan.learner[index] as number
    const outcome = plan.outcome[index] as number
    const enrolledAt = instants.second(plan.enrolledAt[index] as number)
    const endedAt = Math.floor((plan.endedAtMs[index] as number) / 1000)
    const ended = outcome === OUTCOME.open ? '' : instants.second(endedAt)
    const verified = plan.verified[index] === 1
    const padding = hash(seed, streams.padding, index) % 500 === 0 ? ' ' : ''
    const row = [
      `E${String(rank + 1).padStart(8, '0')}`,
      learnerId(seed, learner) + padding,
      (courses[plan.course[index] as number] as Course).courseId,
      enrolledAt,
      statuses[outcome] as string,
      verified ? 'verified' : 'audit',
      outcome === OUTCOME.withdrawn ? ended : '',
      verified ? `${(courses[plan.course[index] as number] as Course).price}.00` : '',
      verified ? currencyOf(seed, learner) : '',
      ended === '' ? enrolledAt : ended,
    ]
    file.write(csvRow(row))
    counts.good++
    if (isBad(index)) {
      addBad(file, counts, kinds, row, (kind, turn) => {
        if (kind === 'missing_learner_id') return { learner_id: '' }
        if (kind === 'unknown_status') return { status: 'paused' }
        return kind === 'bad_number'
          ? { price_amount: 'free' }
          : { enrolled_at: badTimes[turn % 4] as string }
      })
    }
    if (file.full) await rest(file, roster)
  }
  return finish(file, counts)
}

export const completionHeader = csvRow([
  'learner_id',
  'course_id',
  'completed_at',
  'final_score',
  'grade',
  'passed',
])

/** The completion of an enrollment whose `completed` event has been made. */
export function completionRow({ plan, seed, window, courses }: Roster, index: number): string {
  const score = finalScore(plan, seed, index)
  return csvRow([
    learnerId(seed, plan.learner[index] as number),
    (courses[plan.course[index] as number] as Course).courseId,
    new Date(window.startMs + (plan.endedAtMs[index] as number)).toISOString(),
    String(score / 100),
    score >= 90 ? 'A' : score >= 80 ? 'B' : score >= 70 ? 'C' : score >= 60 ? 'D' : 'F',
    plan.outcome[index] === OUTCOME.passed ? 'true' : 'false',
  ])
}

export function writeInstructors(file: ExportFile, instructors: readonly Instructor[]): RosterCounts {
  file.write(csvRow(['instructor_id', 'display_name', 'department']))
  for (const one of instructors) file.write(csvRow([one.instructorId, one.displayName, one.department]))
  return finish(file, { rows: 0, good: instructors.length, bad: {} })
}

export function writeCategories(file: ExportFile, categories: readonly Category[]): RosterCounts {
  file.write(csvRow(['category_id', 'category_name', 'parent_category_id']))
  for (const one of categories) file.write(csvRow([one.categoryId, one.name, one.parentId]))
  return finish(file, { rows: 0, good: categories.length, bad: {} })
}

/** A JSON array with one course a line; some courses twice, with their earlier state. */
export async function writeCourses(file: ExportFile, roster: Roster, staff: number): Promise<RosterCounts> {
  const { courses, seed, window } = roster
  let good = 0
  for (let index = 0; index < courses.length; index++) {
    const versions = [courses[index] as Course]
    if (courseHasHistory(seed, index)) versions.push(courseAt(seed, index, staff, window, 0))
    for (const course of versions) file.write(`${good++ === 0 ? '[\n' : ',\n'}${courseJson(course)}`)
    if (file.full) await rest(file, roster)
  }
  file.write(good === 0 ? '[]\n' : '\n]\n')
  return finish(file, { rows: 0, good, bad: {} })
}

function courseJson(course: Course): string {
  return JSON.stringify({
    course_id: course.courseId,
    course_title: course.title,
    category_id: course.categoryId,
    instructor_id: course.instructorId,
    co_instructor_ids: course.coInstructorIds,
    language: course.language,
    difficulty: course.difficulty,
    duration_hours: course.durationHours,
    starts_on: course.startsOn,
    ends_on: course.endsOn,
    published_on: course.publishedOn,
    required_activities: course.requiredActivities,
    updated_at: course.updatedAt,
  })
}

function learnerRow(learner: Learner, signedUpMs: number, updatedMs: number): string[] {
  return [
    learner.learnerId,
    learner.firstName,
    learner.lastName,
    learner.email,
    learner.birthDate,
    learner.gender,
    learner.country,
    learner.region,
    learner.educationLevel,
    new Date(signedUpMs).toISOString().slice(0, 10),
    learner.plan,
    seconds(updatedMs),
  ]
}

type Change = Readonly<Record<string, string>>

/** Adds a copy of a good row with one thing wrong. */
function addBad(
  file: ExportFile,
  counts: RosterCounts,
  kinds: readonly BadKind[],
  row: readonly string[],
  change: (kind: BadKind, turn: number) => Change,
): void {
  const turn = file.bad++
  const kind = kinds[turn % kinds.length] as BadKind
  const columns = row.length === learnerColumns.length ? learnerColumns : enrollmentColumns
  if (kind === 'ragged_row') {
    file.write(raggedRow(row, turn))
  } else {
    const changed = change(kind, turn)
    file.write(csvRow(row.map((field, index) => changed[columns[index] as string] ?? field)))
  }
  counts.bad[kind] = (counts.bad[kind] ?? 0) + 1
}

/** Whether a number draws a bad row. */
function lot(seed: number, stream: number, rate: number): (index: number) => boolean {
  const upTo = Math.floor(rate * 4294967296)
  return (index) => hash(seed, stream, index) < upTo
}

async function rest(file: ExportFile, roster: Roster): Promise<void> {
  await file.drain()
  await roster.onChunk()
}

function finish(file: ExportFile, counts: RosterCounts): RosterCounts {
  counts.rows = counts.good + file.bad
  file.rows = counts.rows
  return counts
}

const seconds = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`
