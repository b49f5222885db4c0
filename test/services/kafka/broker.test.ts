/** That the broker of the other tests is what they take it for. */

import { readFileSync } from 'node:fs'
import kafkajs, { type KafkaConfig, type SASLOptions } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Broker } from './broker.ts'
import { type Codec, codecsOf, KafkaClient, produceByJava, readByJava } from './client.ts'
import { type Mechanism, USERS } from './properties.ts'
import { describeWithKafka } from './shared-broker.ts'

describeWithKafka('the shared broker', (kafka) => {
  let client: KafkaClient
  beforeAll(async () => {
    client = await KafkaClient.connect(kafka.plaintext)
  })
  afterAll(() => client[Symbol.asyncDispose]())

  const MECHANISMS = Object.keys(USERS) as Mechanism[]

  test.each(MECHANISMS)('lets a user in by %s, and nobody with a wrong password', async (mechanism) => {
    const { username, password } = USERS[mechanism]
    await signIn({ brokers: [kafka.sasl], sasl: sasl(mechanism, username, password) })
    await expect(signIn({ brokers: [kafka.sasl], sasl: sasl(mechanism, username, 'wrong') })).rejects.toThrow(
      /authentication failed|Authentication failed/,
    )
  })

  test('knows the user of a mechanism by that mechanism only', async () => {
    const { username, password } = USERS['SCRAM-SHA-256']
    await expect(
      signIn({ brokers: [kafka.sasl], sasl: sasl('SCRAM-SHA-512', username, password) }),
    ).rejects.toThrow(/uthentication failed/)
  })

  test('speaks TLS to those who trust its authority, and only to them', async () => {
    const ca = [readFileSync(kafka.ca, 'utf8')]
    const { username, password } = USERS['SCRAM-SHA-512']
    await signIn({ brokers: [kafka.ssl], ssl: { ca } })
    await signIn({ brokers: [kafka.saslSsl], ssl: { ca }, sasl: sasl('SCRAM-SHA-512', username, password) })
    await expect(signIn({ brokers: [kafka.ssl], ssl: true })).rejects.toThrow(/certificate/)
  })

  test('makes no topic that nobody asked for', async () => {
    const producer = new kafkajs.Kafka({ brokers: [kafka.plaintext], ...ONCE }).producer({
      retry: ONCE.retry,
    })
    await producer.connect()
    const sent = producer.send({ topic: 'no-such-topic', messages: [{ value: 'x' }] })
    await expect(sent).rejects.toThrow(/does not host this topic-partition/)
    await producer.disconnect()
  })

  test('hides an aborted transaction, and what comes after an open one', async () => {
    await client.createTopic('transactions')
    const aborted = await client.begin('aborted')
    await aborted.send('transactions', [{ value: 'aborted' }])
    const committed = await client.begin('committed')
    await committed.send('transactions', [{ value: 'committed' }])
    await aborted.abort()
    await client.produce('transactions', [{ value: 'plain' }])
    await committed.commit()
    const open = await client.begin('open')
    await open.send('transactions', [{ value: 'open' }])
    await open.leaveOpen()
    await client.produce('transactions', [{ value: 'after' }])
    const [seen, all] = await Promise.all([
      readByJava(kafka.plaintext, 'transactions', { count: 5 }),
      readByJava(kafka.plaintext, 'transactions', { count: 5, isolation: 'uncommitted' }),
    ])
    expect(seen).toEqual(['committed', 'plain'])
    expect(all).toEqual(['aborted', 'committed', 'plain', 'open', 'after'])
  })
})

describeWithKafka('a broker of a test of its own', () => {
  let broker: Broker
  beforeAll(async () => {
    broker = await Broker.start()
  })
  afterAll(() => broker.stop())

  test.each<Codec>(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'has in its log what was compressed by %s',
    async (codec) => {
      await using client = await KafkaClient.connect(broker.addresses.plaintext)
      await client.createTopic(codec)
      const lines = Array.from({ length: 100 }, (_, index) => `line ${index} of a text that is worth it`)
      await produceByJava(broker.addresses.plaintext, codec, lines, codec)
      expect(await codecsOf(broker.segment(codec))).toEqual(new Set([codec]))
      expect(await client.endOffsets(codec)).toEqual([100n])
    },
  )

  test('has the messages it took after kill -9, on the same address', async () => {
    const address = broker.addresses.plaintext
    await using client = await KafkaClient.connect(address)
    await client.createTopic('kept', 2)
    const old = { timestamp: Date.parse('2001-02-03T04:05:06Z') }
    await client.produce(
      'kept',
      [
        { value: 'one', ...old },
        { value: 'two', ...old },
      ],
      { partition: 1 },
    )
    const before = broker.pid
    await broker.kill()
    await expect(signIn({ brokers: [address] })).rejects.toThrow(/ECONNREFUSED/)
    await broker.restart()
    expect(broker.pid).not.toBe(before)
    expect(await client.endOffsets('kept')).toEqual([0n, 2n])
    await client.produce('kept', [{ value: 'three' }], { partition: 1 })
    expect(await readByJava(address, 'kept', { count: 3 })).toEqual(['one', 'two', 'three'])
  })
})

/** A failure is told at once. */
const ONCE = { retry: { retries: 0 }, logLevel: kafkajs.logLevel.NOTHING }

/** Asks the broker something, which it answers to those only whom it let in. */
async function signIn(config: KafkaConfig): Promise<void> {
  const admin = new kafkajs.Kafka({ ...config, ...ONCE }).admin()
  try {
    await admin.connect()
    expect((await admin.describeCluster()).brokers).toHaveLength(1)
  } finally {
    await admin.disconnect()
  }
}

function sasl(mechanism: Mechanism, username: string, password: string): SASLOptions {
  return { mechanism: mechanism.toLowerCase(), username, password } as SASLOptions
}
