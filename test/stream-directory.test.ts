/** Files that appear in a directory while `lpa stream` looks at it: each counts once, whatever happens meanwhile. */

import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateCampus } from '../src/pipeline/sample/campus.ts'
import { type Dump, difference, dump, faultsOf, rowsOf, withEngine } from './faults/dump.ts'
import {
  copyPlace,
  initPlace,
  lpa,
  lpaOk,
  type Place,
  type Ran,
  removePlace,
  removePlaces,
  rounds,
  startLpa,
} from './faults/lpa.ts'
import { randomOf, replayable, seeds, share } from './faults/seeds.ts'
import { until } from './faults/until.ts'
import { LEARNERS, part } from './learner-snapshot.ts'

const FILE = 'test/stream-directory.test.ts'
const ONCE = ['stream', 'dir:exports', '--until-caught-up']
/** All but what each build adds of itself. */
const CONTENT = { isMeant: (table: string) => table !== 'meta.checks' && table !== 'meta.built_loads' }

let empty: Place
beforeAll(async () => {
  empty = await initPlace('directory')
  mkdirSync(join(empty.root, 'exports'))
})
afterAll(removePlaces)

function eventLine(name: string, index: number): string {
  return JSON.stringify({
    event_id: `${name}-${index}`,
    event_type: ['viewed', 'played', 'registered'][index % 3],
    learner_id: `S${String(index % 50).padStart(7, '0')}`,
    course_id: `CS${index % 5}`,
    occurred_at: new Date(Date.parse('2026-03-02T08:00:00Z') + index * 61_000).toISOString(),
  })
}

function eventLines(name: string, count: number, first = 0): string {
  return Array.from({ length: count }, (_, index) => `${eventLine(name, first + index)}\n`).join('')
}

/** A file in `exports`. */
function write(place: Place, name: string, content: string | Buffer): string {
  const path = join(place.root, 'exports', name)
  writeFileSync(path, content)
  return path
}

async function ask(place: Place, sql: string): Promise<unknown[]> {
  return ((await rowsOf(place, sql))[0] ?? []).map(Number)
}

/** Loads that count, staged events, facts. */
function counts(place: Place): Promise<unknown[]> {
  return ask(
    place,
    `select (select count(*) from meta.loads where superseded_by is null),
      (select count(*) from staging.stg_learning_event), (select count(*) from core.fact_learning_event)`,
  )
}

/** Whatever the test came to, nothing goes on running. */
async function whileStreaming(
  place: Place,
  args: readonly string[],
  work: (told: () => string) => Promise<void>,
): Promise<Ran & { stopMs: number }> {
  const { child, ended } = startLpa(place, ['stream', ...args])
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8')
  })
  try {
    await work(() => text)
  } catch (error) {
    child.kill('SIGKILL')
    await ended
    if (error instanceof Error) error.message += `\nlpa stream told:\n${text}`
    throw error
  }
  const sentAt = performance.now()
  child.kill('SIGTERM')
  const ran = await ended
  return { ...ran, stopMs: performance.now() - sentAt }
}

test('the dashboard tells of a stream while it runs, and not after', async () => {
  const place = copyPlace(empty, 'told')
  write(place, 'a.ndjson', eventLines('a', 10))
  const told = async () =>
    JSON.parse((await lpaOk(place, ['dash', '--screen', 'stream', '--json', '-q'])).stdout)['stream-status']
  await whileStreaming(place, ['dir:exports'], async () => {
    await until(async () => (await told())[0]?.behind === 0, 'it has caught up')
    expect(await told()).toEqual([expect.objectContaining({ read: 10, unit: 'files', commits: 1 })])
  })
  expect(await told()).toEqual([])
  expect(readdirSync(join(place.root, 'warehouse', 'tmp'))).toEqual([])
})

describe('until caught up', () => {
  test('each file is loaded once, by its content, and facts follow', async () => {
    const place = copyPlace(empty, 'once')
    write(place, 'a.ndjson', eventLines('a', 100))
    mkdirSync(join(place.root, 'exports', 'below'))
    write(place, 'below/b.ndjson.gz', gzipSync(eventLines('b', 50)))
    for (const name of ['c.ndjson.part', 'c.ndjson.tmp', 'c.ndjson.crdownload', 'c.ndjson~', '.c.ndjson'])
      write(place, name, eventLines('c', 10))
    const ran = await lpaOk(place, ONCE)
    expect(ran.stderr).toContain('lpa stream: 150 records mapped, 0 rejected in 2 files')
    expect(await counts(place)).toEqual([2, 150, 150])

    // Neither a copy nor another name is anything new.
    copyFileSync(join(place.root, 'exports', 'a.ndjson'), join(place.root, 'exports', 'copy.ndjson'))
    renameSync(join(place.root, 'exports', 'a.ndjson'), join(place.root, 'exports', 'z.ndjson'))
    expect((await lpaOk(place, ONCE)).stderr).toContain('lpa stream: nothing new')
    expect(await counts(place)).toEqual([2, 150, 150])
    renameSync(join(place.root, 'exports', 'c.ndjson.part'), join(place.root, 'exports', 'c.ndjson'))
    await lpaOk(place, ONCE)
    expect(await counts(place)).toEqual([3, 160, 160])
    const runs = await withEngine(place, (engine) =>
      engine.query(
        `select command, exit_code, summary from meta.runs where command = 'stream' order by started_at`,
      ),
    )
    expect(runs.rows.map((row) => String(row[2]))).toEqual([
      '150 records mapped, 0 rejected in 2 files',
      'nothing new',
      '10 records mapped, 0 rejected in 1 file',
    ])
    expect(await faultsOf(place)).toEqual([])
  })

  test('a source of lpa.toml is streamed, and loaded like a folder', async () => {
    const place = copyPlace(empty, 'named')
    appendFileSync(join(place.root, 'lpa.toml'), '\n[sources.logs]\nuri = "dir:exports"\nid_space = "lms"\n')
    write(place, 'a.ndjson', eventLines('a', 10))
    await lpaOk(place, ['load', 'logs', '--quiet'])
    write(place, 'b.ndjson', eventLines('b', 10))
    for (const target of ['logs', 'dir:exports', 'dir:./exports/'])
      await lpaOk(place, ['stream', target, '--until-caught-up', '--quiet'])
    const { rows } = await withEngine(place, (engine) =>
      engine.query('select source, uri from meta.loads order by load_id'),
    )
    expect(rows).toEqual([
      ['logs', 'exports/a.ndjson'],
      ['logs', 'exports/b.ndjson'],
    ])
  })

  test('what a run that was killed had not built is built', async () => {
    const place = copyPlace(empty, 'unbuilt')
    write(place, 'a.ndjson', eventLines('a', 10))
    await lpaOk(place, ['load', 'exports', '--quiet'])
    expect(await counts(place)).toEqual([1, 10, 0])
    await lpaOk(place, [...ONCE, '--quiet'])
    expect(await counts(place)).toEqual([1, 10, 10])
  })

  test('files that go on changing are left, and told', async () => {
    const place = copyPlace(empty, 'changing')
    write(place, 'a.ndjson', eventLines('a', 10))
    const growing = write(place, 'growing.ndjson', '')
    let index = 0
    const timer = setInterval(() => appendFileSync(growing, eventLines('g', 1, index++)), 100)
    try {
      const { stderr } = await lpaOk(place, ONCE)
      expect(stderr).toContain('1 file still being written and left for the next run: exports/growing.ndjson')
    } finally {
      clearInterval(timer)
    }
    expect(await counts(place)).toEqual([1, 10, 10])
    await lpaOk(place, [...ONCE, '--quiet'])
    expect(await counts(place)).toEqual([2, 10 + index, 10 + index])
  })

  test('a bad file is told, the others are loaded, and the exit code is 65 until it is mended', async () => {
    const place = copyPlace(empty, 'bad')
    const whole = gzipSync(eventLines('gz', 500))
    write(place, 'a.ndjson', eventLines('a', 10))
    const cut = write(place, 'cut.ndjson.gz', whole.subarray(0, whole.length / 2))
    write(place, 'unknown.csv', 'alpha,beta\n1,2\n')
    const rejected = write(place, 'rejected.ndjson', '{"event_id":1,"event_type":\n'.repeat(20))
    write(place, 'z.ndjson', eventLines('z', 10))
    const ran = await lpa(place, [...ONCE, '--quiet'])
    expect(ran.code).toBe(65)
    expect(ran.stderr).toContain('Warning: exports/cut.ndjson.gz: The archive is cut off or damaged.')
    expect(ran.stderr.match(/Warning: exports\/cut/g)).toHaveLength(1)
    expect(ran.stderr).toContain('Warning: exports/unknown.csv')
    expect(ran.stderr).toContain('Warning: exports/rejected.ndjson')
    expect(ran.stderr).toContain('3 files could not be loaded; all others are.')
    expect(ran.stderr).toContain('LPA-STREAM-FILES, exit 65')
    expect(ran.stderr.match(/The archive is cut off/g)).toHaveLength(1)
    expect(await counts(place)).toEqual([2, 20, 20])

    writeFileSync(cut, whole)
    for (const path of [rejected, join(place.root, 'exports', 'unknown.csv')]) rmSync(path)
    expect((await lpaOk(place, ONCE)).stderr).not.toContain('Warning')
    expect(await counts(place)).toEqual([3, 520, 520])
    expect(await faultsOf(place)).toEqual([])
  })

  test('what is no directory, what is of Kafka only, and the warehouse itself are refused', async () => {
    const place = copyPlace(empty, 'refused')
    const flags = await lpa(place, [...ONCE, '--from', 'latest', '--commit-rows', '5', '--reset-offsets'])
    expect(flags).toMatchObject({ code: 2 })
    expect(flags.stderr).toContain(
      '--from and --commit-rows and --reset-offsets can be said of Kafka topics only',
    )
    expect(await lpa(place, ['stream', 'dir:nowhere'])).toMatchObject({ code: 66 })
    symlinkSync('.', join(place.root, 'linked'))
    symlinkSync('warehouse', join(place.root, 'inner'))
    const own = ['.', 'warehouse', 'warehouse/data', 'linked', 'inner', 'inner/data', 'linked/warehouse/data']
    for (const folder of own) {
      const refused = await lpa(place, ['stream', `dir:${folder}`, '--until-caught-up'])
      expect(refused, folder).toMatchObject({ code: 2 })
      expect(refused.stderr).toContain('LPA-STREAM-WAREHOUSE')
    }
  })
})

describe('a file that grows', () => {
  const NO_IDS = `-- entity: learning_event
-- columns: event_type, learner_id, occurred_at
-- personal: learner_id(learner)
-- export: append
select event_type, learner_id, occurred_at from source
`
  let place: Place
  const stream = () => lpaOk(place, [...ONCE, '--mapping', 'no-ids.sql'])
  const begin = (name: string) => {
    place = copyPlace(empty, name)
    writeFileSync(join(place.root, 'no-ids.sql'), NO_IDS)
  }

  test('takes the place of what it was: events without ids count once', async () => {
    begin('grown')
    const log = write(place, 'log.ndjson', eventLines('a', 40))
    write(place, 'other.ndjson', eventLines('other', 7, 1000))
    await stream()
    for (const total of [60, 61, 90]) {
      const before = Number((await counts(place))[1]) - 7
      appendFileSync(log, eventLines('a', total - before, before))
      expect((await stream()).stderr).toContain('exports/log.ndjson: replaces load')
      expect(await counts(place)).toEqual([2, total + 7, total + 7])
    }
    // A copy of what it was once holds nothing new, nor does the log when it is cut back to that.
    write(place, 'copy.ndjson', eventLines('a', 40))
    write(place, 'log.ndjson', eventLines('a', 60))
    expect((await stream()).stderr).toContain('nothing new')
    expect(await counts(place)).toEqual([2, 97, 97])
    expect(await faultsOf(place)).toEqual([])
  })

  test('also when it was rotated away meanwhile, and a new one began', async () => {
    begin('rotated')
    const log = write(place, 'log.ndjson', eventLines('a', 40))
    await stream()
    appendFileSync(log, eventLines('a', 20, 40))
    renameSync(log, join(place.root, 'exports', 'log-1.ndjson'))
    write(place, 'log.ndjson', eventLines('b', 5, 500))
    await stream()
    expect(await counts(place)).toEqual([2, 65, 65])
  })

  test('a last line that was cut counts whole in the end, and so does a field', async () => {
    begin('cut')
    const text = `event_type,learner_id,occurred_at\n${Array.from(
      { length: 200 },
      (_, index) => `viewed,S${index},2026-03-02T08:00:${String(index % 60).padStart(2, '0')}Z\n`,
    ).join('')}`
    const end = text.indexOf('S150') + 3
    const log = write(place, 'log.csv', text.slice(0, end))
    await lpaOk(place, [...ONCE, '--mapping', 'no-ids.sql', '--max-rejects', '5%'])
    expect(Number((await counts(place))[1])).toBeLessThan(200)
    writeFileSync(log, text)
    await stream()
    expect(await counts(place)).toEqual([1, 200, 200])
    expect(await ask(place, 'select count(*) from raw.rejected_rows')).toEqual([0])
  })

  test('content that begins otherwise is another file, as when it is loaded', async () => {
    begin('other')
    write(place, 'log.ndjson', eventLines('a', 40))
    await stream()
    write(place, 'log.ndjson', eventLines('b', 60, 700))
    await stream()
    expect(await counts(place)).toEqual([2, 100, 100])
  })
})

describe('parts of a snapshot', () => {
  const learners = async (place: Place) =>
    Number((await ask(place, 'select count(*) from staging.stg_learner'))[0])

  test('that lie in the directory together are one snapshot; what is read later joins them', async () => {
    const place = copyPlace(empty, 'snapshot')
    writeFileSync(join(place.root, 'students.sql'), LEARNERS)
    const args = ['dir:exports', '--mapping', 'students.sql']
    write(place, 'a.csv', part('ana', 'bo'))
    write(place, 'b.csv', part('cy'))
    const ran = await whileStreaming(place, args, async (told) => {
      await until(async () => (await learners(place)) === 3, 'both parts are there')
      expect(told()).toContain('2 files of students are taken as parts of one snapshot.')
      write(place, 'c.csv', part('di'))
      await until(async () => (await learners(place)) === 4, 'the third part is there')
      write(place, 'a.csv', part('ana'))
      await until(async () => (await learners(place)) === 3, 'who left is gone')
      // A part that cannot be read takes nobody away.
      write(place, 'b.csv', part('cy', '', '', ''))
      await until(() => told().includes('Warning: exports/b.csv'), 'the bad part is told')
      write(place, 'c.csv', part('di', 'ed'))
      await until(async () => (await learners(place)) === 5, 'the newer part stands beside the older one')
      write(place, 'b.csv', part('cy', 'flo'))
      await until(async () => (await learners(place)) === 5, 'all parts are there')
      await until(
        async () =>
          (await ask(place, 'select count(*) from meta.loads where superseded_by is null'))[0] === 3,
        'only they count',
      )
    })
    expect(ran.code ?? ran.signal).toBe(143)
    expect(await learners(place)).toBe(5)
    const again = await lpaOk(place, ['stream', ...args, '--until-caught-up'])
    expect(again.stderr).toContain('nothing new')
    expect(await learners(place)).toBe(5)
    expect(await faultsOf(place)).toEqual([])
  })
})

describe('continuously', () => {
  test('files are loaded as they come, bad ones told once and tried again, until it is stopped', async () => {
    const place = copyPlace(empty, 'continuous')
    const metrics = join(place.root, 'lpa.prom')
    const inodes = new Set<number>()
    const ran = await whileStreaming(place, ['dir:exports', '--metrics-file', metrics], async (told) => {
      await until(() => existsSync(metrics), 'there are metrics')
      write(place, 'a.ndjson', eventLines('a', 100))
      await until(async () => (await counts(place))[2] === 100, 'facts follow')
      const whole = gzipSync(eventLines('b', 300))
      const cut = write(place, 'b.ndjson.gz', whole.subarray(0, 800))
      await until(() => told().includes('b.ndjson.gz: The archive is cut off'), 'the cut archive is told')
      await until(
        () => readFileSync(metrics, 'utf8').includes('lpa_stream_bad_files{source="files"} 1'),
        'metrics tell it',
      )
      inodes.add(statSync(metrics).ino)
      appendFileSync(cut, whole.subarray(800))
      await until(async () => (await counts(place))[2] === 400, 'it is loaded when it is whole')
      renameSync(cut, join(place.root, 'exports', 'renamed.ndjson.gz'))
      await until(() => {
        inodes.add(statSync(metrics).ino)
        const text = readFileSync(metrics, 'utf8')
        expect(text).toMatch(/^# TYPE[\s\S]*# EOF\n$/)
        return inodes.size > 1 && text.includes('lpa_stream_read_total{source="files"} 400')
      }, 'metrics are renamed into place')
      await sleep(2500)
      expect(told().match(/Warning:/g)).toHaveLength(1)
    })
    expect(ran.code ?? ran.signal).toBe(143)
    expect(ran.stopMs).toBeLessThan(5000)
    expect(ran.stderr).toContain('400 records mapped, 0 rejected in 2 files')
    expect(await counts(place)).toEqual([2, 400, 400])
    expect(await faultsOf(place)).toEqual([])
    const { rows } = await withEngine(place, (engine) =>
      engine.query(`select exit_code, summary from meta.runs where command = 'stream'`),
    )
    expect(rows.map((row) => row.map(String))).toEqual([
      ['143', '400 records mapped, 0 rejected in 2 files; stopped by SIGTERM'],
    ])
  })

  test('a file that is renamed while it is read is loaded once, under its new name', async () => {
    const place = copyPlace(empty, 'renamed')
    const lines = eventLines('a', 60_000)
    const path = write(place, 'a.ndjson', lines)
    const renamed = join(place.root, 'exports', 'b.ndjson')
    await whileStreaming(place, ['dir:exports'], async (told) => {
      await until(() => stagingBegan(place), 'it is read')
      renameSync(path, renamed)
      await until(async () => (await counts(place))[2] === 60_000, 'it is loaded')
      await sleep(2500)
      expect(told()).not.toContain('Warning')
    })
    expect(await counts(place)).toEqual([1, 60_000, 60_000])
    expect(await faultsOf(place)).toEqual([])
  })

  test('SIGTERM in the middle of a load ends it within 5 s, and leaves nothing of it', async () => {
    const place = copyPlace(empty, 'stopped')
    write(place, 'a.ndjson', eventLines('a', 150_000))
    const ran = await whileStreaming(place, ['dir:exports'], () =>
      until(() => stagingBegan(place), 'it is read'),
    )
    expect(ran.code ?? ran.signal).toBe(143)
    expect(ran.stopMs).toBeLessThan(5000)
    expect(await faultsOf(place)).toEqual([])
    expect(await counts(place)).toEqual([0, 0, 0])
  })

  test('a pause that is longer than a timer can wait is no pause of a millisecond', async () => {
    const place = copyPlace(empty, 'patient')
    const ran = await whileStreaming(place, ['dir:exports', '--commit-every', '30d'], () => sleep(3000))
    expect(ran.stderr).not.toMatch(/warning/i)
  })

  test('a directory that is away for a time comes back', async () => {
    const place = copyPlace(empty, 'away')
    const [folder, elsewhere] = [join(place.root, 'exports'), join(place.root, 'elsewhere')]
    write(place, 'a.ndjson', eventLines('a', 10))
    await whileStreaming(place, ['dir:exports'], async (told) => {
      await until(async () => (await counts(place))[2] === 10, 'the first file is there')
      renameSync(folder, elsewhere)
      await until(() => told().includes('there is no such folder'), 'it is told')
      writeFileSync(join(elsewhere, 'b.ndjson'), eventLines('b', 10))
      renameSync(elsewhere, folder)
      await until(async () => (await counts(place))[2] === 20, 'the second file is there')
    })
    expect(await counts(place)).toEqual([2, 20, 20])
  })

  test('what was read, and grew while it waited for the lock, is not committed: the larger file is', async () => {
    const place = copyPlace(empty, 'waited')
    const lock = new DatabaseSync(join(place.warehouse, 'writer.lock'), { timeout: 5000 })
    const path = write(place, 'a.ndjson', eventLines('a', 50))
    // What was left unbuilt is built and checked first; staging begins with the second look.
    await whileStreaming(place, ['dir:exports', '-v'], async (told) => {
      await until(() => told().includes(' built '), 'it has looked once')
      lock.exec('begin exclusive')
      await until(() => stagingBegan(place), 'the file is read')
      await sleep(1500)
      appendFileSync(path, eventLines('a', 25, 50))
      lock.close()
      await until(async () => (await counts(place))[2] === 75, 'it is loaded')
      expect(told()).not.toContain('Warning')
    })
    expect(await ask(place, 'select count(*), sum(records_read) from meta.loads')).toEqual([1, 75])
    expect(await faultsOf(place)).toEqual([])
  })

  test('two at once, with a reader beside them: nothing doubled, and what is seen only grows', async () => {
    const place = copyPlace(empty, 'two')
    const seen: number[] = []
    let slowestMs = 0
    const [files, events] = [6, 2000]
    const second = startLpa(place, ['stream', 'dir:exports'])
    const first = await whileStreaming(place, ['dir:exports'], async () => {
      const looking = async () => {
        while (seen.at(-1) !== files * events) {
          const { stdout, ms } = await lpaOk(place, [
            'query',
            ...['--sql', 'select count(*) as n from fact_learning_event', '--json'],
          ])
          seen.push(Number((JSON.parse(stdout) as { n: number }[])[0]?.n))
          slowestMs = Math.max(slowestMs, ms)
        }
      }
      const writing = async () => {
        for (let file = 0; file < files; file += 1) {
          const path = write(place, `${file}.ndjson.part`, eventLines(`f${file}`, events))
          renameSync(path, path.slice(0, -'.part'.length))
          await sleep(400)
        }
      }
      await Promise.all([looking(), writing()])
    })
    second.child.kill('SIGTERM')
    const ran = await second.ended
    expect([first.code ?? first.signal, ran.code ?? ran.signal]).toEqual([143, 143])
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.every((count) => count % events === 0)).toBe(true)
    expect(slowestMs).toBeLessThan(10_000)
    expect(await counts(place)).toEqual([files, files * events, files * events])
    expect(await faultsOf(place)).toEqual([])
  })
})

/** A load writes what it reads to a folder of its own there. */
function stagingBegan({ warehouse }: Place): boolean {
  return (
    existsSync(join(warehouse, 'tmp')) &&
    readdirSync(join(warehouse, 'tmp')).some((name) => /^load-/.test(name))
  )
}

describe('kill -9', () => {
  let before: Place
  let after: Place
  let dumped: Dump
  let ms = 0
  beforeAll(async () => {
    before = copyPlace(empty, 'kill')
    await generateCampus(join(before.root, 'exports'), {
      ...{ learners: 300, events: 8000, seed: 11, courses: 20, badRows: 0.005 },
    })
    // One of its files was loaded when it was shorter.
    const log = join(before.root, 'exports', 'events.ndjson')
    const whole = readFileSync(log, 'utf8')
    writeFileSync(log, whole.slice(0, whole.indexOf('\n', whole.length / 3) + 1))
    await lpaOk(before, [...ONCE, '--quiet'])
    writeFileSync(log, whole)
    write(before, 'more.ndjson', eventLines('more', 3000))
    after = copyPlace(before, 'after')
    ms = (await lpaOk(after, [...ONCE, '--quiet'])).ms
    dumped = await dump(after, CONTENT)
  })

  test.each(seeds(rounds(4, 30)))('at a random moment, seed %i', async (seed) => {
    await replayable(FILE, 'at a random moment', seed, async () => {
      const place = copyPlace(before, `kill-${seed}`)
      const random = randomOf(seed)
      for (let kills = 1 + random.below(2); kills > 0; kills -= 1) {
        const { child, ended } = startLpa(place, [...ONCE, '--quiet'])
        await Promise.race([ended, sleep(share(random) * ms)])
        child.kill('SIGKILL')
        await ended
      }
      await lpaOk(place, [...ONCE, '--quiet'])
      expect(await faultsOf(place)).toEqual([])
      expect(await difference(after, place, { known: dumped, ...CONTENT })).toBe('')
      removePlace(place)
    })
  })
})
