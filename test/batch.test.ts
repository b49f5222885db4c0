/**
 * Building the star: in whatever order and parts the exports come, the incremental way gives what a rebuild gives,
 * and both give what the definitions say.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { build, buildIn, buildSummary } from '../src/pipeline/build.ts'
import { load } from '../src/pipeline/load.ts'
import type { Random } from '../src/pipeline/sample/random.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import { readKey } from '../src/pseudonym.ts'
import { difference, faultsOf, tableLines, withEngine } from './faults/dump.ts'
import { copyPlace, initPlace, lpa, type Place, removePlace, removePlaces, rounds } from './faults/lpa.ts'
import { EXPECTED_SQL, type Expected, expectedCore } from './faults/oracle.ts'
import { randomOf, replayable, seeds, shuffled } from './faults/seeds.ts'
import {
  deltaMapping,
  exportFiles,
  randomCampus,
  type SmallCampus,
  withContradictions,
  writeFiles,
} from './faults/small-campus.ts'
import { TryWarehouse } from './try-warehouse.ts'

const FILE = 'test/batch.test.ts'
const SOURCE = 'lms'
/** The ledgers tell how core came to be, and differ. */
const CORE = { isMeant: (table: string) => table.startsWith('core.') }
const ZONES = ['UTC', 'America/New_York'] as const
const signal = new AbortController().signal
const silent = {
  onFile: () => {},
  onBytes: () => {},
  onLoaded: () => {},
  onNote: () => {},
  onWarning: () => {},
}
const places = new Map<string, Place>()

beforeAll(async () => {
  for (const zone of ZONES) {
    const place = await initPlace('batch')
    const toml = join(place.root, 'lpa.toml')
    const text = readFileSync(toml, 'utf8').replace(/^timezone = .*$/m, `timezone = "${zone}"`)
    // Each build is small: more threads would only wait for one another.
    writeFileSync(toml, text.replace('[warehouse]', '[warehouse]\nthreads = 1'))
    places.set(zone, place)
  }
})

afterAll(removePlaces)

function placeIn(zone: string): Place {
  return copyPlace(places.get(zone) as Place, 'batch')
}

const configOf = (place: Place) => loadConfig({ cwd: place.root, env: {} })

async function loadInto(
  place: Place,
  inputs: readonly string[],
  mappings: readonly string[] = [],
): Promise<void> {
  await load(configOf(place), { inputs, mappings, source: SOURCE, dryRun: false }, signal, silent)
}

/** Each file by its mapping: no content tells a delta. */
async function loadEach(place: Place, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const entity = /deleted-(\w+)\.csv$/.exec(path)?.[1]
    if (entity === undefined) {
      await loadInto(place, [path])
      continue
    }
    const mapping = join(place.root, `deleted-${entity}.sql`)
    writeFileSync(mapping, deltaMapping(entity))
    await loadInto(place, [path], [mapping])
  }
}

async function batch(place: Place, full = false): Promise<void> {
  const { checks } = await build(configOf(place), { select: [], full, runId: 'test' }, signal, {
    onModel: () => {},
  })
  const failed = checks.filter(({ severity, failures }) => severity === 'error' && failures > 0)
  expect(failed, 'checks').toEqual([])
}

/** A rebuild must leave core as the incremental way made it. */
async function expectRebuildChangesNothing(place: Place): Promise<void> {
  const before = copyPlace(place, 'before')
  await batch(place, true)
  expect(await difference(before, place, CORE), 'a rebuild').toBe('')
  removePlace(before)
}

async function core(place: Place): Promise<Expected> {
  return withEngine(place, async (engine) => {
    const found: Record<string, readonly string[]> = {}
    for (const [name, sql] of Object.entries(EXPECTED_SQL)) {
      const { rows } = await engine.query(sql)
      found[name] = rows.map((row) => String(row[0])).sort()
    }
    return found as unknown as Expected
  })
}

async function expectOracle(place: Place, campus: SmallCampus, zone: string): Promise<void> {
  const key = readKey(join(place.root, 'pseudonym.key'))
  const expected = expectedCore(campus, { key, source: SOURCE, timezone: zone })
  const found = await core(place)
  for (const name of Object.keys(expected) as (keyof Expected)[])
    expect(found[name], name).toEqual(expected[name])
}

/** Loads the files in a random order, in two or three goes with a batch after each. */
async function loadInGoes(place: Place, files: ReadonlyMap<string, string>, random: Random): Promise<void> {
  const waiting = shuffled(writeFiles(join(place.root, 'exports'), files), random)
  const goes = 2 + random.below(2)
  for (let go = goes; go > 0; go -= 1) {
    const count = go === 1 ? waiting.length : 1 + random.below(waiting.length - go)
    await loadEach(place, waiting.splice(0, count))
    await batch(place)
  }
}

describe('any order of any parts', () => {
  test.each(seeds(rounds(10, 60)))('equals a rebuild and the definitions, seed %i', async (seed) => {
    await replayable(FILE, 'equals a rebuild and the definitions', seed, async () => {
      const random = randomOf(seed)
      const zone = ZONES[random.below(2)] as string
      const place = placeIn(zone)
      const campus = randomCampus(random)
      await loadInGoes(place, exportFiles(campus, random, 1 + random.below(3)), random)
      await expectOracle(place, campus, zone)
      await expectRebuildChangesNothing(place)
      removePlace(place)
    })
  })

  test.each(seeds(rounds(2, 20)))('with contradictions equals a rebuild, seed %i', async (seed) => {
    await replayable(FILE, 'with contradictions equals a rebuild', seed, async () => {
      const random = randomOf(seed)
      const place = placeIn('UTC')
      const campus = withContradictions(randomCampus(random), random)
      await loadInGoes(place, exportFiles(campus, random, 3), random)
      await expectRebuildChangesNothing(place)
      removePlace(place)
    })
  })
})

describe('a campus that can be checked by hand', () => {
  const files = new Map([
    [
      'events.ndjson',
      [
        ['e1', 'registered', 'ana', '2026-01-10T10:00:00Z', 'course'],
        ['e2', 'unregistered', 'ana', '2026-01-12T09:00:00Z', 'course'],
        ['e3', 'registered', 'ana', '2026-01-20T08:00:00Z', 'course'],
        ['e4', 'completed', 'ana', '2026-02-01T12:00:00Z', 'course'],
        // A video of the course: its end is not the course's.
        ['e5', 'completed', 'bo', '2026-01-10T10:00:00Z', 'video'],
        ['e6', 'viewed', 'bo', '2026-01-10T10:20:00Z', 'video'],
        ['e7', 'viewed', 'bo', '2026-01-10T11:00:00Z', 'video'],
        ['e7', 'viewed', 'bo', '2026-01-10T11:00:00Z', 'video'],
      ]
        .map(([event_id, event_type, learner_id, occurred_at, activity_type]) =>
          JSON.stringify({
            event_id,
            event_type,
            learner_id,
            course_id: 'CS1',
            activity_id: 'CS1/1',
            activity_type,
            occurred_at,
          }),
        )
        .join('\n'),
    ],
    [
      'enrollments.csv',
      'enrollment_id,learner_id,course_id,enrolled_at,status,updated_at\nE9,bo,CS1,2026-01-05T00:00:00Z,active,2026-01-05T00:00:00Z\n',
    ],
    [
      'learners.csv',
      `learner_id,email,signed_up_on,birth_date,country,updated_at
ana,ana@example.org,2026-01-01,1990-07-01,DE,2026-01-01T00:00:00Z
ana,ana@example.org,2026-01-01,1990-07-01,NG,2026-03-01T00:00:00Z
`,
    ],
    [
      'late.csv',
      `learner_id,email,signed_up_on,birth_date,country,updated_at
ana,ana@example.org,2026-01-01,1990-07-01,PT,2026-02-01T00:00:00Z
`,
    ],
  ])

  test('holds what it should', async () => {
    const place = placeIn('UTC')
    const paths = writeFiles(join(place.root, 'exports'), files)
    for (const path of paths) {
      await loadInto(place, [path])
      await batch(place)
    }
    const rows = (sql: string) =>
      withEngine(place, async (engine) => (await engine.query(sql)).rows.map((row) => row.join(' ')))
    expect(
      await rows(
        `select enrollment_id, attempt, enrolled_date_key, status, withdrawn_date_key from fact_enrollment order by 1`,
      ),
    ).toEqual([
      'lms:E9 1 20260105 active ',
      'lms:e1 1 20260110 withdrawn 20260112',
      'lms:e3 2 20260120 completed ',
    ])
    expect(
      await rows('select completed_date_key, days_to_complete, passed from fact_course_completion'),
    ).toEqual(['20260201 12 '])
    expect(
      await rows(`select date_key, enrollments, withdrawals, completions, active_learners, events, time_on_task_seconds
        from agg_course_day order by 1`),
    ).toEqual([
      '20260105 1 0 0 0 0 0',
      '20260110 1 0 0 1 4 1200',
      '20260112 0 1 0 0 1 0',
      '20260120 1 0 0 0 1 0',
      '20260201 0 0 1 1 1 0',
    ])
    expect(
      await rows(`select country, age_band, cast(valid_from as date), cast(valid_to as date), is_current from dim_learner
        where country is not null order by valid_from`),
    ).toEqual([
      'DE 35-44 0001-01-01 2026-02-01 false',
      'PT 35-44 2026-02-01 2026-03-01 false',
      'NG 35-44 2026-03-01 9999-12-31 true',
    ])
    expect(
      await rows(`select count(*) from dim_learner where (attributes ->> '$.inferred')::boolean`),
    ).toEqual(['1'])
    await expectRebuildChangesNothing(place)
  })
})

test('days are days of the time zone, also where a completion has no time', async () => {
  const place = placeIn('America/New_York')
  // New York is five hours behind, and four from 2026-03-08.
  const rows = [
    ['late', '2026-01-10T23:00:00-05:00', '2026-01-11T01:00:00-05:00', 'completed', 1],
    ['early', '2026-01-10T01:00:00-05:00', '2026-01-12T22:00:00-05:00', 'completed', 2],
    ['summer', '2026-03-07T23:30:00-05:00', '2026-03-08T23:30:00-04:00', 'completed', 1],
    ['same', '2026-01-10T15:00:00-05:00', '2026-01-10', 'completed', 0],
    ['before', '2026-01-10T00:30:00-05:00', '2026-01-09', 'active', null],
  ] as const
  const paths = writeFiles(
    join(place.root, 'exports'),
    new Map([
      [
        'enrollments.csv',
        `enrollment_id,learner_id,course_id,enrolled_at\n${rows.map(([id, at]) => `${id},ana,${id},${at}\n`).join('')}`,
      ],
      [
        'completions.csv',
        `learner_id,course_id,completed_at,final_score,passed\n${rows.map(([id, , at]) => `ana,${id},${at},1,true\n`).join('')}`,
      ],
    ]),
  )
  await loadInto(place, paths)
  await batch(place)
  const { rows: found } = await withEngine(place, (engine) =>
    engine.query(`select c.course_id, e.status, f.days_to_complete from fact_enrollment e
      join fact_course_completion f on f.course_key = e.course_key join course c on c.course_key = e.course_key`),
  )
  const expected = rows.map(([id, , , status, days]) => [id, status, days])
  expect([...found].sort()).toEqual([...expected].sort())
})

test('a session goes on past midnight, late events join it, and another gap makes every day anew', async () => {
  const place = placeIn('UTC')
  const event = (id: string, at: string, who = 'ana') => ({
    event_id: id,
    event_type: 'viewed',
    learner_id: who,
    course_id: 'CS1',
    occurred_at: `2026-01-${at}:00Z`,
  })
  const goes = [
    [event('a', '10T23:30'), event('b', '10T23:50'), event('e', '12T08:00'), event('f', '12T09:00')],
    // The day after the gap's; then the day of the gap itself, and one in the middle.
    [event('c', '11T00:10'), event('d', '11T00:20')],
    [event('g', '12T08:25')],
  ]
  const days = async () => {
    const { rows } = await withEngine(place, (engine) =>
      engine.query('select date_key, time_on_task_seconds, active_learners from agg_course_day order by 1'),
    )
    return rows
  }
  const found: unknown[] = []
  for (const [n, events] of goes.entries()) {
    const lines = events.map((one) => JSON.stringify(one)).join('\n')
    await loadInto(place, writeFiles(join(place.root, 'exports'), new Map([[`${n}.ndjson`, lines]])))
    await batch(place)
    found.push(await days())
    await expectRebuildChangesNothing(place)
  }
  expect(found).toEqual([
    [
      [20260110, 1200, 1],
      [20260112, 0, 1],
    ],
    [
      [20260110, 2400, 1],
      [20260111, 600, 1],
      [20260112, 0, 1],
    ],
    [
      [20260110, 2400, 1],
      [20260111, 600, 1],
      [20260112, 1500, 1],
    ],
  ])
  const toml = join(place.root, 'lpa.toml')
  writeFileSync(toml, readFileSync(toml, 'utf8').replace('[metrics]', '[metrics]\nsession_gap_minutes = 15'))
  await batch(place)
  expect(await days()).toEqual([
    [20260110, 0, 1],
    [20260111, 600, 1],
    [20260112, 0, 1],
  ])
  await expectRebuildChangesNothing(place)
})

test('a failed check is told again, batch after batch, until it passes', async () => {
  const place = placeIn('UTC')
  const line = (id: string, day: string) =>
    `{"event_id":"${id}","event_type":"viewed","learner_id":"ana","course_id":"CS1","occurred_at":"2026-01-${day}T10:00:00Z"}\n`
  const [first = '', second = ''] = writeFiles(
    join(place.root, 'exports'),
    new Map([
      ['1.ndjson', line('a', '10') + line('b', '10')],
      ['2.ndjson', line('c', '20')],
    ]),
  )
  const failedOf = async (full = false) => {
    const request = { select: [], full, runId: String(process.hrtime.bigint()) }
    const built = await build(configOf(place), request, signal, { onModel: () => {} })
    const failed = built.checks.filter(({ severity, failures }) => severity === 'error' && failures > 0)
    return { summary: buildSummary(built), failed: failed.map(({ name }) => name) }
  }
  expect(await failedOf()).toEqual({ summary: 'there are no loads yet', failed: [] })
  await loadInto(place, [first])
  expect((await failedOf()).failed).toEqual([])
  await withWarehouse(configOf(place), 'write', signal, (engine) =>
    engine.transaction(() => engine.execute("delete from core.fact_learning_event where event_id = 'lms:a'")),
  )
  // All is well as far as anyone knows: nothing is looked at again.
  expect(await failedOf()).toEqual({ summary: 'core holds every load already, nothing changed', failed: [] })
  await loadInto(place, [second])
  expect((await failedOf()).failed).toEqual(['course-days-agree'])
  for (let again = 0; again < 2; again += 1) {
    const { summary, failed } = await failedOf()
    expect(failed).toEqual(['course-days-agree', 'events-reach-facts'])
    expect(summary).toMatch(
      /^core holds every load already, nothing changed, 2 of \d+ checks found something: course-days-agree, /,
    )
  }
  const { code, stderr } = await lpa(place, ['batch'])
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining(
      'error in course-days-agree: 1 row against "agg_course_day adds up to the facts"\n',
    ),
  ])
  expect((await failedOf(true)).failed).toEqual([])
  expect((await failedOf()).summary).toBe('core holds every load already, nothing changed')
})

test('models are selected of what is built: none while a load waits, and made anew they are as they were', async () => {
  const place = placeIn('UTC')
  const campus = randomCampus(randomOf(4))
  const files = [...exportFiles(campus, randomOf(5), 1)]
  const paths = writeFiles(join(place.root, 'exports'), new Map(files))
  await loadEach(place, paths.slice(0, -1))
  await batch(place)
  await loadEach(place, paths.slice(-1))
  const select = ['agg_course_day', 'dim_course', 'fact_enrollment']
  const anew = () =>
    build(configOf(place), { select, full: false, runId: 'test' }, signal, { onModel: () => {} })
  await expect(anew()).rejects.toMatchObject({ code: 'LPA-BATCH-UNBUILT', exit: 'config' })
  await batch(place)
  const before = copyPlace(place, 'before')
  expect(await anew()).toMatchObject({ outcome: 'built', kind: 'selected' })
  expect(await difference(before, place, CORE), 'selected models').toBe('')
  removePlace(before)
})

describe('a delta', () => {
  const COMPLETIONS = `-- entity: course_completion
-- export: delta
-- personal: student(learner)
select student as learner_id, course as course_id, day as completed_at, state = 'gone' as deleted, changed as effective_at from source
`
  const counts = (place: Place) =>
    withEngine(place, async (engine) => {
      const { rows } =
        await engine.query(`select (select count(*) from fact_course_completion), (select count(*) from fact_enrollment),
        (select count(*) from dim_course_category where category_key <> 0), (select count(*) from dim_instructor where instructor_key <> 0)`)
      return rows[0]
    })

  test('takes completions away, and gives them back', async () => {
    const place = placeIn('UTC')
    const mapping = join(place.root, 'completions.sql')
    writeFileSync(mapping, COMPLETIONS)
    const header = 'student,course,day,state,changed'
    const paths = writeFiles(
      join(place.root, 'exports'),
      new Map([
        ['1.csv', `${header}\nana,CS1,2026-01-05,here,2026-01-05\nbo,CS1,2026-01-06,here,2026-01-06\n`],
        ['2.csv', `${header}\nana,CS1,,gone,2026-01-07\nnobody,CS1,,gone,2026-01-07\n`],
        ['3.csv', `${header}\nana,CS1,2026-01-08,here,2026-01-08\n`],
      ]),
    )
    const found: unknown[] = []
    for (const path of paths) {
      await loadInto(place, [path], [mapping])
      await batch(place)
      found.push((await counts(place))?.[0])
      await expectRebuildChangesNothing(place)
    }
    expect(found).toEqual([2, 1, 2])
    expect(await faultsOf(place)).toEqual([])
  })

  test('marks learners and courses as deleted, whatever their attributes are', async () => {
    const place = placeIn('UTC')
    const shapes = [
      ['plain', '{"a":1}', '{"deleted":true,"a":1}'],
      ['spaced', ' { "a" : [1, 2] }', '{"deleted":true,"a" : [1, 2] }'],
      ['value', '{"a":"deleted"}', '{"deleted":true,"a":"deleted"}'],
      // What is no object, or says so itself, gives way.
      ['empty', '{}', '{"deleted":true}'],
      ['array', '[1,{"a":2}]', '{"deleted":true}'],
      ['text', '"deleted"', '{"deleted":true}'],
      ['own', '{"deleted" : false}', '{"deleted":true}'],
      ['none', '', '{"deleted":true}'],
    ] as const
    const write = (name: string, text: string) =>
      writeFiles(join(place.root, 'exports'), new Map([[name, text]]))[0] ?? ''
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
    for (const [entity, personal] of [
      ['learner', '-- personal: id(learner)'],
      ['course', '-- not-personal: id'],
    ]) {
      const mapping = join(place.root, `${entity}.sql`)
      writeFileSync(
        mapping,
        `-- entity: ${entity}\n-- export: delta\n${personal}\nselect id as ${entity}_id, nullif(shape, '') as attributes,
          state = 'gone' as deleted, changed as effective_at from source\n`,
      )
      const lines = (state: string, changed: string) =>
        shapes.map(([id, shape]) => `${id},${quoted(shape)},${state},${changed}\n`).join('')
      for (const [name, rows] of [
        ['here', lines('here', '2026-01-01')],
        ['gone', lines('gone', '2026-01-02')],
      ])
        await loadInto(place, [write(`${entity}-${name}.csv`, `id,shape,state,changed\n${rows}`)], [mapping])
    }
    await batch(place)
    for (const table of ['learner', 'course']) {
      const { rows } = await withEngine(place, (engine) =>
        engine.query(`select attributes from ${table} where ${table}_key <> 0`),
      )
      expect(rows.map(([attributes]) => attributes).sort(), table).toEqual(
        shapes.map(([, , attributes]) => attributes).sort(),
      )
    }
    expect(await faultsOf(place)).toEqual([])
  })

  test('takes categories and instructors away; what refers to them is inferred', async () => {
    const place = placeIn('UTC')
    const course = [
      {
        course_id: 'CS1',
        course_title: 'Cells',
        category_id: 'bio',
        instructor_id: 'T1',
        updated_at: '2026-01-01T00:00:00Z',
      },
    ]
    const write = (name: string, text: string) =>
      writeFiles(join(place.root, 'exports'), new Map([[name, text]]))[0] ?? ''
    await loadInto(place, [
      write('courses.json', JSON.stringify(course)),
      write(
        'categories.csv',
        'category_id,category_name,parent_category_id\nsci,Science,\nbio,Biology,sci\n',
      ),
      write(
        'instructors.csv',
        'instructor_id,display_name,department\nT1,Ana García,Biology\nT2,Bo Li,Physics\n',
      ),
    ])
    await batch(place)
    expect((await counts(place))?.slice(2)).toEqual([2, 2])

    const header = '-- export: delta\n-- not-personal: id\n'
    for (const [entity, personal] of [
      ['course_category', header],
      ['instructor', '-- export: delta\n-- personal: id(instructor)\n'],
    ]) {
      const mapping = join(place.root, `${entity}.sql`)
      const id = entity === 'instructor' ? 'instructor_id' : 'category_id'
      writeFileSync(
        mapping,
        `-- entity: ${entity}\n${personal}select id as ${id}, true as deleted from source\n`,
      )
      const ids = entity === 'instructor' ? 'T1\nT2' : 'sci\nbio'
      await loadInto(place, [write(`${entity}.csv`, `id\n${ids}\n`)], [mapping])
    }
    await batch(place)
    expect((await counts(place))?.slice(2)).toEqual([1, 1])
    const { rows } = await withEngine(place, (engine) =>
      engine.query(`select k.category_name, k.parent_category_key, i.display_name from course c
        join dim_course_category k on k.category_key = c.category_key join dim_instructor i on i.instructor_key = c.instructor_key`),
    )
    expect(rows).toContainEqual(['bio', null, null])
    await expectRebuildChangesNothing(place)
  })
})

describe('loads that take the place of others', () => {
  test('a new snapshot, also of an older state, leaves what it alone would have made', async () => {
    const [place, alone] = [placeIn('UTC'), placeIn('UTC')]
    const categories = (rows: string) => `category_id,category_name,parent_category_id\n${rows}\n`
    const [first = '', second = ''] = writeFiles(
      join(place.root, 'exports'),
      new Map([
        ['categories.csv', categories('sci,Science,\nbio,Biology,sci\nphy,Physics,sci')],
        ['later.csv', categories('sci,Sciences,\nbio,Biology,sci\nbot,Botany,bio')],
      ]),
    )
    for (const path of [first, second, first]) {
      await loadInto(place, [path])
      await batch(place)
    }
    await loadInto(alone, [first])
    await batch(alone)
    expect(await difference(alone, place, CORE)).toBe('')
    expect(await tableLines(place, 'core.dim_course_category')).toHaveLength(4)
    await expectRebuildChangesNothing(place)
  })

  test('a mapping that changed reads the same file anew, and its earlier rows go', async () => {
    const [place, alone] = [placeIn('UTC'), placeIn('UTC')]
    const [path = ''] = writeFiles(
      join(place.root, 'exports'),
      new Map([['marks.csv', 'student,module,day,points\nana,CS1,2026-01-05,70\nbo,CS1,2026-01-06,-\n']]),
    )
    const mapping = join(place.root, 'marks.sql')
    const write = (score: string) =>
      writeFileSync(
        mapping,
        `-- entity: course_completion\n-- personal: student(learner)\n-- nulls: -\n
select student as learner_id, module as course_id, day as completed_at, ${score} as final_score from source\n`,
      )
    write('0.5')
    await loadInto(place, [path], [mapping])
    await batch(place)
    write('points::double / 100')
    await loadInto(place, [path], [mapping])
    await batch(place)
    await loadInto(alone, [path], [mapping])
    await batch(alone)
    expect(await difference(alone, place, CORE)).toBe('')
    await expectRebuildChangesNothing(place)
  })
})

test('categories that hang nowhere, or on themselves, stand as roots and are told of', async () => {
  const place = placeIn('UTC')
  const rows = 'sci,Science,\nbio,Biology,sci\nlost,Lost,gone\negg,Egg,hen\nhen,Hen,egg'
  await loadInto(
    place,
    writeFiles(
      join(place.root, 'exports'),
      new Map([['categories.csv', `category_id,category_name,parent_category_id\n${rows}\n`]]),
    ),
  )
  const { checks } = await build(configOf(place), { select: [], full: false, runId: 'test' }, signal, {
    onModel: () => {},
  })
  expect(checks.filter(({ failures }) => failures > 0)).toMatchObject([
    { name: 'category-parents', severity: 'warning', failures: 3 },
  ])
})

test('of one record, only the event that another load has is a double', async () => {
  const place = placeIn('UTC')
  const mapping = join(place.root, 'visits.sql')
  writeFileSync(
    mapping,
    `-- entity: learning_event\n-- personal: who(learner)
select source_row, id || '/start' as event_id, 'viewed' as event_type, who as learner_id, began as occurred_at from source
union all
select source_row, id || '/end', 'viewed', who, ended from source where ended <> ''\n`,
  )
  const paths = writeFiles(
    join(place.root, 'exports'),
    new Map([
      ['1.csv', 'id,who,began,ended\n1,ana,2026-01-05T10:00:00Z,\n'],
      ['2.csv', 'id,who,began,ended\n1,ana,2026-01-05T10:00:00Z,2026-01-05T11:00:00Z\n'],
    ]),
  )
  for (const path of paths) await loadInto(place, [path], [mapping])
  await batch(place)
  const ids = () =>
    withEngine(
      place,
      async (engine) => (await engine.query('select event_id from fact_learning_event order by 1')).rows,
    )
  expect(await ids()).toEqual([['lms:1/end'], ['lms:1/start']])
  await expectRebuildChangesNothing(place)
})

test('events without an id that two sources send alike count for both', async () => {
  const place = placeIn('UTC')
  const mapping = join(place.root, 'views.sql')
  writeFileSync(
    mapping,
    `-- entity: learning_event\n-- personal: who(learner)
select 'viewed' as event_type, who as learner_id, day as occurred_at from source\n`,
  )
  const [path = ''] = writeFiles(
    join(place.root, 'exports'),
    new Map([['views.csv', 'who,day\nana,2026-01-05\nbo,2026-01-05\n']]),
  )
  for (const source of ['one', 'two'])
    await load(
      configOf(place),
      { inputs: [path], mappings: [mapping], source, dryRun: false },
      signal,
      silent,
    )
  await batch(place)
  const { rows } = await withEngine(place, (engine) =>
    engine.query('select source, count(*) from fact_learning_event group by source order by source'),
  )
  expect(rows).toEqual([
    ['one', 2],
    ['two', 2],
  ])
})

test('days far from today find their row', async () => {
  const place = placeIn('America/New_York')
  const times = [
    '1900-01-01T00:00:00Z',
    '1969-12-31T23:59:59Z',
    '2038-01-19T03:14:08Z',
    '2400-02-29T12:00:00Z',
  ]
  const lines = times.map((occurred_at, index) =>
    JSON.stringify({
      event_id: `far-${index}`,
      event_type: 'viewed',
      learner_id: 'ana',
      course_id: 'CS1',
      occurred_at,
    }),
  )
  await loadInto(
    place,
    writeFiles(join(place.root, 'exports'), new Map([['events.ndjson', lines.join('\n')]])),
  )
  await batch(place)
  const { rows } = await withEngine(place, (engine) =>
    engine.query(
      `select d.full_date, d.day_name from fact_learning_event e join dim_date d on d.date_key = e.date_key order by 1`,
    ),
  )
  expect(rows).toEqual([
    ['1899-12-31', 'Sunday'],
    ['1969-12-31', 'Wednesday'],
    ['2038-01-18', 'Monday'],
    ['2400-02-29', 'Tuesday'],
  ])
})

test('a build after a transaction that was rolled back knows nothing of the one before it', async () => {
  using warehouse = await TryWarehouse.create()
  const event = (name: string, course: string) =>
    JSON.stringify({
      ...{ event_id: `e-${name}`, event_type: 'viewed', learner_id: name },
      ...{ course_id: course, occurred_at: '2026-03-01T10:00:00Z' },
    })
  const loadEvent = (name: string, course: string) =>
    warehouse.load(warehouse.write(`${name}.ndjson`, `${event(name, course)}\n`))
  await loadEvent('first', 'CS0')
  await warehouse.build()
  const request = { select: [], full: false, runId: 'test' }
  await withWarehouse(warehouse.config, 'write', new AbortController().signal, async (engine) => {
    const buildAgain = () => buildIn(warehouse.config, engine, request, { onModel: () => {} })
    await loadEvent('ana', 'CS1')
    await buildAgain()
    const failing = engine.transaction(() => Promise.reject(new Error('overtaken')))
    await expect(failing).rejects.toThrow('overtaken')
    await loadEvent('bo', 'CS2')
    await buildAgain()
  })
  expect(await warehouse.rows('select course_id from dim_course where course_key <> 0 order by 1')).toEqual([
    ['CS0'],
    ['CS1'],
    ['CS2'],
  ])
})
