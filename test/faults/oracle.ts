/**
 * What core must hold for a small campus, worked out record by record in plain TypeScript from the definitions of
 * the data model, not from the models. Rows are texts, so that they can be held against query results as they are.
 */

import { createHash } from 'node:crypto'
import { type PseudonymKey, pseudonym } from '../../src/pseudonym.ts'
import {
  type CourseVersion,
  DAY_MS,
  type Deletion,
  type EnrollmentState,
  type LearnerVersion,
  type SmallCampus,
} from './small-campus.ts'

export interface Expected {
  readonly enrollments: readonly string[]
  readonly completions: readonly string[]
  readonly days: readonly string[]
  readonly learners: readonly string[]
  readonly courses: readonly string[]
  readonly instructors: readonly string[]
}

/** The same rows as SQL over core. */
export const EXPECTED_SQL: Readonly<Record<keyof Expected, string>> = {
  enrollments: `select concat_ws(' ', enrollment_id, learner_key, course_key, attempt, enrolled_date_key, epoch_ms(enrolled_at), status,
    coalesce(withdrawn_date_key::varchar, '-'), coalesce(epoch_ms(withdrawn_at)::varchar, '-'), coalesce(price_amount::varchar, '-'), source)
    from fact_enrollment`,
  completions: `select concat_ws(' ', learner_key, course_key, completed_date_key, epoch_ms(completed_at), coalesce(final_score::varchar, '-'),
    coalesce(passed::varchar, '-'), coalesce(days_to_complete::varchar, '-')) from fact_course_completion`,
  days: `select concat_ws(' ', course_key, date_key, enrollments, withdrawals, completions, active_learners, events, event_quantity,
    time_on_task_seconds) from agg_course_day`,
  learners: `select concat_ws(' ', learner_key, coalesce(learner_id, '-'), coalesce(email_hash, '-'), coalesce(country, '-'), coalesce(region, '-'),
    coalesce(age_band, '-'), coalesce(gender, '-'), attributes::json::varchar, epoch_ms(valid_from), epoch_ms(valid_to), is_current)
    from dim_learner where learner_key <> 0`,
  courses: `select concat_ws(' ', c.course_key, coalesce(course_id, '-'), coalesce(course_title, '-'), coalesce(k.category_id, '-'),
    instructor_key, coalesce(duration_hours::varchar, '-'), attributes::json::varchar, epoch_ms(valid_from), epoch_ms(valid_to), is_current)
    from dim_course c join dim_course_category k on k.category_key = c.category_key where c.course_key <> 0`,
  instructors: `select concat_ws(' ', course_key, b.instructor_key, coalesce(i.instructor_id, '-'), is_lead)
    from bridge_course_instructor b join dim_instructor i on i.instructor_key = b.instructor_key`,
}

const FIRST = Date.parse('0001-01-01T00:00:00Z')
const LAST = Date.parse('9999-12-31T00:00:00Z')
const SESSION_GAP_MS = 30 * 60_000

interface Attempt {
  readonly id: string
  readonly enrolledAt: number
  readonly saidCompleted: boolean
  readonly withdrawnAt: number | undefined
  readonly isWithdrawn: boolean
  readonly price: string
}

export function expectedCore(
  campus: SmallCampus,
  { key, source, timezone }: { key: PseudonymKey; source: string; timezone: string },
): Expected {
  const person = (id: string) => pseudonym(key, 'learner', source, id) ?? ''
  const personKey = (id: string) => BigInt(`0x${person(id).slice(0, 15)}`)
  const courseKey = (id: string) =>
    id === ''
      ? 0n
      : BigInt(`0x${createHash('sha256').update(`lpa:course:${source}:${id}`).digest('hex').slice(0, 15)}`)
  const personOf = (kind: 'instructor', id: string | undefined) =>
    id === undefined ? 0n : BigInt(`0x${pseudonym(key, kind, source, id)?.slice(0, 15)}`)
  const leads = new Set(campus.courses.map(({ instructors }) => instructors[0]))
  const historyOf = <T extends { at: number }>(versions: readonly T[]) =>
    [...versions].sort((a, b) => a.at - b.at)
  const days = new Intl.DateTimeFormat('en-CA', { timeZone: timezone, dateStyle: 'short' })
  const dateKey = (at: number) => Number(days.format(at).replaceAll('-', ''))
  /** The days of the warehouse's zone, counted. */
  const dayNo = (at: number) => Date.parse(days.format(at)) / DAY_MS

  // ── what counts, once each ──────────────────────────────────────────────────────────────────────────────
  const states = new Map<string, EnrollmentState>()
  for (const state of campus.enrollments) {
    const known = states.get(state.id)
    if (!known || state.at > known.at) states.set(state.id, state)
  }
  const deletedAt = (entity: Deletion['entity'], id: string) =>
    Math.max(...campus.deletions.filter((one) => one.entity === entity && one.id === id).map(({ at }) => at))
  for (const [id, { at }] of states) if (deletedAt('enrollment', id) > at) states.delete(id)
  const events = [...new Map(campus.events.map((event) => [event.id, event])).values()].sort(
    (a, b) => a.at - b.at || (a.id < b.id ? -1 : 1),
  )
  const pairs = new Map<string, { learner: string; course: string }>()
  for (const { learner, course } of [...campus.enrollments, ...campus.completions, ...events])
    if (course !== '') pairs.set(`${learner} ${course}`, { learner, course })

  const enrollments: string[] = []
  const completions: string[] = []
  const daily = new Map<string, { enrollments: number; withdrawals: number; completions: number }>()
  const count = (course: string, at: number, what: 'enrollments' | 'withdrawals' | 'completions') => {
    const name = `${courseKey(course)} ${dateKey(at)}`
    const day = daily.get(name) ?? { enrollments: 0, withdrawals: 0, completions: 0 }
    day[what] += 1
    daily.set(name, day)
  }

  for (const { learner, course } of pairs.values()) {
    const isOfPair = (record: { learner: string; course: string }) =>
      record.learner === learner && record.course === course
    const reported = campus.completions.filter(isOfPair)
    const achieved = events.filter(
      (event) =>
        isOfPair(event) && event.activityType === 'course' && ['completed', 'passed'].includes(event.type),
    )
    const latestDone = Math.max(...[...reported, ...achieved].map(({ at }) => dateKey(at)))

    const roster = [...states.values()].filter(isOfPair).map(
      (state): Attempt => ({
        id: `${source}:${state.id}`,
        enrolledAt: state.enrolledAt,
        saidCompleted: state.status === 'completed',
        withdrawnAt: state.withdrawnAt,
        isWithdrawn: state.status === 'withdrawn',
        price: state.price === '' ? '-' : state.price,
      }),
    )
    const attempts = roster.length > 0 ? roster : registered(events.filter(isOfPair), source)
    attempts.sort((a, b) => a.enrolledAt - b.enrolledAt || (a.id < b.id ? -1 : 1))
    attempts.forEach((attempt, index) => {
      const status = attempt.isWithdrawn
        ? 'withdrawn'
        : attempt.saidCompleted || latestDone >= dateKey(attempt.enrolledAt)
          ? 'completed'
          : 'active'
      count(course, attempt.enrolledAt, 'enrollments')
      if (attempt.withdrawnAt !== undefined) count(course, attempt.withdrawnAt, 'withdrawals')
      enrollments.push(
        [
          ...[attempt.id, personKey(learner), courseKey(course), index + 1, dateKey(attempt.enrolledAt)],
          ...[attempt.enrolledAt, status],
          attempt.withdrawnAt === undefined ? '-' : dateKey(attempt.withdrawnAt),
          ...[attempt.withdrawnAt ?? '-', attempt.price, source],
        ].join(' '),
      )
    })

    const firstOf = <T extends { at: number }>(items: readonly T[]) =>
      [...items].sort((a, b) => a.at - b.at)[0]
    const roll = firstOf(reported)
    const seen = firstOf(achieved)
    const done = roll
      ? { at: roll.at, score: doubleText(roll.score), passed: String(roll.passed) }
      : seen && { at: seen.at, score: '-', passed: seen.type === 'passed' ? 'true' : '-' }
    if (!done) continue
    count(course, done.at, 'completions')
    const begun = Math.max(
      ...attempts.map(({ enrolledAt }) => dayNo(enrolledAt)).filter((day) => day <= dayNo(done.at)),
    )
    const took = Number.isFinite(begun) ? dayNo(done.at) - begun : '-'
    completions.push(
      [personKey(learner), courseKey(course), dateKey(done.at), done.at, done.score, done.passed, took].join(
        ' ',
      ),
    )
  }

  return {
    enrollments: enrollments.sort(),
    completions: completions.sort(),
    days: courseDays(),
    learners: learnerVersions(),
    courses: courseVersions(),
    instructors: courseInstructors(),
  }

  function courseDays(): string[] {
    const byDay = new Map<string, typeof events>()
    for (const event of events) {
      const name = `${courseKey(event.course)} ${dateKey(event.at)}`
      byDay.set(name, [...(byDay.get(name) ?? []), event])
    }
    // A gap inside a session counts for the day on which it begins, whenever it ends.
    const onTaskMs = new Map<string, number>()
    for (const event of events) {
      const next = events.find(
        ({ learner, course, at, id }) =>
          learner === event.learner &&
          course === event.course &&
          (at > event.at || (at === event.at && id > event.id)),
      )
      const gap = next === undefined ? 0 : next.at - event.at
      const name = `${courseKey(event.course)} ${dateKey(event.at)}`
      if (gap <= SESSION_GAP_MS) onTaskMs.set(name, (onTaskMs.get(name) ?? 0) + gap)
    }
    return [...new Set([...byDay.keys(), ...daily.keys()])]
      .map((name) => {
        const own = byDay.get(name) ?? []
        const {
          enrollments: enrolled,
          withdrawals,
          completions: completed,
        } = daily.get(name) ?? {
          ...{ enrollments: 0, withdrawals: 0, completions: 0 },
        }
        const active = new Set(
          own
            .filter(({ type }) => type !== 'registered' && type !== 'unregistered')
            .map(({ learner }) => learner),
        )
        const thousandths = own.reduce((sum, event) => sum + (event.thousandths ?? 1000), 0)
        return [
          ...[name, enrolled, withdrawals, completed, active.size, own.length],
          ...[doubleText(thousandths / 1000), doubleText((onTaskMs.get(name) ?? 0) / 1000)],
        ].join(' ')
      })
      .sort()
  }

  function courseVersions(): string[] {
    const rows: string[] = []
    const mentioned = [...pairs.values()].map(({ course }) => course)
    for (const course of new Set([...campus.courses.map((version) => version.course), ...mentioned])) {
      const observed = historyOf(campus.courses.filter((version) => version.course === course))
      const last = observed.at(-1)
      if (!last) {
        rows.push([courseKey(course), course, '- - 0 -', '{"inferred":true}', FIRST, LAST, true].join(' '))
        continue
      }
      const shown = (version: CourseVersion | undefined) =>
        version &&
        [
          ...[version.title, version.category, personOf('instructor', version.instructors[0])],
          version.hours.toFixed(2),
        ].join(' ')
      const versions = observed.filter((version, index) => shown(version) !== shown(observed[index - 1]))
      versions.forEach((version, index) => {
        const next = versions[index + 1]
        rows.push(
          [
            ...[
              courseKey(course),
              course,
              shown(version),
              described({ required_activities: last.required }, deletedAt('course', course) > last.at),
            ],
            ...[index === 0 ? FIRST : version.at, next?.at ?? LAST, !next],
          ].join(' '),
        )
      })
    }
    return rows.sort()
  }

  function courseInstructors(): string[] {
    return [...new Set(campus.courses.map(({ course }) => course))]
      .flatMap((course) => {
        const last = historyOf(campus.courses.filter((version) => version.course === course)).at(-1)
        return (last?.instructors ?? []).map((id, index) =>
          // Only a lead is known by name; of others the courses tell the key.
          [
            courseKey(course),
            personOf('instructor', id),
            leads.has(id) ? pseudonym(key, 'instructor', source, id) : '-',
            index === 0,
          ].join(' '),
        )
      })
      .sort()
  }

  function learnerVersions(): string[] {
    const rows: string[] = []
    const mentioned = [...campus.enrollments, ...campus.completions, ...campus.events].map(
      ({ learner }) => learner,
    )
    for (const learner of new Set([...campus.learners.map((version) => version.learner), ...mentioned])) {
      const observed = historyOf(campus.learners.filter((version) => version.learner === learner))
      const last = observed.at(-1)
      if (!last) {
        rows.push(
          [personKey(learner), person(learner), '- - - - -', '{"inferred":true}', FIRST, LAST, true].join(
            ' ',
          ),
        )
        continue
      }
      const versions = observed.filter((version, index) => tracked(version) !== tracked(observed[index - 1]))
      versions.forEach((version, index) => {
        const next = versions[index + 1]
        rows.push(
          [
            ...[
              personKey(learner),
              person(learner),
              pseudonym(key, 'email', '', last.email),
              tracked(version),
            ],
            ...[
              described({ plan: last.plan }, deletedAt('learner', learner) > last.at),
              index === 0 ? FIRST : version.at,
              next?.at ?? LAST,
              !next,
            ],
          ].join(' '),
        )
      })
    }
    return rows.sort()
  }
}

function described(attributes: object, isDeleted: boolean): string {
  return JSON.stringify(isDeleted ? { deleted: true, ...attributes } : attributes)
}

/** Each registration after none or after a withdrawal starts an attempt. */
function registered(events: readonly { id: string; type: string; at: number }[], source: string): Attempt[] {
  const attempts: Attempt[] = []
  let open: { id: string; at: number } | undefined
  const close = (withdrawnAt?: number) => {
    if (!open) return
    const { id, at } = open
    attempts.push({
      ...{ id: `${source}:${id}`, enrolledAt: at, saidCompleted: false, price: '-' },
      ...{ withdrawnAt, isWithdrawn: withdrawnAt !== undefined },
    })
    open = undefined
  }
  for (const { id, type, at } of events) {
    if (type === 'registered') open ??= { id, at }
    else if (type === 'unregistered') close(at)
  }
  close()
  return attempts
}

function tracked(version: LearnerVersion | undefined): string {
  if (!version) return ''
  const age = Number(version.signedUpOn.slice(0, 4)) - Number(version.birthDate.slice(0, 4))
  const bands = [
    ...([
      [18, 'under 18'],
      [25, '18-24'],
      [35, '25-34'],
      [45, '35-44'],
      [55, '45-54'],
      [65, '55-64'],
    ] as const),
  ]
  const band = bands.find(([below]) => age < below)?.[1] ?? '65 and over'
  return [version.country, version.region || '-', band, version.gender].join(' ')
}

/** As DuckDB writes a DOUBLE. */
function doubleText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value)
}
