/** Every report against an oracle: the same numbers, computed in TypeScript from the same rows by other means. */

import type { DuckDBConnection } from '@duckdb/node-api'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  CATEGORIES,
  COURSES,
  type Completion,
  DAY,
  dayOf,
  type Enrollment,
  type Event,
  FIRST,
  learnerId,
  makeCampus,
  openCampus,
  type Plain,
  runReport,
} from './report-campus.test-support.ts'
import { listSql, readSql } from './sql-files.ts'

const SEED = 20260105
const campus = makeCampus(SEED)
const { enrollments, events, completions } = campus
let db: DuckDBConnection

beforeAll(async () => {
  db = await openCampus(campus)
})

// ── the oracle's words ────────────────────────────────────────────────────────────────────────────────────

const isRegistration = (event: Event) => event.type === 'registered' || event.type === 'unregistered'
const activity = events.filter((event) => !isRegistration(event))
const byLearners = activity.filter((event) => event.learner !== 0)
const midnight = (at: number) => Math.floor(at / DAY) * DAY
const oneDecimal = (x: number) => Math.floor(x * 10 + 0.5) / 10
const percent = (part: number, whole: number) => (whole === 0 ? null : oneDecimal((100 * part) / whole))
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0)
const pairOf = (row: { learner: number; course: number }) => `${row.learner}/${row.course}`
const newest = Math.max(...[...enrollments, ...events, ...completions].map((row) => midnight(row.at)))
const course = (key: number) => COURSES.find((c) => c.key === key)
const titleOf = (key: number) => course(key)?.title ?? course(key)?.id
const days = (from: number, to: number) =>
  Array.from({ length: Math.max(0, Math.round((to - from) / DAY) + 1) }, (_, n) => from + n * DAY)
const weekdayName = (at: number) =>
  ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][new Date(at).getUTCDay()]

function groupBy<T, K>(rows: readonly T[], key: (row: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row])
  return groups
}

/** The Monday of the week, and its ISO 8601 name: the week of its Thursday. */
const monday = (at: number) => midnight(at) - ((new Date(at).getUTCDay() + 6) % 7) * DAY
function weekName(at: number): string {
  const thursday = monday(at) + 3 * DAY
  const year = new Date(thursday).getUTCFullYear()
  return `${year}-W${String(1 + Math.floor((thursday - Date.UTC(year, 0, 1)) / (7 * DAY))).padStart(2, '0')}`
}

const enrolledPairs = groupBy(enrollments, pairOf)
const completionOf = new Map(completions.map((completion) => [pairOf(completion), completion]))
const latestAttempts = [...enrolledPairs.values()].map(
  (attempts) => attempts.toSorted((a, b) => b.attempt - a.attempt)[0] as Enrollment,
)

/** Activities completed ÷ required, else what the course itself reported last; undefined when neither is known. */
function progressOf(pair: string): number | undefined {
  const own = activity.filter((event) => event.course !== 0 && pairOf(event) === pair)
  const done = new Set(
    own.filter((e) => e.type === 'completed' && e.activityType !== 'course').map((e) => e.activity),
  )
  const required = course(Number(pair.split('/')[1]))?.required
  if (required && done.size > 0) return done.size / required
  const reported = own.filter((e) => e.progress !== null && e.activityType === 'course')
  return reported.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).at(-1)?.progress ?? undefined
}

function byDay(rows: readonly (Enrollment | Completion)[], name: string): Plain[] {
  const first = Math.min(...rows.map((row) => midnight(row.at)))
  const counts = days(first, newest).map((day) => rows.filter((row) => midnight(row.at) === day).length)
  return days(first, newest).map((day, n) => {
    const window = counts.slice(Math.max(0, n - 6), n + 1)
    const before = counts[n - 7] ?? null
    return {
      day: dayOf(day),
      weekday: weekdayName(day) as string,
      [name]: counts[n] as number,
      mean_7_days: oneDecimal(sum(window) / window.length),
      week_before: before,
      change_percent: before === null ? null : percent((counts[n] as number) - before, before),
    }
  })
}

// ── the tests ─────────────────────────────────────────────────────────────────────────────────────────────

describe('the campus under the reports', () => {
  test('has what makes the reports hard', () => {
    expect(latestAttempts.length).toBeGreaterThan(60)
    expect(enrollments.some((e) => e.attempt === 2)).toBe(true)
    expect(new Set(latestAttempts.map((e) => e.status)).size).toBe(3)
    expect(new Set(completions.map((c) => c.passed)).size).toBe(3)
    expect(latestAttempts.some((e) => !activity.some((v) => pairOf(v) === pairOf(e)))).toBe(true)
    expect(days(FIRST, newest).some((day) => !enrollments.some((e) => midnight(e.at) === day))).toBe(true)
    expect(latestAttempts.some((e) => (progressOf(pairOf(e)) ?? 0) >= 0.5)).toBe(true)
    expect(latestAttempts.some((e) => progressOf(pairOf(e)) === undefined)).toBe(true)
  })
})

describe('reports', () => {
  test('enrollments', async () => {
    expect(await runReport(db, 'enrollments')).toEqual(byDay(enrollments, 'enrollments'))
  })

  test('enrollments of some days only, with the same numbers', async () => {
    const all = byDay(enrollments, 'enrollments')
    const some = await runReport(db, 'enrollments', { since: '2026-01-20', until: '2026-01-25' })
    expect(some).toHaveLength(6)
    expect(some).toEqual(all.filter(({ day }) => String(day) >= '2026-01-20' && String(day) <= '2026-01-25'))
  })

  test('completions', async () => {
    const expected = byDay(completions, 'completions').map((row) => ({
      ...row,
      passed: completions.filter((c) => dayOf(c.at) === row.day && c.passed).length,
    }))
    expect(await runReport(db, 'completions')).toEqual(expected)
  })

  test('daily', async () => {
    const first = Math.min(...[...enrollments, ...events, ...completions].map((row) => midnight(row.at)))
    const on = (rows: readonly { at: number }[], day: number) =>
      rows.filter((row) => midnight(row.at) === day)
    const expected = days(first, newest).map((day) => ({
      day: dayOf(day),
      weekday: weekdayName(day),
      enrollments: on(enrollments, day).length,
      completions: on(completions, day).length,
      active_learners: new Set((on(byLearners, day) as Event[]).map((e) => e.learner)).size,
      events: on(events, day).length,
    }))
    expect(await runReport(db, 'daily')).toEqual(expected)
    const since = dayOf(first + 30 * DAY)
    expect(await runReport(db, 'daily', { since, until: since })).toEqual([expected[30]])
  })

  test.each([undefined, 'CS102'])('completion-rate of %s', async (only) => {
    const pairs = [...enrolledPairs.keys()].filter(
      (pair) => !only || course(Number(pair.split('/')[1]))?.id === only,
    )
    const rate = (courseId: string | null, title: string, of: readonly string[]) => {
      const viewed = of.filter((pair) => activity.some((event) => pairOf(event) === pair))
      const explored = of.filter((pair) => (progressOf(pair) ?? 0) >= 0.5)
      const done = (list: readonly string[]) => list.filter((pair) => completionOf.has(pair)).length
      return {
        course_id: courseId,
        course_title: title,
        enrolled: of.length,
        viewed: viewed.length,
        explored: explored.length,
        completed: done(of),
        of_enrolled_percent: percent(done(of), of.length),
        of_viewed_percent: percent(done(viewed), viewed.length),
        of_explored_percent: percent(done(explored), explored.length),
      }
    }
    const perCourse = COURSES.map((c) =>
      rate(
        c.id,
        titleOf(c.key) as string,
        pairs.filter((pair) => pair.endsWith(`/${c.key}`)),
      ),
    )
      .filter((row) => row.enrolled > 0)
      .sort((a, b) => b.enrolled - a.enrolled || ((a.course_id ?? '') < (b.course_id ?? '') ? -1 : 1))
    expect(await runReport(db, 'completion-rate', only ? { course: only } : {})).toEqual([
      rate(null, 'All courses', pairs),
      ...perCourse,
    ])
  })

  test.each([undefined, 'CS101'])('funnel of %s', async (only) => {
    const pairs = [...enrolledPairs.keys()].filter(
      (pair) => !only || course(Number(pair.split('/')[1]))?.id === only,
    )
    const certified = new Set(
      events.filter((e) => e.type === 'earned' && e.activityType === 'certificate').map(pairOf),
    )
    const reached: readonly (readonly [string, number])[] = [
      ['enrolled', pairs.length],
      ['viewed', pairs.filter((pair) => activity.some((event) => pairOf(event) === pair)).length],
      ['explored', pairs.filter((pair) => (progressOf(pair) ?? 0) >= 0.5).length],
      ['completed', pairs.filter((pair) => completionOf.has(pair)).length],
      ['certified', pairs.filter((pair) => certified.has(pair)).length],
    ]
    const expected = reached.map(([step, count], n) => ({
      step_no: n + 1,
      step,
      pairs: count,
      of_enrolled_percent: percent(count, pairs.length),
      of_step_before_percent: n === 0 ? null : percent(count, reached[n - 1]?.[1] as number),
    }))
    expect(expected.every(({ pairs: count }) => count > 0)).toBe(true)
    expect(await runReport(db, 'funnel', only ? { course: only } : {})).toEqual(expected)
  })

  test('active-learners', async () => {
    const learnersIn = (from: number, to: number) =>
      new Set(byLearners.filter((e) => e.at >= from && e.at < to + DAY).map((e) => e.learner)).size
    const active = byLearners.map((event) => midnight(event.at))
    const expected = days(Math.min(...active), Math.max(...active)).map((day) => {
      const dau = learnersIn(day, day)
      const mau = learnersIn(day - 27 * DAY, day)
      return {
        day: dayOf(day),
        weekday: weekdayName(day),
        dau,
        wau: learnersIn(monday(day), monday(day) + 6 * DAY),
        mau_28_days: mau,
        stickiness_percent: percent(dau, mau),
      }
    })
    expect(await runReport(db, 'active-learners')).toEqual(expected)
    // A later start changes none of the numbers, though it reads fewer events.
    for (const [n, { day }] of expected.entries()) {
      if (n % 3 > 0) continue
      expect((await runReport(db, 'active-learners', { since: day, until: day }))[0]).toEqual(expected[n])
    }
  })

  test('retention', async () => {
    const firsts = [...groupBy(enrollments, (e) => e.learner)].map(
      ([learner, own]) => [learner, Math.min(...own.map((e) => monday(e.at)))] as const,
    )
    const lastDay = Math.max(...activity.map((event) => midnight(event.at)))
    const expected = [...groupBy(firsts, ([, start]) => start)]
      .sort(([a], [b]) => a - b)
      .map(([start, members]) => {
        const weeks = Array.from({ length: 9 }, (_, n) => {
          const from = start + n * 7 * DAY
          const back = members.filter(([learner]) =>
            activity.some((e) => e.learner === learner && monday(e.at) === from),
          )
          return [`week_${n}`, from > lastDay ? null : percent(back.length, members.length)]
        })
        return { cohort: weekName(start), learners: members.length, ...Object.fromEntries(weeks) }
      })
    expect(expected.length).toBeGreaterThan(4)
    expect(await runReport(db, 'retention')).toEqual(expected)
  })

  test('retention keeps cohorts that no events have reached, and says nothing about their weeks', async () => {
    const rows = await runReport(await openCampus({ enrollments, completions, events: [] }), 'retention')
    const members = new Set(enrollments.map((e) => e.learner)).size
    expect(sum(rows.map((row) => row.learners as number))).toBe(members)
    expect(rows.every((row) => row.week_0 === null && row.week_8 === null)).toBe(true)
    // A roster that is newer than the events: nobody knows yet who came.
    const late = { ...(enrollments[0] as Enrollment), id: 'late', learner: 46, at: newest + 30 * DAY }
    const own = enrollments.filter((e) => e.learner !== 46)
    const newer = await runReport(await openCampus({ ...campus, enrollments: [...own, late] }), 'retention')
    expect(newer.at(-1)).toMatchObject({ cohort: weekName(late.at), learners: 1, week_0: null })
  })

  test('active-learners shows quiet days, whatever day it begins with', async () => {
    const view = (id: string, day: number): Event => ({
      ...{ id, learner: 1, course: 1, at: FIRST + day * DAY, type: 'viewed' },
      ...{ activity: null, activityType: null, progress: null },
    })
    const quiet = await openCampus({
      enrollments: [],
      completions: [],
      events: [view('a', 0), view('b', 60)],
    })
    const since = dayOf(FIRST + 40 * DAY)
    const some = await runReport(quiet, 'active-learners', { since })
    expect(some).toHaveLength(21)
    expect(some).toEqual((await runReport(quiet, 'active-learners')).slice(40))
    expect(some[0]).toMatchObject({ day: since, dau: 0, mau_28_days: 0, stickiness_percent: null })
  })

  test('one rate is one number in every report', async () => {
    // 50.25 % and 1.05 %, which floating point puts on either side.
    const SCORES: Readonly<Record<number, number>> = { 1: 0.002, 2: 0.019 }
    const many = Array.from({ length: 400 }, (_, n) => n + 1)
    const at = FIRST + DAY
    const db = await openCampus({
      enrollments: many.map((learner) => ({
        ...{ id: `${learner}`, learner, course: 1, attempt: 1, at },
        status: 'active',
      })),
      events: [],
      completions: many.slice(0, 201).map((learner) => ({
        learner,
        course: 1,
        at,
        score: SCORES[learner] ?? null,
        passed: true,
        days: 0,
      })),
    })
    expect((await runReport(db, 'course-ranking'))[0]).toMatchObject({
      completion_percent: 50.3,
      mean_score_percent: 1.1,
    })
    expect((await runReport(db, 'course-table'))[0]?.completion_percent).toBe(50.3)
    expect((await runReport(db, 'completion-rate'))[0]?.of_enrolled_percent).toBe(50.3)
    expect((await runReport(db, 'overview'))[2]?.value).toBe(50.3)
    expect((await runReport(db, 'category-rollup'))[2]?.completion_percent).toBe(50.3)
  })

  test.each([
    [5, 30],
    [1, 60],
  ])('time-on-task at %i and %i minutes', async (short, long) => {
    const inCourse = events.filter((event) => event.course !== 0 && event.learner !== 0)
    const expected = [...groupBy(inCourse, (event) => event.course)].map(([key, all]) => {
      const perLearner = [...groupBy(all, (event) => event.learner).values()].map((own) => {
        const times = own.map((event) => event.at).sort((a, b) => a - b)
        const gaps = times.slice(1).map((time, n) => (time - (times[n] as number)) / 1000)
        const at = (minutes: number) => ({
          sessions: 1 + gaps.filter((gap) => gap > minutes * 60).length,
          seconds: sum(gaps.filter((gap) => gap <= minutes * 60)),
        })
        return { short: at(short), long: at(long) }
      })
      const hours = (list: readonly number[]) => Math.floor((sum(list) / 3600) * 100 + 0.5) / 100
      return {
        course_id: course(key)?.id,
        course_title: titleOf(key),
        learners: perLearner.length,
        sessions_short: sum(perLearner.map((l) => l.short.sessions)),
        hours_short: hours(perLearner.map((l) => l.short.seconds)),
        sessions_long: sum(perLearner.map((l) => l.long.sessions)),
        hours_long: hours(perLearner.map((l) => l.long.seconds)),
        median_minutes: oneDecimal(
          (quantile(
            perLearner.map((l) => l.long.seconds),
            0.5,
          ) as number) / 60,
        ),
      }
    })
    const actual = await runReport(db, 'time-on-task', { short_minutes: `${short}`, long_minutes: `${long}` })
    expect(actual).toEqual(expected.sort((a, b) => b.hours_long - a.hours_long))
  })

  test('time-to-completion', async () => {
    const outcomes = (of: readonly Enrollment[]) => {
      const taken = of.flatMap((e) => completionOf.get(pairOf(e))?.days ?? [])
      const without = of.filter((e) => !completionOf.has(pairOf(e)))
      return {
        enrolled: of.length,
        completed: of.length - without.length,
        withdrawn: without.filter((e) => e.status === 'withdrawn').length,
        still_open: without.filter((e) => e.status !== 'withdrawn').length,
        quarter_days: quantile(taken, 0.25),
        median_days: quantile(taken, 0.5),
        three_quarter_days: quantile(taken, 0.75),
      }
    }
    const perCourse = [...groupBy(latestAttempts, (e) => e.course)]
      .map(([key, of]) => ({ course_id: course(key)?.id, course_title: titleOf(key), ...outcomes(of) }))
      .sort((a, b) => b.enrolled - a.enrolled || ((a.course_id ?? '') < (b.course_id ?? '') ? -1 : 1))
    expect(await runReport(db, 'time-to-completion')).toEqual([
      { course_id: null, course_title: 'All courses', ...outcomes(latestAttempts) },
      ...perCourse,
    ])
  })

  test('course-ranking', async () => {
    const scores = COURSES.map((c) => {
      const of = [...enrolledPairs.keys()].filter((pair) => pair.endsWith(`/${c.key}`))
      const done = of.flatMap((pair) => completionOf.get(pair) ?? [])
      const known = done.flatMap((completion) => completion.score ?? [])
      return { ...c, learners: of.length, completed: done.length, share: done.length / of.length, known }
    }).filter((c) => c.learners >= 5)
    const better = (a: number, list: readonly { share: number }[]) => list.filter((b) => b.share > a).length
    const expected = scores
      .map((c) => ({
        place: 1 + better(c.share, scores),
        course_id: c.id,
        course_title: titleOf(c.key),
        category: CATEGORIES.find(({ key }) => key === c.category)?.path,
        place_in_category:
          1 +
          better(
            c.share,
            scores.filter((b) => b.category === c.category),
          ),
        learners: c.learners,
        completed: c.completed,
        completion_percent: oneDecimal(c.share * 100),
        mean_score_percent: c.known.length === 0 ? null : oneDecimal((sum(c.known) / c.known.length) * 100),
        quartile: 0,
        ahead_of_percent: oneDecimal(
          (100 * scores.filter((b) => b.share < c.share).length) / (scores.length - 1),
        ),
      }))
      .sort((a, b) => a.place - b.place || (a.course_id < b.course_id ? -1 : 1))
      // Four courses make four quarters.
      .map((row, n) => ({ ...row, quartile: n + 1 }))
    expect(expected).toHaveLength(4)
    expect(await runReport(db, 'course-ranking')).toEqual(expected)
    expect(await runReport(db, 'course-ranking', { min_learners: '1000' })).toEqual([])
  })

  test('category-rollup', async () => {
    const under = (key: number): number[] => [
      key,
      ...CATEGORIES.filter((c) => c.parent === key).flatMap((c) => under(c.key)),
    ]
    const order = ['History', 'Science', 'Science/Computing', 'Science/Computing/Data', 'Science Fiction']
    const expected = order.map((path) => {
      const category = CATEGORIES.find((c) => c.path === path) as (typeof CATEGORIES)[number]
      const inside = COURSES.filter((c) => under(category.key).includes(c.category)).map((c) => Number(c.key))
      const of = enrollments.filter((e) => inside.includes(e.course))
      const pairs = [...new Set(of.map(pairOf))]
      const completed = pairs.filter((pair) => completionOf.has(pair)).length
      return {
        level: category.level,
        category: '  '.repeat(category.level - 1) + category.name,
        path,
        courses: inside.length,
        enrollments: of.length,
        learners: new Set(of.map((e) => e.learner)).size,
        pairs: pairs.length,
        completed,
        completion_percent: percent(completed, pairs.length),
      }
    })
    expect(await runReport(db, 'category-rollup')).toEqual(expected)
  })

  test('category-rollup ends where the hierarchy runs in a circle', async () => {
    const circle = await openCampus(campus)
    await circle.run('update core.dim_course_category set parent_category_key = 13 where category_key = 11')
    expect(await runReport(circle, 'category-rollup')).toHaveLength(CATEGORIES.length)
  })

  test.each([
    [{}, 7],
    [{ days: '1' }, 1],
    [{ days: '30', course: 'HI201' }, 30],
  ])('at-risk with %j', async (given, least) => {
    const asOf = Math.max(...events.map((event) => midnight(event.at)))
    const rows = latestAttempts.flatMap((e) => {
      const completion = completionOf.get(pairOf(e))
      const isPassed = completion !== undefined && completion.passed !== false
      if (e.status === 'withdrawn' || isPassed) return []
      const own = activity.filter((event) => pairOf(event) === pairOf(e))
      const last = own.length === 0 ? undefined : Math.max(...own.map((event) => midnight(event.at)))
      const silence = (asOf - Math.max(last ?? 0, midnight(e.at))) / DAY
      const ended = course(e.course)?.endsOn
      const reasons = [
        ...(last === undefined
          ? [`never started, enrolled ${dayOf(e.at)}`]
          : [`no event since ${dayOf(last)}`]),
        ...(last !== undefined && last < midnight(e.at) ? [`enrolled again ${dayOf(e.at)}`] : []),
        ...(completion === undefined ? [] : ['finished without passing']),
        ...(ended && ended < dayOf(asOf) ? [`the course ended ${ended}`] : []),
      ]
      return {
        course_id: String(course(e.course)?.id),
        class: last === undefined ? 'never_started' : 'silent',
        days_silent: silence,
        enrolled_on: dayOf(e.at),
        last_event_on: last === undefined ? null : dayOf(last),
        events: own.length,
        reason: reasons.join('; '),
        learner_id: learnerId(e.learner),
      }
    })
    const only = (given as { course?: string }).course
    const wanted = rows
      .filter((row) => row.days_silent >= least && (!only || row.course_id === only))
      .sort(
        (a, b) =>
          b.days_silent - a.days_silent ||
          (a.course_id < b.course_id
            ? -1
            : a.course_id > b.course_id
              ? 1
              : a.learner_id < b.learner_id
                ? -1
                : 1),
      )
    expect(new Set(wanted.map((row) => row.class)).size).toBe(2)
    expect(await runReport(db, 'at-risk', given as Record<string, string>)).toEqual(wanted)
  })

  test('at-risk: who passed later, or is completed by the roster, is not; who failed is', async () => {
    const on = (day: number) => FIRST + day * DAY
    const enroll = (learner: number, status: Enrollment['status'], at = on(0), attempt = 1) =>
      ({ id: `${learner}-${attempt}`, learner, course: 1, attempt, at, status }) as const
    const complete = (learner: number, day: number, passed: boolean | null) =>
      ({ learner, course: 1, at: on(day), score: null, passed, days: day }) as const
    const passedEvent = {
      ...{ id: 'p', learner: 2, course: 1, at: on(9), type: 'passed', activity: 'CS101' },
      ...{ activityType: 'course', progress: null },
    }
    const rows = {
      enrollments: [
        enroll(1, 'completed'),
        enroll(2, 'completed'),
        enroll(3, 'completed'),
        enroll(4, 'completed'),
        enroll(5, 'active'),
        enroll(6, 'completed'),
        enroll(6, 'completed', on(7), 2),
        enroll(7, 'completed'),
        enroll(8, 'completed'),
        enroll(9, 'completed'),
        enroll(9, 'completed', on(7), 2),
        enroll(10, 'active', on(20)),
      ],
      completions: [
        complete(1, 5, false),
        complete(2, 5, false),
        complete(4, 5, false),
        complete(6, 5, false),
        complete(7, 5, true),
        complete(8, 5, null),
        complete(9, 5, false),
      ],
      // The first passed in the end, the seventh was put right, and the ninth failed again.
      laterCompletions: [complete(1, 9, true), complete(7, 5, false), complete(9, 9, false)],
    }
    const atRisk = async (events: Event[]) => {
      const found = await runReport(await openCampus({ ...rows, events }), 'at-risk')
      return found.map((row) => [Number(row.learner_id), row.days_silent, row.reason])
    }
    const never = `never started, enrolled ${dayOf(on(0))}`
    // Without events, as of the newest day of the roster.
    expect(
      await atRisk([passedEvent, { ...passedEvent, id: 'v', learner: 0, type: 'viewed', at: on(20) }]),
    ).toEqual([
      [4, 20, `${never}; finished without passing`],
      [5, 20, never],
      [7, 20, `${never}; finished without passing`],
      [9, 13, `never started, enrolled ${dayOf(on(7))}; finished without passing`],
    ])
    expect(await atRisk([])).toEqual([
      [2, 20, `${never}; finished without passing`],
      [4, 20, `${never}; finished without passing`],
      [5, 20, never],
      [7, 20, `${never}; finished without passing`],
      [9, 13, `never started, enrolled ${dayOf(on(7))}; finished without passing`],
    ])
  })

  test('drop-off', async () => {
    const visits = byLearners.filter(
      (e) =>
        e.course !== 0 && e.activity !== null && !['course', 'certificate'].includes(e.activityType ?? ''),
    )
    const numberOf = (id: string) => Number(/^[^/]*\/(\d+)-/.exec(id)?.[1] ?? Number.POSITIVE_INFINITY)
    const expected = [...groupBy(visits, (event) => event.course)]
      .sort(([a], [b]) => ((course(a)?.id ?? '') < (course(b)?.id ?? '') ? -1 : 1))
      .flatMap(([key, own]) => {
        const activities = [...groupBy(own, (event) => event.activity as string)]
          .map(([id, of]) => ({ id, number: numberOf(id), first: Math.min(...of.map((event) => event.at)) }))
          .sort((a, b) =>
            a.number === b.number ? a.first - b.first || (a.id < b.id ? -1 : 1) : a.number - b.number,
          )
        const furthest = [...groupBy(own, (event) => event.learner)].map(([learner, of]) => ({
          pair: `${learner}/${key}`,
          position: Math.max(...of.map((event) => activities.findIndex(({ id }) => id === event.activity))),
        }))
        return activities.map(({ id }, n) => {
          const reached = furthest.filter(({ position }) => position >= n).length
          const stopped = furthest.filter(({ position }) => position === n)
          const dropped = stopped.filter(({ pair }) => !completionOf.has(pair)).length
          return {
            course_id: course(key)?.id,
            position: n + 1,
            activity_id: id,
            reached,
            last_here: stopped.length,
            dropped,
            dropped_percent: percent(dropped, reached),
          }
        })
      })
    expect(expected.length).toBeGreaterThan(20)
    expect(await runReport(db, 'drop-off')).toEqual(expected)
  })

  test('reconciliation, by course and pair by pair', async () => {
    const roster = new Set(enrollments.map(pairOf))
    const registered = new Set(events.filter((e) => e.type === 'registered').map(pairOf))
    const row = (courseId: string, has: (pair: string) => boolean) => {
      const [inRoster, inEvents] = [roster, registered].map((set) => [...set].filter(has)) as [
        string[],
        string[],
      ]
      const matched = inRoster.filter((pair) => registered.has(pair)).length
      return {
        course_id: courseId,
        roster: inRoster.length,
        events: inEvents.length,
        matched,
        only_roster: inRoster.length - matched,
        only_events: inEvents.length - matched,
      }
    }
    const taught = COURSES.filter((c) => c.key !== 5)
    expect(await runReport(db, 'reconciliation')).toEqual([
      row('All courses', () => true),
      ...taught.map((c) => row(c.id, (pair) => pair.endsWith(`/${c.key}`))),
    ])

    const lonely = (await openCampus({
      enrollments: enrollments.filter((e) => e.learner !== 3),
      events,
      completions: [],
    })) as DuckDBConnection
    const differences = await runReport(lonely, 'reconciliation-differences')
    const rosterOnly = new Set(
      enrollments.filter((e) => e.learner !== 3 && !registered.has(pairOf(e))).map(pairOf),
    )
    const eventsOnly = [...registered].filter((pair) => pair.startsWith('3/'))
    expect(eventsOnly.length).toBeGreaterThan(0)
    const listed = (kind: string) =>
      differences
        .filter((d) => d.difference === kind)
        .map((d) => `${Number(d.learner_id)}/${COURSES.find((c) => c.id === d.course_id)?.key}`)
    expect(listed('only in the roster').sort()).toEqual([...rosterOnly].sort())
    expect(listed('only in the events').sort()).toEqual(eventsOnly.sort())
    expect(
      differences.every((d) => d.sources === (d.difference === 'only in the events' ? 'lms' : 'roster')),
    ).toBe(true)
  })

  test.each([7, 14])('overview of %i days', async (length) => {
    const inWindow = (row: { at: number }, back: number) =>
      row.at >= newest + DAY - (back + 1) * length * DAY && row.at < newest + DAY - back * length * DAY
    const counts = (rows: readonly { at: number }[]) =>
      [0, 1].map((back) => rows.filter((row) => inWindow(row, back)).length)
    const active = [0, 1].map(
      (back) => new Set(byLearners.filter((e) => inWindow(e, back)).map((e) => e.learner)).size,
    )
    const rateUpTo = (end: number) => {
      const pairs = [...enrolledPairs].filter(([, own]) => own.some((e) => e.at < end)).map(([pair]) => pair)
      return percent(pairs.filter((pair) => (completionOf.get(pair)?.at ?? end) < end).length, pairs.length)
    }
    const rates = [rateUpTo(newest + DAY), rateUpTo(newest + DAY - length * DAY)]
    const row = (kpi: string, unit: string, [value = 0, previous = 0]: readonly (number | null)[]) => ({
      kpi,
      value,
      previous,
      change_percent: percent((value ?? 0) - (previous ?? 0), previous ?? 0),
      unit,
    })
    expect(await runReport(db, 'overview', { days: `${length}` })).toEqual([
      row('enrollments', '', counts(enrollments)),
      row('completions', '', counts(completions)),
      row('completion_rate', '%', rates),
      row('active_learners', '', active),
      row('events', '', counts(events)),
    ])
  })

  test('course-table', async () => {
    const length = 21
    const since = newest + DAY - length * DAY
    const expected = [...groupBy(enrollments, (e) => e.course)]
      .map(([key, own]) => {
        const pairs = [...new Set(own.map(pairOf))]
        const progress = pairs.map(progressOf)
        const recent = own.filter((e) => e.at >= since).length
        const before = own.filter((e) => e.at >= since - length * DAY && e.at < since).length
        const completed = pairs.filter((pair) => completionOf.has(pair)).length
        return {
          course_id: course(key)?.id,
          course_title: titleOf(key),
          enrolled: pairs.length,
          completed,
          completion_percent: percent(completed, pairs.length),
          mean_progress_percent: progress.every((one) => one === undefined)
            ? null
            : oneDecimal((100 * sum(progress.map((one) => Math.min(1, one ?? 0)))) / pairs.length),
          new_enrollments: recent,
          enrollments_before: before,
          change_percent: percent(recent - before, before),
        }
      })
      .sort((a, b) => b.enrolled - a.enrolled || ((a.course_id ?? '') < (b.course_id ?? '') ? -1 : 1))
    expect(sum(expected.map((row) => row.enrollments_before))).toBeGreaterThan(0)
    expect(await runReport(db, 'course-table', { days: `${length}` })).toEqual(expected)
  })
})

describe('reports of the book-keeping', () => {
  test('checks: as they came out last, failures first', async () => {
    const row = (check_name: string, state: string, failures: number) => ({
      check_name,
      state,
      failures,
      checked_at: '2026-06-30 09:00:00',
    })
    expect(await runReport(db, 'checks')).toEqual([
      row('unique-facts', 'failed', 3),
      row('known-words', 'warning', 12),
      row('one-key', 'ok', 0),
    ])
  })

  test('loads: the newest first, and what became of them', async () => {
    const all = await runReport(db, 'loads')
    expect(all.map(({ load_id, state }) => [load_id, state])).toEqual([
      [3, 'not built'],
      [2, 'not built'],
      [1, 'built'],
      [4, 'superseded'],
    ])
    expect(await runReport(db, 'loads', { most: '1' })).toEqual([
      {
        ...{ load_id: 3, source: 'clicks', format: 'xapi', read: 5, mapped: 4, rejected: 1, filtered: 0 },
        ...{ doubled: 0, state: 'not built', committed_at: '2026-07-01 08:00:00' },
      },
    ])
  })

  test('freshness: without what was superseded', async () => {
    expect(await runReport(db, 'freshness')).toEqual([
      {
        ...{ source: 'clicks', loads: 1, mapped: 4, rejected: 1, not_built: 1 },
        newest_load_at: '2026-07-01 08:00:00',
      },
      {
        ...{ source: 'lms', loads: 2, mapped: 14, rejected: 2, not_built: 1 },
        newest_load_at: '2026-06-30 00:00:00',
      },
    ])
  })

  test('rejects by reason', async () => {
    expect(await runReport(db, 'rejects')).toEqual([
      {
        ...{ source: 'lms', reason_code: 'bad_date', column_name: 'occurred_at' },
        ...{ records: 2, loads: 2, last_load_id: 2 },
      },
      {
        ...{ source: 'clicks', reason_code: 'not_json', column_name: null },
        ...{ records: 1, loads: 1, last_load_id: 3 },
      },
    ])
  })

  test('stream-offsets by partition', async () => {
    expect(await runReport(db, 'stream-offsets')).toEqual([
      { source: 'clicks', place: 'clicks-0', next_offset: 18, committed_at: '2026-07-01 08:00:00' },
      { source: 'clicks', place: 'clicks-1', next_offset: 40, committed_at: '2026-07-01 07:59:00' },
    ])
  })

  test('at-risk: the longest silent only', async () => {
    const all = await runReport(db, 'at-risk')
    expect(await runReport(db, 'at-risk', { most: '3' })).toEqual(all.slice(0, 3))
  })
})

describe('edges, counted by hand', () => {
  const key = (at: string) => at.slice(0, 10).replaceAll('-', '')
  async function campusOf(
    viewed: readonly (readonly [learner: number, at: string, how?: string])[],
    enrolled: readonly (readonly [learner: number, attempt: number, at: string, status: string])[] = [],
    completed: readonly (readonly [learner: number, at: string, score?: number, days?: number])[] = [],
  ): Promise<DuckDBConnection> {
    const its = await openCampus({ enrollments: [], events: [], completions: [] })
    await its.run(`insert into core.dim_date
      select strftime(d, '%Y%m%d')::int, d, year(d), quarter(d), month(d), monthname(d), isoyear(d), weekofyear(d), day(d),
        isodow(d), dayname(d), isodow(d) >= 6, null
      from (select unnest(generate_series(date '2027-01-01', date '2027-01-10', interval 1 day))::date as d)`)
    const fill = async (table: string, columns: string, rows: readonly string[]) => {
      if (rows.length > 0) await its.run(`insert into core.${table} (${columns}) values ${rows.join(', ')}`)
    }
    await fill(
      'fact_learning_event',
      'event_id, learner_key, course_key, date_key, occurred_at, quantity, source, event_type, activity_id, activity_type, progress',
      viewed.map(
        ([learner, at, how = "'viewed', null, null, null"], n) =>
          `('${n}', ${learner}, 1, ${key(at)}, timestamp '${at}', 1, 'lms', ${how})`,
      ),
    )
    await fill(
      'fact_enrollment',
      'enrollment_id, learner_key, course_key, attempt, enrolled_date_key, enrolled_at, status, source',
      enrolled.map(
        ([learner, attempt, at, status]) =>
          `('${learner}/${attempt}', ${learner}, 1, ${attempt}, ${key(at)}, timestamp '${at}', '${status}', 'roster')`,
      ),
    )
    await fill(
      'fact_course_completion',
      'learner_key, course_key, completed_date_key, completed_at, source, final_score, days_to_complete',
      completed.map(
        ([learner, at, score = null, days = null]) =>
          `(${learner}, 1, ${key(at)}, timestamp '${at}', 'roster', ${score}, ${days})`,
      ),
    )
    return its
  }

  test('a lone event is a session of no time; exactly 30 minutes are inside, a millisecond more is not', async () => {
    const its = await campusOf([
      [1, '2026-03-01 10:00:00'],
      [2, '2026-03-01 10:00:00'],
      [2, '2026-03-01 10:30:00'],
      [3, '2026-03-01 10:00:00'],
      [3, '2026-03-01 10:30:00.001'],
      // Over midnight it is one session.
      [4, '2026-03-01 23:50:00'],
      [4, '2026-03-02 00:20:00'],
    ])
    expect(await runReport(its, 'time-on-task')).toMatchObject([
      // 1: one; 2: one; 3: two; 4: one. Of 5 minutes each event is one of its own.
      { course_id: 'CS101', learners: 4, sessions_long: 5, hours_long: 1, sessions_short: 7, hours_short: 0 },
    ])
    // Of one day, the session over midnight has what lies in it.
    expect(await runReport(its, 'time-on-task', { since: '2026-03-02' })).toMatchObject([
      { learners: 1, sessions_long: 1, hours_long: 0 },
    ])
  })

  test('the last moment of a day is its own, and 1 January 2027 is in the last ISO week of 2026', async () => {
    const its = await campusOf([
      [1, '2026-12-31 23:59:59.999'],
      [2, '2027-01-01 00:00:00'],
      [1, '2027-01-03 12:00:00'],
      [3, '2027-01-04 00:00:00'],
    ])
    const days = await runReport(its, 'active-learners')
    expect(days.map(({ day, dau, wau, mau_28_days }) => [day, dau, wau, mau_28_days])).toEqual([
      ['2026-12-31', 1, 2, 1],
      ['2027-01-01', 1, 2, 2],
      ['2027-01-02', 0, 2, 2],
      ['2027-01-03', 1, 2, 2],
      ['2027-01-04', 1, 1, 3],
    ])
    const cohorts = await campusOf(
      [],
      [
        [1, 1, '2026-12-31 08:00:00', 'active'],
        [2, 1, '2027-01-03 08:00:00', 'active'],
        [3, 1, '2027-01-04 08:00:00', 'active'],
      ],
    )
    expect((await runReport(cohorts, 'retention')).map(({ cohort, learners }) => [cohort, learners])).toEqual(
      [
        ['2026-W53', 2],
        ['2027-W01', 1],
      ],
    )
  })

  test('who enrols again is one pair of two attempts; who completes without being enrolled is in no rate', async () => {
    const its = await campusOf(
      [],
      [
        [1, 1, '2026-03-01 08:00:00', 'withdrawn'],
        [1, 2, '2026-03-05 08:00:00', 'active'],
        [2, 1, '2026-03-01 08:00:00', 'withdrawn'],
      ],
      [
        [1, '2026-03-09 08:00:00'],
        [3, '2026-03-09 08:00:00'],
      ],
    )
    expect((await runReport(its, 'completion-rate'))[0]).toMatchObject({
      enrolled: 2,
      completed: 1,
      of_enrolled_percent: 50,
    })
    expect((await runReport(its, 'time-to-completion'))[0]).toMatchObject({
      enrolled: 2,
      completed: 1,
      withdrawn: 1,
      still_open: 0,
    })
    const total = async (name: string) => sum((await runReport(its, name)).map((row) => Number(row[name])))
    expect([await total('enrollments'), await total('completions')]).toEqual([3, 2])
    expect(await runReport(its, 'funnel')).toMatchObject([
      { step: 'enrolled', pairs: 2 },
      ...['viewed', 'explored'].map((step) => ({ step, pairs: 0 })),
      { step: 'completed', pairs: 1 },
      { step: 'certified', pairs: 0 },
    ])
  })

  test('without learners there is nothing to divide by', async () => {
    const its = await campusOf([])
    expect(await runReport(its, 'funnel')).toMatchObject(
      ['enrolled', 'viewed', 'explored', 'completed', 'certified'].map((step) => ({
        ...{ step, pairs: 0, of_enrolled_percent: null, of_step_before_percent: null },
      })),
    )
    for (const name of [
      ...['completion-rate', 'active-learners', 'retention', 'time-on-task', 'time-to-completion'],
      ...['enrollments', 'completions', 'daily', 'at-risk', 'drop-off', 'course-ranking', 'course-table'],
      ...['reconciliation', 'reconciliation-differences', 'suspected-doubles'],
    ])
      expect(await runReport(its, name), name).toEqual([])
    expect(
      (await runReport(its, 'overview')).map(({ kpi, value, previous }) => [kpi, value, previous]),
    ).toEqual([
      ['enrollments', 0, 0],
      ['completions', 0, 0],
      ['completion_rate', null, null],
      ['active_learners', 0, 0],
      ['events', 0, 0],
    ])
    for (const row of await runReport(its, 'category-rollup'))
      expect(row).toMatchObject({
        enrollments: 0,
        learners: 0,
        pairs: 0,
        completed: 0,
        completion_percent: null,
      })
  })

  /**
   * The first enrols again and completes; the second has done two of the four required activities, 30 minutes apart; the
   * third completes without an enrollment; the fourth enrols at the last moment of a Sunday and never comes, the fifth at the
   * first of the Monday after it, and comes once.
   */
  const five = () =>
    campusOf(
      [
        [2, '2026-03-02 10:00:00', "'completed', 'CS101/01-intro', 'video', null"],
        [2, '2026-03-02 10:30:00', "'completed', 'CS101/02-loops', 'quiz', null"],
        [5, '2026-03-09 00:00:00', "'progressed', 'CS101', 'course', 0.49"],
        [1, '2026-03-15 11:29:59.999', "'viewed', 'CS101/01-intro', 'video', null"],
        [1, '2026-03-15 12:00:00', "'earned', 'CS101/certificate', 'certificate', null"],
      ],
      [
        [1, 1, '2026-03-01 08:00:00', 'withdrawn'],
        [1, 2, '2026-03-05 08:00:00', 'completed'],
        [2, 1, '2026-03-02 08:00:00', 'completed'],
        [4, 1, '2026-03-08 23:59:59.999', 'active'],
        [5, 1, '2026-03-09 00:00:00', 'active'],
      ],
      [
        [2, '2026-03-08 09:00:00', 0.5, 6],
        [3, '2026-03-09 09:00:00'],
        [1, '2026-03-15 12:00:00', 1, 10],
      ],
    )
  const campusOfFive = five()

  /** Of the rows that have this value in their first column, all values in a line; a report has columns of its own. */
  async function rowsOf(report: string, first: readonly string[], given: Record<string, string> = {}) {
    const rows = await runReport(await campusOfFive, report, given)
    return rows.map((row) => Object.values(row)).filter(([value]) => first.includes(String(value)))
  }

  test.each<[report: string, expected: readonly (readonly unknown[])[], given?: Record<string, string>]>([
    // Of a day: how many, the mean of 7 days, how many a week before, the change in percent.
    [
      'enrollments',
      [
        ['2026-03-01', 'Sun', 1, 1, null, null],
        ['2026-03-08', 'Sun', 1, 0.4, 1, 0],
        ['2026-03-09', 'Mon', 1, 0.4, 1, 0],
        ['2026-03-12', 'Thu', 0, 0.3, 1, -100],
      ],
    ],
    [
      'completions',
      [
        ['2026-03-08', 'Sun', 1, 0, 1, null, null],
        ['2026-03-15', 'Sun', 1, 0, 0.3, 1, 0],
      ],
    ],
    [
      'daily',
      [
        ['2026-03-08', 'Sun', 1, 1, 0, 0],
        ['2026-03-09', 'Mon', 1, 1, 1, 1],
        ['2026-03-15', 'Sun', 0, 1, 1, 2],
      ],
    ],
    // On the day, in its week, in 28 days, the first by the last.
    [
      'active-learners',
      [
        ['2026-03-02', 'Mon', 1, 1, 1, 100],
        ['2026-03-08', 'Sun', 0, 1, 1, 0],
        ['2026-03-09', 'Mon', 1, 2, 2, 50],
        ['2026-03-15', 'Sun', 1, 2, 3, 33.3],
      ],
    ],
    [
      'retention',
      [
        ['2026-W09', 1, 0, 0, 100, null, null, null, null, null, null],
        ['2026-W10', 2, 50, 0, null, null, null, null, null, null, null],
        ['2026-W11', 1, 100, null, null, null, null, null, null, null, null],
      ],
    ],
    // Enrolled, viewed, explored, completed; of the third nobody knows an enrollment.
    ['completion-rate', [['CS101', 'Programming', 4, 3, 1, 2, 50, 66.7, 100]]],
    [
      'funnel',
      [
        [1, 'enrolled', 4, 100, null],
        [2, 'viewed', 3, 75, 75],
        [3, 'explored', 1, 25, 33.3],
        [4, 'completed', 2, 50, 200],
        [5, 'certified', 1, 25, 50],
      ],
    ],
    ['time-on-task', [['CS101', 'Programming', 3, 5, 0, 4, 0.5, 0]]],
    // Of 6 and 10 days.
    ['time-to-completion', [['CS101', 'Programming', 4, 2, 0, 2, 7, 8, 9]]],
    // The mean of 0, 50, 0 and 49 percent; the week from the 9th on against the one before it.
    ['course-table', [['CS101', 'Programming', 4, 2, 50, 24.8, 1, 3, -66.7]]],
    [
      'course-ranking',
      [[1, 'CS101', 'Programming', 'Science/Computing', 1, 4, 2, 50, 75, 1, 0]],
      { min_learners: '4' },
    ],
    // Two attempts of the first are one pair.
    [
      'category-rollup',
      [
        [1, 'Science', 'Science', 4, 5, 4, 4, 2, 50],
        [2, '  Computing', 'Science/Computing', 3, 5, 4, 4, 2, 50],
      ],
      { category: 'Science' },
    ],
    [
      'drop-off',
      [
        ['CS101', 1, 'CS101/01-intro', 2, 1, 0, 0],
        ['CS101', 2, 'CS101/02-loops', 1, 1, 0, 0],
      ],
    ],
    [
      'overview',
      [
        ['enrollments', 1, 3, -66.7, ''],
        ['completions', 2, 1, 100, ''],
        ['completion_rate', 50, 33.3, 50.2, '%'],
        ['active_learners', 2, 1, 100, ''],
        ['events', 3, 2, 50, ''],
      ],
    ],
  ])('%s', async (report, expected, given) => {
    const first = expected.map(([value]) => String(value))
    expect(await rowsOf(report, first, given)).toEqual(expected)
  })

  test('at-risk: exactly 7 days are silence, 6 are not; who completed, or was never enrolled, is not waited for', async () => {
    const atRisk = async (days: string) =>
      (await runReport(await campusOfFive, 'at-risk', { days })).map((row) => [
        ...[Number(row.learner_id), row.class, row.days_silent, row.reason],
      ])
    const fourth = [4, 'never_started', 7, 'never started, enrolled 2026-03-08']
    expect(await atRisk('7')).toEqual([fourth])
    expect(await atRisk('6')).toEqual([fourth, [5, 'silent', 6, 'no event since 2026-03-09']])
    expect(await atRisk('8')).toEqual([])
  })

  test('reconciliation: who enrols twice is one pair, and who is in the events only is told', async () => {
    const its = await five()
    await its.run(`insert into staging.stg_enrollment
      (enrollment_id, learner_id, learner_key, course_id, course_key, enrolled_at, enrolled_date_key, effective_at, source, load_id, position)
      select enrollment_id, learner_id, learner_key, 'CS101', 1, enrolled_at, enrolled_date_key, enrolled_at, source, 1, 0
      from core.fact_enrollment join core.learner using (learner_key)`)
    await its.run(`insert into staging.stg_learning_event
      (event_id, learner_id, learner_key, course_id, course_key, date_key, occurred_at, event_type, quantity, source, load_id, position)
      select learner_key || '/' || n, learner_id, learner_key, 'CS101', 1, 20260301, timestamp '2026-03-01', 'registered', 1, 'lms', 2, 0
      from core.learner, (values (1), (2)) as twice (n) where learner_key in (1, 3)`)
    expect((await runReport(its, 'reconciliation'))[1]).toEqual({
      ...{ course_id: 'CS101', roster: 4, events: 2, matched: 1, only_roster: 3, only_events: 1 },
    })
    const differences = await runReport(its, 'reconciliation-differences')
    expect(differences.map(({ learner_id, difference }) => [Number(learner_id), difference])).toEqual([
      [3, 'only in the events'],
      ...[2, 4, 5].map((learner) => [learner, 'only in the roster']),
    ])
  })
})

describe('parameters that choose of whom a report counts', () => {
  /** Four learners of two countries in three courses; two of them complete. */
  async function few(): Promise<DuckDBConnection> {
    const its = await openCampus({ enrollments: [], events: [], completions: [] })
    await its.run(
      `update core.dim_learner set country = case when learner_key <= 2 then 'FR' else 'PL' end where learner_key <> 0`,
    )
    const rows = [
      // Course 1 is in Science/Computing, 2 in Science/Computing/Data, 3 in History.
      [1, 1, '2026-01-05'],
      [2, 1, '2026-01-11'],
      [3, 1, '2026-01-12'],
      [4, 2, '2026-02-01'],
      [1, 3, '2026-02-02'],
    ]
    await its.run(`insert into core.fact_enrollment
      (enrollment_id, learner_key, course_key, attempt, enrolled_date_key, enrolled_at, status, source) values ${rows
        .map(
          ([learner, course, day]) =>
            `('${learner}/${course}', ${learner}, ${course}, 1, ${String(day).replaceAll('-', '')}, timestamp '${day}', 'active', 'roster')`,
        )
        .join(', ')}`)
    await its.run(`insert into core.fact_course_completion
      (learner_key, course_key, completed_date_key, completed_at, days_to_complete, source) values
      (1, 1, 20260115, timestamp '2026-01-15', 10, 'roster'), (3, 1, 20260201, timestamp '2026-02-01', 20, 'roster')`)
    const seen: readonly (readonly [learner: number, course: number, at: string, activity: string | null])[] =
      [
        [1, 1, '2026-01-06 10:00:00', 'CS101/01-intro'],
        [1, 1, '2026-01-06 10:20:00', 'CS101/02-loops'],
        [2, 1, '2026-01-13 09:00:00', 'CS101/01-intro'],
        [3, 1, '2026-01-13 09:00:00', 'CS101/01-intro'],
        [3, 1, '2026-01-14 09:10:00', 'CS101/03-lists'],
        [4, 2, '2026-02-02 12:00:00', 'CS102/01-tables'],
        [1, 3, '2026-02-03 12:00:00', null],
        // Of no course.
        [4, 0, '2026-02-03 13:00:00', null],
      ]
    await its.run(`insert into core.fact_learning_event
      (event_id, learner_key, course_key, date_key, occurred_at, event_type, activity_id, quantity, source) values ${seen
        .map(
          ([learner, course, at, activity], n) =>
            `('${n}', ${learner}, ${course}, ${at.slice(0, 10).replaceAll('-', '')}, timestamp '${at}', 'viewed', ${activity ? `'${activity}'` : 'null'}, 1, 'lms')`,
        )
        .join(', ')}`)
    // The roster does not know that the second is enrolled, the events know of the second and the third only.
    await its.run(`insert into staging.stg_enrollment
      (enrollment_id, learner_id, learner_key, course_id, course_key, enrolled_at, enrolled_date_key, effective_at, source, load_id, position)
      select e.enrollment_id, l.learner_id, e.learner_key, c.course_id, e.course_key, e.enrolled_at, e.enrolled_date_key, e.enrolled_at, e.source, 1, 0
      from core.fact_enrollment e join core.course c using (course_key) join core.learner l using (learner_key)
      where e.enrollment_id <> '2/1'`)
    await its.run(`insert into staging.stg_learning_event
      (event_id, learner_id, learner_key, course_id, course_key, date_key, occurred_at, event_type, quantity, source, load_id, position)
      select enrollment_id, learner_id, learner_key, 'CS101', 1, enrolled_date_key, enrolled_at, 'registered', 1, 'lms', 2, 0
      from core.fact_enrollment join core.learner using (learner_key) where enrollment_id in ('2/1', '3/1')`)
    return its
  }

  const campusOfFew = few()

  /** Of each row the values of these columns, in one line. */
  const linesOf =
    (its: DuckDBConnection, report: string, ...columns: readonly string[]) =>
    async (given: Record<string, string>) =>
      (await runReport(its, report, given)).map((row) => columns.map((name) => row[name] ?? '-').join(' '))

  test.each<[Record<string, string>, number, number]>([
    [{}, 5, 2],
    [{ country: 'FR' }, 3, 1],
    [{ country: 'PL' }, 2, 1],
    [{ country: 'DE' }, 0, 0],
    [{ course: 'CS101' }, 3, 2],
    [{ course: 'CS101', country: 'FR' }, 2, 1],
    [{ category: 'Science/Computing' }, 4, 2],
    [{ category: 'Science' }, 4, 2],
    // Not by the beginning of a name.
    [{ category: 'Scien' }, 0, 0],
    [{ category: 'cat12' }, 3, 2],
    // Both days are part of it.
    [{ since: '2026-01-11', until: '2026-02-01' }, 3, 1],
    [{ until: '2026-01-10' }, 1, 1],
    // The first and the second began in the week of 5 January, whatever they enrolled in later.
    [{ cohort: '2026-W02' }, 3, 1],
    [{ cohort: '2026-W02', course: 'HI201' }, 1, 0],
    [{ cohort: '2026-W06' }, 0, 0],
  ])('%j: %i enrolled, %i completed', async (given, enrolled, completed) => {
    const its = await campusOfFew
    const [all] = await runReport(its, 'completion-rate', given)
    expect([all?.enrolled ?? 0, all?.completed ?? 0]).toEqual([enrolled, completed])
    const steps = await runReport(its, 'funnel', given)
    const reached = (step: string) => steps.find((row) => row.step === step)?.pairs
    expect([reached('enrolled'), reached('completed')]).toEqual([enrolled, completed])
    const [open] = await runReport(its, 'time-to-completion', given)
    expect([open?.enrolled ?? 0, open?.completed ?? 0]).toEqual([enrolled, completed])
    if ('since' in given || 'until' in given || 'cohort' in given) return
    const total = async (report: string) =>
      sum((await runReport(its, report, given)).map((row) => Number(row[report])))
    expect([await total('enrollments'), await total('completions')]).toEqual([enrolled, completed])
  })

  test('retention of one cohort, of a course and of a country: 11 January is a Sunday, the 12th another week', async () => {
    const its = await campusOfFew
    const cohorts = async (given: Record<string, string>) =>
      (await runReport(its, 'retention', given)).map(({ cohort, learners }) => `${cohort} ${learners}`)
    expect(await cohorts({})).toEqual(['2026-W02 2', '2026-W03 1', '2026-W05 1'])
    expect(await cohorts({ cohort: '2026-W03' })).toEqual(['2026-W03 1'])
    expect(await cohorts({ country: 'PL' })).toEqual(['2026-W03 1', '2026-W05 1'])
    expect(await cohorts({ course: 'HI201' })).toEqual(['2026-W06 1'])
    expect(await cohorts({ category: 'Science' })).toEqual(['2026-W02 2', '2026-W03 1', '2026-W05 1'])
    expect(await cohorts({ category: 'History' })).toEqual(['2026-W06 1'])
    // Cohorts are whole, or not there.
    expect(await cohorts({ since: '2026-01-06' })).toEqual(['2026-W03 1', '2026-W05 1'])
    expect(await cohorts({ since: '2026-01-12', until: '2026-01-12' })).toEqual(['2026-W03 1'])
    expect(await cohorts({ country: 'DE' })).toEqual([])
  })

  test('active-learners: of whom, and of which courses', async () => {
    const its = await campusOfFew
    const active = async (given: Record<string, string>) => {
      const rows = await runReport(its, 'active-learners', given)
      return [rows[0]?.day, rows.length, sum(rows.map(({ dau }) => Number(dau)))]
    }
    // Until the newest day of all events, 3 February.
    expect(await active({})).toEqual(['2026-01-06', 29, 7])
    expect(await active({ country: 'FR' })).toEqual(['2026-01-06', 29, 3])
    expect(await active({ country: 'PL' })).toEqual(['2026-01-13', 22, 4])
    expect(await active({ course: 'CS101' })).toEqual(['2026-01-06', 29, 4])
    expect(await active({ category: 'Science' })).toEqual(['2026-01-06', 29, 5])
    expect(await active({ category: 'cat13' })).toEqual(['2026-02-02', 2, 1])
    expect(await active({ cohort: '2026-W02' })).toEqual(['2026-01-06', 29, 3])
    expect(await active({ cohort: '2026-W05' })).toEqual(['2026-02-02', 2, 2])
    expect(await active({ cohort: '2026-W02', country: 'PL' })).toEqual([undefined, 0, 0])
    expect(await active({ country: 'PL', since: '2026-02-01', until: '2026-02-02' })).toEqual([
      ...['2026-02-01', 2, 1],
    ])
  })

  test('daily: of whom, and of which courses', async () => {
    const its = await campusOfFew
    const daily = async (given: Record<string, string>) => {
      const rows = await runReport(its, 'daily', given)
      const total = (name: string) => sum(rows.map((row) => Number(row[name])))
      return [
        rows[0]?.day,
        rows.length,
        ...['enrollments', 'completions', 'active_learners', 'events'].map(total),
      ]
    }
    expect(await daily({})).toEqual(['2026-01-05', 30, 5, 2, 7, 8])
    expect(await daily({ country: 'FR' })).toEqual(['2026-01-05', 30, 3, 1, 3, 4])
    expect(await daily({ country: 'PL' })).toEqual(['2026-01-12', 23, 2, 1, 4, 4])
    expect(await daily({ course: 'CS101' })).toEqual(['2026-01-05', 30, 3, 2, 4, 5])
    expect(await daily({ category: 'Science' })).toEqual(['2026-01-05', 30, 4, 2, 5, 6])
    expect(await daily({ country: 'DE' })).toEqual([undefined, 0, 0, 0, 0, 0])
  })

  test('overview: the week up to 3 February, of some only', async () => {
    const its = await campusOfFew
    const overview = linesOf(its, 'overview', 'kpi', 'value', 'previous')
    expect(await overview({})).toEqual([
      ...[
        'enrollments 2 0',
        'completions 1 0',
        'completion_rate 40 33.3',
        'active_learners 2 0',
        'events 3 0',
      ],
    ])
    expect(await overview({ country: 'PL' })).toEqual([
      ...['enrollments 1 0', 'completions 1 0', 'completion_rate 50 0', 'active_learners 1 0', 'events 2 0'],
    ])
    expect(await overview({ course: 'CS101' })).toEqual([
      ...[
        'enrollments 0 0',
        'completions 1 0',
        'completion_rate 66.7 33.3',
        'active_learners 0 0',
        'events 0 0',
      ],
    ])
    expect(await overview({ category: 'History' })).toEqual([
      ...['enrollments 1 0', 'completions 0 0', 'completion_rate 0 -', 'active_learners 1 0', 'events 1 0'],
    ])
    expect(await overview({ country: 'DE' })).toEqual([
      ...['enrollments 0 0', 'completions 0 0', 'completion_rate - -', 'active_learners 0 0', 'events 0 0'],
    ])
  })

  test('at-risk: of a category, a country, and of who enrolled in some days', async () => {
    const atRisk = linesOf(await campusOfFew, 'at-risk', 'course_id', 'days_silent')
    const all = { days: '0' }
    expect(await atRisk(all)).toEqual(['CS101 28', 'CS101 21', 'CS101 20', 'CS102 1', 'HI201 0'])
    expect(await atRisk({ ...all, country: 'FR' })).toEqual(['CS101 28', 'CS101 21', 'HI201 0'])
    expect(await atRisk({ ...all, category: 'Science/Computing/Data' })).toEqual(['CS102 1'])
    expect(await atRisk({ ...all, since: '2026-01-12' })).toEqual(['CS101 20', 'CS102 1', 'HI201 0'])
    expect(await atRisk({ ...all, until: '2026-01-11' })).toEqual(['CS101 28', 'CS101 21'])
    expect(await atRisk({ ...all, country: 'FR', most: '1' })).toEqual(['CS101 28'])
    expect(await atRisk({ ...all, country: 'DE' })).toEqual([])
  })

  test('category-rollup: of some learners and days, and of a part of the tree', async () => {
    const rollup = linesOf(
      await campusOfFew,
      'category-rollup',
      'path',
      'enrollments',
      'learners',
      'pairs',
      'completed',
    )
    expect(await rollup({ country: 'FR' })).toEqual([
      ...[
        'History 1 1 1 0',
        'Science 2 2 2 1',
        'Science/Computing 2 2 2 1',
        'Science/Computing/Data 0 0 0 0',
      ],
      'Science Fiction 0 0 0 0',
    ])
    expect(await rollup({ category: 'Science/Computing' })).toEqual([
      ...['Science/Computing 4 4 4 2', 'Science/Computing/Data 1 1 1 0'],
    ])
    expect(await rollup({ category: 'Science', since: '2026-01-12', until: '2026-02-01' })).toEqual([
      ...['Science 2 2 2 1', 'Science/Computing 2 2 2 1', 'Science/Computing/Data 1 1 1 0'],
    ])
    expect(await rollup({ category: 'Scien' })).toEqual([])
  })

  test('course-ranking: places among the courses of a category, by some learners and days', async () => {
    const ranking = linesOf(
      await campusOfFew,
      'course-ranking',
      'place',
      'course_id',
      'learners',
      'completion_percent',
    )
    const all = { min_learners: '1' }
    expect(await ranking(all)).toEqual(['1 CS101 3 66.7', '2 CS102 1 0', '2 HI201 1 0'])
    expect(await ranking({ ...all, country: 'FR' })).toEqual(['1 CS101 2 50', '2 HI201 1 0'])
    expect(await ranking({ ...all, category: 'Science' })).toEqual(['1 CS101 3 66.7', '2 CS102 1 0'])
    expect(await ranking({ ...all, since: '2026-02-01' })).toEqual(['1 CS102 1 0', '1 HI201 1 0'])
    expect(await ranking({ ...all, until: '2026-01-05' })).toEqual(['1 CS101 1 100'])
    expect(await ranking({ min_learners: '3', country: 'FR' })).toEqual([])
  })

  test('course-table: of a course, a category and a country, with new enrollments of the week before 3 February', async () => {
    const table = linesOf(
      await campusOfFew,
      'course-table',
      'course_id',
      'enrolled',
      'completed',
      'new_enrollments',
    )
    expect(await table({})).toEqual(['CS101 3 2 0', 'CS102 1 0 1', 'HI201 1 0 1'])
    expect(await table({ country: 'FR' })).toEqual(['CS101 2 1 0', 'HI201 1 0 1'])
    expect(await table({ course: 'CS102' })).toEqual(['CS102 1 0 1'])
    expect(await table({ category: 'Science', country: 'PL' })).toEqual(['CS101 1 1 0', 'CS102 1 0 1'])
    expect(await table({ country: 'DE' })).toEqual([])
  })

  test('drop-off: the order is that of all learners, whomever it counts', async () => {
    const steps = linesOf(await campusOfFew, 'drop-off', 'activity_id', 'reached', 'last_here', 'dropped')
    const of = { course: 'CS101' }
    expect(await steps(of)).toEqual(['CS101/01-intro 3 1 1', 'CS101/02-loops 2 1 0', 'CS101/03-lists 1 1 0'])
    expect(await steps({ ...of, country: 'FR' })).toEqual([
      ...['CS101/01-intro 2 1 1', 'CS101/02-loops 1 1 0', 'CS101/03-lists 0 0 0'],
    ])
    expect(await steps({ ...of, since: '2026-01-12' })).toEqual([
      ...['CS101/01-intro 1 0 0', 'CS101/02-loops 1 0 0', 'CS101/03-lists 1 1 0'],
    ])
    expect(await steps({ ...of, until: '2026-01-11' })).toEqual([
      ...['CS101/01-intro 2 1 1', 'CS101/02-loops 1 1 0', 'CS101/03-lists 0 0 0'],
    ])
    expect(await steps({ category: 'Science/Computing/Data' })).toEqual(['CS102/01-tables 1 1 1'])
    expect(await steps({ category: 'History' })).toEqual([])
  })

  test('time-on-task: of some learners, courses and days', async () => {
    const tasks = linesOf(
      await campusOfFew,
      'time-on-task',
      'course_id',
      'learners',
      'sessions_long',
      'hours_long',
    )
    expect(await tasks({})).toEqual(['CS101 3 4 0.33', 'CS102 1 1 0', 'HI201 1 1 0'])
    expect(await tasks({ country: 'FR' })).toEqual(['CS101 2 2 0.33', 'HI201 1 1 0'])
    expect(await tasks({ category: 'Science' })).toEqual(['CS101 3 4 0.33', 'CS102 1 1 0'])
    expect(await tasks({ since: '2026-01-14' })).toEqual(['CS101 1 1 0', 'CS102 1 1 0', 'HI201 1 1 0'])
    expect(await tasks({ until: '2026-01-06' })).toEqual(['CS101 1 1 0.33'])
    expect(await tasks({ country: 'DE' })).toEqual([])
  })

  test('reconciliation, and its differences: of a course, a category and a country', async () => {
    const its = await campusOfFew
    const sums = linesOf(its, 'reconciliation', 'course_id', 'roster', 'events', 'matched')
    expect(await sums({})).toEqual(['All courses 4 2 1', 'CS101 2 2 1', 'CS102 1 0 0', 'HI201 1 0 0'])
    expect(await sums({ country: 'FR' })).toEqual(['All courses 2 1 0', 'CS101 1 1 0', 'HI201 1 0 0'])
    expect(await sums({ course: 'CS101' })).toEqual(['All courses 2 2 1', 'CS101 2 2 1'])
    expect(await sums({ category: 'cat13' })).toEqual(['All courses 1 0 0', 'CS102 1 0 0'])
    expect(await sums({ country: 'DE' })).toEqual([])
    const differences = linesOf(its, 'reconciliation-differences', 'course_id', 'difference')
    expect(await differences({ country: 'FR' })).toEqual([
      ...['CS101 only in the events', 'CS101 only in the roster', 'HI201 only in the roster'],
    ])
    expect(await differences({ category: 'Science', country: 'PL' })).toEqual(['CS102 only in the roster'])
    expect(await differences({ country: 'DE' })).toEqual([])
  })
})

describe('suspected-doubles', () => {
  test('are instants that two sources tell of, by course, and nothing inside one source', async () => {
    expect(await runReport(db, 'suspected-doubles')).toEqual([])
    const its = await openCampus({ enrollments: [], events: [], completions: [] })
    const event = (
      id: number,
      source: string,
      learner: number,
      course: number,
      at: string,
      activity = 'null',
    ) =>
      `('${id}', '${source}', ${learner}, ${course}, cast(replace(substr('${at}', 1, 10), '-', '') as int), timestamp '${at}', 'viewed', ${activity}, 1)`
    await its.run(`insert into core.fact_learning_event
      (event_id, source, learner_key, course_key, date_key, occurred_at, event_type, activity_id, quantity) values
      ${[
        // Within one second, whatever its fraction; with no activity too. Twice in one source is one instant.
        event(1, 'lms', 1, 1, '2026-03-01 10:00:00.100'),
        event(2, 'xapi', 1, 1, '2026-03-01 10:00:00.900'),
        event(3, 'xapi', 1, 1, '2026-03-01 10:00:00.950'),
        event(4, 'lms', 2, 1, '2026-03-03 10:00:00', "'page'"),
        event(5, 'xapi', 2, 1, '2026-03-03 10:00:00', "'page'"),
        // Another second, another activity, another learner, one source only.
        event(6, 'lms', 1, 1, '2026-03-01 11:00:00.999'),
        event(7, 'xapi', 1, 1, '2026-03-01 11:00:01.000'),
        event(8, 'lms', 1, 1, '2026-03-01 12:00:00', "'page'"),
        event(9, 'xapi', 1, 1, '2026-03-01 12:00:00', "'quiz'"),
        event(10, 'lms', 3, 1, '2026-03-01 13:00:00'),
        event(11, 'xapi', 4, 1, '2026-03-01 13:00:00'),
        event(12, 'lms', 1, 2, '2026-03-01 13:00:00'),
        event(13, 'lms', 1, 2, '2026-03-01 13:00:00'),
        // In a third source: two pairs, one after the other.
        event(14, 'badge', 2, 1, '2026-03-03 10:00:00', "'page'"),
      ].join(', ')}`)
    const row = (source_a: string, source_b: string, doubles: number, learners: number, share: number) => ({
      ...{ course_id: 'CS101', source_a, source_b, doubles, learners, share },
    })
    const inMarch = { first_day: '2026-03-03', last_day: '2026-03-03' }
    // Of lms there are 5 events in the course, of xapi 6, of badge 1.
    expect(await runReport(its, 'suspected-doubles')).toEqual([
      { ...row('lms', 'xapi', 2, 2, 2 / 5), first_day: '2026-03-01', last_day: '2026-03-03' },
      { ...row('badge', 'lms', 1, 1, 1), ...inMarch },
    ])
    expect(await runReport(its, 'suspected-doubles', { since: '2026-03-02' })).toEqual([
      { ...row('badge', 'lms', 1, 1, 1), ...inMarch },
      { ...row('lms', 'xapi', 1, 1, 1), ...inMarch },
    ])
    expect(await runReport(its, 'suspected-doubles', { until: '2026-03-02' })).toMatchObject([{ doubles: 1 }])
    expect(await runReport(its, 'suspected-doubles', { course: 'CS102' })).toEqual([])
    // Where the learners are now: they were in FR.
    const chosen = async (given: Record<string, string>) =>
      sum((await runReport(its, 'suspected-doubles', given)).map(({ doubles }) => Number(doubles)))
    expect(await chosen({ country: 'DE', category: 'Science/Computing' })).toBe(3)
    expect(await chosen({ country: 'FR' })).toBe(0)
    expect(await chosen({ category: 'History' })).toBe(0)
  })
})

/** The campus, where a second source brings what was viewed once more. */
async function withCopies(isBackwards = false): Promise<DuckDBConnection> {
  const its = await openCampus(campus, isBackwards)
  await its.run(`insert into core.fact_learning_event
    select * replace ('copy/' || event_id as event_id, 'copy' as source) from core.fact_learning_event where event_type = 'viewed'`)
  return its
}

describe('every report', () => {
  test.each(listSql('reports'))(
    '%s: charts its own columns, keeps its order, bears an empty warehouse',
    async (name) => {
      const isOfTwo = name === 'suspected-doubles'
      const rows = await runReport(isOfTwo ? await withCopies() : db, name)
      const { chart, header } = readSql('reports', name)
      expect(rows.length).toBeGreaterThan(0)
      const drawn = chart?.kind === 'count' ? [chart.x] : chart ? [chart.x, ...chart.y] : []
      for (const column of [...drawn, ...(header.table?.[0]?.split(', ') ?? [])])
        expect(Object.keys(rows[0] as Plain)).toContain(column)
      // A line of more days than cells is a moving mean already: of means it would be smoothed twice.
      if (chart?.kind === 'line') expect(chart.y.filter((column) => column.startsWith('mean_'))).toEqual([])
      // The same rows put in the other way round, on one thread: an order that is not total would show.
      expect(await runReport(isOfTwo ? await withCopies(true) : await backwards, name)).toEqual(rows)
      await expect(runReport(await empty, name)).resolves.toBeInstanceOf(Array)
    },
  )
})

const backwards = openCampus(campus, true)
const empty = openCampus({ enrollments: [], events: [], completions: [] })

/** The quantile by linear interpolation between the two nearest, as SQL's percentile_cont; null of nothing. */
function quantile(values: readonly number[], q: number): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * q
  const low = sorted[Math.floor(place)]
  const high = sorted[Math.ceil(place)]
  return low === undefined || high === undefined ? null : low + (high - low) * (place - Math.floor(place))
}
