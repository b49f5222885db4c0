/** The event log: the timeline's events as lines, some late, some twice, some bad. */
import type { BadCounts } from './bad-rows.ts'
import type { Course, Window } from './catalog.ts'
import type { EventFormat } from './event-format.ts'
import { EventRows } from './event-row.ts'
import type { ExportFile } from './export-file.ts'
import type { Plan } from './plan.ts'
import { hash, Random } from './random.ts'
import { timeline } from './timeline.ts'

/** What an independent reader of the event log must find. */
export interface EventCounts {
  /** Lines in the file: good + doubles + all bad. */
  rows: number
  /** Different good events. */
  good: number
  /** Good lines that are there a second time. */
  doubles: number
  /** Lines that stand hours or days after events of their time: they were sent late. */
  late: number
  bad: BadCounts
  /** Different good events by event_type. */
  byType: Record<string, number>
  /** Different learners with a good event. */
  learners: number
  /** Different courses with a good event. */
  courses: number
}

export interface EventLog {
  readonly plan: Plan
  readonly courses: readonly Course[]
  readonly window: Window
  readonly seed: number
  /** Bad rows for each good one. */
  readonly badRows: number
  readonly format: EventFormat
  /** Called for each course completion, in order of time. */
  readonly onCompletion: (enrollment: number) => void
  /** Called after each megabyte. */
  readonly onChunk: (events: number) => Promise<void>
}

const streams = { log: 80, offline: 81 }
const two32 = 4294967296
const doubleRate = 0.0005
/** Of each 1,000 sessions, those whose learner is offline: their events arrive hours to days later. */
const offlineSessions = 5

export async function writeEvents(file: ExportFile, log: EventLog): Promise<EventCounts> {
  const { plan, format, seed } = log
  const counts: EventCounts = {
    rows: 0,
    good: 0,
    doubles: 0,
    late: 0,
    bad: {},
    byType: {},
    learners: 0,
    courses: 0,
  }
  const random = new Random(seed, streams.log)
  const rows = new EventRows(plan, log.courses, log.window, seed)
  const held = new HeldLines()
  const seenLearners = new Uint8Array(plan.firstDay.length)
  const seenCourses = new Uint8Array(log.courses.length)
  const badUpTo = Math.floor(log.badRows * two32)
  const doubleUpTo = badUpTo + Math.floor(doubleRate * two32)
  let badTurn = 0

  for (const turn of timeline(plan, log.window, seed)) {
    if (held.earliest <= turn.second) for (const line of held.due(turn.second)) file.write(line)
    const row = rows.fill(turn)
    const line = format.encode(row)
    const offline =
      turn.kind === 'session' && hash(seed, streams.offline, turn.session) % 1000 < offlineSessions
    const delay = offline ? 7200 + ((hash(seed, streams.offline, turn.session) >>> 10) % 260_000) : 0
    if (offline && held.hold(line, turn.second + delay)) counts.late++
    else file.write(line)
    counts.good++
    counts.byType[row.type] = (counts.byType[row.type] ?? 0) + 1
    seenLearners[plan.learner[turn.enrollment] as number] = 1
    if (row.courseId !== '') seenCourses[plan.course[turn.enrollment] as number] = 1
    if (row.type === 'completed' && row.activityType === 'course') log.onCompletion(turn.enrollment)

    const luck = random.next()
    if (luck < badUpTo) {
      const kind = format.badKinds[badTurn % format.badKinds.length] as keyof BadCounts
      file.write(format.encodeBad({ ...row, eventId: rows.newId() }, kind, badTurn++))
      counts.bad[kind] = (counts.bad[kind] ?? 0) + 1
    } else if (luck < doubleUpTo) {
      // Sent again at once, or hours later.
      if (luck % 2 === 0 || !held.hold(line, turn.second + 600 + (luck % 40_000))) file.write(line)
      counts.doubles++
    }
    if (file.full) {
      await file.drain()
      await log.onChunk(counts.good)
    }
  }
  for (const line of held.due(Number.POSITIVE_INFINITY)) {
    file.write(line)
    if (file.full) await file.drain()
  }
  for (const seen of seenLearners) counts.learners += seen
  for (const seen of seenCourses) counts.courses += seen
  file.bad = badTurn
  file.rows = counts.rows = counts.good + counts.doubles + badTurn
  return counts
}

/** Lines that wait for their time. A fixed number at most, so memory does not grow with the events. */
class HeldLines {
  static readonly most = 4096
  #lines: { line: string; due: number }[] = []
  earliest = Number.POSITIVE_INFINITY

  /** False when there is no room: the line is then written at once. */
  hold(line: string, due: number): boolean {
    if (this.#lines.length >= HeldLines.most) return false
    const sent = Math.ceil(due / 600) * 600 // many at once: looking for due lines costs time
    this.#lines.push({ line, due: sent })
    this.earliest = Math.min(this.earliest, sent)
    return true
  }

  due(second: number): string[] {
    const out = this.#lines.filter((held) => held.due <= second).map((held) => held.line)
    this.#lines = this.#lines.filter((held) => held.due > second)
    this.earliest = this.#lines.reduce((least, held) => Math.min(least, held.due), Number.POSITIVE_INFINITY)
    return out
  }
}
