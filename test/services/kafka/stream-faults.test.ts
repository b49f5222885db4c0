/**
 * kill -9 of `lpa stream` and of its broker at random moments, and connections that are cut or slow, while messages come:
 * afterwards each of them counts once, and the warehouse is as if nothing had happened.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { faultsOf } from '../../faults/dump.ts'
import { copyPlace, initPlace, isFull, lpaOk, type Place, removePlaces, rounds } from '../../faults/lpa.ts'
import { randomOf, replayable, seeds, share, shuffled } from '../../faults/seeds.ts'
import { until } from '../../faults/until.ts'
import { Broker } from './broker.ts'
import { KafkaClient } from './client.ts'
import { eventMessages } from './events.ts'
import {
  configFor,
  expectAsUndisturbed,
  expectExactlyOnce,
  readTopic,
  SOURCE,
  type Step,
  startStream,
} from './exactly-once.ts'
import { type Asked, type Cut, REQUESTS, TcpProxy } from './proxy.ts'
import { describeWithKafka } from './shared-broker.ts'

const FILE = 'test/services/kafka/stream-faults.test.ts'
const EVENTS = rounds(20_000, 100_000)
const PARTITIONS = 4
const LIMIT_MS = isFull ? 1_200_000 : 120_000
/** Small commits, many of them. */
const QUICK = ['--commit-every', '300ms', '--commit-rows', '2000', '--max-rejects', '100%']
const ONCE = ['stream', SOURCE, '--until-caught-up', '--max-rejects', '100%']

let empty: Place
beforeAll(async () => {
  empty = await initPlace('stream-faults')
})
afterAll(removePlaces)

/** All kinds of trouble that a topic may hold. */
function messagesOf(seed: number, count: number) {
  return eventMessages({
    ...{ seed, count, duplicates: 100, disorder: 200 },
    ...{ poison: 5, tombstones: 20, nullKeys: 100 },
  })
}

interface Producing {
  /** Sends the rest without a pause, and resolves when all are there. */
  finish(): Promise<void>
}

/** Sends messages over about `ms` milliseconds; what a broker did not take is sent again. */
function produce(client: KafkaClient, topic: string, seed: number, ms: number, count = EVENTS): Producing {
  const messages = [...messagesOf(seed, count)]
  const size = 250
  const pause = (ms * size) / messages.length
  let isHurried = false
  const all = (async () => {
    for (let at = 0; at < messages.length; at += size) {
      while (!(await isTaken(client, topic, messages.slice(at, at + size)))) await sleep(200)
      if (!isHurried) await sleep(pause)
    }
  })()
  all.catch(() => {})
  return {
    finish: () => {
      isHurried = true
      return all
    },
  }
}

function isTaken(client: KafkaClient, ...sent: Parameters<KafkaClient['produce']>): Promise<boolean> {
  return client.produce(...sent).then(
    () => true,
    () => false,
  )
}

async function expectSameAsUndisturbed(place: Place, client: KafkaClient, topic: string): Promise<void> {
  const records = await readTopic(client, topic)
  await expectExactlyOnce(place, client, topic, records)
  const undisturbed = copyPlace(empty, 'undisturbed')
  await lpaOk(undisturbed, [...ONCE, ...configFor(undisturbed, client, topic, `${topic}-undisturbed`)])
  await expectExactlyOnce(undisturbed, client, topic, records)
  await expectAsUndisturbed(place, undisturbed)
}

/** What holds after each kill: rows come with their load, files with their snapshot. */
async function expectNoHalves(place: Place): Promise<void> {
  const halves = (await faultsOf(place)).filter(
    (fault) => !fault.startsWith('left over') && !fault.startsWith('no snapshot'),
  )
  expect(halves).toEqual([])
}

const STEPS: readonly Step[] = ['started', 'staged', 'committed', 'built']

describeWithKafka('lpa stream, killed', (kafka) => {
  test.each(seeds(1))(
    `kill -9 of lpa at ${rounds(4, 30)} random moments, seed %i`,
    async (seed) => {
      await replayable(FILE, 'kill -9 of lpa', seed, async () => {
        await using client = await KafkaClient.connect(kafka.plaintext)
        const topic = `killed-${seed}`
        await client.createTopic(topic, PARTITIONS)
        const place = copyPlace(empty, `killed-${seed}`)
        const random = randomOf(seed)
        const producing = produce(client, topic, seed, rounds(12_000, 100_000))
        const moments: string[] = []
        for (let round = 0; round < rounds(4, 30); round += 1) {
          // A dead member holds its group up for the time of its session: most rounds have a group of their own.
          const group = `${topic}-${round % 7 === 6 ? round - 1 : round}`
          const stream = startStream(place, [...QUICK, ...configFor(place, client, topic, group)])
          const step = STEPS[random.below(STEPS.length)] as Step
          const times = step === 'started' ? 1 : 1 + random.below(3)
          const delay = Math.round(share(random) * (step === 'started' ? 1500 : 250))
          await Promise.race([stream.reached(step, times), sleep(20_000)])
          await sleep(delay)
          expect(stream.child.exitCode, 'it goes on until it is killed').toBeNull()
          stream.child.kill('SIGKILL')
          await stream.ended
          moments.push(`${delay} ms after ${step} ${times}, ${stream.count('committed')} commits`)
          await expectNoHalves(place)
        }
        process.stdout.write(`seed ${seed}, killed ${moments.join('; ')}\n`)
        await producing.finish()
        await lpaOk(place, [...ONCE, ...configFor(place, client, topic, `${topic}-last`)])
        await expectSameAsUndisturbed(place, client, topic)
      })
    },
    LIMIT_MS,
  )

  test.each(seeds(1))(
    `kill -9 of the broker, ${rounds(1, 3)} times, seed %i`,
    async (seed) => {
      await replayable(FILE, 'kill -9 of the broker', seed, async () => {
        await using broker = await Broker.start()
        await using client = await KafkaClient.connect(broker.addresses.plaintext)
        const topic = `restarted-${seed}`
        await client.createTopic(topic, PARTITIONS)
        const place = copyPlace(empty, `restarted-${seed}`)
        const random = randomOf(seed)
        const producing = produce(client, topic, seed, rounds(8000, 60_000))
        const stream = startStream(place, [...QUICK, ...configFor(place, client, topic, topic)])
        for (let round = 0; round < rounds(1, 3); round += 1) {
          await stream.reached('committed', stream.count('committed') + 1 + random.below(4))
          await sleep(share(random) * 500)
          await broker.kill()
          process.stdout.write(`seed ${seed}, broker killed after ${stream.count('committed')} commits\n`)
          await sleep(share(random) * 3000)
          const before = stream.count('committed')
          await broker.restart()
          await stream.reached('committed', before + 2)
          expect(stream.child.exitCode, 'the same process goes on').toBeNull()
        }
        await producing.finish()
        stream.child.kill('SIGTERM')
        expect(await stream.ended).toMatchObject({ code: 143 })
        await lpaOk(place, [...ONCE, ...configFor(place, client, topic, topic)])
        await expectSameAsUndisturbed(place, client, topic)
      })
    },
    LIMIT_MS,
  )
})

/** What is asked for when connections are cut, and where they are. */
const CUTS = (['Fetch', 'OffsetCommit', 'Metadata'] as const).map((name) => REQUESTS[name])
const WHERE = ['request', 'answer'] as const
/** About 1 MB a second. */
const SLOW = { bytes: 10_000, pauseMs: 10 }

/** Cuts connections of lpa's, the same number of times for each of `CUTS` and `WHERE`. */
function cutter(seed: number, times: number) {
  const random = randomOf(seed)
  const cuts = WHERE.flatMap((where) => Array.from({ length: times }, () => where))
  const left = new Map(CUTS.map((request) => [request as number, shuffled(cuts, random)]))
  const cut = ({ client, request }: Asked): Cut | undefined =>
    client === 'lpa' && random.below(2) === 0 ? left.get(request)?.pop() : undefined
  return { cut, isDone: () => [...left.values()].every(({ length }) => length === 0) }
}

describeWithKafka('lpa stream, over a bad connection', () => {
  test.each(seeds(1))(
    'its connections are cut in the middle of fetches and commits, and slow, seed %i',
    async (seed) => {
      await replayable(FILE, 'its connections are cut', seed, async () => {
        await using proxy = await TcpProxy.listen()
        await using broker = await Broker.start({ advertised: proxy.port })
        proxy.leadTo(broker.addresses.plaintext)
        await using client = await KafkaClient.connect(proxy.address)
        const topic = `cut-${seed}`
        await client.createTopic(topic, PARTITIONS)
        const place = copyPlace(empty, `cut-${seed}`)
        const producing = produce(client, topic, seed, rounds(40_000, 200_000), EVENTS / 2)
        const stream = startStream(place, [...QUICK, ...configFor(place, client, topic, topic)])
        await stream.reached('committed')

        const { cut, isDone } = cutter(seed, rounds(2, 10))
        proxy.cut = cut
        await until(() => isDone() || stream.child.exitCode !== null, 'everything was cut', LIMIT_MS)
        proxy.pace = ({ client: who }) => (who === 'lpa' ? SLOW : undefined)
        await producing.finish()
        await stream.reached('committed', stream.count('committed') + 1)
        expect(stream.child.exitCode, 'the same process goes on').toBeNull()
        stream.child.kill('SIGTERM')
        expect(await stream.ended).toMatchObject({ code: 143 })
        proxy.pace = () => undefined
        await lpaOk(place, [...ONCE, ...configFor(place, client, topic, topic)])
        await expectSameAsUndisturbed(place, client, topic)
      })
    },
    2 * LIMIT_MS,
  )
})
