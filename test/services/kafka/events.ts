/**
 * Learning events as messages of a topic, in the form of the campus export, which lpa reads without a mapping; the
 * same for the same seed. And an oracle that knows nothing of how they were made.
 */

import { Buffer } from 'node:buffer'
import { Random } from '../../../src/pipeline/sample/random.ts'
import type { Message } from './client.ts'

export interface EventOptions {
  readonly seed: number
  /** Distinct events. */
  readonly count: number
  readonly learners?: number
  readonly courses?: number
  /** How many of 1,000 events are sent a second time, later. */
  readonly duplicates?: number
  /** Each message is picked from the next so many; 1: in the order of time. */
  readonly disorder?: number
  /** So many of 1,000 messages have before them one that is no JSON. */
  readonly poison?: number
  /** So many of 1,000 messages have before them one without a value. */
  readonly tombstones?: number
  /** How many of 1,000 events have no key; the others have their learner's. */
  readonly nullKeys?: number
  /** Of the first event, milliseconds since 1970; the others follow within seconds. */
  readonly startAt?: number
}

export interface EventMessage extends Message {
  readonly value: Buffer | null
  readonly key: string | null
  readonly timestamp: number
}

const STREAM = 4100
const STARTS_AT = Date.parse('2026-03-02T08:00:00Z')
const MOST_PAUSE_MS = 4000
const TYPES = ['viewed', 'viewed', 'played', 'paused', 'answered', 'progressed']
const ACTIVITIES = ['video', 'page', 'quiz', 'forum']
const DEVICES = ['desktop', 'mobile', 'tablet']

/** The messages one after the other: a million of them need no memory. */
export function* eventMessages(options: EventOptions): Generator<EventMessage> {
  const { seed, poison = 0, tombstones = 0, disorder = 1 } = options
  const random = new Random(seed, STREAM)
  const waiting: EventMessage[] = []
  for (const event of withDuplicates(options, random)) {
    if (random.perMille(poison)) waiting.push({ ...event, value: poisonous(event, random) })
    if (random.perMille(tombstones)) waiting.push({ ...event, value: null })
    waiting.push(event)
    while (waiting.length >= disorder) yield take(waiting, random)
  }
  while (waiting.length > 0) yield take(waiting, random)
}

/** Removes one of them at random; the last takes its place, which keeps it cheap. */
function take(waiting: EventMessage[], random: Random): EventMessage {
  const index = random.below(waiting.length)
  const taken = waiting[index] as EventMessage
  const last = waiting.pop() as EventMessage
  if (index < waiting.length) waiting[index] = last
  return taken
}

/** How many events may lie between one and its duplicate. */
const MEMORY = 1000

function* withDuplicates(options: EventOptions, random: Random): Generator<EventMessage> {
  const { count, duplicates = 0, startAt = STARTS_AT } = options
  const again: EventMessage[] = []
  let at = startAt
  for (let number = 0; number < count; number += 1) {
    at += random.below(MOST_PAUSE_MS)
    const event = makeEvent(number, at, options, random)
    yield event
    if (random.perMille(duplicates)) again.push(event)
    if (again.length > 0 && (again.length === MEMORY || random.below(MEMORY) === 0)) yield take(again, random)
  }
  while (again.length > 0) yield take(again, random)
}

/** About 300 bytes. */
function makeEvent(number: number, at: number, options: EventOptions, random: Random): EventMessage {
  const { seed, learners = 500, courses = 20, nullKeys = 0 } = options
  const learner = `S${String(random.below(learners)).padStart(7, '0')}`
  const course = `course-${random.below(courses)}`
  const activity = pick(random, ACTIVITIES)
  const event = {
    event_id: `ev-${seed}-${number}`,
    event_type: pick(random, TYPES),
    learner_id: learner,
    course_id: course,
    activity_id: `${course}/${activity}-${random.below(40)}`,
    activity_type: activity,
    session_id: `s-${random.below(1_000_000)}`,
    occurred_at: new Date(at).toISOString(),
    quantity: (1 + random.below(2000)) / 1000,
    attributes: { device: { type: pick(random, DEVICES) }, chapter: random.below(12) },
  }
  const key = random.perMille(nullKeys) ? null : learner
  return { key, value: Buffer.from(JSON.stringify(event)), timestamp: at }
}

/** Bytes that are no JSON: random ones, which are no UTF-8 either, or an event that was cut off. */
function poisonous({ value }: EventMessage, random: Random): Buffer {
  if (value && random.below(2) === 0) return value.subarray(0, 1 + random.below(value.length - 1))
  return Buffer.from([0xff, ...Array.from({ length: random.below(200) }, () => random.below(256))])
}

const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)] as T

/** What has to be in the warehouse after all messages. */
export interface Expected {
  /** Distinct event ids. */
  readonly ids: ReadonlySet<string>
  /** Distinct events by course id. */
  readonly byCourse: ReadonlyMap<string, number>
  readonly messages: number
  /** Messages with an event that an earlier one had. */
  readonly doubled: number
  /** Messages that are no event. */
  readonly poison: number
  readonly tombstones: number
}

/** Reads the messages as a reader of the topic has to. */
export function expectedOf(messages: Iterable<Pick<Message, 'value'>>): Expected {
  const ids = new Set<string>()
  const byCourse = new Map<string, number>()
  const counts = { messages: 0, doubled: 0, poison: 0, tombstones: 0 }
  for (const { value } of messages) {
    counts.messages += 1
    const event = value === null ? undefined : parsed(String(value))
    if (value === null) counts.tombstones += 1
    else if (!event) counts.poison += 1
    else if (ids.has(event.event_id)) counts.doubled += 1
    else {
      ids.add(event.event_id)
      byCourse.set(event.course_id, (byCourse.get(event.course_id) ?? 0) + 1)
    }
  }
  return { ids, byCourse, ...counts }
}

function parsed(text: string): { event_id: string; course_id: string } | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
