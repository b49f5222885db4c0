/** A connection to a Kafka cluster: what its topics are, and consumers of them. */

import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, ISocketFactory, Kafka, KafkaConfig, SASLOptions } from 'kafkajs'
import { readCaFile } from '../../ca-file.ts'
import { type KafkaSettings, kafkaName } from '../../config/kafka.ts'
import { UserError } from '../../errors.ts'
import { readSecret } from '../source-secret.ts'
import { createKafka, createSocketFactory } from './mended-kafkajs.ts'
import { API_VERSION, type TopicMetadata, topicIdsRequest, topicIdsResponse } from './topic-ids.ts'

export interface PartitionId {
  readonly topic: string
  readonly partition: number
}

/** From where to where a partition can be read now; `end` is before what open transactions hold. */
export interface PartitionRange extends PartitionId {
  readonly topicId: string
  readonly begin: number
  readonly end: number
}

export interface KafkaClient {
  readonly topics: readonly string[]
  /** Every partition of the topics. */
  ranges(): Promise<PartitionRange[]>
  /** The id of each topic now, which tells one that was made anew under its name. */
  topicIds(): Promise<ReadonlyMap<string, string>>
  /** The first offset of each partition whose message is not older than this; its end when all are. */
  offsetsAt(time: Date): Promise<(PartitionId & { readonly offset: number })[]>
  consumer(): Consumer
  close(): Promise<void>
}

/** What lpa uses of a cluster inside kafkajs. */
interface Cluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>
  refreshMetadata(): Promise<void>
  fetchTopicsOffset(
    topics: readonly {
      topic: string
      partitions: readonly { partition: number }[]
      fromBeginning?: boolean
      fromTimestamp?: number
    }[],
  ): Promise<readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[]>
  findControllerBroker(): Promise<{
    readonly versions: Readonly<Record<number, { readonly maxVersion: number }>>
    readonly connectionPool: { send(exchange: object): Promise<readonly TopicMetadata[]> }
  }>
}

/** How long a member may be silent, after it died or was stopped, before its partitions go to others of its group. */
const SESSION_MS = 15_000
/** Who stops while it joins a group would wait for the other members, as long as their sessions may last. */
const FAREWELL_MS = 1000
const [UNKNOWN_TOPIC, NOT_ALLOWED] = [3, 29]
const READ_COMMITTED = 1
const MEGABYTE = 1024 * 1024

/**
 * Connects, signed in as configured. A broker that takes connections and never answers holds up nobody who stops.
 * @throws UserError unavailable (69) when no broker answers, notPermitted (77) when it refuses, config (78) without a
 *   secret; the signal's reason when it is aborted
 */
export async function openKafka(settings: KafkaSettings, signal: AbortSignal): Promise<KafkaClient> {
  signal.throwIfAborted()
  const sockets = new Sockets()
  const kafka = createKafka({ ...configOf(settings), socketFactory: sockets.open })
  const cluster = clusterOf(kafka)
  const { topics } = settings
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => {})
  const stop = () => stopped.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const asked = <T>(work: () => Promise<T>) =>
    Promise.race([stopped.promise, work()]).catch((error) => Promise.reject(explained(error, settings)))
  const close = async () => {
    signal.removeEventListener('abort', stop)
    await withinTime(cluster.disconnect().catch(() => {}))
    sockets.close()
  }

  const metadata = async () => {
    const found = await askForTopics(cluster, topics)
    for (const { topic, errorCode } of found) refuseTopic(topic, errorCode, settings)
    return found
  }
  try {
    await asked(async () => {
      await cluster.connect()
      await cluster.refreshMetadata()
      await metadata()
      await cluster.addMultipleTargetTopics(topics)
    })
  } catch (error) {
    await close()
    throw error
  }

  const offsets = async (
    found: readonly TopicMetadata[],
    which: { fromBeginning?: boolean; fromTimestamp?: number },
  ) => {
    const asks = found.map(({ topic, partitions }) => ({
      ...{ topic, ...which },
      partitions: partitions.map((partition) => ({ partition })),
    }))
    const answers = await cluster.fetchTopicsOffset(asks)
    return answers.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
    )
  }
  return {
    topics,
    ranges: () =>
      asked(async () => {
        const found = await metadata()
        await cluster.refreshMetadata()
        const [begins, ends] = [
          await offsets(found, { fromBeginning: true }),
          await offsets(found, { fromBeginning: false }),
        ]
        return begins.map(({ topic, partition, offset: begin }) => ({
          ...{ topic, partition, begin },
          topicId: found.find((one) => one.topic === topic)?.topicId ?? '',
          end: offsetOf(ends, topic, partition),
        }))
      }),
    topicIds: () =>
      asked(async () => new Map((await metadata()).map(({ topic, topicId }) => [topic, topicId]))),
    offsetsAt: (time) =>
      asked(async () => {
        const found = await metadata()
        const ends = await offsets(found, { fromBeginning: false })
        return (await offsets(found, { fromTimestamp: time.getTime() })).map(
          ({ topic, partition, offset }) => ({
            ...{ topic, partition },
            offset: offset < 0 ? offsetOf(ends, topic, partition) : offset,
          }),
        )
      }),
    consumer: () =>
      kafka.consumer({
        groupId: settings.group,
        sessionTimeout: SESSION_MS,
        // What is fetched waits for a place in a commit: the sessions' time must do.
        rebalanceTimeout: 4 * SESSION_MS,
        // Also how long a partition's beginning waits after a group was joined.
        maxWaitTimeInMs: 300,
        maxBytesPerPartition: MEGABYTE,
        maxBytes: 8 * MEGABYTE,
        allowAutoTopicCreation: false,
        // What a lost connection asks for, the stream does itself.
        retry: { retries: 2, restartOnFailure: async () => false },
      }),
    close,
  }
}

/** Waits for a farewell, but not for one whom nobody hears. */
export function withinTime(farewell: Promise<void>): Promise<void> {
  return Promise.race([farewell, sleep(FAREWELL_MS, undefined, { ref: false })])
}

/** All connections of a client, those too of consumers that did not leave their group in time. */
class Sockets {
  readonly #open = new Set<Socket>()
  #isClosed = false

  readonly open: ISocketFactory = (options) => {
    const socket = createSocketFactory()(options)
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    if (this.#isClosed) socket.destroy()
    return socket
  }

  close(): void {
    this.#isClosed = true
    for (const socket of this.#open) socket.destroy()
  }
}

function offsetOf(
  offsets: readonly (PartitionId & { readonly offset: number })[],
  topic: string,
  partition: number,
): number {
  return offsets.find((one) => one.topic === topic && one.partition === partition)?.offset ?? 0
}

function configOf(settings: KafkaSettings): KafkaConfig {
  const { brokers, auth, user = '', tls, caFile } = settings
  const name = kafkaName(settings)
  const password = auth && readSecret(settings, name)
  return {
    clientId: 'lpa',
    brokers: [...brokers],
    // Certificates are always checked.
    ...(tls && {
      ssl: { rejectUnauthorized: true, ...(caFile && { ca: [readCaFile(caFile, 'LPA-SOURCE-CA')] }) },
    }),
    ...(auth && { sasl: { mechanism: auth, username: user, password } as SASLOptions }),
    connectionTimeout: 5000,
    requestTimeout: 30_000,
    retry: { retries: 3, initialRetryTime: 200 },
    logCreator: () => () => {},
  }
}

/** One that answers what can be read: not beyond the last stable offset. */
function clusterOf(kafka: Kafka): Cluster {
  const create = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  )
  if (!create) throw new Error('This is not the kafkajs that lpa was written for.')
  const inner = kafka as unknown as Record<symbol, (options: object) => Cluster>
  return inner[create]?.({ isolationLevel: READ_COMMITTED, allowAutoTopicCreation: false }) as Cluster
}

async function askForTopics(cluster: Cluster, topics: readonly string[]): Promise<readonly TopicMetadata[]> {
  const require = createRequire(import.meta.url)
  const broker = await cluster.findControllerBroker()
  if ((broker.versions[3]?.maxVersion ?? 0) < API_VERSION) {
    throw new UserError('LPA-KAFKA-OLD', 'This Kafka is older than 2.8: its topics have no ids.', {
      exit: 'unavailable',
      next: 'Without them, a topic that is made anew would be read from the wrong place. Update the brokers.',
    })
  }
  return broker.connectionPool.send({
    request: topicIdsRequest(topics, require('kafkajs/src/protocol/encoder.js')),
    response: topicIdsResponse(require('kafkajs/src/protocol/decoder.js')),
  })
}

function refuseTopic(topic: string, errorCode: number, settings: KafkaSettings): void {
  const where = kafkaName(settings)
  if (errorCode === UNKNOWN_TOPIC) {
    throw new UserError('LPA-KAFKA-TOPIC', `There is no topic ${topic}.`, {
      ...{ exit: 'noInput', where },
      next: 'Check its name, or make it first: lpa makes none.',
    })
  }
  if (errorCode === NOT_ALLOWED) {
    throw new UserError('LPA-KAFKA-FORBIDDEN', `The topic ${topic} may not be read.`, {
      ...{ exit: 'notPermitted', where },
      next: `Ask for the permissions to describe and read the topic, and to read the group ${settings.group}.`,
    })
  }
}

interface KafkaError extends Error {
  readonly type?: string
  readonly code?: string
}

/** What kafkajs throws, in words for users. Its messages hold hosts and codes, no data. */
export function explained(error: unknown, settings: KafkaSettings): unknown {
  if (error instanceof UserError || !(error instanceof Error) || !error.name.startsWith('KafkaJS'))
    return error
  const where = kafkaName(settings)
  const { name, type = '', message } = rootOf(error)
  if (/SASL/.test(name) || /SASL|AUTHENTICATION/.test(type) || /SASL/.test(message)) {
    return new UserError('LPA-KAFKA-AUTH', 'The broker does not let this user in.', {
      ...{ exit: 'notPermitted', where, cause: error },
      next: settings.auth
        ? 'Check user, the secret, and which auth the listener wants: plain, scram-sha-256 or scram-sha-512.'
        : 'It asks for a user: set auth, user and secret_file of the source in lpa.toml.',
    })
  }
  if (/_AUTHORIZATION_FAILED$/.test(type)) {
    return new UserError('LPA-KAFKA-FORBIDDEN', 'The broker does not allow this user to read.', {
      ...{ exit: 'notPermitted', where, cause: error },
      next: `Ask for the permissions to describe and read the topic, and to read the group ${settings.group}.`,
    })
  }
  return new UserError('LPA-KAFKA-UNREACHABLE', `No broker answers: ${message}`, {
    ...{ exit: 'unavailable', where, cause: error },
    next: [
      'Check the address and that the brokers run.',
      settings.tls
        ? 'lpa speaks TLS to them: if they do not, set tls = false; for certificates of your own, ca_file.'
        : 'lpa speaks without TLS to them: if they want it, set tls = true.',
    ],
  })
}

function rootOf(error: KafkaError): KafkaError {
  const { cause } = error
  return cause instanceof Error && cause.name.startsWith('KafkaJS') ? rootOf(cause) : error
}
