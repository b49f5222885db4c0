/** A few hundred xAPI 1.0.3 statements of the campus's video player and course shell. */
import { createHash } from 'node:crypto'
import type { Course, Window } from './catalog.ts'
import type { ExportFile } from './export-file.ts'
import { learnerAt, learnerId } from './people.ts'
import { Random } from './random.ts'

/** What an independent reader of the statements must find. */
export interface XapiCounts {
  /** Statements in the file, voiding and voided ones included. */
  rows: number
  /** Statements that void another: they and their targets count nowhere. */
  voided: number
  /** Statements that count, by the last part of the verb's id. */
  byVerb: Record<string, number>
  /** Different actors of statements that count. */
  actors: number
}

export interface XapiLog {
  readonly learners: number
  readonly courses: readonly Course[]
  readonly window: Window
  readonly seed: number
  /** About so many statements. */
  readonly statements: number
}

export const xapiHomePage = 'https://lms.campus.example'

const streams = { xapi: 100 }
const video = 'https://w3id.org/xapi/video'
const adl = 'http://adlnet.gov/expapi'
export const xapiVocabulary = { video, adl }
const verbs = {
  played: `${video}/verbs/played`,
  paused: `${video}/verbs/paused`,
  seeked: `${video}/verbs/seeked`,
  watched: `${video}/verbs/completed`,
  left: `${video}/verbs/terminated`,
  initialized: `${adl}/verbs/initialized`,
  registered: `${adl}/verbs/registered`,
  progressed: `${adl}/verbs/progressed`,
  answered: `${adl}/verbs/answered`,
  completed: `${adl}/verbs/completed`,
  passed: `${adl}/verbs/passed`,
  failed: `${adl}/verbs/failed`,
  voided: `${adl}/verbs/voided`,
} as const

type Verb = keyof typeof verbs
type Json = Record<string, unknown>

export function writeXapi(file: ExportFile, log: XapiLog): XapiCounts {
  const random = new Random(log.seed, streams.xapi)
  const counts: XapiCounts = { rows: 0, voided: 0, byVerb: {}, actors: 0 }
  const actors = new Set<number>()
  const add = (statement: Json) => {
    file.write(`${JSON.stringify(statement)}\n`)
    counts.rows++
  }
  const state = (verb: Verb, learner: number, atMs: number, object: Json, context: Json, result?: Json) => {
    const id = uuid(random)
    const display = verbs[verb].slice(verbs[verb].lastIndexOf('/') + 1)
    const statement: Json = {
      id,
      actor: actorOf(log.seed, learner),
      verb: { id: verbs[verb], display: { 'en-US': display } },
      object,
      ...(result === undefined ? {} : { result }),
      context,
      timestamp: new Date(atMs).toISOString(),
      stored: new Date(atMs + 800).toISOString(),
      version: '1.0.3',
    }
    add(statement)
    return { id, display }
  }
  const count = (learner: number, display: string) => {
    counts.byVerb[display] = (counts.byVerb[display] ?? 0) + 1
    actors.add(learner)
  }

  const people = Math.min(log.learners, 60)
  const courses = log.courses.slice(0, 2)
  const registered = new Set<string>()
  while (courses.length > 0 && people > 0 && counts.rows < log.statements) {
    const learner = random.below(people)
    const course = courses[random.below(courses.length)] as Course
    const length = 120 + random.below(900)
    let atMs = log.window.startMs + random.below(log.window.days - 1) * 86_400_000 + random.below(80_000_000)
    const session = uuid(random)
    const context = courseContext(course, session)
    const clip = videoOf(course, 1 + random.below(course.requiredActivities), length)
    const say = (verb: Verb, object: Json, result?: Json) => {
      atMs += 1000 + random.below(90_000)
      const said = state(verb, learner, atMs, object, context, result)
      count(learner, said.display)
    }
    const pair = `${learner} ${course.courseId}`
    if (!registered.has(pair)) say('registered', courseOf(course))
    registered.add(pair)
    say('initialized', clip, undefined)
    let time = random.below(20)
    say('played', clip, at(time))
    for (let step = random.below(4); step > 0; step--) {
      const to = random.below(length)
      if (step % 2 === 0) say('seeked', clip, seek(time, to))
      else say('paused', clip, pausedAt(to, length))
      say('played', clip, at(to))
      time = to
    }
    if (random.perMille(600)) {
      say('watched', clip, pausedAt(length, length))
      if (random.perMille(700)) say('answered', questionOf(course), answer(random.perMille(700)))
      say('progressed', courseOf(course), progress(10 + random.below(90)))
    }
    say('left', clip, pausedAt(length, length))
    if (random.perMille(120)) {
      const score = 40 + random.below(61)
      say('completed', courseOf(course), { completion: true, duration: 'P12DT3H30M' })
      say(score >= 60 ? 'passed' : 'failed', courseOf(course), grade(score))
    }
  }
  if (counts.rows > 0) {
    // Sent by mistake and taken back an hour later.
    const course = courses[0] as Course
    const context = courseContext(course, uuid(random))
    const atMs = log.window.startMs + 40 * 86_400_000
    const mistake = state('completed', 0, atMs, courseOf(course), context, { completion: true })
    const target = { objectType: 'StatementRef', id: mistake.id }
    state('voided', 0, atMs + 3_600_000, target, {})
    counts.voided = 1
  }
  counts.actors = actors.size
  file.rows = counts.rows
  return counts
}

/** Most have an account; some a mail address, clear or as its SHA-1. Nobody has two. */
function actorOf(seed: number, learner: number): Json {
  const { email } = learnerAt(seed, learner)
  if (learner % 10 === 7) return { objectType: 'Agent', mbox: `mailto:${email}` }
  if (learner % 10 === 8) {
    const sha1 = createHash('sha1').update(`mailto:${email}`).digest('hex')
    return { objectType: 'Agent', mbox_sha1sum: sha1 }
  }
  const name = learnerId(seed, learner)
  return { objectType: 'Agent', account: { homePage: xapiHomePage, name } }
}

const courseId = (course: Course) => `${xapiHomePage}/courses/${course.courseId}`

function courseOf(course: Course): Json {
  return {
    objectType: 'Activity',
    id: courseId(course),
    definition: { type: `${adl}/activities/course`, name: { [course.language]: course.title } },
  }
}

function videoOf(course: Course, order: number, length: number): Json {
  return {
    objectType: 'Activity',
    id: `${courseId(course)}/videos/${order}`,
    definition: {
      type: `${video}/activity-type/video`,
      name: { 'en-US': `Video ${order}` },
      extensions: { [`${video}/extensions/length`]: length },
    },
  }
}

function questionOf(course: Course): Json {
  return {
    objectType: 'Activity',
    id: `${courseId(course)}/questions/1`,
    definition: { type: `${adl}/activities/cmi.interaction`, interactionType: 'true-false' },
  }
}

function courseContext(course: Course, session: string): Json {
  return {
    contextActivities: {
      parent: [
        {
          objectType: 'Activity',
          id: courseId(course),
          definition: { type: `${adl}/activities/course` },
        },
      ],
      category: [{ id: video }],
    },
    extensions: { [`${video}/extensions/session-id`]: session },
    platform: 'Campus',
    language: course.language,
  }
}

const at = (time: number): Json => ({ extensions: { [`${video}/extensions/time`]: time } })

const seek = (from: number, to: number): Json => ({
  extensions: { [`${video}/extensions/time-from`]: from, [`${video}/extensions/time-to`]: to },
})

const pausedAt = (time: number, length: number): Json => ({
  duration: `PT${time}S`,
  extensions: {
    [`${video}/extensions/time`]: time,
    [`${video}/extensions/progress`]: Math.floor((100 * time) / length) / 100,
    [`${video}/extensions/played-segments`]: `0[.]${time}`,
  },
})

const progress = (percent: number): Json => ({
  extensions: { [`${video}/extensions/progress`]: percent / 100 },
})

const answer = (right: boolean): Json => ({
  response: right ? 'true' : 'false',
  success: right,
  score: { scaled: right ? 1 : 0 },
})

const grade = (score: number): Json => ({
  success: score >= 60,
  score: { raw: score, min: 0, max: 100, scaled: score / 100 },
})

function uuid(random: Random): string {
  const hex = () => random.next().toString(16).padStart(8, '0')
  const text = hex() + hex() + hex() + hex()
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-9${text.slice(17, 20)}-${text.slice(20)}`
}
