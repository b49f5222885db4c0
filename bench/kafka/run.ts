/**
 * `lpa stream` from a real broker of its own: how many messages a second are in the warehouse, how soon they can be
 * asked for, and what memory they take.
 *
 * usage: npm run bench:kafka -- [--rounds N] [--messages N] [--only latency|throughput]   (default: 3 rounds of 1000000)
 * Throughput: raw and staging committed, beside a kafkajs consumer that only counts, kcat into a file (apt-get install
 * kcat), and one insert a thousand rows into the same kind of warehouse (raw only, nothing pseudonymised). Latency: at
 * 1,000 messages a second with --commit-every 1s, from before a message is sent until its fact is in a query's answer.
 */

import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildWhenStale } from '../../scripts/build.ts'
import { loadConfig } from '../../src/config.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'
import type { Engine } from '../../src/types.ts'
import { Broker } from '../../test/services/kafka/broker.ts'
import { KafkaClient } from '../../test/services/kafka/client.ts'
import { eventMessages } from '../../test/services/kafka/events.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LPA = join(ROOT, 'bin', 'run.js')
const PARTITIONS = 4
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    messages: { type: 'string', default: '1000000' },
    only: { type: 'string' },
  },
})
const [rounds, count] = [Number(values.rounds), Number(values.messages)]
const work = mkdtempSync(join(tmpdir(), 'lpa-bench-kafka-'))
const never = new AbortController().signal

const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
const share = (numbers: readonly number[], part: number) =>
  numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))] ??
  Number.NaN

function newWarehouse(): string {
  const folder = mkdtempSync(join(work, 'warehouse-'))
  for (const words of [['init'], ['schema', 'apply']]) {
    const { status, stderr } = spawnSync(process.execPath, [LPA, ...words, '-q'], {
      cwd: folder,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
  }
  return folder
}

const openIn = <T>(folder: string, mode: 'read' | 'write', job: (engine: Engine) => Promise<T>): Promise<T> =>
  withWarehouse(loadConfig({ cwd: folder, env: process.env }), mode, never, job)

function stream(folder: string, uri: string, ...more: readonly string[]) {
  const child = spawn(process.execPath, [LPA, 'stream', uri, '-v', ...more], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString('utf8')
  })
  const ended = new Promise<string>((resolve) => child.on('close', () => resolve(log)))
  return { child, ended }
}

interface Streamed {
  /** Until the last commit, and until the facts were built and checked. */
  readonly committed: number
  readonly built: number
  /** MB: when its first commit was staged, and at most. */
  readonly atStart: number
  readonly peak: number
}

async function lpaStream(uri: string): Promise<Streamed> {
  const folder = newWarehouse()
  const started = Date.now()
  const { child, ended } = stream(folder, uri, '--until-caught-up')
  const resident: { at: number; megabytes: number }[] = []
  const timer = setInterval(() => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    resident.push({ at: Date.now(), megabytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024 })
  }, 50)
  child.on('exit', () => clearInterval(timer))
  const log = await ended
  const total = (Date.now() - started) / 1000
  const times = [...log.matchAll(/^(\S+) info {2}committed /gm)].map((match) =>
    timeOfDay(match[1] ?? '', started),
  )
  if (times.length === 0) throw new Error(log)
  rmSync(folder, { recursive: true })
  return {
    committed: (Math.max(...times) - started) / 1000,
    built: total,
    // Connected, and before the first messages are staged.
    atStart: resident.find(({ at }) => at > started + 500)?.megabytes ?? 0,
    peak: Math.max(...resident.map(({ megabytes }) => megabytes)),
  }
}

function timeOfDay(clock: string, near: number): number {
  const time = Date.parse(`${new Date(near).toISOString().slice(0, 11)}${clock}Z`)
  return time < near ? time + 86_400_000 : time
}

/** Seconds from its first message to its last. */
async function kafkajsCounts(address: string, topic: string): Promise<number> {
  const { Kafka, logLevel } = createRequire(import.meta.url)('kafkajs') as typeof import('kafkajs')
  const consumer = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).consumer({
    ...{ groupId: `count-${process.hrtime.bigint()}`, maxWaitTimeInMs: 300, maxBytes: 8 << 20 },
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  let messages = 0
  let first = 0
  const seconds = await new Promise<number>((resolve) => {
    void consumer.run({
      eachBatch: async ({ batch }) => {
        first ||= performance.now()
        messages += batch.messages.length
        if (messages >= count) resolve((performance.now() - first) / 1000)
      },
    })
  })
  await consumer.disconnect()
  return seconds
}

function kcatToFile(address: string, topic: string): number | undefined {
  const target = openSync(join(work, 'kcat'), 'w')
  const started = performance.now()
  const { error, status } = spawnSync(
    'kcat',
    ['-b', address, '-t', topic, '-C', '-e', '-q', '-o', 'beginning'],
    {
      stdio: ['ignore', target, 'ignore'],
    },
  )
  closeSync(target)
  if (error) return undefined
  if (status !== 0) throw new Error(`kcat: exit ${status}`)
  return (performance.now() - started) / 1000
}

/** A thousand rows an insert, each a transaction, of the first messages only: what it would take for all. */
async function naive(messages: readonly string[]): Promise<number> {
  const folder = newWarehouse()
  const started = performance.now()
  await openIn(folder, 'write', async (engine) => {
    for (let at = 0; at < messages.length; at += 1000) {
      const rows = JSON.stringify(messages.slice(at, at + 1000))
      await engine.transaction(() =>
        engine.execute(
          `insert into raw.raw_learning_events select 1, 'naive', 'json', ${at}, now()::timestamp, unnest(from_json($rows, '["json"]'))`,
          { rows },
        ),
      )
    }
  })
  rmSync(folder, { recursive: true })
  return (((performance.now() - started) / 1000) * count) / messages.length
}

async function throughput(broker: Broker, client: KafkaClient): Promise<void> {
  const address = broker.addresses.plaintext
  await client.createTopic('throughput', PARTITIONS)
  await client.produce('throughput', eventMessages({ seed: 1, count }))
  const some = [...eventMessages({ seed: 1, count: Math.min(count, 100_000) })].map(({ value }) =>
    String(value),
  )
  const all = { kafkajs: [] as number[], kcat: [] as number[], naive: [] as number[], lpa: [] as Streamed[] }
  for (let round = 0; round < rounds; round += 1) {
    all.kafkajs.push(await kafkajsCounts(address, 'throughput'))
    const file = kcatToFile(address, 'throughput')
    if (file !== undefined) all.kcat.push(file)
    all.naive.push(await naive(some))
    all.lpa.push(await lpaStream(`kafka://${address}/throughput`))
    console.error(`round ${round + 1}: ${JSON.stringify({ ...all, lpa: all.lpa.at(-1) })}`)
  }
  const line = (name: string, seconds: readonly number[]) => {
    const ratio = median(all.kafkajs.map((counted, index) => counted / (seconds[index] ?? Number.NaN)))
    const rate = Math.round(count / median(seconds))
    return `| ${name} | ${median(seconds).toFixed(1)} | ${rate.toLocaleString('en')} | ${ratio.toFixed(2)} |`
  }
  const committed = all.lpa.map((one) => one.committed)
  const built = all.lpa.map((one) => one.built)
  console.log(
    `${count.toLocaleString('en')} messages in ${PARTITIONS} partitions; median of ${rounds} rounds\n`,
  )
  console.log('| | seconds | messages a second | ÷ kafkajs |\n|---|---|---|---|')
  console.log(line('kafkajs, only counting', all.kafkajs))
  console.log(all.kcat.length > 0 ? line('kcat into a file', all.kcat) : '| kcat | not installed | | |')
  console.log(
    line(`an insert a thousand rows (from the first ${some.length.toLocaleString('en')})`, all.naive),
  )
  console.log(line('lpa: raw, staging, offsets committed', committed))
  console.log(line('lpa: facts built and checked as well', built))
  const [start, peak] = [
    median(all.lpa.map((one) => one.atStart)),
    Math.max(...all.lpa.map((one) => one.peak)),
  ]
  console.log(`\nlpa's memory: ${Math.round(start)} MB at its start, at most ${Math.round(peak)} MB\n`)
}

const SECONDS = 120
const RATE = 1000
const EACH_MS = 100

async function latency(broker: Broker, client: KafkaClient): Promise<void> {
  await client.createTopic('latency', PARTITIONS)
  const folder = newWarehouse()
  const { child, ended } = stream(
    folder,
    `kafka://${broker.addresses.plaintext}/latency`,
    '--commit-every',
    '1s',
  )
  await sleep(3000)
  const messages = [...eventMessages({ seed: 2, count: SECONDS * RATE, startAt: Date.now() })]
  const sent: number[] = []
  const began = Date.now()
  const sending = (async () => {
    const part = (RATE * EACH_MS) / 1000
    for (let at = 0; at < messages.length; at += part) {
      const wait = began + (at / part) * EACH_MS - Date.now()
      if (wait > 0) await sleep(wait)
      const now = Date.now()
      for (let index = at; index < at + part; index += 1) sent[index] = now
      await client.produce('latency', messages.slice(at, at + part))
    }
  })()
  const seen: number[] = []
  /** The first that was not seen. */
  let low = 0
  await openIn(folder, 'read', async (engine) => {
    let version = ''
    while (low < messages.length && Date.now() < began + 2 * SECONDS * 1000) {
      // To ask over and over for the same would take the time of one of two processors.
      const newest = await engine.version()
      if (newest === version) {
        await sleep(20)
        continue
      }
      version = newest
      const { rows } = await engine.query(
        "select number from (select cast(split_part(event_id, '-', 3) as integer) as number from fact_learning_event) where number >= $low",
        { low },
      )
      const now = Date.now()
      for (const [number] of rows) seen[Number(number)] ??= now
      while (seen[low] !== undefined) low += 1
    }
  })
  await sending
  child.kill('SIGTERM')
  const log = await ended
  if (process.env.BENCH_LOG) console.error(log)
  const delays = seen.map((at, index) => at - (sent[index] ?? Number.NaN)).filter((delay) => delay >= 0)
  const said = (part: number) => `${(share(delays, part) / 1000).toFixed(2)} s`
  console.log(
    `latency at ${RATE} messages a second, ${SECONDS} s, --commit-every 1s: from sent to in an answer`,
  )
  console.log(
    `p50 ${said(0.5)}, p95 ${said(0.95)}, at most ${said(1)}; ${delays.length} of ${messages.length} messages`,
  )
}

await buildWhenStale()
await using broker = await Broker.start({ heapMb: 512 })
try {
  await using client = await KafkaClient.connect(broker.addresses.plaintext)
  if (values.only !== 'throughput') await latency(broker, client)
  if (values.only !== 'latency') await throughput(broker, client)
} finally {
  rmSync(work, { recursive: true, force: true })
}
