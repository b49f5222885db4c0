/** A new key is a reload: what a load under another key means for loads, checks, doctor and the people who count. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { build } from '../src/pipeline/build.ts'
import { diagnose } from '../src/pipeline/doctor.ts'
import { keyAdvice, replaceKey, rotationAdvice, showKey } from '../src/pipeline/key.ts'
import { type EarlierLoad, reloadsOf } from '../src/pipeline/reload.ts'
import { createKey, readKey } from '../src/pseudonym.ts'
import { dump } from './faults/dump.ts'
import { lpa, lpaOk, newPlace, removePlaces } from './faults/lpa.ts'
import { TryWarehouse } from './try-warehouse.ts'

const { signal } = new AbortController()
const HEADER = 'learner_id,course_id,completed_at,final_score,grade,passed\n'
const completions = (...learners: readonly string[]) =>
  HEADER + learners.map((id) => `${id},CS101,2026-01-12T08:00:00Z,0.9,A,true\n`).join('')

afterAll(removePlaces)

describe('loads under a new key', () => {
  let its: TryWarehouse
  let before: { readonly id: string; readonly file: string }
  const key = () => readKey(its.config.privacy.keyFile)
  const listener = () => {
    const warnings: string[] = []
    return { warnings, onWarning: (...lines: readonly string[]) => void warnings.push(lines.join('\n')) }
  }
  const checks = async () => {
    const built = await build(its.config, { select: [], full: false, runId: 'r' }, signal, {
      onModel: () => {},
    })
    return built.checks.filter((check) => check.failures > 0).map(({ name }) => name)
  }
  const counted = () =>
    its.rows(
      'select count(distinct learner_id), (select count(*) from fact_course_completion) from dim_learner where learner_key <> 0',
    )
  const loads = () => its.rows('select load_id, key_id, superseded_by from meta.loads order by load_id')

  beforeAll(async () => {
    its = await TryWarehouse.create()
    its.write('a.csv', completions('L1', 'L2'))
    its.write('b.csv', completions('L2', 'L3'))
    await its.load([join(its.folder, 'a.csv'), join(its.folder, 'b.csv')])
    expect(await checks()).toEqual([])
    expect(await counted()).toEqual([[3, 3]])
    before = { id: key().id, file: its.config.privacy.keyFile }
  })
  afterAll(() => its[Symbol.dispose]())

  test('rotating says what has to be loaded again, and which of it is gone', async () => {
    renameSync(join(its.folder, 'b.csv'), join(its.folder, 'gone.csv'))
    const rotated = await replaceKey(its.config, signal)
    renameSync(join(its.folder, 'gone.csv'), join(its.folder, 'b.csv'))
    expect(rotated).toMatchObject({ oldKeyId: before.id, newKeyId: key().id })
    expect(rotated.reload).toMatchObject([{ source: 'files', loads: 2, inputs: 2 }])
    expect(rotated.reload[0]?.missing).toEqual([expect.stringMatching(/b\.csv$/)])
    const advice = rotationAdvice(rotated).join('\n')
    expect(rotated.reload[0]?.command).toMatch(
      /lpa load \S+a\.csv \S+b\.csv --mapping campus_course_completion/,
    )
    expect(advice).toContain('1 of the inputs are not there')
    const shown = await showKey(its.config, signal)
    expect(shown.reload.map(({ command }) => command)).toEqual(rotated.reload.map(({ command }) => command))
    expect(shown.kept).toEqual([{ file: `${before.file}.${before.id}`, keyId: before.id }])
  })

  test('new content is loaded with a warning, and the check of the batch fails', async () => {
    const { warnings, onWarning } = listener()
    const file = its.write('c.csv', completions('L1', 'L4'))
    await its.load(file, {}, undefined, onWarning)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^2 loads hold pseudonyms of another key/)
    expect(warnings[0]).toMatch(/\n {2}lpa load \S+a\.csv \S+b\.csv/)
    expect(await checks()).toEqual(['one-key'])
    // L1 twice.
    expect(await counted()).toEqual([[5, 5]])
    const { findings } = await diagnose(
      its.config,
      { verify: false, fix: false, lpaVersion: '1' },
      signal,
      () => {},
    )
    expect(findings.map(({ code }) => code)).toEqual(['LPA-DOCTOR-KEY'])
    expect(findings[0]?.message).toContain(`2 of 3 loads hold pseudonyms of another key than ${key().id}`)
    expect(findings[0]?.next.join('\n')).toContain(`${before.file}.${before.id}`)
  })

  test('the same content is loaded again, and takes the place of its load under the old key', async () => {
    const { warnings, onWarning } = listener()
    // What dashboards were answered holds pseudonyms, too.
    const results = join(its.config.warehouse.path, 'results')
    mkdirSync(results)
    writeFileSync(join(results, 'old.json'), '{}')
    const [a] = await its.load(join(its.folder, 'a.csv'), {}, undefined, onWarning)
    expect(a?.outcome).toBe('loaded')
    expect(existsSync(results)).toBe(false)
    expect(warnings[0]).toMatch(/^1 load holds/)
    const [first, second, , again] = await loads()
    expect(first).toEqual([first?.[0], before.id, again?.[0]])
    expect(second).toEqual([second?.[0], before.id, null])
    expect(again?.slice(1)).toEqual([key().id, null])
    expect(await its.value(`select count(*) from staging.stg_course_completion`)).toBe(6)

    await its.load(join(its.folder, 'b.csv'), {}, undefined, onWarning)
    expect(warnings).toHaveLength(1)
    const [unchanged] = await its.load(join(its.folder, 'a.csv'))
    expect(unchanged?.outcome).toBe('unchanged')
    expect(await checks()).toEqual([])
    expect(await counted()).toEqual([[4, 4]])
    expect(keyAdvice(await showKey(its.config, signal))).toEqual([
      `No load needs the old key any more: rm ${before.file}.${before.id}`,
    ])
  })

  test('core is then what a warehouse that never knew the old key has', async () => {
    using fresh = await TryWarehouse.create()
    rmSync(fresh.config.privacy.keyFile)
    fresh.write('pseudonym.key', readFileSync(its.config.privacy.keyFile))
    chmodSync(fresh.config.privacy.keyFile, 0o600)
    for (const name of ['c.csv', 'a.csv', 'b.csv'])
      await fresh.load(fresh.write(name, readFileSync(join(its.folder, name))))
    await fresh.build()
    const core = (one: TryWarehouse) =>
      dump(
        { root: one.folder, warehouse: one.config.warehouse.path, tmp: '' },
        { isMeant: (table) => table.startsWith('core.') },
      )
    expect(await core(its)).toEqual(await core(fresh))
  })

  test('a mapping with another name but the same text is the same mapping', async () => {
    const text = readFileSync(
      new URL('../sql/mappings/campus_course_completion.sql', import.meta.url),
      'utf8',
    )
    const mapping = its.write('mine.sql', text)
    expect((await its.load(join(its.folder, 'a.csv'), { mappings: [mapping] }))[0]?.outcome).toBe('unchanged')
    await replaceKey(its.config, signal)
    expect((await its.load(join(its.folder, 'a.csv'), { mappings: [mapping] }))[0]?.outcome).toBe('loaded')
    const live = await its.rows(
      `select count(*) from meta.loads where superseded_by is null and uri like '%a.csv'`,
    )
    expect(live).toEqual([[1]])
  })
})

describe('the commands that load again', () => {
  const cwd = '/nowhere'
  const load = (more: Partial<EarlierLoad>): EarlierLoad => ({
    ...{ keyId: 'k', source: 'files', uri: 'x.csv', format: 'campus_learner', ...more },
  })
  const commands = (loads: readonly EarlierLoad[], root = cwd) =>
    reloadsOf(loads, loadConfig({ cwd: root, env: {} }), root).map(({ command }) => command)

  test('files by source and mapping, in the order of their loads; standard input alone', () => {
    expect(
      commands([
        load({ uri: 'jan uary.csv' }),
        load({ uri: 'stdin', source: 'lms' }),
        load({ uri: 'feb.csv' }),
        load({ uri: 'all.json', format: 'one' }),
        load({
          uri: 'all.json',
          format: 'two',
          arguments: '--mapping "maps/my one.sql" --mapping=maps/two.sql',
        }),
        load({ uri: 'stdin', source: 'lms' }),
      ]),
    ).toEqual([
      "lpa load 'jan uary.csv' feb.csv --mapping campus_learner",
      'lpa load - --source lms --mapping campus_learner',
      'lpa load all.json --mapping one.sql --mapping maps/two.sql',
      'lpa load - --source lms --mapping campus_learner',
    ])
  })

  test('with the limit of bad records that they were loaded with', async () => {
    using its = await TryWarehouse.create('[sources.lms]\nuri = "exports/*.csv"\n')
    its.write('exports/a.csv', 'x')
    expect(
      commands(
        [
          load({ uri: 'a.csv', arguments: 'a.csv --max-rejects 5%' }),
          load({ uri: 'b.csv', arguments: 'b.csv --max-rejects=5%' }),
          load({ uri: 'c.csv' }),
          load({ source: 'lms', uri: 'exports/a.csv', arguments: 'lms --max-rejects 9' }),
        ],
        its.folder,
      ),
    ).toEqual([
      'lpa load a.csv b.csv --mapping campus_learner --max-rejects 5%',
      'lpa load c.csv --mapping campus_learner',
      'lpa load lms --max-rejects 9',
    ])
  })

  test('a source of lpa.toml by its name, where that loads the same', async () => {
    using its = await TryWarehouse.create('[sources.lms]\nuri = "exports/*.csv"\n')
    its.write('exports/a.csv', 'x')
    its.write('other.csv', 'x')
    expect(
      commands(
        [
          load({ source: 'lms', uri: 'exports/a.csv' }),
          load({ source: 'lms', uri: 'exports/a.csv', format: 'campus_course' }),
          load({ source: 'lms', uri: 'exports/gone.csv' }),
          load({ source: 'lms', uri: 'other.csv', format: 'mine' }),
        ],
        its.folder,
      ),
    ).toEqual([
      'lpa load lms',
      'lpa load exports/gone.csv --source lms --mapping campus_learner',
      'lpa load other.csv --source lms --mapping mine.sql',
    ])
  })
})

describe('lpa key rotate, as it is typed', () => {
  test('without a warehouse; git sees neither key', async () => {
    const place = newPlace('rotate')
    await lpaOk(place, ['init'])
    const file = join(place.root, 'pseudonym.key')
    const old = readKey(file)
    const { stdout, stderr } = await lpaOk(place, ['key', 'rotate', '--format', 'csv'])
    expect(stdout).toBe('command,source,loads,inputs,missing\n')
    expect(stderr).toContain(`key ${old.id} is now ${readKey(file).id}`)
    expect(stderr).toContain('Nothing was loaded with it: delete it.')
    expect(stdout + stderr).not.toContain(old.secret.toString('hex').slice(0, 12))
    const told = JSON.parse((await lpaOk(place, ['key', 'rotate', '--json', '-q'])).stdout)
    expect(told).toMatchObject({ oldKeyId: expect.any(String), newKeyId: readKey(file).id, reload: [] })
    for (const name of readdirSync(place.root).filter((name) => name.startsWith('pseudonym')))
      expect(statSync(join(place.root, name)).mode & 0o777, name).toBe(0o600)
    expect(readFileSync(join(place.root, '.gitignore'), 'utf8')).toContain('\n/pseudonym.key.*\n')
    expect(readdirSync(place.root)).not.toContain('warehouse')
  })

  test('a load with --quiet says on stderr that another key was used, and ends with 0', async () => {
    const place = newPlace('rotate')
    await lpaOk(place, ['init'])
    await lpaOk(place, ['schema', 'apply', '-q'])
    writeFileSync(join(place.root, 'a.csv'), completions('L1'))
    writeFileSync(join(place.root, 'b.csv'), completions('L2'))
    expect((await lpaOk(place, ['load', 'a.csv', '-q'])).stderr).toBe('')
    // As when a key was lost and lpa init made another one.
    rmSync(join(place.root, 'pseudonym.key'))
    createKey(join(place.root, 'pseudonym.key'))
    const loaded = await lpa(place, ['load', 'b.csv', '-q'])
    expect(loaded).toMatchObject({ code: 0, stdout: '' })
    expect(loaded.stderr).toMatch(/^Warning: 1 load holds pseudonyms of another key/)
    expect(loaded.stderr).toContain('\n    lpa load a.csv --mapping campus_course_completion\n')
    expect(await lpa(place, ['batch', '-q'])).toMatchObject({ code: 1 })
    expect(await lpa(place, ['key', 'show'])).toMatchObject({ code: 1 })
    const rotated = await lpaOk(place, ['key', 'rotate'])
    expect(rotated.stdout).toBe('lpa load a.csv b.csv --mapping campus_course_completion\n')
    expect(rotated.stderr).not.toContain('lpa load')
  })
})
