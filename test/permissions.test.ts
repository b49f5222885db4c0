/** Who may read what lpa writes: its user only, or one group as well, whose members read the warehouse and never write it. */

import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../scripts/oclif-config.ts'
import { ensureExtensions } from '../src/engines/duckdb/extensions.ts'
import { lpa, lpaOk, newPlace, type Place, removePlaces, startLpa } from './faults/lpa.ts'

const RUN = join(ROOT, 'bin', 'run.js')
const IS_ROOT = process.getuid?.() === 0
/** A group that is not this user's first one, where there is such a one to give files to. */
const GID = IS_ROOT ? 1 : Number(process.getgroups?.().at(-1))
const NOBODY = 65534

/** As most users have it: without lpa's own care, others could read what is written. */
const USUAL_UMASK = ['sh', '-c', 'umask 022; exec "$@"', 'sh']

afterAll(removePlaces)

/** Everything below a folder as `mode path`, with the group where it is told. */
function modes(folder: string, withGroup = false): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name, stats: lstatSync(join(folder, name)) }))
    .map(
      ({ name, stats }) => `${(stats.mode & 0o7777).toString(8)}${withGroup ? ` ${stats.gid}` : ''} ${name}`,
    )
    .sort()
}

const isLike =
  (...kinds: readonly string[]) =>
  (line: string) =>
    kinds.some((kind) => line.startsWith(`${kind} `))

function setGroup({ root }: Place, group: string | undefined): void {
  const file = join(root, 'lpa.toml')
  const text = readFileSync(file, 'utf8').replace(/^group = .*\n/m, '')
  writeFileSync(
    file,
    group === undefined ? text : text.replace('[warehouse]\n', `[warehouse]\ngroup = ${group}\n`),
  )
}

test("without a group everything that lpa writes is its user's only", async () => {
  const place = newPlace('modes')
  const cache = join(place.root, 'cache')
  // Only the extensions, so that nothing is downloaded: the rest is made here.
  const from = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'lpa', 'extensions')
  mkdirSync(join(cache, 'lpa'), { recursive: true, mode: 0o700 })
  cpSync(from, join(cache, 'lpa', 'extensions'), { recursive: true })
  for (const name of [
    '',
    ...readdirSync(join(cache, 'lpa', 'extensions'), { recursive: true, encoding: 'utf8' }),
  ]) {
    const path = join(cache, 'lpa', 'extensions', name)
    chmodSync(path, lstatSync(path).isDirectory() ? 0o700 : 0o600)
  }
  chmodSync(cache, 0o700)
  chmodSync(place.tmp, 0o700)
  const options = { env: { XDG_CACHE_HOME: cache }, under: USUAL_UMASK }
  for (const words of [
    'init campus --sample',
    'schema plan --out plan.json --config campus/lpa.toml',
    'schema apply --config campus/lpa.toml',
    'load --config campus/lpa.toml --log-file lpa.log --report report.json',
    'batch --config campus/lpa.toml -vv --log-file lpa.log',
    'query funnel --config campus/lpa.toml',
    'query --sql SELECT(1)as\tn --format parquet --config campus/lpa.toml',
    'key rotate --config campus/lpa.toml',
    'load campus --config campus/lpa.toml',
    'batch --full --config campus/lpa.toml',
    'sample made --learners 20 --events 50',
    'doctor --verify --config campus/lpa.toml',
  ])
    await lpaOk(place, words.split(' '), options)
  const told = modes(place.root)
  expect(told.filter((line) => !isLike('600', '700')(line))).toEqual([])
  const paths = told.map((line) => line.slice(4))
  for (const wanted of [
    /^campus\/lpa\.toml$/,
    /^campus\/\.gitignore$/,
    /^campus\/exports\/learners\.csv/,
    /^campus\/pseudonym\.key\.[0-9a-f]{16}$/,
    /^campus\/warehouse\/catalog\.sqlite$/,
    /^campus\/warehouse\/SHA256SUMS$/,
    /^campus\/warehouse\/writer\.lock$/,
    /^campus\/warehouse\/data\/core\/fact_enrollment\/.*\.parquet$/,
    /^campus\/warehouse\/data\/staging\/.*\.parquet$/,
    /^(plan|report)\.json$/,
    /^lpa\.log$/,
    /^made\/.*\.csv/,
    /^cache\/lpa\/compile\/.+\/.+/,
  ])
    expect(
      paths.some((path) => wanted.test(path)),
      String(wanted),
    ).toBe(true)
})

describe('with a group', () => {
  let place: Place
  beforeAll(async () => {
    place = newPlace('group')
    await lpaOk(place, ['init', '--sample'])
    setGroup(place, String(GID))
    await lpaOk(place, ['schema', 'apply', '-q'], { under: USUAL_UMASK })
  })

  const wrong = () =>
    modes(place.warehouse, true).filter((line) => !isLike(`640 ${GID}`, `2750 ${GID}`)(line))
  const top = () => (lstatSync(place.warehouse).mode & 0o7777).toString(8)

  test("all that is written is the group's to read, also beside a reader and after kill -9", async () => {
    await lpaOk(place, ['load', '-q'], { under: USUAL_UMASK })
    await lpaOk(place, ['batch', '-q'], { under: USUAL_UMASK })
    await lpaOk(place, ['query', 'funnel', '-q'])
    expect([wrong(), top()]).toEqual([[], '2750'])
    expect(modes(place.warehouse).length).toBeGreaterThan(40)
    const running = startLpa(place, ['batch', '--full', '-q'])
    while (!existsSync(join(place.warehouse, 'catalog.sqlite-wal')))
      await new Promise((done) => setTimeout(done, 5))
    await new Promise((done) => setTimeout(done, 600))
    expect(wrong()).toEqual([])
    running.child.kill('SIGKILL')
    await running.ended
    expect(wrong()).toEqual([])
    await lpaOk(place, ['batch', '-q'])
    expect(wrong()).toEqual([])
    // The key and the configuration are no part of the warehouse.
    for (const name of ['pseudonym.key', 'lpa.toml'])
      expect(lstatSync(join(place.root, name)).mode & 0o777, name).toBe(0o600)
  })

  test("SQLite's log is there at every moment of a run, since a reader could not make it", async () => {
    const log = ['-wal', '-shm'].map((suffix) => join(place.warehouse, `catalog.sqlite${suffix}`))
    for (const words of [
      'load exports/ --source again -q',
      'load exports/ --source again -q',
      'batch -q',
      'doctor --verify',
    ]) {
      let gaps = 0
      let looks = 0
      const running = startLpa(place, words.split(' '))
      let isRunning = true
      void running.ended.finally(() => {
        isRunning = false
      })
      while (isRunning) {
        looks += 1
        if (!log.every((file) => existsSync(file))) gaps += 1
        await new Promise((done) => setTimeout(done, 1))
      }
      expect((await running.ended).code, words).toBe(0)
      expect(looks, words).toBeGreaterThan(50)
      expect(gaps, words).toBe(0)
      // Empty, so that the catalog alone is what was committed.
      expect(lstatSync(log[0] as string).size).toBe(0)
    }
  })

  test('the group is followed when it is taken away and set again; doctor finds and mends', async () => {
    setGroup(place, undefined)
    const found = JSON.parse((await lpa(place, ['doctor', '--json'])).stdout)
    expect(found.findings.map(({ code }: { code: string }) => code)).toEqual(['LPA-DOCTOR-MODE'])
    await lpaOk(place, ['load', 'exports/categories.csv', '--source', 'closed', '-q'], { under: USUAL_UMASK })
    expect(modes(place.warehouse).filter((line) => !isLike('600', '700', '2700')(line))).toEqual([])
    expect(top()).toBe('700')
    setGroup(place, String(GID))
    await lpaOk(place, ['load', 'exports/categories.csv', '--source', 'open', '-q'], { under: USUAL_UMASK })
    expect([wrong(), top()]).toEqual([[], '2750'])
    const deep = modes(place.warehouse)
      .find((line) => line.endsWith('.parquet'))
      ?.replace(/^\d+ /, '') as string
    chmodSync(join(place.warehouse, deep), 0o644)
    const { code, stdout } = await lpa(place, ['doctor'])
    expect(code).toBe(1)
    expect(stdout).toContain(`${deep} has other permissions than 0640 and 2750 of the group ${GID}.`)
    expect((await lpa(place, ['doctor', '--fix'])).stdout).toContain(`is open to the group ${GID} now`)
    expect(wrong()).toEqual([])
  })

  test("what is not lpa's in the folder stays as it is", async () => {
    const other = join(place.warehouse, 'notes.txt')
    writeFileSync(other, 'mine', { mode: 0o604 })
    chmodSync(other, 0o604)
    chmodSync(place.warehouse, 0o700)
    await lpaOk(place, ['load', 'exports/categories.csv', '--source', 'notes', '-q'])
    expect(top()).toBe('2750')
    expect(lstatSync(other).mode & 0o777).toBe(0o604)
    rmSync(other)
  })

  test('a group that is not there is an error of the configuration, with its line', async () => {
    setGroup(place, '"nosuchgroup"')
    for (const words of ['query funnel', 'load', 'doctor']) {
      const { code, stderr } = await lpa(place, words.split(' '))
      expect(code, words).toBe(78)
      expect(stderr).toMatch(
        /lpa\.toml:\d+: warehouse\.group is "nosuchgroup"\. It should be the name or the number of a group/,
      )
    }
    setGroup(place, String(GID))
  })

  // Only root can be somebody else; the modes above are tested for everybody.
  if (IS_ROOT && canRunAs(NOBODY)) describe('its members', membersRead)

  function membersRead() {
    const lpaAs = (gid: number, ...words: string[]) =>
      new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
        const child = spawn(process.execPath, [RUN, ...words], {
          cwd: '/',
          uid: NOBODY,
          gid,
          env: {
            PATH: process.env.PATH,
            HOME: '/nonexistent',
            LPA_EXTENSIONS: join(place.root, 'extensions'),
            LPA_WAREHOUSE_PATH: place.warehouse,
            LPA_WAREHOUSE_MEMORY_LIMIT: '150MB',
          },
        })
        let stdout = ''
        let stderr = ''
        child.stdout.on('data', (chunk) => {
          stdout += chunk
        })
        child.stderr.on('data', (chunk) => {
          stderr += chunk
        })
        child.on('close', (code) => resolve({ code, stdout, stderr }))
      })
    const rows = (gid = GID) =>
      lpaAs(gid, 'query', '--sql', 'select count(*) as n from dim_learner', '--json', '-q')

    test('read it: reports, pictures, history, also while a run writes and after one was killed', async () => {
      const { ducklake } = await ensureExtensions()
      const extensions = join(place.root, 'extensions')
      cpSync(join(ducklake, '..'), extensions, { recursive: true })
      for (const name of readdirSync(extensions)) chmodSync(join(extensions, name), 0o644)
      for (const folder of [extensions, place.root]) chmodSync(folder, 0o755)
      await lpaOk(place, ['batch', '-q'])
      const { code, stdout, stderr } = await rows()
      expect(stderr).toBe('')
      expect(code).toBe(0)
      expect(JSON.parse(stdout)[0].n).toBeGreaterThan(100)
      for (const words of [
        ['query', 'funnel'],
        ['dash', '--once'],
        ['runs'],
        ['rejects'],
        ['schema', 'status'],
      ])
        expect(await lpaAs(GID, ...words), words.join(' ')).toMatchObject({ code: 0 })
      const running = startLpa(place, ['load', 'exports/', '--source', 'beside', '-q'])
      let isRunning = true
      void running.ended.finally(() => {
        isRunning = false
      })
      let reads = 0
      while (isRunning) {
        expect(await rows()).toMatchObject({ code: 0, stderr: '' })
        reads += 1
      }
      expect((await running.ended).code).toBe(0)
      expect(reads).toBeGreaterThan(1)
      const killed = startLpa(place, ['batch', '-q'])
      await new Promise((done) => setTimeout(done, 900))
      killed.child.kill('SIGKILL')
      await killed.ended
      expect(await rows()).toMatchObject({ code: 0, stdout })
      await lpaOk(place, ['batch', '-q'])
    })

    test('spill outside the warehouse, and leave nothing', async () => {
      const words = ['query', '--json', '-q', '--sql', SPILLING]
      const before = readdirSync('/tmp').filter((name) => name.startsWith('lpa-spill-'))
      expect(await lpaAs(GID, ...words)).toMatchObject({ code: 0, stderr: '' })
      // Also where the warehouse cannot be opened: there was no such state of it.
      expect(await lpaAs(GID, 'query', '--sql', 'select 1 as n', '--at', '999999')).toMatchObject({ code: 2 })
      expect(readdirSync('/tmp').filter((name) => name.startsWith('lpa-spill-'))).toEqual(before)
      expect(wrong()).toEqual([])
    })

    test('ask doctor, who finds no fault in them, and says what is not theirs to ask', async () => {
      const told = await lpaAs(GID, 'doctor')
      expect(told).toMatchObject({ code: 0, stderr: expect.stringContaining('0 findings') })
      expect(told.stdout).toContain('none: who only reads the warehouse needs none')
      for (const [flag, code] of [
        ['--verify', 'LPA-DOCTOR-READER'],
        ['--fix', 'LPA-WAREHOUSE-READ-ONLY'],
      ] as const) {
        const asked = await lpaAs(GID, 'doctor', flag, '--json')
        expect(asked.code).toBe(1)
        expect(JSON.parse(asked.stdout).findings.map((finding: { code: string }) => finding.code)).toEqual([
          code,
        ])
      }
      expect(await rows()).toMatchObject({ code: 0, stderr: '' })
    })

    test('take roles, which leaves no record of them, and says so', async () => {
      await lpaOk(place, ['grant', 'apply', '-q'])
      const asked = await lpaAs(GID, 'query', 'funnel', '--role', 'lpa_dashboard')
      expect(asked).toMatchObject({ code: 0, stderr: expect.stringContaining('not recorded: meta.runs') })
      expect(await lpaAs(GID, 'query', 'funnel', '--role', 'lpa_dashboard', '-q')).toMatchObject({
        ...{ code: 0, stdout: asked.stdout, stderr: '' },
      })
      // Who learners are is not told unrecorded; the key is not theirs either.
      const words = ['query', 'at-risk', '--reveal', 'x.csv:id', '--id-space', 'campus']
      expect(await lpaAs(GID, ...words)).toMatchObject({ stdout: '' })
      expect((await lpaAs(GID, ...words)).code).not.toBe(0)
    })

    test('write nothing; others do not even read; a copy without the log says what it lacks', async () => {
      expect(await lpaAs(GID, 'batch')).toMatchObject({
        code: 77,
        stderr: expect.stringContaining('LPA-WAREHOUSE-READ-ONLY'),
      })
      expect(await rows(NOBODY)).toMatchObject({
        code: 77,
        stderr: expect.stringContaining('LPA-WAREHOUSE-CLOSED'),
      })
      for (const suffix of ['-wal', '-shm']) rmSync(join(place.warehouse, `catalog.sqlite${suffix}`))
      expect(await rows()).toMatchObject({
        code: 77,
        stderr: expect.stringContaining('LPA-WAREHOUSE-JOURNAL'),
      })
      await lpaOk(place, ['runs', '-q'])
      expect(await rows()).toMatchObject({ code: 0 })
      expect(wrong()).toEqual([])
    })
  }
})

const SPILLING = `select sum(n) from (select a.event_id || b.event_id as k, count(*) as n from fact_learning_event a, fact_learning_event b
  where a.course_key = b.course_key and a.learner_key % 3 = 1 group by 1) t`

function canRunAs(uid: number): boolean {
  return spawnSync(process.execPath, [RUN, '--version'], { uid, gid: uid, cwd: '/' }).status === 0
}
