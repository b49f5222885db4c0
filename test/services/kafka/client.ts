/** What tests do with a broker: topics, messages in and out, transactions, offsets. */

import { Buffer } from 'node:buffer'
import kafkajs, { type Admin, type CompressionTypes, type Producer, type Transaction } from 'kafkajs'
import snappyjs from 'snappyjs'
import { java } from './java.ts'

// CommonJS: Node finds only the default export.
const { CompressionCodecs, Kafka, logLevel } = kafkajs

export interface Message {
  readonly key?: string | Buffer | null
  /** null: a tombstone */
  readonly value: string | Buffer | null
  /** Milliseconds since 1970; the time of sending when absent. */
  readonly timestamp?: number
  readonly headers?: Readonly<Record<string, string>>
  /** By the key when absent; without a key, any. */
  readonly partition?: number
}

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface SendOptions {
  /** For all messages that name none of their own. */
  readonly partition?: number
  /** lz4 and zstd are written by `produceByJava`. */
  readonly compression?: 'none' | 'gzip' | 'snappy'
}

const COMPRESSION: Readonly<Record<NonNullable<SendOptions['compression']>, CompressionTypes>> = {
  none: 0,
  gzip: 1,
  snappy: 2,
}

/** One send is one batch a partition, and a batch has to stay below the broker's 1 MB. */
const MOST_BYTES = 500_000
const MOST_MESSAGES = 5000
const OVERHEAD_BYTES = 100

export class KafkaClient implements AsyncDisposable {
  readonly address: string
  readonly #kafka: kafkajs.Kafka
  readonly #admin: Admin
  readonly #producer: Producer

  private constructor(address: string) {
    this.address = address
    this.#kafka = new Kafka({ brokers: [address], clientId: 'lpa-tests', logLevel: logLevel.NOTHING })
    this.#admin = this.#kafka.admin()
    this.#producer = this.#kafka.producer({ allowAutoTopicCreation: false })
  }

  /** `address` is the broker's `plaintext` one. */
  static async connect(address: string): Promise<KafkaClient> {
    CompressionCodecs[2 satisfies CompressionTypes.Snappy] = () => ({
      compress: async ({ buffer }: { buffer: Buffer }) => snappyjs.compress(buffer),
      decompress: async (packed: Buffer) => snappyjs.uncompress(packed),
    })
    withoutTimeoutWarnings()
    const client = new KafkaClient(address)
    await Promise.all([client.#admin.connect(), client.#producer.connect()])
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#admin.disconnect(), this.#producer.disconnect()])
  }

  /** `config` as in `{ 'retention.ms': '1' }`. Fails when the topic exists. */
  async createTopic(
    topic: string,
    partitions = 1,
    config: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    const topics = [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }]
    if (!(await this.#admin.createTopics({ topics, waitForLeaders: true })))
      throw new Error(`The topic ${topic} exists.`)
  }

  /** `count` in all. */
  async addPartitions(topic: string, count: number): Promise<void> {
    await this.#admin.createPartitions({ topicPartitions: [{ topic, count }] })
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [topic] })
  }

  /** Deletes the messages of a partition before `offset`: stored offsets before it are then out of range. */
  async deleteRecordsBefore(topic: string, partition: number, offset: bigint): Promise<void> {
    // It knows the leaders only of topics that it was asked about.
    await this.#admin.fetchTopicOffsets(topic)
    await this.#admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
  }

  async produce(topic: string, messages: Iterable<Message>, options: SendOptions = {}): Promise<void> {
    await sendTo(this.#producer, topic, messages, options)
  }

  /**
   * A transaction with a producer of its own. The next one of the same id ends one that was left open.
   * @param timeoutMs after which the broker aborts it
   */
  async begin(transactionalId: string, timeoutMs = 60_000): Promise<OpenTransaction> {
    const producer = this.#kafka.producer({
      ...{ transactionalId, transactionTimeout: timeoutMs, idempotent: true, maxInFlightRequests: 1 },
      allowAutoTopicCreation: false,
    })
    await producer.connect()
    return new OpenTransaction(producer, await producer.transaction())
  }

  /**
   * The end of each partition for those who read committed messages only: after its last message or marker, or before
   * the first open transaction. Soon after a commit or abort, its markers may not be there yet.
   */
  async endOffsets(topic: string): Promise<bigint[]> {
    const offsets = await this.#admin.fetchTopicOffsets(topic)
    return byPartition(offsets.map(({ partition, high }) => [partition, high]))
  }

  /** What a group has committed for each partition of a topic; -1 where it has not. */
  async groupOffsets(group: string, topic: string): Promise<bigint[]> {
    const [found] = await this.#admin.fetchOffsets({ groupId: group, topics: [topic] })
    return byPartition((found?.partitions ?? []).map(({ partition, offset }) => [partition, offset]))
  }

  /** How many members a group has, all of which know their partitions. */
  async settledMembers(group: string): Promise<number> {
    const { groups } = await this.#admin.describeGroups([group])
    const [found] = groups
    return found?.state === 'Stable' ? found.members.length : 0
  }
}

export class OpenTransaction {
  readonly #producer: Producer
  readonly #transaction: Transaction

  constructor(producer: Producer, transaction: Transaction) {
    this.#producer = producer
    this.#transaction = transaction
  }

  async send(topic: string, messages: Iterable<Message>, options: SendOptions = {}): Promise<void> {
    await sendTo(this.#transaction, topic, messages, options)
  }

  async commit(): Promise<void> {
    await this.#transaction.commit()
    await this.#producer.disconnect()
  }

  async abort(): Promise<void> {
    await this.#transaction.abort()
    await this.#producer.disconnect()
  }

  /** Goes away without a word: the transaction stays open until its timeout or the next of its id. */
  async leaveOpen(): Promise<void> {
    await this.#producer.disconnect()
  }
}

/** Sends lines as messages by Kafka's own console producer: what the codecs of other programs are held against. */
export async function produceByJava(
  address: string,
  topic: string,
  lines: readonly string[],
  codec: Codec,
): Promise<void> {
  const args = ['--bootstrap-server', address, '--topic', topic, '--compression-codec', codec]
  await java('org.apache.kafka.tools.ConsoleProducer', args, lines.map((line) => `${line}\n`).join(''))
}

/**
 * The values of a topic's first `count` messages, or of those that came within `waitMs` when there are fewer, as
 * Kafka's own consumer sees them.
 */
export async function readByJava(
  address: string,
  topic: string,
  { count, waitMs = 3000, isolation = 'committed' }: ReadOptions,
): Promise<string[]> {
  const from = ['--bootstrap-server', address, '--topic', topic, '--from-beginning']
  const until = ['--max-messages', String(count), '--timeout-ms', String(waitMs)]
  const read = ['--isolation-level', `read_${isolation}`]
  const text = await java('org.apache.kafka.tools.consumer.ConsoleConsumer', [...from, ...until, ...read])
  return text.split('\n').slice(0, -1)
}

export interface ReadOptions {
  readonly count: number
  readonly waitMs?: number
  readonly isolation?: 'committed' | 'uncommitted'
}

/** The codecs of the batches in a file of a partition's log. */
export async function codecsOf(segment: string): Promise<Set<string>> {
  const text = await java('org.apache.kafka.tools.DumpLogSegments', ['--files', segment])
  return new Set([...text.matchAll(/compresscodec: (\w+)/g)].map((match) => match[1] ?? ''))
}

async function sendTo(
  to: Pick<Producer, 'send'>,
  topic: string,
  messages: Iterable<Message>,
  { partition, compression = 'none' }: SendOptions,
): Promise<void> {
  for (const part of parts(messages)) {
    const prepared = part.map(({ key = null, value, timestamp, headers, partition: own = partition }) => ({
      ...{ key, value },
      ...(timestamp !== undefined && { timestamp: String(timestamp) }),
      ...(headers && { headers }),
      ...(own !== undefined && { partition: own }),
    }))
    await to.send({ topic, messages: prepared, compression: COMPRESSION[compression], acks: -1 })
  }
}

/** The messages in parts that fit into one batch, in their order. */
function* parts(messages: Iterable<Message>): Generator<Message[]> {
  let part: Message[] = []
  let bytes = 0
  for (const message of messages) {
    const size =
      OVERHEAD_BYTES + Buffer.byteLength(message.value ?? '') + Buffer.byteLength(message.key ?? '')
    if (part.length > 0 && (bytes + size > MOST_BYTES || part.length === MOST_MESSAGES)) {
      yield part
      part = []
      bytes = 0
    }
    part.push(message)
    bytes += size
  }
  if (part.length > 0) yield part
}

function byPartition(entries: readonly (readonly [partition: number, offset: string])[]): bigint[] {
  return entries.toSorted(([a], [b]) => a - b).map(([, offset]) => BigInt(offset))
}

let isQuiet = false

/** kafkajs 2.2.4 sets timers into the past, of which Node 24 warns at each. */
function withoutTimeoutWarnings(): void {
  if (isQuiet) return
  isQuiet = true
  const emit = process.emitWarning as (...args: unknown[]) => void
  process.emitWarning = (...args: unknown[]) => {
    if (args[1] !== 'TimeoutNegativeWarning') emit(...args)
  }
}
