/**
 * What happens on the campus, event by event in order of time. A day keeps a list of the enrollments that are
 * active on it, and the seconds of the day form a wheel on which each running session waits for its next
 * event, so an event costs the same whatever the size, and nothing is kept per event.
 */
import type { Window } from './catalog.ts'
import { closingEvents, dayOf, OUTCOME, type Plan, secondOfDay, weekday } from './plan.ts'
import { Random } from './random.ts'

export type TurnKind = 'registered' | 'session' | 'unregistered'

/** One event. The same object is given again and again: read it before asking for the next. */
export interface Turn {
  kind: TurnKind
  /** Seconds from the start of the window. */
  second: number
  enrollment: number
  /** Order of the event among those of the enrollment's sessions, from 0; closing events come last. */
  step: number
  /** Order of the session among all sessions of the campus. */
  session: number
  opensSession: boolean
  closesSession: boolean
}

const streams = { timeline: 60 }
const secondsPerDay = 86_400
const none = -1

/** All events of a plan by time; exactly as many as were planned. */
export function* timeline(plan: Plan, window: Window, seed: number): Generator<Turn, void, undefined> {
  const random = new Random(seed, streams.timeline)
  // The calendar: linked lists by day, as every enrollment waits for one day at a time.
  const dayHead = new Int32Array(window.days).fill(none)
  const dayNext = new Int32Array(plan.count)
  const entered = new Uint32Array(plan.count)
  const wheel = new Int32Array(secondsPerDay).fill(none)
  // The day's entries: an entry is one session, or a single event around it.
  let size = 1024
  let entryEnrollment = new Uint32Array(size)
  let entryLeft = new Uint32Array(size)
  let entrySession = new Uint32Array(size)
  let entryNext = new Int32Array(size)
  const kinds: TurnKind[] = []
  const steps = new Uint32Array(plan.count)
  let entries = 0
  let sessions = 0

  const callOn = (day: number, enrollment: number) => {
    dayNext[enrollment] = dayHead[day] as number
    dayHead[day] = enrollment
  }
  const wait = (entry: number, second: number) => {
    entryNext[entry] = wheel[second] as number
    wheel[second] = entry
  }
  const enter = (kind: TurnKind, enrollment: number, events: number, second: number) => {
    if (entries === size) {
      size *= 2
      entryEnrollment = grown(entryEnrollment, new Uint32Array(size))
      entryLeft = grown(entryLeft, new Uint32Array(size))
      entrySession = grown(entrySession, new Uint32Array(size))
      entryNext = grown(entryNext, new Int32Array(size))
    }
    entryEnrollment[entries] = enrollment
    entryLeft[entries] = events
    entrySession[entries] = none
    kinds[entries] = kind
    wait(entries++, second)
  }
  /** Enters today's session, not before `earliest`, and finds the day of the next. */
  const study = (enrollment: number, day: number, earliest: number) => {
    const planned = (plan.events[enrollment] as number) + closingEvents(plan, enrollment)
    const left = planned - (entered[enrollment] as number)
    const daysLeft = (plan.lastDay[enrollment] as number) - day
    // Many events in few days make long sessions.
    const usual = Math.max(2 + random.below(7), Math.ceil(left / (daysLeft + 1)))
    const closing = closingEvents(plan, enrollment)
    const events = daysLeft === 0 || left - usual <= closing ? left : usual
    const latest = Math.max(earliest, secondsPerDay - 1 - events * 400)
    const wanted = secondOfDay(random, seed, plan.learner[enrollment] as number)
    enter('session', enrollment, events, Math.min(latest, Math.max(earliest, wanted)))
    entered[enrollment] = planned - left + events
    if (events < left) callOn(nextDay(enrollment, day, Math.ceil((left - events) / usual)), enrollment)
    else sayGoodbye(enrollment)
  }
  const nextDay = (enrollment: number, day: number, sessionsLeft: number) => {
    const daysLeft = (plan.lastDay[enrollment] as number) - day
    // A course is finished on the day that was planned, not when the events happen to be used up.
    if (sessionsLeft === 1 && closingEvents(plan, enrollment) > 0) return day + daysLeft
    const gap = 1 + random.below(Math.max(1, Math.floor((2 * daysLeft) / (sessionsLeft + 1)) - 1))
    let next = day + Math.min(gap, daysLeft)
    const ofWeek = weekday(window, next)
    if (ofWeek > 4 && random.perMille(520)) next += 7 - ofWeek
    return Math.min(next, plan.lastDay[enrollment] as number)
  }
  const sayGoodbye = (enrollment: number) => {
    if (plan.outcome[enrollment] !== OUTCOME.withdrawn || plan.logged[enrollment] === 0) return
    callOn(Math.floor((plan.endedAtMs[enrollment] as number) / 1000 / secondsPerDay), enrollment)
  }
  /** One visit of the calendar: the first day, a study day or the day of leaving. */
  const visit = (enrollment: number, day: number) => {
    const enrolledAt = plan.enrolledAt[enrollment] as number
    const leaving = (plan.endedAtMs[enrollment] as number) / 1000
    if (day > (plan.lastDay[enrollment] as number)) {
      enter('unregistered', enrollment, 1, leaving % secondsPerDay)
    } else if (day > dayOf(plan, enrollment)) {
      study(enrollment, day, 0)
    } else {
      const second = enrolledAt % secondsPerDay
      if (plan.logged[enrollment] === 1) enter('registered', enrollment, 1, second)
      const planned = (plan.events[enrollment] as number) + closingEvents(plan, enrollment)
      const lastDay = plan.lastDay[enrollment] as number
      if (planned === 0) sayGoodbye(enrollment)
      else if (lastDay === day || (second < 70_000 && random.perMille(450)))
        study(enrollment, day, Math.min(secondsPerDay - 1, second + 40))
      else callOn(nextDay(enrollment, day, Math.ceil(planned / 5)), enrollment)
    }
  }

  const turn: Turn = {
    kind: 'session',
    second: 0,
    enrollment: 0,
    step: 0,
    session: 0,
    opensSession: false,
    closesSession: false,
  }
  for (let enrollment = 0; enrollment < plan.count; enrollment++) callOn(dayOf(plan, enrollment), enrollment)
  for (let day = 0; day < window.days; day++) {
    entries = 0
    for (let enrollment = dayHead[day] as number; enrollment !== none; ) {
      const following = dayNext[enrollment] as number // read first: the visit puts it on another day
      visit(enrollment, day)
      enrollment = following
    }
    for (let second = 0; second < secondsPerDay; second++) {
      for (let entry = wheel[second] as number; entry !== none; entry = wheel[second] as number) {
        wheel[second] = entryNext[entry] as number
        const enrollment = entryEnrollment[entry] as number
        turn.kind = kinds[entry] as TurnKind
        turn.second = day * secondsPerDay + second
        turn.enrollment = enrollment
        turn.opensSession = entrySession[entry] === none >>> 0
        if (turn.opensSession) entrySession[entry] = sessions++
        turn.session = entrySession[entry] as number
        turn.closesSession = entryLeft[entry] === 1
        turn.step = turn.kind === 'session' ? (steps[enrollment] as number) : 0
        if (turn.kind === 'session') steps[enrollment] = turn.step + 1
        if (--(entryLeft[entry] as number) > 0) wait(entry, later(second, random))
        yield turn
      }
    }
  }
}

/** The second of a session's next event: soon, now and then after a break; on the same day in any case. */
function later(second: number, random: Random): number {
  const share = random.below(1000)
  const pause =
    share < 12 ? 1900 + random.below(2600) : share < 110 ? 240 + random.below(900) : 2 + random.below(170)
  return second + pause < secondsPerDay ? second + pause : Math.min(secondsPerDay - 1, second + 1)
}

function grown<T extends Uint32Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
