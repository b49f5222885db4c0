/**
 * Who enrolls in what, when, how it ends and how many events it brings: decided before any event is written,
 * in typed arrays with one element per enrollment (about 35 bytes each), so that the number of events costs no
 * memory.
 */
import { UserError } from '../../errors.ts'
import { type Course, courseWeights, type Window } from './catalog.ts'
import { utcOffsetSeconds } from './people.ts'
import { hash, pickWeighted, Random, runningSums } from './random.ts'

/** How an enrollment ends inside the window. `open` ones are under way or were left without a word. */
export const OUTCOME = { open: 0, withdrawn: 1, passed: 2, failed: 3 } as const

/** Arrays by enrollment. Times are seconds, days whole days, both from the start of the window. */
export interface Plan {
  readonly count: number
  readonly learner: Uint32Array
  readonly course: Uint32Array
  readonly enrolledAt: Uint32Array
  /** The last day on which it has a session. */
  readonly lastDay: Uint16Array
  readonly outcome: Uint8Array
  /** 1 = paid for a certificate. */
  readonly verified: Uint8Array
  /** 1 = the platform logged `registered` (and `unregistered`); else only the roster knows. */
  readonly logged: Uint8Array
  /** Events of its sessions, without those that register, unregister and finish it. */
  readonly events: Uint32Array
  /** Milliseconds from the start of the window at which it was completed or left; 0 before, filled while events are made. */
  readonly endedAtMs: Float64Array
  /** Enrollments in the order of `enrolledAt`. */
  readonly order: Uint32Array
  /** By learner: the day of the first enrollment; the window's length for those who have none. */
  readonly firstDay: Uint16Array
}

export interface PlanSize {
  readonly learners: number
  readonly enrollments: number
  readonly events: number
  readonly seed: number
  readonly window: Window
  readonly courses: readonly Course[]
}

const streams = { plan: 50, appetite: 51, motivation: 52 }
const daySeconds = 86_400

/** How many of 1,000 events fall into each hour, in the learner's own time. */
const hourWeights = [
  18, 9, 5, 3, 3, 5, 12, 25, 38, 48, 55, 54, 46, 47, 52, 54, 55, 56, 60, 72, 86, 88, 66, 43,
]
const hourSums = runningSums(hourWeights)

/** A second of the UTC day at which a learner would be at work. */
export function secondOfDay(random: Random, seed: number, learner: number): number {
  const local = pickWeighted(hourSums, random.below(1000)) * 3600 + random.below(3600)
  return (local - utcOffsetSeconds(seed, learner) + 2 * daySeconds) % daySeconds
}

/** 0 = Monday … 6 = Sunday. */
export function weekday(window: Window, day: number): number {
  return (window.startMs / 86_400_000 + day + 3) % 7
}

/**
 * The plan has exactly `enrollments` enrollments and brings exactly `events` events. When the events do not
 * suffice for everybody who would complete, fewer complete.
 */
export function planEnrollments(size: PlanSize): Plan {
  const { enrollments: count, learners, window, courses, seed } = size
  const plan: Plan = {
    count,
    learner: new Uint32Array(count),
    course: new Uint32Array(count),
    enrolledAt: new Uint32Array(count),
    lastDay: new Uint16Array(count),
    outcome: new Uint8Array(count),
    verified: new Uint8Array(count),
    logged: new Uint8Array(count),
    events: new Uint32Array(count),
    endedAtMs: new Float64Array(count),
    order: new Uint32Array(count),
    firstDay: new Uint16Array(learners).fill(window.days),
  }
  const random = new Random(seed, streams.plan)
  const popularity = runningSums(courseWeights(seed, courses.length))
  const shares = enrollmentsByLearner(size)
  let index = 0
  for (let learner = 0; learner < learners; learner++) {
    const begin = index
    for (let n = shares[learner] as number; n > 0; n--, index++) {
      plan.learner[index] = learner
      if (!enrollAgain(plan, begin, index, window, random)) {
        const course = freeCourse(plan, begin, index, courses.length, popularity, random)
        plan.course[index] = course
        plan.enrolledAt[index] = enrollmentTime(courses[course] as Course, learner, size, random)
      }
      decideOutcome(plan, index, size, random)
      plan.firstDay[learner] = Math.min(plan.firstDay[learner] as number, dayOf(plan, index))
    }
  }
  sortByTime(plan)
  shareEvents(plan, size, random)
  return plan
}

/** The day on which the enrollment was made. */
export function dayOf(plan: Plan, index: number): number {
  return Math.floor((plan.enrolledAt[index] as number) / daySeconds)
}

/** Completion is logged as progressed, completed, passed or failed, and for some a certificate earned. */
export function closingEvents(plan: Plan, index: number): number {
  const outcome = plan.outcome[index] as number
  if (outcome < OUTCOME.passed) return 0
  return outcome === OUTCOME.passed && plan.verified[index] === 1 ? 4 : 3
}

/** Most take a few courses, some many, a few none; in all exactly the number asked for. */
function enrollmentsByLearner({ learners, enrollments, courses, seed }: PlanSize): Uint32Array {
  if (enrollments > (learners * courses.length) / 2) {
    throw new UserError(
      'LPA-SAMPLE-SIZE',
      `${enrollments} enrollments are too many for ${learners} learners and ${courses.length} courses.`,
      { exit: 'usage', next: 'Ask for more learners or courses: at most half of all pairs can be enrolled.' },
    )
  }
  const appetite = (learner: number) => {
    const bits = hash(seed, streams.appetite, learner)
    return bits % 25 === 0 ? 0 : 2 + ((bits >>> 8) % 5) + (bits % 16 === 1 ? 9 : 0)
  }
  const shares = new Uint32Array(learners)
  let total = 0
  for (let learner = 0; learner < learners; learner++) total += appetite(learner)
  let sum = 0
  let given = 0
  for (let learner = 0; learner < learners; learner++) {
    sum += appetite(learner)
    const upTo = sum === total ? enrollments : Math.floor((enrollments * sum) / total)
    shares[learner] = Math.min(courses.length, upTo - given)
    given += shares[learner] as number
  }
  for (let learner = 0; given < enrollments; learner = (learner + 1) % learners) {
    if ((shares[learner] as number) >= courses.length) continue
    shares[learner] = (shares[learner] as number) + 1
    given++
  }
  return shares
}

/** A third of those who withdraw enroll in the same course again, days later. */
function enrollAgain(plan: Plan, begin: number, index: number, window: Window, random: Random): boolean {
  const last = index - 1
  if (last < begin || plan.outcome[last] !== OUTCOME.withdrawn || !random.perMille(350)) return false
  const left = Math.floor((plan.endedAtMs[last] as number) / 1000)
  const again = left + (1 + random.below(20)) * daySeconds + random.below(7200)
  if (again >= window.days * daySeconds) return false
  plan.course[index] = plan.course[last] as number
  plan.enrolledAt[index] = again
  return true
}

/** A course by popularity that the learner has not taken. */
function freeCourse(
  plan: Plan,
  begin: number,
  index: number,
  courseCount: number,
  popularity: Float64Array,
  random: Random,
): number {
  const whole = popularity.at(-1) as number
  let course = pickWeighted(popularity, (random.next() / 4294967296) * whole)
  for (let taken = begin; taken < index; ) {
    if (plan.course[taken] === course) {
      course = (course + 1) % courseCount
      taken = begin
    } else taken++
  }
  return course
}

/** Around the start of the course's term, most just before and after it; any day when learners pace themselves. */
function enrollmentTime(course: Course, learner: number, { window, seed }: PlanSize, random: Random): number {
  const draw = () =>
    course.termDay < 0 || random.perMille(80)
      ? random.below(window.days)
      : course.termDay - 8 + random.below(10) + random.below(12)
  let day = draw()
  if (weekday(window, Math.max(0, day)) > 4) day = draw()
  day = Math.min(window.days - 1, Math.max(0, day))
  return day * daySeconds + secondOfDay(random, seed, learner)
}

function decideOutcome(plan: Plan, index: number, { window, seed }: PlanSize, random: Random): void {
  const learner = plan.learner[index] as number
  const day = dayOf(plan, index)
  const end = window.days - 1
  const motivation = hash(seed, streams.motivation, learner) % 100
  const verified = random.below(100) < 8 + motivation / 5 ? 1 : 0
  plan.verified[index] = verified
  plan.logged[index] = random.perMille(600) ? 1 : 0
  plan.lastDay[index] = end
  const fate = random.below(1000)
  if (fate < 80) {
    const leaves = day + 2 + random.below(26)
    if (leaves <= end) {
      plan.outcome[index] = OUTCOME.withdrawn
      plan.lastDay[index] = leaves - 1
      plan.endedAtMs[index] = (leaves * daySeconds + secondOfDay(random, seed, learner)) * 1000
    }
  } else if (fate < 80 + 40 + motivation + 250 * verified) {
    const finishes = day + 12 + random.below(40)
    if (finishes <= end) {
      plan.outcome[index] = random.perMille(880) ? OUTCOME.passed : OUTCOME.failed
      plan.lastDay[index] = finishes
    }
  } else if (fate < 930) {
    // The hazard of leaving is greatest at first: the sum of halves, a geometric number of weeks.
    let days = 1 + random.below(6)
    while (random.perMille(620) && days < 120) days += 7
    plan.lastDay[index] = Math.min(end, day + days)
  }
}

function sortByTime(plan: Plan): void {
  // Time and index in one double, exact below 2^53: sorting numbers is ten times as fast as with a comparison.
  const width = Math.max(1, plan.count)
  const keys = new Float64Array(plan.count)
  for (let index = 0; index < plan.count; index++)
    keys[index] = (plan.enrolledAt[index] as number) * width + index
  keys.sort()
  for (let rank = 0; rank < plan.count; rank++) plan.order[rank] = (keys[rank] as number) % width
}

/** Hands out the events: first those that must be, the rest by how busy an enrollment would be. */
function shareEvents(plan: Plan, { events, courses, window }: PlanSize, random: Random): void {
  const fixedFor = (index: number) => {
    const leaves = plan.outcome[index] === OUTCOME.withdrawn ? 1 : 0
    const required = closingEvents(plan, index) > 0 ? requiredOf(courses, plan, index) : 0
    return (plan.logged[index] as number) * (1 + leaves) + required + closingEvents(plan, index)
  }
  let fixed = 0
  for (let index = 0; index < plan.count; index++) fixed += fixedFor(index)
  for (let index = plan.count - 1; index >= 0 && fixed > events; index--) {
    fixed -= fixedFor(index)
    plan.logged[index] = 0
    if (closingEvents(plan, index) > 0) plan.outcome[index] = OUTCOME.open
  }

  const weights = new Uint16Array(plan.count)
  let total = 0
  for (let index = 0; index < plan.count; index++) {
    weights[index] = busyness(plan, index, window, random)
    total += weights[index] as number
  }
  const spare = events - fixed
  if (spare > 0 && total === 0) {
    throw new UserError('LPA-SAMPLE-SIZE', `${plan.count} enrollments are too few for ${events} events.`, {
      exit: 'usage',
      next: 'Ask for more learners, or for fewer events.',
    })
  }
  let sum = 0
  let given = 0
  for (let index = 0; index < plan.count; index++) {
    sum += weights[index] as number
    const upTo = sum === total ? spare : Math.floor((spare * sum) / total)
    const required = closingEvents(plan, index) > 0 ? requiredOf(courses, plan, index) : 0
    plan.events[index] = required + upTo - given
    given = upTo
  }
}

/** How many events an enrollment brings compared with others; one in seven never starts. */
function busyness(plan: Plan, index: number, window: Window, random: Random): number {
  const days = (plan.lastDay[index] as number) - dayOf(plan, index)
  if (closingEvents(plan, index) > 0) return 30 + random.below(60)
  if (days <= 0 || random.perMille(150)) return 0
  const weeks = Math.min(8, 1 + Math.floor(days / 7))
  // An enrollment near the window's end shows only its first days.
  const shown = plan.lastDay[index] === window.days - 1 ? Math.min(8, 1 + Math.floor(days / 3)) : weeks
  return 4 + random.below(10) + 6 * Math.min(weeks, shown)
}

const requiredOf = (courses: readonly Course[], plan: Plan, index: number) =>
  (courses[plan.course[index] as number] as Course).requiredActivities
