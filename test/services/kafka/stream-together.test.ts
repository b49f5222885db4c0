/** Streams that share a topic, or take it from each other, with readers and writers beside them. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeWriterLock } from '../../../src/engines/duckdb/writer-lock.ts'
import { rowsOf } from '../../faults/dump.ts'
import {
  copyPlace,
  initPlace,
  isFull,
  lpaOk,
  type Place,
  type Running,
  removePlaces,
  rounds,
  startLpa,
} from '../../faults/lpa.ts'
import { until } from '../../faults/until.ts'
import { KafkaClient } from './client.ts'
import { type EventMessage, eventMessages } from './events.ts'
import { configFor, expectExactlyOnce, readTopic, SOURCE, startStream } from './exactly-once.ts'
import { describeWithKafka } from './shared-broker.ts'

const LIMIT_MS = isFull ? 600_000 : 240_000
const COUNT = rounds(8000, 40_000)
const MIXED = { duplicates: 50, disorder: 300, poison: 3, nullKeys: 100, tombstones: 5 }
const COUNTS = `select (select count(*) from core.fact_learning_event) as facts,
  (select coalesce(sum(events), 0) from core.agg_course_day) as days`
const OFTEN = ['--commit-every', '300ms', '--max-rejects', '100%']

/** Sends the messages over some time. */
async function trickle(
  client: KafkaClient,
  topic: string,
  messages: readonly EventMessage[],
  overMs: number,
): Promise<void> {
  const parts = 40
  const size = Math.ceil(messages.length / parts)
  for (let at = 0; at < messages.length; at += size) {
    await client.produce(topic, messages.slice(at, at + size))
    await sleep(overMs / parts)
  }
}

function stop(running: readonly Running[]): Promise<unknown> {
  for (const { child } of running) child.kill('SIGTERM')
  return Promise.all(running.map(({ ended }) => ended))
}

describeWithKafka('lpa stream, with others', (kafka) => {
  let client: KafkaClient
  let empty: Place
  beforeAll(async () => {
    client = await KafkaClient.connect(kafka.plaintext)
    empty = await initPlace('stream-together')
  })
  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    removePlaces()
  })

  const finish = async (place: Place, topic: string, config: readonly string[]) => {
    await lpaOk(place, ['stream', SOURCE, '--until-caught-up', ...OFTEN, '--quiet', ...config])
    await expectExactlyOnce(place, client, topic, await readTopic(client, topic))
  }

  test(
    'of its group, of which one comes later and one is killed, and a reader that sees more and more',
    async () => {
      const topic = 'together'
      await client.createTopic(topic, 5)
      const place = copyPlace(empty, topic)
      const messages = [...eventMessages({ seed: 77, count: COUNT, ...MIXED })]
      const config = configFor(place, client, topic, topic)
      const start = () => startStream(place, [...OFTEN, ...config])
      const [first, second] = [start(), start()]
      let isOver = false
      const reading = (async () => {
        let before = 0
        let reads = 0
        for (; !isOver; reads += 1) {
          const began = performance.now()
          const [seen = []] = await rowsOf(place, COUNTS)
          const [facts = 0, days = 0] = seen.map(Number)
          expect(performance.now() - began).toBeLessThan(5000)
          expect(facts).toBeGreaterThanOrEqual(before)
          expect(days).toBe(facts)
          before = facts
          await sleep(100)
        }
        return reads
      })()
      // Also as people ask.
      const asking = (async () => {
        const told: number[] = []
        for (; !isOver; await sleep(500)) {
          const asked = await lpaOk(place, ['query', '--sql', COUNTS, '--format', 'csv', '--quiet'])
          expect(asked.ms).toBeLessThan(10_000)
          const [facts = Number.NaN, days] = (asked.stdout.trim().split('\n')[1] ?? '').split(',').map(Number)
          expect(days).toBe(facts)
          expect(facts).toBeGreaterThanOrEqual(told.at(-1) ?? 0)
          told.push(facts)
        }
        return told
      })()
      for (const beside of [reading, asking]) beside.catch(() => {})
      const part = messages.length / 4
      await trickle(client, topic, messages.slice(0, part), 3000)
      await first.reached('committed')
      const third = start()
      await trickle(client, topic, messages.slice(part, 2 * part), 3000)
      second.child.kill('SIGKILL')
      await trickle(client, topic, messages.slice(2 * part), 5000)
      await stop([first, third])
      await finish(place, topic, config)
      isOver = true
      expect(await reading).toBeGreaterThan(10)
      expect(new Set(await asking).size).toBeGreaterThan(2)
    },
    LIMIT_MS,
  )

  test(
    'of another group for the same source: they fence each other',
    async () => {
      const topic = 'fenced'
      await client.createTopic(topic, 2)
      const place = copyPlace(empty, topic)
      const messages = [...eventMessages({ seed: 78, count: COUNT / 2, ...MIXED })]
      const groups = ['one', 'two'].map((name) => configFor(place, client, topic, `${topic}-${name}`))
      const both = groups.map((config, index) =>
        startStream(place, [...OFTEN, ...config, '--report', `${index}.json`]),
      )
      await trickle(client, topic, messages, 6000)
      await sleep(2000)
      await stop(both)
      const reports = groups.map((_, index) =>
        JSON.parse(readFileSync(join(place.root, `${index}.json`), 'utf8')),
      )
      expect(reports.reduce((sum, { overtaken }) => sum + overtaken, 0)).toBeGreaterThan(0)
      for (const { exitCode } of reports) expect([75, 143]).toContain(exitCode)
      await finish(place, topic, groups[0] ?? [])
    },
    LIMIT_MS,
  )

  test(
    'stopped between staging and its commit, while another group commits the same messages',
    async () => {
      const topic = 'stale'
      await client.createTopic(topic, 2)
      const place = copyPlace(empty, topic)
      const [one = [], two = []] = ['one', 'two'].map((name) =>
        configFor(place, client, topic, `${topic}-${name}`),
      )
      const stale = startStream(place, [...OFTEN, ...one, '--report', 'stale.json'])
      await client.produce(topic, eventMessages({ seed: 81, count: 1000, ...MIXED }))
      await stale.reached('built')
      const staged = stale.count('staged')
      const lock = await takeWriterLock(place.warehouse, 60_000)
      await client.produce(topic, eventMessages({ seed: 82, count: 1000, ...MIXED }))
      await stale.reached('staged', staged + 1)
      stale.child.kill('SIGSTOP')
      lock.release()
      await lpaOk(place, ['stream', SOURCE, '--until-caught-up', ...OFTEN, '--quiet', ...two])
      stale.child.kill('SIGCONT')
      await sleep(2000)
      await stop([stale])
      expect(JSON.parse(readFileSync(join(place.root, 'stale.json'), 'utf8'))).toMatchObject({ overtaken: 1 })
      await finish(place, topic, one)
    },
    LIMIT_MS,
  )

  test(
    'of its group, which is rebalanced in the middle of a write',
    async () => {
      const topic = 'rebalanced'
      await client.createTopic(topic, 4)
      const place = copyPlace(empty, topic)
      const config = configFor(place, client, topic, topic)
      const start = () => startStream(place, [...OFTEN, ...config])
      const first = start()
      await client.produce(topic, eventMessages({ seed: 84, count: 1000, ...MIXED }))
      await first.reached('built')
      const staged = first.count('staged')
      const committed = first.count('committed')
      const lock = await takeWriterLock(place.warehouse, 60_000)
      await client.produce(topic, eventMessages({ seed: 85, count: 1000, ...MIXED }))
      await first.reached('staged', staged + 1)
      const second = start()
      while ((await client.settledMembers(topic)) < 2) await sleep(100)
      await client.produce(topic, eventMessages({ seed: 86, count: 1000, ...MIXED }))
      expect(first.count('committed')).toBe(committed)
      expect(second.count('committed')).toBe(0)
      lock.release()
      await Promise.all([first.reached('committed', committed + 1), second.reached('committed')])
      await stop([first, second])
      await finish(place, topic, config)
    },
    LIMIT_MS,
  )

  test(
    'of its group, of which one is stopped while it waits for another that died',
    async () => {
      const topic = 'waiting'
      await client.createTopic(topic, 2)
      const place = copyPlace(empty, topic)
      await client.produce(topic, eventMessages({ seed: 83, count: 100, ...MIXED }))
      const config = configFor(place, client, topic, topic)
      const dead = startStream(place, [...OFTEN, ...config])
      await dead.reached('committed')
      dead.child.kill('SIGKILL')
      await dead.ended
      const waiting = startStream(place, [...OFTEN, ...config])
      await waiting.reached('started')
      await sleep(2500)
      expect(waiting.count('committed')).toBe(0)
      waiting.child.kill('SIGTERM')
      expect(await waiting.ended).toMatchObject({ code: 143 })
    },
    LIMIT_MS,
  )

  // It takes most of a minute.
  if (isFull)
    test(
      'of its group, stopped past its session and woken',
      async () => {
        const topic = 'asleep'
        await client.createTopic(topic, 2)
        const place = copyPlace(empty, topic)
        const messages = [...eventMessages({ seed: 79, count: 5000, ...MIXED })]
        const config = configFor(place, client, topic, topic)
        const start = (...flags: readonly string[]) => startStream(place, [...OFTEN, ...config, ...flags])
        const sleeper = start('--report', 'asleep.json')
        await client.produce(topic, messages.slice(0, 2000))
        const ends = (await client.endOffsets(topic)).reduce((sum, end) => sum + end, 0n)
        const stored = async () =>
          (await rowsOf(place, 'select coalesce(sum(next_offset), 0) from meta.stream_offsets'))[0]?.[0]
        await until(async () => BigInt(Number(await stored())) === ends, 'all of it is committed')
        // Stopped in the middle of a commit, it would hold the warehouse for as long as it sleeps.
        const lock = await takeWriterLock(place.warehouse, 60_000)
        const staged = sleeper.count('staged')
        await client.produce(topic, messages.slice(2000, 3000))
        await sleeper.reached('staged', staged + 1)
        // By now it waits for the lock.
        await sleep(1000)
        sleeper.child.kill('SIGSTOP')
        lock.release()
        const sending = trickle(client, topic, messages.slice(3000), 40_000)
        const other = start()
        await other.reached('committed', 3)
        sleeper.child.kill('SIGCONT')
        await sending
        await sleep(3000)
        await stop([sleeper, other])
        const { overtaken } = JSON.parse(readFileSync(join(place.root, 'asleep.json'), 'utf8'))
        expect(overtaken).toBeGreaterThanOrEqual(1)
        await finish(place, topic, config)
      },
      LIMIT_MS,
    )

  test(
    'that hold the warehouse longer than the topic waits: memory has a bound',
    async () => {
      const topic = 'memory'
      await client.createTopic(topic, 4)
      const place = copyPlace(empty, topic)
      await client.produce(topic, eventMessages({ seed: 80, count: isFull ? 600_000 : 150_000 }))
      const words = [
        'stream',
        SOURCE,
        '--until-caught-up',
        '--quiet',
        ...configFor(place, client, topic, topic),
      ]
      const { child, ended } = startLpa(place, words)
      let isOver = false
      const holding = (async () => {
        for (; !isOver; await sleep(100)) {
          using _lock = await takeWriterLock(place.warehouse, 60_000)
          await sleep(1500)
        }
      })()
      const resident: number[] = []
      const timer = setInterval(() => {
        const found = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
        if (found) resident.push(Number(found[1]) / 1024)
      }, 50)
      child.on('exit', () => clearInterval(timer))
      const ran = await ended
      isOver = true
      await holding
      expect(ran.code, ran.stderr).toBe(0)
      // Half a second after its beginning it is connected, and has staged nothing yet.
      const [atStart, peak] = [resident[10] ?? 0, Math.max(...resident)]
      process.stdout.write(
        `resident: ${Math.round(atStart)} MB at its start, at most ${Math.round(peak)} MB\n`,
      )
      expect(peak).toBeLessThanOrEqual(atStart + 512)
      const [row] = await rowsOf(
        place,
        'select count(*), count(distinct event_id) from core.fact_learning_event',
      )
      expect(row).toEqual(isFull ? [600_000, 600_000] : [150_000, 150_000])
    },
    LIMIT_MS,
  )
})
