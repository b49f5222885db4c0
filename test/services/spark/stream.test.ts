/** lpa stream --engine spark: the same facts as without it, each event once; with LPA_FAULTS=full whoever is killed meanwhile. */

import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { NoKafka } from '../../../scripts/kafka-jars.ts'
import { openDuckDB, quoteText, readRows } from '../../../src/duckdb.ts'
import { pads, readKey } from '../../../src/pseudonym.ts'
import { sealingKey } from '../../../src/sources/spark/seal.ts'
import { faultsOf, withEngine } from '../../faults/dump.ts'
import { copyPlace, initPlace, isFull, lpa, lpaOk, type Place, removePlaces } from '../../faults/lpa.ts'
import { Broker } from '../kafka/broker.ts'
import { KafkaClient } from '../kafka/client.ts'
import { type EventMessage, eventMessages, expectedOf } from '../kafka/events.ts'
import { startStream } from '../kafka/exactly-once.ts'
import { coreRows, expectSameTables } from '../same-cells.ts'
import { describeWithSpark, QUICK_JAVA } from './shared-spark.ts'

const MESSAGES = 200_000
const LIMIT_MS = 3_600_000
const ONCE = ['--engine', 'spark', '--until-caught-up', '--max-rejects', '100%']
/** No pattern, though it looks like one. */
const IN = 'in {a}[1]'
const MAPPING = ['--mapping', 'campus_learning_event']

describeWithSpark('lpa stream on Spark', ({ state }) => {
  const env = { XDG_STATE_HOME: state }
  let empty: Place
  beforeAll(async () => {
    // Of copies, too: a warehouse's modes are looked at.
    process.umask(0o077)
    empty = await initPlace('spark-stream')
  })
  afterAll(removePlaces)

  describe('of a directory', () => {
    let place: Place
    let embedded: Place
    const stream = (...flags: string[]) =>
      lpaOk(place, ['stream', `dir:${IN}`, ...ONCE, ...MAPPING, ...flags], { env })
    /** Files appear whole. */
    const put = (name: string, messages: Iterable<EventMessage>, modified = new Date()) => {
      const lines = [...messages].map(({ value }) => String(value))
      for (const { root } of [place, embedded]) {
        writeFileSync(join(root, name), `${lines.join('\n')}\n`)
        utimesSync(join(root, name), modified, modified)
        renameSync(join(root, name), join(root, IN, name))
      }
    }
    const expectSame = async () => {
      await lpaOk(embedded, ['stream', `dir:${IN}`, '--until-caught-up', '--max-rejects', '100%', ...MAPPING])
      const [here, there] = [await withEngine(embedded, coreRows), await withEngine(place, coreRows)]
      expect(here['core.fact_learning_event']?.length).toBeGreaterThan(900)
      expectSameTables(here, there)
    }

    beforeAll(() => {
      place = copyPlace(empty, 'on-spark')
      embedded = copyPlace(empty, 'embedded')
      for (const { root } of [place, embedded]) mkdirSync(join(root, IN))
    })

    test('gives the facts that lpa stream gives without it', async () => {
      const messages = [...eventMessages({ seed: 1, count: 1000, duplicates: 50 })]
      put('one.ndjson', [...messages, ...AWKWARD.map(messageOf)])
      await stream()
      await expectSame()
      const rejects = `select reason_code, content_hmac, payload from raw.rejected_rows order by all`
      const rejected = async (one: Place) => (await withEngine(one, (engine) => engine.query(rejects))).rows
      const expected = await rejected(embedded)
      expect(expected.length).toBeGreaterThan(4)
      expect(await rejected(place)).toEqual(expected)
    })

    test('goes on from there', async () => {
      expect((await stream()).stderr).toContain('nothing new')
      const tenDaysAgo = new Date(Date.now() - 864_000_000)
      const messages = [...eventMessages({ seed: 1, count: 1300, duplicates: 50 })]
      put('two.ndjson', messages, tenDaysAgo)
      // Of doubles in another batch only Spark knows before the facts do.
      const doubled = (messages.length - 300).toLocaleString('en')
      expect((await stream()).stderr).toContain(
        `300 records mapped, 0 rejected, ${doubled} doubled in 1 commit`,
      )
      await expectSame()
      expect(await faultsOf(place)).toEqual([])
      await lpaOk(place, ['doctor', '--verify', '--quiet'])
    })

    test('rejects what looks personal, and keeps nothing of it', async () => {
      writeFileSync(join(place.root, 'three.ndjson'), PERSONAL.join('\n'))
      renameSync(join(place.root, 'three.ndjson'), join(place.root, IN, 'three.ndjson'))
      writeFileSync(join(place.root, IN, 'courses.csv'), 'course_id,course_title\n')
      writeFileSync(join(place.root, IN, '_half.ndjson'), '')
      const { stderr } = await stream()
      expect(stderr).toContain('2 other files are passed over')
      expect(stderr).toContain(`${PERSONAL.length} of ${PERSONAL.length} records read here, not on Spark`)
      const found = await withEngine(place, (engine) =>
        engine.query(`select payload from raw.rejected_rows where reason_code = 'personal:undeclared'`),
      )
      expect(found.rows).toEqual(PERSONAL.map(() => [null]))
    })

    test('leaves nothing in clear beside the warehouse', () => {
      const folder = join(place.warehouse, 'streams')
      const names = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
      const files = names
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
      // What was taken is gone; what is left tells how far it was read, and which events came lately.
      expect(files.filter((file) => file.endsWith('.parquet'))).toEqual([])
      const texts = files.map((file) => readFileSync(file, 'latin1'))
      expect(texts.some((text) => text.includes('/three.ndjson'))).toBe(true)
      for (const text of texts) expect(text).not.toMatch(CLEAR)
    })

    test('nor while it waits to be committed', async () => {
      const others = PERSONAL.map((line) => line.replace('p-', 'w-'))
      put('four.ndjson', [event('w', {}), ...others].map(messageOf))
      const strict = ['--engine', 'spark', '--until-caught-up', '--max-rejects', '0']
      const refused = await lpa(place, ['stream', `dir:${IN}`, ...strict, ...MAPPING], { env })
      expect(refused, refused.stderr).toMatchObject({ code: 65 })
      const files = join(place.warehouse, 'streams', '*', '*', 'rows', '**', '*.parquet')
      await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
      const rows = await readRows<Record<string, string | null>>(
        database.connection,
        `select columns(*)::varchar from read_parquet(${quoteText(files)}, hive_partitioning = false)`,
      )
      const sealed = rows.filter(({ lpa_sealed }) => lpa_sealed !== null)
      expect([rows.length, sealed.length]).toEqual([1 + PERSONAL.length, PERSONAL.length])
      expect(rows.some(({ learner_id }) => /^[0-9a-f]{64}$/.test(learner_id ?? ''))).toBe(true)
      expect(JSON.stringify(rows)).not.toMatch(CLEAR)
    })

    test('takes the place of what was read under another key', async () => {
      await lpaOk(place, ['key', 'rotate', '--quiet'])
      expect((await stream('--reset-offsets')).stderr).toContain(
        'replaced by what was read again under this key',
      )
    })
  })

  test('is refused where Spark would do otherwise, or tell a password', async () => {
    const place = copyPlace(empty, 'refused')
    const stream = (...words: string[]) => lpa(place, ['stream', ...words, ...ONCE], { env })
    const said = (words: string) => ({ code: 78, stderr: expect.stringContaining(words) })
    expect(await stream('dir:.')).toMatchObject(said('LPA-SPARK-MAPPING'))
    expect(await stream('dir:.', '--mapping', 'campus_learner')).toMatchObject(said('not learner'))
    expect(await stream('dir:.', '--mapping', 'caliper')).toMatchObject(said('LPA-SPARK-MAPPING'))
    addSource(place, 'secret', [
      'uri = "kafka://127.0.0.1:9/clicks"',
      'auth = "scram-sha-512"',
      'user = "lpa"',
    ])
    const withPassword = { env: { ...env, LPA_SOURCES_SECRET_SECRET: 'sesame' } }
    const words = ['stream', 'secret', ...MAPPING, ...ONCE]
    expect(await lpa(place, words, withPassword)).toMatchObject(said('LPA-SPARK-KAFKA-AUTH'))
  })

  test('reads a topic, each message once', async (context) => {
    await using broker = await startBroker(context)
    await using client = await KafkaClient.connect(broker.addresses.plaintext)
    await client.createTopic('few', 2)
    const messages = [
      ...eventMessages({ seed: 3, count: 1000, duplicates: 100, poison: 5, tombstones: 5, nullKeys: 100 }),
    ]
    await client.produce('few', messages)
    const place = copyPlace(empty, 'topic')
    addSource(place, 'bus', [`uri = "kafka://${client.address}/few"`, 'mapping = "campus_learning_event"'])
    await lpaOk(place, ['stream', 'bus', ...ONCE], { env })
    await expectOnce(place, messages)
  })

  if (isFull)
    test(
      'counts each message once when Spark or lpa is killed, and tells a topic that was made anew',
      async (context) => {
        await using broker = await startBroker(context)
        const place = copyPlace(empty, 'killed')
        const own = { XDG_STATE_HOME: join(place.root, 'state'), ...QUICK_JAVA }
        const up = async () => {
          const ran = await lpaOk(
            place,
            ['spark', 'up', '--memory', '1g', '--conf', 'spark.sql.shuffle.partitions=2', '--json'],
            { env: own },
          )
          return JSON.parse(ran.stdout).pid as number
        }
        try {
          await using client = await KafkaClient.connect(broker.addresses.plaintext)
          await client.createTopic('clicks', 3)
          const messages = [
            ...eventMessages({
              ...{ seed: 7, count: Math.floor(MESSAGES / 1.1), duplicates: 100, disorder: 200 },
              ...{ poison: 5, tombstones: 5, nullKeys: 100 },
            }),
          ]
          await client.produce('clicks', messages)
          addSource(place, 'bus', [
            `uri = "kafka://${client.address}/clicks"`,
            'mapping = "campus_learning_event"',
          ])
          const flags = [...ONCE, '--commit-rows', String(MESSAGES / 20)]

          const server = await up()
          const first = startStream(place, flags, own)
          await first.reached('committed')
          first.child.kill('SIGKILL')
          expect((await first.ended).signal).toBe('SIGKILL')

          const second = startStream(place, flags, own)
          await second.reached('committed')
          process.kill(server, 'SIGKILL')
          const { code, stderr } = await second.ended
          expect(code, stderr).toBe(69)

          await up()
          const third = await startStream(place, flags, own).ended
          expect(third.code, third.stderr).toBe(0)
          await expectOnce(place, messages)
          expect(await faultsOf(place)).toEqual([])
          expectNoKey(place)

          await client.deleteTopic('clicks')
          await sleep(1000)
          await client.createTopic('clicks', 3)
          const anew = await startStream(place, flags, own).ended
          expect(anew).toMatchObject({ code: 65, stderr: expect.stringContaining('LPA-STREAM-RECREATED') })
        } finally {
          await lpaOk(place, ['spark', 'down', '--quiet'], { env: own })
        }
      },
      LIMIT_MS,
    )
})

async function startBroker(context: TestContext): Promise<Broker> {
  try {
    return await Broker.start()
  } catch (error) {
    if (error instanceof NoKafka) context.skip(error.message)
    throw error
  }
}

function addSource({ root }: Place, name: string, lines: readonly string[]): void {
  appendFileSync(join(root, 'lpa.toml'), ['', `[sources.${name}]`, ...lines, ''].join('\n'))
}

/** Records that Spark leaves to lpa, some of them bad. */
const AWKWARD: readonly string[] = [
  event('a-1', { score: 0 }).replace('"score":0', '"score":0.1234567890123456789'),
  event('a-2', { activity_id: 'say "hello"\n\u00e9' }),
  event('a-3', { attributes: { deep: [[{ a: 1.5e3 }]], name: { de: 'Ä' } } }),
  event('a-4', { learner_id: null }),
  event('a-5', { occurred_at: 'yesterday' }),
  event('a-6', { score: 7 }),
  // A good one of the same id and time.
  event('a-6', { score: 0.7 }),
  '{"event_id": "a-7", "learner_id": "S0000001"',
  '[]',
]
const CLEAR = /S000\d{4}|ada@example|O'Neil|203\.0\.113|\+49/
const PERSONAL: readonly string[] = [
  event('p-1', { activity_id: 'ada@example.org' }),
  event('p-2', { attributes: { student_name: "O'Neil" } }),
  event('p-3', { activity_id: '203.0.113.7' }),
  // As PHP writes them.
  event('p-4', { activity_id: '+49 170/1234567' }).replace('170/', '170\\/'),
  event('p-5', { activity_id: '203.0.113.7' }).replace('"203', '"\\u00A0203'),
  event('p-6', { activity_id: '203.0.113.7' }).replace('.7"', '.7\\ufeff"'),
]

function event(id: string, more: object): string {
  const whole = { event_id: id, event_type: 'viewed', learner_id: 'S0000001', course_id: 'course-1' }
  return JSON.stringify({ ...whole, occurred_at: '2026-03-02T09:00:00Z', ...more })
}

function messageOf(text: string): EventMessage {
  return { value: Buffer.from(text), key: null, timestamp: 0 }
}

/** Nor its pads, in what Spark has said and written. */
function expectNoKey({ root, warehouse }: Place): void {
  const key = readKey(join(root, 'pseudonym.key'))
  const { inner, outer } = pads(key)
  const bytes = [key.secret, sealingKey(key), Buffer.from(inner, 'hex'), Buffer.from(outer, 'hex')]
  const words = bytes.flatMap((one) => [one.toString('hex'), one.toString('base64'), one.toString('latin1')])
  const entries = [warehouse, join(root, 'state')].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
  )
  expect(entries.some(({ name }) => name === 'spark.log')).toBe(true)
  for (const { parentPath, name } of entries) {
    const text = readFileSync(join(parentPath, name), 'latin1').toLowerCase()
    for (const word of words) expect([name, text.includes(word.toLowerCase())]).toEqual([name, false])
  }
}

async function expectOnce(place: Place, messages: readonly EventMessage[]): Promise<void> {
  const oracle = expectedOf(messages)
  const bad = new Set(
    messages.flatMap(({ value }) =>
      value !== null && expectedOf([{ value }]).poison === 1 ? [value.toString('base64')] : [],
    ),
  )
  await withEngine(place, async (engine) => {
    const counted = async (sql: string) =>
      new Map((await engine.query(sql)).rows.map(([name, count]) => [String(name), Number(count)]))
    const facts = await counted('select event_id, count(*) from core.fact_learning_event group by all')
    expect(facts).toEqual(new Map([...oracle.ids].map((id) => [`bus:${id}`, 1])))
    const courses = `select d.course_id, count(*) from core.fact_learning_event f join core.dim_course d
      on d.course_key = f.course_key and f.occurred_at >= d.valid_from and f.occurred_at < d.valid_to group by all`
    expect(await counted(courses)).toEqual(oracle.byCourse)
    const rejected = await counted(`select 'rejected', count(*) from raw.rejected_rows`)
    expect(rejected.get('rejected')).toBe(bad.size)
  })
}
