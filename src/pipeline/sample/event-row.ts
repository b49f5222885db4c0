/** What an event says: the fields of the export, from the turn that the timeline gives. */
import { activityKind, type Course, type Window } from './catalog.ts'
import { Instants } from './instants.ts'
import { ipAddress, learnerId, userName } from './people.ts'
import { closingEvents, OUTCOME, type Plan } from './plan.ts'
import { hash, Random, scramble } from './random.ts'
import type { Turn } from './timeline.ts'

/** Fields as text, as they stand in the file; empty = absent. */
export interface EventRow {
  eventId: string
  type: string
  learnerId: string
  courseId: string
  activityId: string
  activityType: string
  sessionId: string
  occurredAt: string
  durationSeconds: string
  score: string
  progress: string
  quantity: string
  /** JSON object. */
  attributes: string
  ipAddress: string
  userName: string
}

export const eventColumns = [
  'event_id',
  'event_type',
  'learner_id',
  'course_id',
  'activity_id',
  'activity_type',
  'session_id',
  'occurred_at',
  'duration_seconds',
  'score',
  'progress',
  'quantity',
  'attributes',
  'ip_address',
  'user_name',
]

const streams = { events: 70, grade: 71, device: 72, pace: 73 }

const devices = [
  '{"device":{"type":"desktop","os":"Windows"}}',
  '{"device":{"type":"desktop","os":"macOS"}}',
  '{"device":{"type":"mobile","os":"Android"},"network":"cell"}',
  '{"device":{"type":"desktop","os":"Linux"}}',
  '{"device":{"type":"tablet","os":"iPadOS"},"network":"wifi"}',
  '{"device":{"type":"mobile","os":"iOS"},"network":"cell"}',
]
const speeds = ['1', '1', '1.25', '1.5', '2', '0.75']
const searches = ['limits', 'how to cite', 'deadline', 'certificate', 'loops', 'glossary', 'étude de cas']

// What happens in the middle of an activity, by its kind.
const middles: Record<string, readonly string[]> = {
  video: ['played', 'played', 'paused', 'seeked', 'played', 'paused'],
  reading: ['viewed', 'viewed', 'downloaded'],
  quiz: ['answered', 'answered', 'answered', 'submitted', 'scored', 'abandoned'],
  forum: ['commented', 'viewed', 'commented'],
  assignment: ['downloaded', 'submitted', 'scored', 'viewed'],
}
const openers: Record<string, string> = {
  video: 'launched',
  reading: 'viewed',
  quiz: 'attempted',
  forum: 'viewed',
  assignment: 'launched',
}
const twoDigits: readonly string[] = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'))
/** Hundredths as text: 0, 0.01 … 1. */
const shares: readonly string[] = Array.from({ length: 101 }, (_, n) => String(n / 100))

/** A final score in hundredths, known before the events: 60 and more passes. */
export function finalScore(plan: Plan, seed: number, enrollment: number): number {
  const bits = hash(seed, streams.grade, enrollment)
  if (plan.outcome[enrollment] === OUTCOME.failed) return 20 + (bits % 40)
  return 60 + Math.floor(((bits % 41) + ((bits >>> 8) % 41)) / 2)
}

export class EventRows {
  /** The same object again and again, as the turns are. */
  readonly row: EventRow = {
    eventId: '',
    type: '',
    learnerId: '',
    courseId: '',
    activityId: '',
    activityType: '',
    sessionId: '',
    occurredAt: '',
    durationSeconds: '',
    score: '',
    progress: '',
    quantity: '',
    attributes: '',
    ipAddress: '',
    userName: '',
  }
  readonly #random: Random
  readonly #plan: Plan
  readonly #seed: number
  readonly #courses: readonly Course[]
  readonly #instants: Instants
  readonly #idBase: number
  readonly #id = Buffer.from('00000000-0000-4000-a000-000000000000')
  #count = 0

  constructor(plan: Plan, courses: readonly Course[], window: Window, seed: number) {
    this.#random = new Random(seed, streams.events)
    this.#plan = plan
    this.#courses = courses
    this.#seed = seed
    this.#instants = new Instants(window)
    this.#idBase = hash(seed, streams.events, 0)
  }

  /** Fills `row`; notes in the plan when a course was completed. */
  fill(turn: Turn): EventRow {
    const { row } = this
    const enrollment = turn.enrollment
    const learner = this.#plan.learner[enrollment] as number
    const courseIndex = this.#plan.course[enrollment] as number
    const course = this.#courses[courseIndex] as Course
    const random = this.#random
    const ms = random.below(1000)
    row.eventId = this.newId()
    row.learnerId = learnerId(this.#seed, learner)
    row.courseId = course.courseId
    row.sessionId = turn.kind === 'session' ? `s${turn.session.toString(36)}` : ''
    row.occurredAt = this.#instants.millisecond(turn.second, turn.kind === 'session' ? ms : 0)
    row.activityId = row.activityType = row.durationSeconds = row.score = row.progress = row.quantity = ''
    row.attributes = row.ipAddress = row.userName = ''
    if (turn.kind !== 'session') {
      row.type = turn.kind
      row.attributes = this.#plan.verified[enrollment] === 1 ? '{"mode":"verified"}' : '{"mode":"audit"}'
      row.userName = userName(this.#seed, learner)
    } else {
      const step = turn.step - (this.#plan.events[enrollment] as number)
      if (step < 0) this.#fillStudy(turn, courseIndex, course)
      else this.#fillClosing(step, enrollment, course, turn.second * 1000 + ms)
      // Servers note who and from where at the door, other parts of the platform only sometimes.
      if (turn.opensSession || random.perMille(30)) {
        row.ipAddress = ipAddress(this.#seed, learner, turn.session % 3)
        row.userName = userName(this.#seed, learner)
      }
    }
    return row
  }

  /** A UUID; its first eight digits are the count, scrambled, so that no two are equal. */
  newId(): string {
    const id = this.#id
    const middle = this.#random.next()
    const end = this.#random.next()
    putHex(id, 0, 8, scramble(this.#count++ ^ this.#idBase))
    putHex(id, 9, 4, middle)
    putHex(id, 15, 3, middle >>> 16)
    putHex(id, 20, 3, end)
    putHex(id, 24, 4, end >>> 12)
    putHex(id, 28, 8, this.#random.next())
    return id.toString('latin1')
  }

  #fillStudy(turn: Turn, courseIndex: number, course: Course): void {
    const { row } = this
    const random = this.#random
    const enrollment = turn.enrollment
    const events = this.#plan.events[enrollment] as number
    const finishes = closingEvents(this.#plan, enrollment) > 0
    const reach = this.#reach(enrollment, events, course, finishes)
    // Activity a holds the events from ceil(a * events / reach) on: each at least one, as reach <= events.
    const order = Math.floor((turn.step * reach) / events)
    const first = Math.ceil((order * events) / reach)
    const next = Math.ceil(((order + 1) * events) / reach)
    const kind = activityKind(courseIndex, order)
    const done = turn.step === next - 1 && (finishes || order < reach - 1)
    const draw = random.below(1000)
    row.activityId = `${course.courseId}/${twoDigits[order + 1]}-${kind}`
    row.activityType = kind
    if (done) {
      row.type = 'completed'
      if (draw % 2 === 0) row.durationSeconds = String(30 + random.below(900))
    } else if (turn.opensSession && draw < 400) {
      this.#fillElsewhere('logged_in')
      row.attributes = devices[hash(this.#seed, streams.device, enrollment) % devices.length] as string
    } else if (turn.closesSession && draw < 150) {
      this.#fillElsewhere('logged_out')
    } else if (turn.step > first ? draw < 100 : order > 0 && draw < 450) {
      row.type = 'progressed'
      row.activityId = course.courseId
      row.activityType = 'course'
      const required = course.requiredActivities
      row.progress = shares[Math.floor((100 * Math.min(order, required)) / required)] as string
    } else if (draw > 985) {
      this.#fillElsewhere('searched')
      row.attributes = `{"query":"${searches[draw % searches.length]}"}`
    } else if (draw > 980) {
      row.type = 'other'
      row.attributes = '{"verb":"bookmarked"}'
    } else {
      const types = middles[kind] as readonly string[]
      row.type =
        turn.step === first ? (openers[kind] as string) : (types[random.below(types.length)] as string)
      this.#fillDetail(enrollment, draw)
    }
  }

  #fillDetail(enrollment: number, draw: number): void {
    const { row } = this
    switch (row.type) {
      case 'launched':
        row.attributes = devices[hash(this.#seed, streams.device, enrollment) % devices.length] as string
        break
      case 'played':
        row.durationSeconds = String(5 + this.#random.below(600))
        row.attributes = `{"speed":${speeds[draw % speeds.length]},"position":${this.#random.below(1800)}}`
        break
      case 'viewed':
      case 'paused':
        row.durationSeconds = String(5 + this.#random.below(400))
        break
      case 'answered':
        row.score = draw % 3 === 0 ? '0' : '1'
        row.quantity = draw % 5 === 0 ? String(2 + (draw % 4)) : ''
        break
      case 'scored':
        row.score = shares[40 + this.#random.below(61)] as string
        break
    }
  }

  /** The last events of a completed course: progress 1, completed, passed or failed, perhaps a certificate. */
  #fillClosing(step: number, enrollment: number, course: Course, atMs: number): void {
    const { row } = this
    row.activityId = course.courseId
    row.activityType = 'course'
    if (step === 0) {
      row.type = 'progressed'
      row.progress = '1'
    } else if (step < 3) {
      const passed = this.#plan.outcome[enrollment] === OUTCOME.passed
      row.type = step === 1 ? 'completed' : passed ? 'passed' : 'failed'
      row.score = shares[finalScore(this.#plan, this.#seed, enrollment)] as string
      if (step === 1) this.#plan.endedAtMs[enrollment] = atMs
    } else {
      row.type = 'earned'
      row.activityId = `${course.courseId}/certificate`
      row.activityType = 'certificate'
    }
  }

  #fillElsewhere(type: string): void {
    this.row.type = type
    this.row.courseId = this.row.activityId = this.row.activityType = ''
  }

  /** How many of a course's activities the events of an enrollment touch. */
  #reach(enrollment: number, events: number, course: Course, finishes: boolean): number {
    if (finishes) return events >= 2 * course.activities ? course.activities : course.requiredActivities
    const pace = 1.5 + (hash(this.#seed, streams.pace, enrollment) % 4) / 2
    return Math.max(1, Math.min(Math.floor(events / pace), course.requiredActivities - 1))
  }
}

/** Writes the lowest `digits` hexadecimal digits of `bits`: several times as fast as joining texts. */
function putHex(target: Buffer, at: number, digits: number, bits: number): void {
  let rest = bits
  for (let index = at + digits - 1; index >= at; index--) {
    const digit = rest & 15
    target[index] = digit < 10 ? 48 + digit : 87 + digit
    rest >>>= 4
  }
}
