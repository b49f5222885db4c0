/**
 * 22,000 statements of the very shape of the public ones in docs/recorded-runs.md, which no test can count on having:
 * as many of each verb, course and day, by as many actors. Through the built command line, against what the statements
 * say when they are counted here.
 */

import { createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Random } from '../src/pipeline/sample/random.ts'
import { initPlace, lpaOk, type Place, removePlaces } from './faults/lpa.ts'

const VIDEO = 'https://w3id.org/xapi/video'
const HOME_PAGE = 'http://fun-mooc.example'
const ACTORS = 1452

/** What a verb is called in `fact_learning_event`, and what its statements say of the video. */
const VERBS: Readonly<Record<string, readonly [event: string, ...result: string[]]>> = {
  [`${VIDEO}/verbs/played`]: ['played', 'time'],
  [`${VIDEO}/verbs/paused`]: ['paused', 'time', 'played-segments', 'progress'],
  'http://adlnet.gov/expapi/verbs/interacted': ['answered', 'time'],
  [`${VIDEO}/verbs/seeked`]: ['seeked', 'time-from', 'time-to', 'length', 'progress', 'played-segments'],
  'http://adlnet.gov/expapi/verbs/initialized': ['launched'],
  'http://adlnet.gov/expapi/verbs/completed': ['completed', 'time', 'progress', 'played-segments'],
  'http://adlnet.gov/expapi/verbs/terminated': ['other', 'time', 'progress', 'played-segments'],
  'http://id.tincanapi.com/verb/downloaded': ['downloaded'],
}
const VERB_COUNTS = [6603, 6480, 3546, 2995, 1348, 636, 338, 54]
const COURSES: Readonly<Record<string, number>> = {
  'course-v1:FUN-MOOC+00002+session01': 13_309,
  'course-v1:FUN-MOOC+00001+session01': 8691,
}
const DAYS: Readonly<Record<string, number>> = {
  ...{ '2021-11-24': 2447, '2021-11-25': 3093, '2021-11-26': 3172, '2021-11-27': 3054 },
  ...{ '2021-11-28': 3185, '2021-11-29': 3222, '2021-11-30': 3059, '2021-12-01': 768 },
}

interface Said {
  readonly actor: string
  readonly verb: string
  readonly course: string
  readonly day: string
}

const random = new Random(22, 1)

function uuid(): string {
  const digits = [1, 2, 3, 4].map(() => random.next().toString(16).padStart(8, '0')).join('')
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5')
}

/** Each name as often as its count says, in any order. */
function shuffled(counts: Readonly<Record<string, number>>): string[] {
  const names = Object.entries(counts).flatMap(([name, count]) => Array<string>(count).fill(name))
  for (let last = names.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1)
    ;[names[last], names[other]] = [names[other] as string, names[last] as string]
  }
  return names
}

function campus(): Said[] {
  const actors = Array.from({ length: ACTORS }, uuid)
  const verbs = Object.fromEntries(Object.keys(VERBS).map((verb, index) => [verb, VERB_COUNTS[index] ?? 0]))
  const [verb, course, day] = [shuffled(verbs), shuffled(COURSES), shuffled(DAYS)]
  return verb.map((name, index) => ({
    // Everybody once, then some much more often than others.
    actor: actors[index < ACTORS ? index : Math.floor(random.below(ACTORS) ** 2 / ACTORS)] as string,
    verb: name,
    course: course[index] as string,
    day: day[index] as string,
  }))
}

/** As that platform writes it: blanks after colons and commas, microseconds, an offset. */
function statement({ actor, verb, course, day }: Said): string {
  const number = () => random.below(600_000) / 1000
  const values: Readonly<Record<string, () => unknown>> = {
    progress: () => random.below(1001) / 1000,
    'played-segments': () => `0[.]${number()}[,]${number()}[.]${number()}`,
  }
  const result = (VERBS[verb] ?? [])
    .slice(1)
    .map((name) => [`${VIDEO}/extensions/${name}`, (values[name] ?? number)()])
  const time = [24, 60, 60].map((bound) => String(random.below(bound)).padStart(2, '0')).join(':')
  const name = verb.split('/').at(-1)
  const parent = { id: course, objectType: 'Activity' }
  const whole = {
    verb: { id: verb, display: { 'en-US': name } },
    context: {
      extensions: { [`${VIDEO}/extensions/session-id`]: uuid(), [`${VIDEO}/extensions/full-screen`]: false },
      contextActivities: {
        category: [{ id: VIDEO }],
        parent: [{ ...parent, definition: { type: 'http://adlnet.gov/expapi/activities/course' } }],
      },
    },
    ...(result.length > 0 && { result: { extensions: Object.fromEntries(result) } }),
    id: uuid(),
    actor: { objectType: 'Agent', account: { name: actor, homePage: HOME_PAGE } },
    object: {
      definition: { type: `${VIDEO}/activity-type/video`, name: { 'en-US': `FUN-${uuid()}` } },
      ...{ id: `uuid://${uuid()}`, objectType: 'Activity' },
    },
    timestamp: `${day}T${time}.${String(random.below(1e6)).padStart(6, '0')}+00:00`,
  }
  return JSON.stringify(whole, null, 1)
    .replace(/\n */g, ' ')
    .replaceAll(/([[{]) | (?=[\]}])/g, '$1')
}

/** Distinct values of a part, by another part. */
function distinct(said: readonly Said[], part: keyof Said, by: keyof Said): Map<string, number> {
  const sets = new Map<string, Set<string>>()
  for (const one of said) sets.set(one[by], (sets.get(one[by]) ?? new Set()).add(one[part]))
  return new Map([...sets].map(([name, { size }]) => [name, size]))
}

const said = campus()
let place: Place
beforeAll(async () => {
  place = await initPlace('xapi-mooc')
  const text = said.map((one) => `${statement(one)}\n`).join('')
  writeFileSync(join(place.root, 'statements.json.gz'), gzipSync(text))
})
afterAll(removePlaces)

async function answer(...words: string[]): Promise<Record<string, unknown>[]> {
  return JSON.parse((await lpaOk(place, ['query', '--json', '-q', ...words])).stdout)
}

test('22,000 statements load, and none is rejected', async () => {
  const { stdout } = await lpaOk(place, ['load', 'statements.json.gz', '--json'])
  expect(JSON.parse(stdout)).toEqual([
    {
      ...{ input: 'statements.json.gz', format: 'ndjson.gzip', mapping: 'xapi', outcome: 'loaded', load: 1 },
      ...{ read: 22_000, mapped: 22_000, rejected: 0, filtered: 0, doubled: 0, replaced: [] },
    },
  ])
  await lpaOk(place, ['batch', '-q'])
  const sql = `select count(*) as events, count(distinct learner_key) as learners, count(distinct course_key) as courses
    from fact_learning_event`
  expect(await answer('--sql', sql)).toEqual([{ events: 22_000, learners: ACTORS, courses: 2 }])
})

test('each event is of its actor, its course and its verb', async () => {
  const secret = Buffer.from(readFileSync(join(place.root, 'pseudonym.key'), 'utf8').trim(), 'hex')
  const expected = new Map<string, number>()
  for (const { actor, verb, course, day } of said) {
    const learner = createHmac('sha256', secret).update(`lpa:v1:learner:${HOME_PAGE}:${actor}`).digest('hex')
    const event = [learner, course, VERBS[verb]?.[0], day].join(' ')
    expected.set(event, (expected.get(event) ?? 0) + 1)
  }
  const sql = `select learner_id || ' ' || course_id || ' ' || event_type || ' ' || cast(occurred_at as date) as event,
    count(*) as n from fact_learning_event join learner using (learner_key) join course using (course_key) group by all`
  const rows = await answer('--sql', sql)
  expect(rows.filter(({ event, n }) => expected.get(String(event)) !== n)).toEqual([])
  expect(rows.length).toBe(expected.size)
})

test('daily active learners are counted, and drawn as a chart', async () => {
  const active = distinct(said, 'actor', 'day')
  const rows = await answer('active-learners')
  expect(rows.map(({ day, dau }) => [day, dau])).toEqual([...active].sort(([a], [b]) => (a < b ? -1 : 1)))
  expect(rows.at(-1)).toMatchObject({ mau_28_days: ACTORS })

  const chart = ['query', 'active-learners', '--format', 'chart']
  const { stdout } = await lpaOk(place, chart, { env: { LANG: 'C.UTF-8', COLUMNS: '80' } })
  const lines = stdout.trimEnd().split('\n')
  expect(lines[0]).toMatch(/^Active learners by day {2}\S+ dau {2}\S+ mau 28 days$/)
  expect(lines.at(-1)).toMatch(/^ *└24 Nov .* 1 Dec$/)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  // The last day has a quarter of the statements: the line of the day falls there, at the right edge of the plot.
  const plot = lines.slice(1, -1).map((line) => line.padEnd(80))
  const lowest = (column: number) => plot.findLastIndex((line) => /[⠁-⣿]/.test(line[column] ?? ' '))
  expect(lowest(79)).toBeGreaterThan(lowest(60))
})
