/** `lpa stream kafka://…` against a real broker: what it reads, where it goes on, how it ends. */

import { once } from 'node:events'
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadOclifConfig } from '../../../scripts/oclif-config.ts'
import { takeWriterLock } from '../../../src/engines/duckdb/writer-lock.ts'
import { rowsOf } from '../../faults/dump.ts'
import {
  copyPlace,
  initPlace,
  lpa,
  lpaOk,
  type Place,
  type Ran,
  removePlaces,
  startLpa,
} from '../../faults/lpa.ts'
import { until } from '../../faults/until.ts'
import { type Codec, KafkaClient, type Message, produceByJava } from './client.ts'
import { type EventMessage, eventMessages, expectedOf } from './events.ts'
import { type Mechanism, USERS } from './properties.ts'
import { describeWithKafka } from './shared-broker.ts'

const SEED = 20_261_126

describeWithKafka('lpa stream kafka://', (kafka) => {
  let client: KafkaClient
  /** An empty warehouse, to be copied. */
  let empty: Place
  let topics = 0
  const newTopic = async (partitions = 1, config: Readonly<Record<string, string>> = {}) => {
    topics += 1
    const topic = `stream-${topics}`
    await client.createTopic(topic, partitions, config)
    return topic
  }
  const newPlace = () => copyPlace(empty, 'stream')
  const uri = (...names: readonly string[]) => `kafka://${kafka.plaintext}/${names.join(',')}`
  const catchUp = (place: Place, topic: string, ...more: readonly string[]) =>
    lpa(place, ['stream', uri(topic), '--until-caught-up', ...more])
  const caughtUp = (place: Place, topic: string, ...more: readonly string[]) =>
    lpaOk(place, ['stream', uri(topic), '--until-caught-up', ...more])

  beforeAll(async () => {
    client = await KafkaClient.connect(kafka.plaintext)
    empty = await initPlace('stream')
  })
  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    removePlaces()
  })

  // ── what is read ────────────────────────────────────────────────────────────────────────────────────────

  test('brings every event once, with doubles, disorder, poison and tombstones', async () => {
    const topic = await newTopic(3)
    const place = newPlace()
    const options = { count: 3000, duplicates: 80, disorder: 400, poison: 3, tombstones: 10, nullKeys: 100 }
    const messages = [...eventMessages({ seed: SEED, ...options })]
    const half = messages.length >> 1
    await client.produce(topic, messages.slice(0, half))
    await caughtUp(place, topic)
    await client.produce(topic, messages.slice(half))
    const second = await caughtUp(place, topic, '--json', '--report', 'report.json')
    expect(second.stderr).toContain('records mapped')

    const expected = expectedOf(messages)
    expect(await idsOf(place)).toEqual([...expected.ids].sort())
    expect(
      await rowsOf(
        place,
        'select course_id, count(*) from fact_learning_event join course using (course_key) group by 1',
      ),
    ).toEqual(expect.arrayContaining([...expected.byCourse]))
    const { rejected, filtered, read, mapped, doubled } = await countsOf(place)
    expect({ rejected, filtered, read }).toEqual({
      rejected: expected.poison,
      filtered: expected.tombstones,
      read: expected.messages,
    })
    expect(read).toBe(mapped + rejected + filtered + doubled)
    const places = await rowsOf(place, 'select position from raw.rejected_rows order by 1')
    for (const [position] of places) expect(position).toMatch(new RegExp(`^${topic}-[012]-\\d+$`))

    const ends = await client.endOffsets(topic)
    expect(await offsetsOf(place, topic)).toEqual(ends.map(Number))
    // For tools that show lag.
    expect(await client.groupOffsets(`lpa-${topic}`, topic)).toEqual(ends)
    expect((await caughtUp(place, topic)).stderr).toMatch(/^lpa stream: nothing new \(/)
  })

  test('names events without an id by topic, partition and offset, so that reading again doubles nothing', async () => {
    const topic = await newTopic(2)
    const place = newPlace()
    const mapping = readFileSync(
      new URL('../../../sql/mappings/campus_learning_event.sql', import.meta.url),
      'utf8',
    )
    writeFileSync(
      join(place.root, 'clicks.sql'),
      mapping
        .replace(/^-- recognise.*\n/m, '')
        .replace(/^ {2}event_id,\n/m, '')
        .replace('event_id, ', ''),
    )
    const messages = [...eventMessages({ seed: SEED + 1, count: 200 })]
    await client.produce(topic, messages)
    await caughtUp(place, topic, '--mapping', 'clicks.sql', '--commit-rows', '50')
    const before = await idsOf(place)
    expect(before).toHaveLength(200)
    expect(before[0]).toMatch(/^kafka:[\w-]{22}-[01]-\d+$/)
    await caughtUp(place, topic, '--mapping', 'clicks.sql', '--reset-offsets')
    expect(await idsOf(place)).toEqual(before)
  })

  test('several topics, each in its own form, CloudEvents around some', async () => {
    const [events, statements] = [await newTopic(2), await newTopic(1)]
    const place = newPlace()
    const messages = [...eventMessages({ seed: SEED + 2, count: 100 })]
    await client.produce(events, messages.map(inCloudEvent))
    const statement = (index: number) => ({
      id: `5f3c9a10-0000-4000-8000-${String(index).padStart(12, '0')}`,
      actor: { account: { homePage: 'https://lms.example', name: `person-${index % 7}` } },
      verb: { id: 'http://adlnet.gov/expapi/verbs/completed' },
      object: { id: `https://lms.example/activity/${index % 3}` },
      timestamp: '2026-03-02T08:00:00Z',
    })
    await client.produce(
      statements,
      Array.from({ length: 50 }, (_, index) => ({ value: JSON.stringify(statement(index), undefined, 2) })),
    )
    await lpaOk(place, ['stream', uri(events, statements), '--until-caught-up'])
    expect(
      await rowsOf(place, 'select format, sum(records_mapped) from meta.loads group by 1 order by 1'),
    ).toEqual([
      ['campus_learning_event', 100],
      ['xapi', 50],
    ])
    expect(await value(place, 'select count(*) from fact_learning_event')).toBe(150)
  })

  test('what files bring, also of messages with many events and of those that several mappings read', async () => {
    const [place, ofFiles] = [newPlace(), newPlace()]
    const names = ['caliper/envelopes-1.1.ndjson', 'canvas/live-events.ndjson']
    const files = names.map((name) => fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url)))
    const topics = [await newTopic(1), await newTopic(1)] as const
    for (const [index, topic] of topics.entries()) {
      const lines = readFileSync(files[index] ?? '', 'utf8')
        .trimEnd()
        .split('\n')
      const messages = lines.map((value) => ({ value }))
      await client.produce(topic, messages)
    }
    await lpaOk(place, ['stream', uri(...topics), '--until-caught-up', '--source', 'lms'])
    await lpaOk(ofFiles, ['load', ...files, '--source', 'lms', '--quiet'])
    await lpaOk(ofFiles, ['batch', '--quiet'])
    for (const rows of [EVENTS, ENROLLMENTS]) {
      const streamed = await rowsOf(place, rows)
      expect(streamed.length).toBeGreaterThan(0)
      expect(streamed).toEqual(await rowsOf(ofFiles, rows))
    }
    expect(await rowsOf(place, FORMATS)).toEqual([
      ['caliper', 7],
      ['canvas_live_course', 21],
      ['canvas_live_enrollment', 21],
      ['canvas_live_event', 21],
    ])
  })

  test('what Kafka’s own producer packs by every codec', async () => {
    const topic = await newTopic(2)
    const place = newPlace()
    const codecs: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
    const messages = [...eventMessages({ seed: SEED + 3, count: 5000 })]
    for (const [index, codec] of codecs.entries()) {
      const lines = messages.slice(index * 1000, index * 1000 + 1000).map(({ value }) => String(value))
      await produceByJava(kafka.plaintext, topic, lines, codec)
    }
    await caughtUp(place, topic)
    expect(await idsOf(place)).toEqual([...expectedOf(messages).ids].sort())
  })

  // ── transactions ────────────────────────────────────────────────────────────────────────────────────────

  test('committed messages only, of transactions that are interleaved and longer than a fetch', async () => {
    const topic = await newTopic(1)
    const place = newPlace()
    const all = [...eventMessages({ seed: SEED + 4, count: 24_000 })]
    const [aborted, committed, plain] = [all.slice(0, 8000), all.slice(8000, 16_000), all.slice(16_000)]
    const zero = Buffer.alloc(4)
    const [first, second, third] = [
      await client.begin('a1'),
      await client.begin('a2'),
      await client.begin('c1'),
    ]
    for (let at = 0; at < 8000; at += 1000) {
      const part = (of: readonly EventMessage[]): Message[] =>
        of.slice(at, at + 1000).map((message, index) => (index === 5 ? { ...message, key: zero } : message))
      await first.send(topic, part(aborted).slice(0, 500))
      await second.send(topic, part(aborted).slice(500))
      await third.send(topic, part(committed))
      await client.produce(topic, part(plain))
      if (at === 3000) await first.abort()
      if (at === 3000) break
    }
    await second.abort()
    await third.commit()
    // A tail of nothing but aborted messages and markers.
    const tail = await client.begin('a3')
    await tail.send(topic, aborted.slice(4000))
    await tail.abort()
    await caughtUp(place, topic, '--commit-rows', '3000')
    const expected = expectedOf([...committed.slice(0, 4000), ...plain.slice(0, 4000)])
    expect(await idsOf(place)).toEqual([...expected.ids].sort())
    expect(await offsetsOf(place, topic)).toEqual((await client.endOffsets(topic)).map(Number))
  })

  test('up to an open transaction, and on when it ends', async () => {
    const topic = await newTopic(1)
    const place = newPlace()
    const all = [...eventMessages({ seed: SEED + 5, count: 300 })]
    await client.produce(topic, all.slice(0, 100))
    const open = await client.begin('open-1')
    await open.send(topic, all.slice(100, 200))
    await client.produce(topic, all.slice(200))
    await caughtUp(place, topic)
    expect(await idsOf(place)).toHaveLength(100)
    await open.commit()
    await sleep(500)
    await caughtUp(place, topic)
    expect(await idsOf(place)).toEqual([...expectedOf(all).ids].sort())
  })

  test('nothing of topics and partitions that are empty or hold aborted messages only', async () => {
    const topic = await newTopic(4)
    const place = newPlace()
    expect((await caughtUp(place, topic)).stderr).toContain('nothing new')
    const gone = await client.begin('gone')
    await gone.send(topic, eventMessages({ seed: SEED + 6, count: 50 }), { partition: 2 })
    await gone.abort()
    await sleep(500)
    await caughtUp(place, topic)
    expect(await value(place, 'select count(*) from meta.loads')).toBe(0)
    const messages = [...eventMessages({ seed: SEED + 7, count: 20 })]
    await client.produce(topic, messages, { partition: 3 })
    await caughtUp(place, topic)
    expect(await idsOf(place)).toHaveLength(20)
  })

  test('what compaction left of a topic', async () => {
    const topic = await newTopic(1, {
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.001',
      'min.compaction.lag.ms': '0',
    })
    const place = newPlace()
    const messages = [...eventMessages({ seed: SEED + 8, count: 400 })].map((message, index) => ({
      ...message,
      key: `k${index % 10}`,
    }))
    for (let at = 0; at < 400; at += 100) {
      await client.produce(topic, messages.slice(at, at + 100))
      await sleep(200)
    }
    await client.produce(topic, [{ key: 'last', value: messages[0]?.value ?? null }])
    await sleep(4000)
    await caughtUp(place, topic)
    const ids = await idsOf(place)
    // The newest of each key are there, however far the broker has come.
    for (const { value } of messages.slice(-10)) expect(ids).toContain(JSON.parse(String(value)).event_id)
    expect(await offsetsOf(place, topic)).toEqual([401])
  })

  test('up to where the topic ended at its start, while messages keep coming', async () => {
    const topic = await newTopic(2)
    const place = newPlace()
    const all = [...eventMessages({ seed: SEED + 35, count: 20_000 })]
    await client.produce(topic, all.slice(0, 200))
    const begun = await client.endOffsets(topic)
    let isOver = false
    const sending = (async () => {
      for (let at = 200; !isOver && at < all.length; at += 10) {
        await client.produce(topic, all.slice(at, at + 10))
        await sleep(50)
      }
    })()
    const running = catchUp(place, topic, '--quiet')
    const first = await Promise.race([running.then(() => 'caught up'), sleep(60_000, 'still running')])
    const ends = await client.endOffsets(topic)
    isOver = true
    await sending
    expect(first).toBe('caught up')
    expect((await running).code).toBe(0)
    const stored = (await offsetsOf(place, topic)).map(Number)
    for (const [partition, end] of begun.entries())
      expect(stored[partition]).toBeGreaterThanOrEqual(Number(end))
    const sum = (offsets: readonly unknown[]) =>
      offsets.reduce<number>((total, one) => total + Number(one), 0)
    expect(sum(ends)).toBeGreaterThan(sum(stored))
  })

  // ── where it begins and goes on ─────────────────────────────────────────────────────────────────────────

  test('from the newest, or from a time, and from there on without a gap', async () => {
    const topic = await newTopic(2)
    const place = newPlace()
    const all = [...eventMessages({ seed: SEED + 9, count: 300 })]
    await client.produce(topic, all.slice(0, 100))
    await caughtUp(place, topic, '--from', 'latest')
    expect(await value(place, 'select count(*) from meta.loads')).toBe(0)
    await client.produce(topic, all.slice(100))
    // Once read, --from says nothing any more.
    await caughtUp(place, topic, '--from', 'latest')
    expect(await idsOf(place)).toEqual([...expectedOf(all.slice(100)).ids].sort())

    const other = newPlace()
    const time = new Date(all[200]?.timestamp ?? 0).toISOString()
    await caughtUp(other, topic, '--from', time)
    expect(await idsOf(other)).toEqual([...expectedOf(all.slice(200)).ids].sort())
    // Without a zone it is a time of UTC, wherever this is read.
    const elsewhere = newPlace()
    const from = ['--from', time.replace('Z', ''), '--until-caught-up']
    await lpaOk(elsewhere, ['stream', uri(topic), ...from], { env: { TZ: 'America/New_York' } })
    expect(await idsOf(elsewhere)).toEqual(await idsOf(other))
    const wrong = await catchUp(newPlace(), topic, '--from', 'tomorrow')
    expect(failureOf(wrong)).toBe('2 LPA-STREAM-FROM')
  })

  test('partitions that a topic got since are read from their beginning, whatever --from says', async () => {
    const topic = await newTopic(1)
    const place = newPlace()
    const all = [...eventMessages({ seed: SEED + 36, count: 90 })]
    await client.produce(topic, all.slice(0, 30))
    await caughtUp(place, topic, '--from', 'latest')
    await client.addPartitions(topic, 3)
    // The first one does not know them, and passes over their messages without a word.
    await using late = await KafkaClient.connect(kafka.plaintext)
    await late.produce(topic, all.slice(30, 60), { partition: 1 })
    await late.produce(topic, all.slice(60), { partition: 2 })
    await caughtUp(place, topic, '--from', 'latest')
    expect(await idsOf(place)).toEqual([...expectedOf(all.slice(30)).ids].sort())
    expect(await offsetsOf(place, topic)).toEqual([30, 30, 30])
  })

  test('two sources of one topic each read all of it, at the same time', async () => {
    const topic = await newTopic(2)
    const place = newPlace()
    await client.produce(topic, eventMessages({ seed: SEED + 32, count: 100 }))
    const running = ['one', 'two'].map((source) =>
      startLpa(place, ['stream', uri(topic), '--source', source, '--commit-every', '300ms', '--quiet']),
    )
    const staged = 'select source, count(*) from staging.stg_learning_event group by 1 order by 1'
    const bySource = async () =>
      JSON.stringify((await rowsOf(place, staged)).map(([, count]) => Number(count)))
    await until(async () => (await bySource()) === '[100,100]', 'both have all of it')
    for (const { child, ended } of running) {
      child.kill('SIGTERM')
      const { code, stderr } = await ended
      // Nothing until it was told to stop.
      expect(stderr).toBe('lpa stream: stopping (SIGTERM); once more to stop at once.\n')
      expect(code).toBe(143)
    }
  })

  test('a broker that is named by its IPv6 address', async (context) => {
    const [host, port] = kafka.plaintext.split(':')
    const six = createServer((socket) => {
      const broker = connect(Number(port), host)
      socket.pipe(broker).pipe(socket)
      for (const end of [socket, broker]) end.on('error', () => {})
    }).listen(0, '::1')
    const [failed] = await Promise.race([once(six, 'listening'), once(six, 'error')])
    if (failed) context.skip('there is no IPv6')
    const topic = await newTopic(1)
    const place = newPlace()
    await client.produce(topic, eventMessages({ seed: SEED + 33, count: 10 }))
    const address = `kafka://[::1]:${(six.address() as AddressInfo).port}/${topic}`
    await lpaOk(place, ['stream', address, '--until-caught-up'])
    six.close()
    expect(await idsOf(place)).toHaveLength(10)
  })

  test('ends loudly when the topic was made anew, and goes on when told to', async () => {
    const topic = await newTopic(1)
    const place = newPlace()
    const all = [...eventMessages({ seed: SEED + 10, count: 60 })]
    await client.produce(topic, all.slice(0, 40))
    await caughtUp(place, topic)
    await client.deleteTopic(topic)
    await sleep(1000)
    await client.createTopic(topic, 1)
    await client.produce(topic, all.slice(20))
    const refused = await catchUp(place, topic)
    expect(failureOf(refused)).toBe('65 LPA-STREAM-RECREATED')
    expect(refused.stderr).toContain('--reset-offsets')
    expect(await idsOf(place)).toHaveLength(40)
    await caughtUp(place, topic, '--reset-offsets')
    expect(await idsOf(place)).toEqual([...expectedOf(all).ids].sort())
  })

  test('ends loudly when messages were deleted before they were read', async () => {
    const topic = await newTopic(2)
    const place = newPlace()
    const all = [...eventMessages({ seed: SEED + 11, count: 90 })]
    await client.produce(topic, all.slice(0, 30), { partition: 1 })
    await caughtUp(place, topic)
    await client.produce(topic, all.slice(30), { partition: 1 })
    await client.deleteRecordsBefore(topic, 1, 50n)
    const refused = await catchUp(place, topic)
    expect(failureOf(refused)).toBe('65 LPA-STREAM-GONE')
    expect(refused.stderr).toContain(`${topic}-1-30`)
    await caughtUp(place, topic, '--reset-offsets')
    expect(await idsOf(place)).toHaveLength(70)
  })

  test('ends loudly when that happens while it runs', async () => {
    const topic = await newTopic(1)
    const place = newPlace()
    const all = [...eventMessages({ seed: SEED + 12, count: 40 })]
    await client.produce(topic, all.slice(0, 20))
    const running = startLpa(place, ['stream', uri(topic), '--commit-every', '200ms'])
    await until(async () => (await offsetsOf(place, topic))[0] === 20, 'the first messages are there')
    await client.deleteTopic(topic)
    await sleep(500)
    await client.createTopic(topic, 1)
    await client.produce(topic, all.slice(20, 25))
    const ended = await running.ended
    expect(failureOf(ended)).toMatch(/^65 LPA-STREAM-(GONE|RECREATED)$/)
    expect(await idsOf(place)).toHaveLength(20)
  })

  test('ends loudly when it was made anew, and is longer by now, while nothing was fetched', async () => {
    const topic = await newTopic(1)
    const place = newPlace()
    const all = [...eventMessages({ seed: SEED + 31, count: 300 })]
    await client.produce(topic, all.slice(0, 5))
    const running = startLpa(place, [
      ...['stream', uri(topic), '--commit-every', '200ms', '--commit-rows', '10'],
    ])
    await until(async () => (await offsetsOf(place, topic))[0] === 5, 'the first messages are there')
    const lock = await takeWriterLock(place.warehouse, 60_000)
    // One at a time: two groups wait for the warehouse, and a third one is full.
    for (const message of all.slice(5, 60)) await client.produce(topic, [message])
    await sleep(1500)
    await client.deleteTopic(topic)
    await sleep(500)
    await client.createTopic(topic, 1)
    await client.produce(topic, all.slice(60))
    lock.release()
    expect(failureOf(await running.ended)).toBe('65 LPA-STREAM-RECREATED')
    // Of the old one came what was on its way.
    const old = Number((await offsetsOf(place, topic))[0])
    expect(old).toBeLessThan(60)
    await caughtUp(place, topic, '--reset-offsets')
    const expected = [...all.slice(0, old), ...all.slice(60)]
    expect(await idsOf(place)).toEqual([...expectedOf(expected).ids].sort())
  })

  test('more bad messages than allowed end it, and nothing of theirs is committed', async () => {
    const topic = await newTopic(1)
    const place = newPlace()
    const good = [...eventMessages({ seed: SEED + 13, count: 100 })]
    await client.produce(topic, good)
    await caughtUp(place, topic)
    const bad = Array.from({ length: 11 }, () => ({ value: 'no json' }))
    await client.produce(topic, bad)
    const refused = await catchUp(place, topic)
    expect(failureOf(refused)).toBe('65 LPA-LOAD-REJECTS')
    expect(refused.stderr).toContain(`${topic}-0-100`)
    expect(await offsetsOf(place, topic)).toEqual([100])
    await caughtUp(place, topic, '--max-rejects', '11')
    expect(await offsetsOf(place, topic)).toEqual([111])
    const rejected = await rowsOf(place, 'select position, reason_code from raw.rejected_rows order by 1')
    expect(rejected).toEqual(bad.map((_, index) => [`${topic}-0-${100 + index}`, 'json:malformed']))
  })

  test('a message that looks personal is rejected alone, wherever it stands; many of them end it', async () => {
    const topic = await newTopic()
    const place = newPlace()
    const messages = [...eventMessages({ seed: SEED + 20, count: 1500 })]
    const personal = (id: string) => ({
      value: JSON.stringify({
        ...JSON.parse(String(messages[0]?.value)),
        ...{ event_id: id, attributes: { reply: 'clear.person@example.org' } },
      }),
    })
    await client.produce(topic, [personal('p1'), ...messages, personal('p2')])
    const ended = await caughtUp(place, topic)
    expect(ended.stderr).toContain('1,500 records mapped, 2 rejected')
    expect(
      await rowsOf(place, 'select position, reason_code, payload from raw.rejected_rows order by 1'),
    ).toEqual([
      [`${topic}-0-0`, 'personal:undeclared', null],
      [`${topic}-0-1501`, 'personal:undeclared', null],
    ])
    await client.produce(
      topic,
      Array.from({ length: 50 }, (_, number) => personal(`q${number}`)),
    )
    const refused = await catchUp(place, topic)
    expect(refused.code).toBe(65)
    expect(refused.stderr).toContain('it looks personal, and the mapping does not say what it is')
    expect(refused.stdout + refused.stderr).not.toContain('clear.person')
  })

  test('a batch that unpacks to more than any producer sends ends it, behind what came before it', async () => {
    const topic = await newTopic(2, { 'max.message.bytes': String(8 * 1024 * 1024) })
    const place = newPlace()
    const messages = [...eventMessages({ seed: SEED + 21, count: 20 })]
    await client.produce(topic, messages.slice(0, 5), { partition: 0 })
    const spaces = { key: null, value: ' '.repeat(65 * 1024 * 1024) }
    await client.produce(topic, [spaces], { partition: 0, compression: 'snappy' })
    await client.produce(topic, messages.slice(5, 10), { partition: 0 })
    await client.produce(topic, messages.slice(10), { partition: 1 })
    // Long before it would commit by the clock.
    const first = await catchUp(place, topic, '--commit-every', '10m')
    expect(failureOf(first)).toBe('65 LPA-STREAM-BATCH')
    expect(first.stderr).toContain(`${topic}-0-5`)
    expect((await offsetsOf(place, topic))[0]).toBe(5)
    const again = await catchUp(place, topic)
    expect(failureOf(again)).toBe('65 LPA-STREAM-BATCH')
    expect((await offsetsOf(place, topic))[0]).toBe(5)
    const ids = await idsOf(place)
    expect(ids).toEqual(expect.arrayContaining([...expectedOf(messages.slice(0, 5)).ids]))
  })

  test('after a new key, a topic that is read again takes the place of what it holds under the old one', async () => {
    const topic = await newTopic(1)
    const place = newPlace()
    const messages = [...eventMessages({ seed: SEED + 22, count: 60, learners: 5 })]
    const noId = messages.slice(0, 3).map(({ value }) => {
      const { event_id: _, ...event } = JSON.parse(String(value))
      return { value: JSON.stringify(event) }
    })
    await client.produce(topic, messages.slice(0, 20))
    await caughtUp(place, topic)
    await client.produce(topic, [...messages.slice(20), ...noId, { value: 'no json' }])
    await caughtUp(place, topic, '--max-rejects', '1')
    const [before, learners] = [await idsOf(place), await value(place, LEARNERS)]
    const rotated = await lpaOk(place, ['key', 'rotate'])
    const command = /lpa (stream \S+ --reset-offsets)/.exec(rotated.stdout)?.[1] ?? ''
    const again = await lpaOk(place, [...command.split(' '), '--until-caught-up', '--max-rejects', '1'])
    expect(again.stderr).toContain('2 loads are replaced')
    expect(again.stderr).not.toContain('another key')
    expect((await lpaOk(place, ['key', 'show'])).stdout).not.toContain('Load again')
    expect(await idsOf(place)).toEqual(before)
    expect(await value(place, LEARNERS)).toBe(learners)

    // What the topic does not hold any more can be read by nobody.
    await client.deleteRecordsBefore(topic, 0, 10n)
    await lpaOk(place, ['key', 'rotate'])
    const rest = await catchUp(place, topic, '--reset-offsets', '--max-rejects', '1')
    expect(rest.stderr).toContain('1 load is left under another key')
    expect(await idsOf(place)).toEqual(before)
  }, 300_000)

  // ── signing in ──────────────────────────────────────────────────────────────────────────────────────────

  describe('signed in', () => {
    let topic: string
    beforeAll(async () => {
      topic = await newTopic(1)
      await client.produce(topic, eventMessages({ seed: SEED + 14, count: 25 }))
    })
    const configured = (lines: readonly string[], secret: string) => {
      const place = newPlace()
      const toml = join(place.root, 'lpa.toml')
      writeFileSync(toml, `${readFileSync(toml, 'utf8')}\n[sources.bus]\n${lines.join('\n')}\n`)
      writeFileSync(join(place.root, 'bus.secret'), secret, { mode: 0o600 })
      return place
    }
    const stream = (place: Place, env = {}) =>
      lpa(place, ['stream', 'bus', '--until-caught-up', '-v'], { env })

    test.each(Object.keys(USERS) as Mechanism[])(
      'by %s, and refused with a wrong password',
      async (mechanism) => {
        const { username, password } = USERS[mechanism]
        const lines = [
          `uri = "kafka://${kafka.sasl}/${topic}"`,
          `auth = "${mechanism.toLowerCase()}"`,
          `user = "${username}"`,
          'secret_file = "bus.secret"',
        ]
        const place = configured(lines, `${password}\n`)
        const ran = await stream(place)
        expect(ran.code, ran.stderr).toBe(0)
        expect(await idsOf(place)).toHaveLength(25)
        expect(`${ran.stderr}${ran.stdout}${everythingIn(place)}`).not.toContain(password)
        const wrong = await stream(place, { LPA_SOURCES_BUS_SECRET: 'canary-4711' })
        expect(failureOf(wrong)).toBe('77 LPA-KAFKA-AUTH')
        expect(wrong.stderr).not.toContain('canary-4711')
      },
    )

    test('over TLS, with the authority that is named and with no other', async () => {
      const { username, password } = USERS['SCRAM-SHA-512']
      const lines = [
        `uri = "kafka://${kafka.saslSsl}/${topic}"`,
        ...['tls = true', 'auth = "scram-sha-512"', `user = "${username}"`, 'secret_file = "bus.secret"'],
      ]
      const place = configured([...lines, 'ca_file = "ca.pem"'], password)
      copyFileSync(kafka.ca, join(place.root, 'ca.pem'))
      const ran = await stream(place)
      expect(ran.code, ran.stderr).toBe(0)
      expect(await idsOf(place)).toHaveLength(25)
      const distrusting = configured(lines, password)
      const refused = await stream(distrusting, { NODE_TLS_REJECT_UNAUTHORIZED: '0' })
      expect(failureOf(refused)).toBe('69 LPA-KAFKA-UNREACHABLE')
      expect(refused.stderr).toMatch(/certificate/)
    })
  })

  // ── while it runs ───────────────────────────────────────────────────────────────────────────────────────

  test('facts follow within seconds; SIGTERM ends it; metrics and runs tell', async () => {
    const topic = await newTopic(2)
    const place = newPlace()
    const all = [...eventMessages({ seed: SEED + 15, count: 600 })]
    const running = startLpa(place, [
      ...['stream', uri(topic), '--commit-every', '300ms', '--metrics-file', 'lpa.prom'],
    ])
    for (let at = 0; at < 600; at += 200) {
      await client.produce(topic, all.slice(at, at + 200))
      const expected = [...expectedOf(all.slice(0, at + 200)).ids].sort()
      await until(async () => (await idsOf(place)).length === expected.length, 'facts follow')
      expect(await idsOf(place)).toEqual(expected)
    }
    await until(
      () => readFileSync(join(place.root, 'lpa.prom'), 'utf8').includes('fate="mapped"} 600'),
      'the metrics tell',
    )
    const metrics = readFileSync(join(place.root, 'lpa.prom'), 'utf8')
    expect(metrics).toMatch(/# EOF\n$/)
    expect(metrics).toContain(`lpa_stream_lag{source="kafka",place="${topic}-0"} 0\n`)
    running.child.kill('SIGTERM')
    const stopping = performance.now()
    const ended = await running.ended
    expect(ended.code).toBe(143)
    expect(performance.now() - stopping).toBeLessThan(5000)
    expect(ended.stderr).toMatch(/600 records mapped, 0 rejected in \d+ commits; stopped by SIGTERM/)
    expect(ended.stdout).toBe('')
    const [run] = JSON.parse((await lpaOk(place, ['runs', '--json'])).stdout)
    expect(run).toMatchObject({ command: 'stream', exit_code: 143 })
    // What was built without checks, the next batch checks.
    const checked = 'select count(*) from meta.checks'
    const before = await value(place, checked)
    await lpaOk(place, ['batch'])
    expect(Number(await value(place, checked))).toBeGreaterThan(Number(before))
    const [{ count }] = JSON.parse(
      (
        await lpaOk(place, [
          'query',
          '--json',
          '--sql',
          'select count(*) as count from meta.checks where failures > 0',
        ])
      ).stdout,
    )
    expect(count).toBe(0)
  })

  test('tells how far it is behind also while another run holds the warehouse', async () => {
    const topic = await newTopic(1)
    const place = newPlace()
    const all = [...eventMessages({ seed: SEED + 34, count: 65 })]
    await client.produce(topic, all.slice(0, 5))
    const running = startLpa(place, [
      ...['stream', uri(topic), '--commit-every', '200ms', '--commit-rows', '10'],
      ...['--metrics-file', 'lpa.prom'],
    ])
    await until(async () => (await offsetsOf(place, topic))[0] === 5, 'the first messages are there')
    const lag = () =>
      /^lpa_stream_lag{.*} (\d+)$/m.exec(readFileSync(join(place.root, 'lpa.prom'), 'utf8'))?.[1]
    const lock = await takeWriterLock(place.warehouse, 60_000)
    for (const message of all.slice(5)) await client.produce(topic, [message])
    await until(() => lag() === '60', 'all that waits is told')
    lock.release()
    await until(() => lag() === '0', 'and that nothing does any more')
    running.child.kill('SIGTERM')
    await running.ended
  })

  test('stores how far it is also when nothing came but what was aborted', async () => {
    const topic = await newTopic(1)
    const place = newPlace()
    const messages = [...eventMessages({ seed: SEED + 22, count: 50 })]
    await client.produce(topic, messages)
    const running = startLpa(place, ['stream', uri(topic), '--commit-every', '300ms'])
    await until(async () => (await offsetsOf(place, topic))[0] === 50, 'the messages are there')
    const gone = await client.begin('gone-2')
    await gone.send(topic, messages)
    await gone.abort()
    await until(async () => (await offsetsOf(place, topic))[0] === 101, 'their end is stored')
    running.child.kill('SIGINT')
    const ended = await running.ended
    expect(ended.code).toBe(130)
    expect(ended.stderr).toContain('50 records mapped')
  })

  test('is stopped at once where a broker takes connections and never answers', async () => {
    const deaf = createServer(() => {}).listen(0, '127.0.0.1')
    await once(deaf, 'listening')
    const { port } = deaf.address() as AddressInfo
    const place = newPlace()
    const running = startLpa(place, ['stream', `kafka://127.0.0.1:${port}/nothing`])
    const [socket] = (await once(deaf, 'connection')) as [Socket]
    await once(socket, 'data')
    const stopping = performance.now()
    running.child.kill('SIGINT')
    const ended = await running.ended
    deaf.close()
    expect(performance.now() - stopping).toBeLessThan(3000)
    expect([ended.code, ended.stderr]).toEqual([
      130,
      expect.stringContaining('nothing new; stopped by SIGINT'),
    ])
  })

  test('the examples of its help run', async () => {
    const topic = await newTopic(1)
    await client.produce(topic, eventMessages({ seed: SEED + 16, count: 10 }))
    const place = newPlace()
    const toml = join(place.root, 'lpa.toml')
    writeFileSync(toml, `${readFileSync(toml, 'utf8')}\n[sources.bus]\nuri = "${uri(topic)}"\n`)
    const { commands } = await loadOclifConfig()
    const examples = (commands.find(({ id }) => id === 'stream')?.examples ?? [])
      .map((example) => (typeof example === 'string' ? example : example.command))
      .filter((example) => /stream (kafka:|bus\b)/.test(example))
    expect(examples).toHaveLength(3)
    for (const example of examples) {
      const [, ...words] = example
        .replace('<%= config.bin %>', 'lpa')
        .replace('kafka://localhost:9092/statements', uri(topic))
        .replace('/var/lib/node_exporter/', '')
        .split(' ')
      const { child, ended } = startLpa(place, words)
      if (!words.includes('--until-caught-up')) {
        const isTold = () => !words.includes('--metrics-file') || existsSync(join(place.root, 'lpa.prom'))
        const isThere = async () => (await offsetsOf(place, topic)).at(-1) === 10 && isTold()
        await until(isThere, 'the messages are there')
        await sleep(500)
        child.kill('SIGTERM')
      }
      const { code, stderr } = await ended
      expect([0, 143], `${example}: ${stderr}`).toContain(code)
    }
    expect(readFileSync(join(place.root, 'lpa.prom'), 'utf8')).toMatch(/# EOF\n$/)
  })

  test.each([
    ['a topic that is not there', () => uri('no-such-topic'), '66 LPA-KAFKA-TOPIC'],
    ['a port where nobody listens', () => 'kafka://127.0.0.1:1/t', '69 LPA-KAFKA-UNREACHABLE'],
    ['a source that is not there', () => 'nope', '2 LPA-STREAM-TARGET'],
    ['an address without a topic', () => `kafka://${kafka.plaintext}`, '78 LPA-CONFIG-KAFKA'],
  ])('%s is said', async (_, target, failure) => {
    const ran = await lpa(newPlace(), ['stream', target(), '--until-caught-up'])
    expect(failureOf(ran)).toBe(failure)
  })
})

function inCloudEvent({ value, ...message }: EventMessage, index: number): Message {
  const envelope = {
    specversion: '1.0',
    id: String(index),
    source: '/lms',
    type: 'event',
    data: JSON.parse(String(value)),
  }
  return index % 2 === 0 ? { ...message, value: JSON.stringify(envelope) } : { ...message, value }
}

/** Without ids, which some formats have none of: they are named by where they stand. */
const EVENTS = `select learner_key, course_key, occurred_at, event_type, activity_id, session_id, score, progress, attributes::varchar
  from fact_learning_event order by all`
const ENROLLMENTS =
  'select learner_key, course_key, enrolled_at, status, mode, withdrawn_at from fact_enrollment order by all'
const FORMATS = 'select format, sum(records_read) from meta.loads group by 1 order by 1'
const LEARNERS = 'select count(*) from dim_learner where learner_key <> 0'

function failureOf({ code, stderr }: Ran): string {
  return `${code} ${/LPA-[A-Z-]+/.exec(stderr)?.[0]}`
}

async function value(place: Place, sql: string): Promise<unknown> {
  return (await rowsOf(place, sql))[0]?.[0]
}

async function idsOf(place: Place): Promise<unknown[]> {
  const ids = await rowsOf(place, 'select event_id from fact_learning_event')
  // Ids that are not global have their source before them.
  return ids.map(([id]) => String(id).replace(/^[a-z]+:(?=ev-)/, '')).sort()
}

async function offsetsOf(place: Place, topic: string): Promise<unknown[]> {
  const sql = `select next_offset from meta.stream_offsets where topic = '${topic}' order by partition`
  return (await rowsOf(place, sql)).map(([offset]) => offset)
}

async function countsOf(
  place: Place,
): Promise<Record<'read' | 'mapped' | 'rejected' | 'filtered' | 'doubled', number>> {
  const names = ['read', 'mapped', 'rejected', 'filtered', 'doubled'] as const
  const [sums = []] = await rowsOf(
    place,
    `select ${names.map((name) => `sum(records_${name})`).join(', ')} from meta.loads`,
  )
  return Object.fromEntries(names.map((name, index) => [name, Number(sums[index])])) as never
}

/** Every byte that lies in a place, but for its secret. */
function everythingIn({ root }: Place): string {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'bus.secret')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}
