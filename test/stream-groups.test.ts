/** What becomes of groups of messages that wait for their commit when a stream ends, with a consumer that does as it is told. */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { takeWriterLock } from '../src/engines/duckdb/writer-lock.ts'
import { UserError } from '../src/errors.ts'
import { TopicStream } from '../src/pipeline/stream-kafka.ts'
import { storedOffsets } from '../src/pipeline/stream-offsets.ts'
import type { StreamWork } from '../src/pipeline/stream-work.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import type { KafkaClient } from '../src/sources/kafka/client.ts'
import type { Engine } from '../src/types.ts'
import { until } from './faults/until.ts'
import { workOf } from './stream-work-of.ts'
import { TryWarehouse } from './try-warehouse.ts'

const RANGE = { topic: 'clicks', partition: 0, topicId: 'id', begin: 0, end: 9 }

/** Stands for kafkajs: the test says what is fetched, and how it ends. */
class Consumer {
  readonly #hooks = new Map<string, (event: { readonly payload: object }) => void>()
  #eachBatch: (event: object) => Promise<void> = async () => {}
  isReady = false

  on(event: string, hook: (event: { readonly payload: object }) => void): void {
    this.#hooks.set(event, hook)
  }
  async connect(): Promise<void> {}
  async subscribe(): Promise<void> {}
  async commitOffsets(): Promise<void> {}
  async disconnect(): Promise<void> {}
  pause(): void {}
  seek(): void {}
  resume(): void {
    this.isReady = true
  }
  async run({ eachBatch }: { readonly eachBatch: (event: object) => Promise<void> }): Promise<void> {
    this.#eachBatch = eachBatch
    this.#hooks.get('consumer.group_join')?.({ payload: { memberAssignment: { clicks: [0] } } })
  }

  fetch(offset: number): Promise<void> {
    const event = {
      ...{ event_id: `e${offset}`, event_type: 'viewed', learner_id: 'S1', course_id: 'C1' },
      occurred_at: '2026-01-12T08:00:00Z',
    }
    const messages = [{ offset: String(offset), value: Buffer.from(JSON.stringify(event)) }]
    const batch = {
      ...{ topic: 'clicks', partition: 0, messages, rawMessages: messages, highWatermark: '9' },
      ...{ fetchedOffset: String(offset), lastOffset: () => String(offset) },
    }
    return this.#eachBatch({ batch, resolveOffset: () => {}, heartbeat: async () => {} })
  }

  crash(error: Error): void {
    this.#hooks.get('consumer.crash')?.({ payload: { error } })
  }
}

function streamOf(work: StreamWork, consumer: () => Consumer): TopicStream {
  const topicIds = async () => new Map([['clicks', 'id']])
  const client = { topics: ['clicks'], consumer, ranges: async () => [RANGE], topicIds }
  const settings = { brokers: ['b:9092'], topics: ['clicks'], group: 'g', tls: false, secretVariable: 'X' }
  const request = { settings, from: 'earliest', resetOffsets: false } as const
  return new TopicStream(request, work, client as unknown as KafkaClient, [RANGE])
}

/** Two groups that wait for their commit, and a third one that is full and has no place: then the consumer is gone. */
async function runThatFails(engine: Engine, its: TryWarehouse, error: UserError): Promise<void> {
  const consumer = new Consumer()
  const running = streamOf(workOf(its, engine), () => consumer).run()
  running.catch(() => {})
  await until(() => consumer.isReady, 'it is known where to begin')
  for (const offset of [0, 1, 2]) await consumer.fetch(offset)
  consumer.crash(error)
  await running
}

test('those that were sealed are committed, and none is begun after the run ended', async () => {
  using its = await TryWarehouse.create()
  await withWarehouse(its.config, 'write', new AbortController().signal, async (engine) => {
    const gone = new UserError('LPA-TEST', 'The consumer is gone.', { exit: 'data' })
    await expect(runThatFails(engine, its, gone)).rejects.toMatchObject({ code: 'LPA-TEST' })
    const next = async () => (await storedOffsets(engine, 'bus')).map(({ nextOffset }) => nextOffset)
    expect(await next()).toEqual([2])
    await sleep(3000)
    expect(await next()).toEqual([2])
  })
})

test('nothing more is taken while two groups wait for their commit and a third one is full', async () => {
  using its = await TryWarehouse.create('[load]\nlock_wait = "1m"\n')
  await withWarehouse(its.config, 'write', new AbortController().signal, async (engine) => {
    const consumer = new Consumer()
    const stop = new AbortController()
    const work = workOf(its, engine, { signal: stop.signal })
    const running = streamOf(work, () => consumer).run()
    running.catch(() => {})
    await until(() => consumer.isReady, 'it is known where to begin')
    const lock = await takeWriterLock(its.config.warehouse.path, 60_000)
    for (const offset of [0, 1, 2]) await consumer.fetch(offset)
    const commits = consumer.fetch(3).then(() => work.options.status.counts.commits)
    expect(await Promise.race([commits, sleep(1500, 'it waits')])).toBe('it waits')
    lock.release()
    expect(await commits).toBeGreaterThan(0)
    stop.abort(new Error('It is over.'))
    await expect(running).rejects.toThrow('It is over.')
  })
})

test('nobody knows how far it is behind before the topics were asked, and while no broker answers', async () => {
  using its = await TryWarehouse.create()
  await withWarehouse(its.config, 'write', new AbortController().signal, async (engine) => {
    const consumer = new Consumer()
    const consumers = [consumer]
    const stop = new AbortController()
    const work = workOf(its, engine, { signal: stop.signal })
    const stream = streamOf(work, () => {
      const next = consumers.pop()
      if (!next) throw new UserError('LPA-KAFKA-UNREACHABLE', 'No broker answers.', { exit: 'unavailable' })
      return next
    })
    const lag = () => /lag \w+/.exec(work.options.status.line())?.[0]
    expect(lag()).toBe('lag unknown')
    const running = stream.run()
    await until(() => lag() === 'lag 9', 'the topics were asked')
    consumer.crash(new UserError('LPA-KAFKA-UNREACHABLE', 'No broker answers.', { exit: 'unavailable' }))
    await until(() => lag() === 'lag unknown', 'the broker is gone')
    expect(work.options.status.metrics()).not.toMatch(/^lpa_stream_lag{/m)
    stop.abort(new Error('It is over.'))
    await expect(running).rejects.toThrow('It is over.')
  })
})

test('a warehouse that does not answer is no lost broker: the run ends', { timeout: 20_000 }, async () => {
  using its = await TryWarehouse.create()
  await withWarehouse(its.config, 'write', new AbortController().signal, async (engine) => {
    const gone = new UserError('LPA-SNOWFLAKE-NETWORK', 'No answer.', { exit: 'unavailable' })
    await expect(runThatFails(engine, its, gone)).rejects.toMatchObject({ code: 'LPA-SNOWFLAKE-NETWORK' })
  })
})
