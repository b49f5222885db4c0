/**
 * That a warehouse holds each message of a topic exactly once. What is in the topic is read by Kafka's own consumer, for
 * a producer whose broker dies may send twice what it was asked to send once.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { difference, faultsOf, withEngine } from '../../faults/dump.ts'
import { type Place, type Running, startLpa } from '../../faults/lpa.ts'
import type { KafkaClient } from './client.ts'
import { expectedOf } from './events.ts'
import { java } from './java.ts'

export interface TopicRecord {
  readonly partition: number
  readonly offset: bigint
  /** null: a tombstone */
  readonly value: string | null
}

/** The name under which the tests' topics are in the warehouse. */
export const SOURCE = 'bus'
const NO_VALUE = '<no value>'

/** Every message of a topic without transactions. Fails when there are not as many as its offsets tell. */
export async function readTopic(client: KafkaClient, topic: string): Promise<TopicRecord[]> {
  const ends = await client.endOffsets(topic)
  const count = Number(ends.reduce((sum, end) => sum + end, 0n))
  const from = ['--bootstrap-server', client.address, '--topic', topic, '--from-beginning']
  const until = ['--max-messages', String(count), '--timeout-ms', '20000']
  const told = ['print.partition=true', 'print.offset=true', `null.literal=${NO_VALUE}`]
  const text = await java('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...[...from, ...until],
    ...told.flatMap((property) => ['--formatter-property', property]),
  ])
  const records: TopicRecord[] = []
  // Values of random bytes may have several lines.
  for (const line of text.split('\n')) {
    const [, partition, offset, value] = /^Partition:(\d+)\tOffset:(\d+)\t(.*)$/s.exec(line) ?? []
    if (partition === undefined || offset === undefined || value === undefined) continue
    records.push({
      ...{ partition: Number(partition), offset: BigInt(offset) },
      value: value === NO_VALUE ? null : value,
    })
  }
  const byPartition = ends.map(
    (_, partition) =>
      new Set(records.filter((one) => one.partition === partition).map(({ offset }) => offset)),
  )
  expect(byPartition.map(({ size }) => BigInt(size))).toEqual(ends)
  expect(records).toHaveLength(count)
  return records
}

/** What is in `there` and not in `here`, as often as it is missing: the first few. */
function missing(there: ReadonlyMap<string, number>, here: ReadonlyMap<string, number>): string[] {
  const found: string[] = []
  for (const [name, count] of there) {
    const less = count - (here.get(name) ?? 0)
    if (less > 0 && found.length < 10) found.push(less > 1 ? `${name} ${less} times` : name)
  }
  return found
}

function countsOf(names: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

function expectSame(
  what: string,
  topic: ReadonlyMap<string, number>,
  here: ReadonlyMap<string, number>,
): void {
  expect({ what, lost: missing(topic, here), doubled: missing(here, topic) }).toEqual({
    ...{ what, lost: [], doubled: [] },
  })
}

/** The facts are those of the topic, and so are, before anything is done about duplicates, the rows behind them. */
export async function expectExactlyOnce(
  place: Place,
  client: KafkaClient,
  topic: string,
  records: readonly TopicRecord[],
): Promise<void> {
  const oracle = expectedOf(records)
  const isEvent = ({ value }: TopicRecord) => value !== null && expectedOf([{ value }]).ids.size === 1
  const idOf = ({ value }: TopicRecord) => String(JSON.parse(value ?? '').event_id)
  await withEngine(place, async (engine) => {
    const rows = async (sql: string) => (await engine.query(sql)).rows
    const counted = async (sql: string) =>
      new Map((await rows(sql)).map(([name, count]) => [String(name), Number(count)]))

    expectSame(
      'facts',
      countsOf([...oracle.ids].map((id) => `${SOURCE}:${id}`)),
      await counted('select event_id, count(*) from core.fact_learning_event group by all'),
    )
    expectSame(
      'facts of courses',
      oracle.byCourse,
      await counted(`select d.course_id, count(*) from core.fact_learning_event f
        join core.dim_course d on d.course_key = f.course_key and f.occurred_at >= d.valid_from and f.occurred_at < d.valid_to
        group by all`),
    )
    expectSame(
      'raw events',
      countsOf(records.filter(isEvent).map(idOf)),
      await counted(`select payload->>'event_id', count(*) from raw.raw_learning_events group by all`),
    )
    expectSame(
      'rejected rows',
      countsOf(
        records
          .filter((record) => record.value !== null && !isEvent(record))
          .map(({ partition, offset }) => `${topic}-${partition}-${offset}`),
      ),
      await counted('select position, count(*) from raw.rejected_rows group by all'),
    )

    const [ledger = []] = await rows(`select sum(records_read), sum(records_mapped), sum(records_rejected),
      sum(records_filtered), sum(records_doubled) from meta.loads`)
    const [read = 0, mapped = 0, rejected = 0, filtered = 0, doubled = 0] = ledger.map(Number)
    const events = oracle.messages - oracle.tombstones - oracle.poison
    // A commit of tombstones only leaves no load; otherwise they are its filtered records.
    expect({ read: read - filtered, events: mapped + doubled, rejected }).toEqual({
      ...{ read: oracle.messages - oracle.tombstones, events, rejected: oracle.poison },
    })
    expect(filtered).toBeLessThanOrEqual(oracle.tombstones)

    const ends = await client.endOffsets(topic)
    const stored = await rows(
      'select source, topic, partition, next_offset from meta.stream_offsets order by partition',
    )
    expect(stored.map((row) => row.map(String))).toEqual(
      ends.map((end, partition) => [SOURCE, topic, String(partition), String(end)]),
    )
  })
  expect(await faultsOf(place)).toEqual([])
}

/** All but what tells of loads and of builds; staged rows are one for each load that has an event. */
export const CONTENT = {
  apartFromLoads: true,
  isMeant: (table: string) => !/^(staging\.|meta\.(checks|loads|load_entities|built_loads)$)/.test(table),
}

/** The warehouse is what it would be if nothing had disturbed the stream. */
export async function expectAsUndisturbed(place: Place, undisturbed: Place): Promise<void> {
  expect(await difference(undisturbed, place, CONTENT), 'compared with an undisturbed stream').toBe('')
}

/** A configuration with the topic as `bus`: the flags that name it. */
export function configFor({ root }: Place, client: KafkaClient, topic: string, group: string): string[] {
  const file = join(root, `lpa-${group}.toml`)
  const source = [`[sources.${SOURCE}]`, `uri = "kafka://${client.address}/${topic}"`, `group = "${group}"`]
  writeFileSync(file, `${readFileSync(join(root, 'lpa.toml'), 'utf8')}\n${source.join('\n')}\n`)
  return ['--config', file]
}

export type Step = 'started' | 'staged' | 'committed' | 'built'

export interface Streaming extends Running {
  /** Resolves when this step was told so often since the start, or when the process has ended. */
  reached(step: Step, times?: number): Promise<void>
  /** How often it was told. */
  count(step: Step): number
}

/** `lpa stream bus` with the log of its steps on standard error. */
export function startStream(
  place: Place,
  flags: readonly string[],
  env: Record<string, string> = {},
): Streaming {
  const running = startLpa(place, ['stream', SOURCE, '-v', ...flags], { env })
  let log = ''
  const wakers: (() => void)[] = []
  let hasEnded = false
  const wake = () => {
    for (const one of wakers.splice(0)) one()
  }
  running.child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString('utf8')
    wake()
  })
  running.child.on('close', () => {
    hasEnded = true
    wake()
  })
  const count = (step: Step) => log.split(` info  ${step} `).length - 1
  return {
    ...running,
    count,
    async reached(step, times = 1) {
      while (!hasEnded && count(step) < times) await new Promise<void>((resolve) => wakers.push(resolve))
    },
  }
}
