/** Snapshots of one file and of several, in the order in which people load them: what counts afterwards. */

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { loadSummary } from '../src/pipeline/load.ts'
import { difference, faultsOf, withEngine } from './faults/dump.ts'
import { copyPlace, initPlace, lpaOk, removePlaces, startLpa } from './faults/lpa.ts'
import { LEARNERS, part } from './learner-snapshot.ts'
import { TryWarehouse } from './try-warehouse.ts'

describe('the files of one command', () => {
  let its: TryWarehouse
  let mapping: string
  beforeEach(async () => {
    its = await TryWarehouse.create()
    mapping = its.write('students.sql', LEARNERS)
    return () => its[Symbol.dispose]()
  })

  const write = (name: string, ...students: readonly string[]) =>
    its.write(`exports/${name}`, part(...students))
  const load = async (...inputs: readonly string[]) => {
    const files = await its.load(inputs.length > 0 ? inputs : join(its.folder, 'exports'), {
      mappings: [mapping],
    })
    return files.map(({ outcome, replaced }) => [outcome, replaced.length].join(' '))
  }
  const learners = async () => Number(await its.value('select count(*) from staging.stg_learner'))
  /** Loads that count, by the last letter of their file's name. */
  const counting = async () =>
    (
      await its.rows(
        `select regexp_extract(uri, '(.)\\.csv$', 1) from meta.loads where superseded_by is null order by 1`,
      )
    ).join('')

  test('are parts of one snapshot, loaded once', async () => {
    write('a.csv', 'ana', 'bo')
    write('b.csv', 'cy')
    write('c.csv', 'di')
    expect(await load()).toEqual(['loaded 0', 'loaded 0', 'loaded 0'])
    expect([await learners(), await counting()]).toEqual([4, 'abc'])
    await its.build()
    const before = its.state()
    expect(await load()).toEqual(['unchanged 0', 'unchanged 0', 'unchanged 0'])
    expect(its.state(), 'nothing was committed').toBe(before)
    expect(await its.build()).toMatchObject({ outcome: 'unchanged' })
  })

  test('a part that changed replaces what it was, wherever it stands', async () => {
    write('a.csv', 'ana', 'bo')
    write('b.csv', 'cy')
    await load()
    write('a.csv', 'ana')
    // The old part goes with the last file, also when that one brings nothing new.
    expect(await load()).toEqual(['loaded 0', 'unchanged 1'])
    expect([await learners(), await counting()]).toEqual([2, 'ab'])
    write('b.csv', 'cy', 'di', 'ed')
    expect(await load()).toEqual(['unchanged 0', 'loaded 1'])
    expect([await learners(), await counting()]).toEqual([4, 'ab'])
  })

  test('a part that is gone from the folder goes', async () => {
    for (const name of ['a', 'b', 'c']) write(`${name}.csv`, name)
    await load()
    rmSync(join(its.folder, 'exports', 'b.csv'))
    expect(await load()).toEqual(['unchanged 0', 'unchanged 1'])
    expect([await learners(), await counting()]).toEqual([2, 'ac'])
    expect(
      await its.value(
        `select n.uri like '%c.csv' from meta.loads l join meta.loads n on n.load_id = l.superseded_by`,
      ),
    ).toBe(true)
    rmSync(join(its.folder, 'exports', 'c.csv'))
    expect(await load()).toEqual(['unchanged 1'])
    expect([await learners(), await counting()]).toEqual([1, 'a'])
  })

  test('a single file replaces all parts, and parts a single file', async () => {
    const [a, b, all] = [write('a.csv', 'ana'), write('b.csv', 'bo'), write('z.csv', 'ana', 'bo', 'cy')]
    await load(a, b)
    expect(await load(all)).toEqual(['loaded 2'])
    expect([await learners(), await counting()]).toEqual([3, 'z'])
    expect(await load(a, b)).toEqual(['loaded 0', 'loaded 1'])
    expect([await learners(), await counting()]).toEqual([2, 'ab'])
  })

  test('two files with the same content are one part', async () => {
    copyFileSync(write('a.csv', 'ana'), join(its.folder, 'exports', 'copy.csv'))
    expect(await load()).toEqual(['loaded 0', 'unchanged 0'])
    expect(await load()).toEqual(['unchanged 0', 'unchanged 0'])
    expect(await learners()).toBe(1)
  })

  test('what the snapshot held stays until all parts are there', async () => {
    write('a.csv', 'ana')
    write('b.csv', 'bo')
    await load()
    write('a.csv', 'ana', 'di')
    write('b.csv', '', '', '')
    await expect(load()).rejects.toMatchObject({ code: 'LPA-LOAD-REJECTS' })
    // Both states of a; nobody of b is missing meanwhile.
    expect(await counting()).toBe('aab')
    write('b.csv', 'bo', 'ed')
    expect(await load()).toEqual(['unchanged 0', 'loaded 2'])
    expect([await learners(), await counting()]).toEqual([4, 'ab'])
  })

  test('an input that nothing can read leaves all as it was, and is named', async () => {
    write('a.csv', 'ana')
    its.write('exports/b.csv', '')
    const { code, where } = await its.failure(join(its.folder, 'exports'), { mappings: [mapping] })
    expect([code, where]).toEqual(['LPA-INPUT-UNREADABLE', expect.stringMatching(/b\.csv$/)])
  })

  test('each source has its own snapshot, of the same content too', async () => {
    const a = write('a.csv', 'ana')
    for (const source of ['one', 'two']) await its.load(a, { mappings: [mapping], source })
    expect([await learners(), await counting()]).toEqual([2, 'aa'])
  })

  test('a snapshot keeps no history; append does', async () => {
    const append = its.write('append.sql', LEARNERS.replace('snapshot', 'append'))
    const versions = async (source: string, how: string) => {
      for (const country of ['DE', 'PT', 'PT'])
        await its.load(its.write(`${country}.csv`, `student,country\nana,${country}\n`), {
          ...{ source, mappings: [how] },
        })
      await its.build()
      return its.rows(`select country from dim_learner where learner_id in
        (select learner_id from staging.stg_learner where source = '${source}') order by valid_from`)
    }
    expect(await versions('one', append)).toEqual([['DE'], ['PT']])
    expect(await versions('two', mapping)).toEqual([['PT']])
  })

  test('where exports append, the latest change counts, or without times the last load, which says so', async () => {
    const append = LEARNERS.replace('snapshot', 'append')
    const dated = append.replace(' from source', ', since as effective_at from source')
    const last = async (source: string, text: string) => {
      const said: string[] = []
      for (const [country, since] of ['PT 2026-02-01', 'DE 2026-01-01'].map((line) => line.split(' '))) {
        const file = its.write(`${source}-${country}.csv`, `student,country,since\nana,${country},${since}\n`)
        const how = { source, mappings: [its.write(`${source}.sql`, text)] }
        said.push(loadSummary(await its.load(file, how)))
      }
      await its.build()
      const country = await its.value(`select country from learner where learner_id in
        (select learner_id from staging.stg_learner where source = '${source}')`)
      return [
        country,
        said.filter((line) => line.endsWith('1 row tells no time of change: the last load wins')).length,
      ]
    }
    expect(await last('dated', dated)).toEqual(['PT', 0])
    expect(await last('undated', append)).toEqual(['DE', 2])
  })

  test('a snapshot replaces what the source held of its entity, by whatever mapping', async () => {
    await load(write('a.csv', 'ana', 'bo'))
    const other = its.write('people.sql', `${LEARNERS}\n-- of another name\n`)
    const [file] = await its.load(write('b.csv', 'cy'), { mappings: [other] })
    expect(file?.replaced).toHaveLength(1)
    expect([await learners(), await counting()]).toEqual([1, 'b'])
  })
})

describe('as it is typed', () => {
  afterAll(removePlaces)

  test('people are told what belongs together and what was replaced, programs too', async () => {
    const place = await initPlace('snapshots')
    mkdirSync(join(place.root, 'exports'))
    writeFileSync(join(place.root, 'students.sql'), LEARNERS)
    for (const name of ['a', 'b', 'c']) writeFileSync(join(place.root, 'exports', `${name}.csv`), part(name))
    const args = ['load', 'exports/', '--mapping', 'students.sql']
    const told = '3 files of students are taken as parts of one snapshot.'
    const first = await lpaOk(place, args)
    expect(first.stderr.split('\n').filter((line) => line === told)).toHaveLength(1)
    expect(first.stderr).not.toContain('replaces')

    writeFileSync(join(place.root, 'exports', 'c.csv'), part('c', 'd'))
    const second = await lpaOk(place, [...args, '--json'])
    expect(second.stderr).toMatch(/^exports\/c\.csv: replaces load 3$/m)
    expect(JSON.parse(second.stdout)).toMatchObject([{ replaced: [] }, { replaced: [] }, { replaced: [3] }])
    const alone = await lpaOk(place, ['load', 'exports/a.csv', '--mapping', 'students.sql'])
    expect(alone.stderr).toMatch(/^exports\/a\.csv: replaces loads 2, 4$/m)
    expect(alone.stderr).not.toContain('parts of one snapshot')
  })

  test('kill -9 between two parts, the last from standard input, then again: as without', async () => {
    const before = await initPlace('snapshots')
    writeFileSync(join(before.root, 'students.sql'), LEARNERS)
    const write = (name: string, text: string) => writeFileSync(join(before.root, name), text)
    write('a.csv', part('ana'))
    write('b.csv', part('bo'))
    await lpaOk(before, ['load', 'a.csv', 'b.csv', '--mapping', 'students.sql'])
    await lpaOk(before, ['batch', '--quiet'])
    write('a.csv', part('ana', 'ali'))
    const args = ['load', 'a.csv', '-', '--mapping', 'students.sql', '--quiet']
    // More than is looked at to recognise it: the first part is loaded while the rest is awaited.
    const many = part(...Array.from({ length: 22_000 }, (_, index) => `student${index}`))
    const after = copyPlace(before, 'after')
    await lpaOk(after, args, { stdin: many })

    const place = copyPlace(before, 'killed')
    const { child, ended } = startLpa(place, args, { stdin: { held: true } })
    child.stdin?.write(many.slice(0, 300_000))
    const parts = () =>
      withEngine(place, async (engine) =>
        Number((await engine.query('select count(*) from meta.loads')).rows[0]?.[0]),
      )
    for (let tries = 0; (await parts()) < 3; tries += 1) {
      if (tries > 100) throw new Error('The first part was never loaded.')
      await sleep(100)
    }
    child.kill('SIGKILL')
    await ended
    await lpaOk(place, args, { stdin: many })
    expect(await faultsOf(place)).toEqual([])
    expect(await difference(after, place)).toBe('')
    for (const one of [after, place]) await lpaOk(one, ['batch', '--quiet'])
    expect(await difference(after, place)).toBe('')
  })
})

test('two loads of different states at once: one counts whole, the other says so', async () => {
  const place = await initPlace('snapshots')
  const write = (name: string, text: string) => writeFileSync(join(place.root, name), text)
  write('students.sql', LEARNERS)
  write('a.csv', part('ana'))
  write('b.csv', part('bo', 'bea'))
  // More than is looked at to recognise it: the first part is loaded while the rest is awaited.
  const many = part(...Array.from({ length: 22_000 }, (_, index) => `student${index}`))
  const { child, ended } = startLpa(place, ['load', 'a.csv', '-', '--mapping', 'students.sql'], {
    stdin: { held: true },
  })
  child.stdin?.write(many.slice(0, 300_000))
  const query = (sql: string) =>
    withEngine(place, async (engine) => Number((await engine.query(sql)).rows[0]?.[0]))
  for (let tries = 0; (await query('select count(*) from meta.loads')) < 1; tries += 1) {
    if (tries > 100) throw new Error('The first part was never loaded.')
    await sleep(100)
  }
  await lpaOk(place, ['load', 'b.csv', '--mapping', 'students.sql'])
  child.stdin?.end(many.slice(300_000))
  const { code, stderr } = await ended
  expect([code, stderr]).toEqual([75, expect.stringContaining('LPA-LOAD-OVERTAKEN')])
  expect(await query('select count(*) from staging.stg_learner')).toBe(2)
  expect(await faultsOf(place)).toEqual([])
})

describe('a mapping of another name', () => {
  const VIEWS = `-- entity: learning_event
-- personal: who(learner)
select 'viewed' as event_type, who as learner_id, day as occurred_at from source
`
  const events = (its: TryWarehouse) => its.value('select count(*) from staging.stg_learning_event')

  test('supersedes what the same content gave before', async () => {
    using its = await TryWarehouse.create()
    const file = its.write('views.csv', 'who,day\nana,2026-01-05\nbo,2026-01-05\n')
    const first = its.write('views.sql', VIEWS)
    const second = its.write('views-2026.sql', VIEWS.replace('viewed', 'launched'))
    await its.load(file, { mappings: [first] })
    const [again] = await its.load(file, { mappings: [second] })
    expect(again?.replaced).toHaveLength(1)
    expect(await events(its)).toBe(2)
    // Only in its own source.
    await its.load(file, { mappings: [first], source: 'other' })
    expect(await events(its)).toBe(4)
  })

  test('is no other name when both read the file together', async () => {
    using its = await TryWarehouse.create()
    const file = its.write('views.csv', 'who,day\nana,2026-01-05\n')
    const [one, two] = [
      its.write('one.sql', VIEWS),
      its.write('two.sql', VIEWS.replace('viewed', 'launched')),
    ]
    await its.load(file, { mappings: [one, two] })
    expect(await events(its)).toBe(2)
    its.write('two.sql', VIEWS.replace('viewed', 'played'))
    const [again] = await its.load(file, { mappings: [one, two] })
    expect(again?.replaced).toHaveLength(1)
    expect(await its.rows('select event_type from staging.stg_learning_event order by 1')).toEqual([
      ['played'],
      ['viewed'],
    ])
  })
})

test('what another source holds already is not loaded under none', async () => {
  using its = await TryWarehouse.create()
  const mapping = its.write('students.sql', LEARNERS.replace('snapshot', 'append'))
  const file = its.write('a.csv', part('ana', 'bo'))
  await its.load(file, { mappings: [mapping], source: 'lms' })
  const refused = await its.failure(file, { mappings: [mapping] })
  expect(refused).toMatchObject({ code: 'LPA-LOAD-ELSEWHERE', exit: 'usage' })
  expect(refused.next.join()).toContain('--source lms')
  expect(await its.load(file, { mappings: [mapping], source: 'lms' })).toMatchObject([
    { outcome: 'unchanged' },
  ])
  expect(await its.load(file, { mappings: [mapping], source: 'other' })).toMatchObject([
    { outcome: 'loaded' },
  ])
})
