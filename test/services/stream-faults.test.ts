/**
 * kill -9 of lpa and of the broker, several lpa at once, readers and writers beside them, while messages come in: each
 * message is in the warehouse exactly once, also before events are told apart by their ids.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { takeWriterLock } from '../../src/engines/duckdb/writer-lock.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'
import type { Cell } from '../../src/types.ts'
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
} from '../faults/lpa.ts'
import { randomOf, replayable, seeds } from '../faults/seeds.ts'
import { Broker } from './kafka/broker.ts'
import { KafkaClient } from './kafka/client.ts'
import { type EventMessage, eventMessages, expectedOf } from './kafka/events.ts'
import { describeWithKafka } from './kafka/shared-broker.ts'

const FILE = 'test/services/stream-faults.test.ts'
const MESSAGES = isFull ? 100_000 : 8000
const TIMES = { timeout: isFull ? 1_800_000 : 240_000 }
const MIXED = { duplicates: 50, disorder: 300, poison: 3, nullKeys: 100 }
const OFTEN = ['--commit-every', '300ms', '--max-rejects', '100%', '--quiet']

let topics = 0
const newTopic = () => {
  topics += 1
  return `faults-${topics}`
}

async function rows(place: Place, sql: string): Promise<readonly (readonly Cell[])[]> {
  const config = loadConfig({ cwd: place.root, env: { LPA_EXTENSIONS: process.env.LPA_EXTENSIONS } })
  const never = new AbortController().signal
  return (await withWarehouse(config, 'read', never, (engine) => engine.query(sql))).rows
}

const numbers = async (place: Place, sql: string) => ((await rows(place, sql))[0] ?? []).map(Number)

/** What is in the warehouse against what is in the topic. `sent` are at least the messages in it. */
async function expectExactlyOnce(
  place: Place,
  client: KafkaClient,
  topic: string,
  sent: readonly EventMessage[],
): Promise<void> {
  const expected = expectedOf(sent)
  const ends = (await client.endOffsets(topic)).map(Number)
  const offsets = await rows(
    place,
    `select next_offset from meta.stream_offsets where topic = '${topic}' order by partition`,
  )
  expect(offsets.map(([offset]) => Number(offset))).toEqual(ends)
  const [raw = 0, rejected = 0, facts = 0, ids = 0] = await numbers(
    place,
    `select (select count(*) from raw.raw_learning_events), (select count(*) from raw.rejected_rows),
       (select count(*) from fact_learning_event), (select count(distinct event_id) from fact_learning_event)`,
  )
  // No transactions: each offset is a message.
  const messages = ends.reduce((sum, end) => sum + end, 0)
  expect(raw + rejected).toBe(messages - expected.tombstones)
  expect({ facts, ids }).toEqual({ facts: expected.ids.size, ids: expected.ids.size })
  const courses = await rows(
    place,
    'select course_id, count(*) from fact_learning_event join course using (course_key) group by 1',
  )
  expect(new Map(courses.map(([course, count]) => [String(course), Number(count)]))).toEqual(
    expected.byCourse,
  )
  const [failed] = await numbers(place, 'select count(*) from meta.checks where failures > 0')
  expect(failed).toBe(0)
}

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

describeWithKafka('a stream that is disturbed', (kafka) => {
  let client: KafkaClient
  let empty: Place
  const uriOf = (topic: string) => `kafka://${kafka.plaintext}/${topic}`
  beforeAll(async () => {
    client = await KafkaClient.connect(kafka.plaintext)
    empty = await initPlace('stream-faults')
  })
  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    removePlaces()
  })

  test('by kill -9 of lpa at random moments', TIMES, async () => {
    const [seed = 0] = seeds(1)
    await replayable(FILE, 'by kill -9 of lpa at random moments', seed, async () => {
      const random = randomOf(seed)
      const topic = newTopic()
      await client.createTopic(topic, 3)
      const place = await initPlace('kill')
      const messages = [...eventMessages({ seed, count: MESSAGES, tombstones: 5, ...MIXED })]
      const kills = rounds(5, 30)
      const sending = trickle(client, topic, messages, kills * 1500)
      for (let kill = 0; kill < kills; kill += 1) {
        const { child, ended } = startLpa(place, ['stream', uriOf(topic), ...OFTEN])
        await sleep(700 + random.below(2500))
        child.kill('SIGKILL')
        expect((await ended).signal).toBe('SIGKILL')
      }
      await sending
      await lpaOk(place, ['stream', uriOf(topic), '--until-caught-up', ...OFTEN])
      await expectExactlyOnce(place, client, topic, messages)
      const verified = JSON.parse((await lpaOk(place, ['doctor', '--verify', '--json', '--quiet'])).stdout)
      expect(verified.findings).toEqual([])
    })
  })

  test('by others of its group, of which one comes later and one is killed', TIMES, async () => {
    const topic = newTopic()
    await client.createTopic(topic, 5)
    const place = copyPlace(empty, 'together')
    const messages = [...eventMessages({ seed: 77, count: MESSAGES, tombstones: 5, ...MIXED })]
    const start = () => startLpa(place, ['stream', uriOf(topic), ...OFTEN])
    const [first, second] = [start(), start()]
    let isOver = false
    /** Beside them: a reader is never held up, and never sees less than before. */
    const reading = (async () => {
      let before = 0
      let reads = 0
      while (!isOver) {
        const began = performance.now()
        const [facts = 0, days = 0] = await numbers(
          place,
          'select (select count(*) from fact_learning_event), (select coalesce(sum(events), 0) from agg_course_day)',
        )
        expect(performance.now() - began).toBeLessThan(5000)
        expect(facts).toBeGreaterThanOrEqual(before)
        expect(days).toBe(facts)
        before = facts
        reads += 1
        await sleep(100)
      }
      return reads
    })()
    const part = messages.length / 4
    await trickle(client, topic, messages.slice(0, part), 3000)
    const third = start()
    await trickle(client, topic, messages.slice(part, 2 * part), 3000)
    second.child.kill('SIGKILL')
    await trickle(client, topic, messages.slice(2 * part), 5000)
    await stop([first, third])
    await lpaOk(place, ['stream', uriOf(topic), '--until-caught-up', ...OFTEN])
    isOver = true
    expect(await reading).toBeGreaterThan(10)
    await expectExactlyOnce(place, client, topic, messages)
  })

  test('by another group that reads the same for the same source: it is fenced', TIMES, async () => {
    const topic = newTopic()
    await client.createTopic(topic, 2)
    const place = copyPlace(empty, 'fenced')
    const messages = [...eventMessages({ seed: 78, count: MESSAGES / 2, ...MIXED })]
    const toml = readFileSync(join(place.root, 'lpa.toml'), 'utf8')
    for (const group of ['one', 'two']) {
      const source = `[sources.bus]\nuri = "${uriOf(topic)}"\ngroup = "${topic}-${group}"\n`
      writeFileSync(join(place.root, `${group}.toml`), `${toml}\n${source}`)
    }
    const start = (group: string) =>
      startLpa(place, ['stream', 'bus', ...OFTEN, '--config', `${group}.toml`, '--report', `${group}.json`])
    const both = [start('one'), start('two')]
    await trickle(client, topic, messages, 6000)
    await sleep(2000)
    await stop(both)
    const report = (group: string) => JSON.parse(readFileSync(join(place.root, `${group}.json`), 'utf8'))
    const reports = ['one', 'two'].map(report)
    expect(reports.reduce((sum, { overtaken }) => sum + overtaken, 0)).toBeGreaterThan(0)
    for (const { exitCode } of reports) expect([75, 143]).toContain(exitCode)
    await lpaOk(place, ['stream', 'bus', '--until-caught-up', ...OFTEN, '--config', 'one.toml'])
    await expectExactlyOnce(place, client, topic, messages)
  })

  test.runIf(isFull)('by being stopped past its session, and woken', TIMES, async () => {
    const topic = newTopic()
    await client.createTopic(topic, 2)
    const place = copyPlace(empty, 'asleep')
    const messages = [...eventMessages({ seed: 79, count: 5000, ...MIXED })]
    const start = () => startLpa(place, ['stream', uriOf(topic), ...OFTEN])
    const sleeper = start()
    await trickle(client, topic, messages.slice(0, 2000), 3000)
    const sending = trickle(client, topic, messages.slice(2000), 50_000)
    sleeper.child.kill('SIGSTOP')
    const other = start()
    await sleep(45_000)
    sleeper.child.kill('SIGCONT')
    await sending
    await sleep(3000)
    await stop([sleeper, other])
    await lpaOk(place, ['stream', uriOf(topic), '--until-caught-up', ...OFTEN])
    await expectExactlyOnce(place, client, topic, messages)
  })

  test('by a warehouse that is slower than the topic: memory has a bound', TIMES, async () => {
    const topic = newTopic()
    await client.createTopic(topic, 4)
    const place = copyPlace(empty, 'memory')
    const messages = [...eventMessages({ seed: 80, count: isFull ? 600_000 : 150_000 })]
    await client.produce(topic, messages)
    const { child, ended } = startLpa(place, ['stream', uriOf(topic), '--until-caught-up', '--quiet'])
    let isOver = false
    const holding = (async () => {
      while (!isOver) {
        const lock = await takeWriterLock(place.warehouse, 60_000)
        await sleep(1500)
        lock.release()
        await sleep(100)
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
    const atStart = resident[10] ?? 0
    console.log(
      `resident: ${Math.round(atStart)} MB at its start, at most ${Math.round(Math.max(...resident))} MB`,
    )
    expect(Math.max(...resident)).toBeLessThanOrEqual(atStart + 512)
    await expectExactlyOnce(place, client, topic, messages)
  })
})

describeWithKafka('a broker that is killed while a stream reads', () => {
  let broker: Broker
  let empty: Place
  beforeAll(async () => {
    broker = await Broker.start()
    empty = await initPlace('broker-faults')
  })
  afterAll(async () => {
    await broker.stop()
    removePlaces()
  })

  test('comes back: every message is there once', TIMES, async () => {
    const place = copyPlace(empty, 'broker')
    const topic = newTopic()
    const uri = `kafka://${broker.addresses.plaintext}/${topic}`
    const messages = [...eventMessages({ seed: 81, count: MESSAGES, ...MIXED })]
    {
      await using client = await KafkaClient.connect(broker.addresses.plaintext)
      await client.createTopic(topic, 3)
    }
    const running = startLpa(place, ['stream', uri, ...OFTEN])
    const kills = rounds(1, 3)
    const part = Math.ceil(messages.length / (kills + 1))
    for (let at = 0; at < messages.length; at += part) {
      // A client of its own: what it sent is acknowledged, and it knows nothing of the broker before.
      await using client = await KafkaClient.connect(broker.addresses.plaintext)
      await trickle(client, topic, messages.slice(at, at + part), 3000)
      if (at + part >= messages.length) break
      await broker.kill()
      await sleep(1500)
      await broker.restart()
    }
    await sleep(1000)
    expect(running.child.exitCode).toBeNull()
    await stop([running])
    await lpaOk(place, ['stream', uri, '--until-caught-up', ...OFTEN])
    await using client = await KafkaClient.connect(broker.addresses.plaintext)
    await expectExactlyOnce(place, client, topic, messages)
  })
})
