/**
 * kafkajs 2.2.4 with its codecs, and with what is wrong in it for exactly-once reading put right (decision 0014). It is
 * no longer changed by its authors, and its version is pinned: what is replaced here is what was read there.
 */

import { createRequire } from 'node:module'
import type { ISocketFactory, Kafka, KafkaConfig } from 'kafkajs'
import { unpackGzip, unpackLz4, unpackSnappy, unpackZstd } from './codecs.ts'
import { decodeMessages, decodeRecord, type RawRecord } from './record-batches.ts'

const require = createRequire(import.meta.url)

interface AbortedTransaction {
  readonly firstOffset: string
  readonly producerId: string
}

let mended: typeof import('kafkajs') | undefined

export function createKafka(config: KafkaConfig): Kafka {
  mended ??= mend()
  return new mended.Kafka(config)
}

/** What makes its connections. */
export function createSocketFactory(): ISocketFactory {
  return require('kafkajs/src/network/socketFactory.js')()
}

function mend(): typeof import('kafkajs') {
  // Modules that others take what they export from: before these are loaded.
  replace('protocol/recordBatch/record/v0/decoder.js', () => decodeRecord)
  replace('protocol/requests/fetch/v4/decodeMessages.js', decodeMessages)
  replace('consumer/filterAbortedMessages.js', () => withoutAborted)
  replace('cluster/connectionPoolBuilder.js', poolBuilder)
  const kafkajs = require('kafkajs') as typeof import('kafkajs')

  const { CompressionCodecs, CompressionTypes } = kafkajs
  CompressionCodecs[CompressionTypes.Snappy] = () => readOnlyCodec(unpackSnappy)
  CompressionCodecs[CompressionTypes.GZIP] = () => readOnlyCodec(unpackGzip)
  CompressionCodecs[CompressionTypes.LZ4] = () => readOnlyCodec(unpackLz4)
  CompressionCodecs[CompressionTypes.ZSTD] = () => readOnlyCodec(unpackZstd)

  // A batch without a message is one too: where it ends is where the next one begins.
  const Batch = require('kafkajs/src/consumer/batch.js')
  Batch.prototype.isEmptyDueToFiltering = () => false
  Batch.prototype.isEmpty = function isEmpty(this: { rawMessages: unknown[] }) {
    return this.rawMessages.length === 0
  }
  // It would go on from the topic's beginning or end without a word.
  const ConsumerGroup = require('kafkajs/src/consumer/consumerGroup.js')
  const { KafkaJSNonRetriableError } = require('kafkajs/src/errors.js')
  ConsumerGroup.prototype.recoverFromOffsetOutOfRange = async (error: {
    topic: string
    partition: number
  }) => {
    throw Object.assign(new KafkaJSNonRetriableError('Offset out of range'), {
      outOfRange: { topic: error.topic, partition: error.partition },
    })
  }
  // It goes on with the part of an answer that came before a connection was cut, and understands none after it.
  const Connection = require('kafkajs/src/network/connection.js')
  const { connect } = Connection.prototype
  Connection.prototype.connect = function connectAnew(this: { isConnected(): boolean }) {
    if (!this.isConnected()) Object.assign(this, { chunks: [], bytesBuffered: 0, bytesNeeded: LENGTH_BYTES })
    return connect.call(this)
  }
  // It sets timers of negative length, of which Node 24 warns on stderr.
  const RequestQueue = require('kafkajs/src/network/requestQueue/index.js')
  RequestQueue.prototype.scheduleCheckPendingRequests = scheduleCheckPendingRequests
  return kafkajs
}

function replace<T>(path: string, change: (original: T) => T): void {
  const file = require.resolve(`kafkajs/src/${path}`)
  const original = require(file) as T
  const module = require.cache[file]
  if (module) module.exports = change(original)
}

interface Destination {
  readonly host: string
  readonly port: number
}

type PoolBuilder = (options: { readonly brokers: readonly string[] }) => {
  build(destination?: Destination): Promise<unknown>
}

/** It cuts the address of a broker at its first colon, which IPv6 has inside. */
function poolBuilder(original: PoolBuilder): PoolBuilder {
  return (options) => {
    const builder = original(options)
    const { brokers } = options
    let asked = 0
    return {
      build: (destination) => builder.build(destination ?? destinationOf(brokers[asked++ % brokers.length])),
    }
  }
}

/** `host:9092` or `[::1]:9092`. */
function destinationOf(broker = ''): Destination {
  const colon = broker.lastIndexOf(':')
  return { host: broker.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(broker.slice(colon + 1)) }
}

/**
 * The records that were not in a transaction that was aborted. kafkajs takes any message whose key is four zero bytes for
 * the end of one, and of several that are open where a fetch begins it knows the first only.
 */
export function withoutAborted<R extends RawRecord>({
  messages,
  abortedTransactions,
}: {
  readonly messages: R[]
  readonly abortedTransactions?: readonly AbortedTransaction[] | null
}): R[] {
  if (!abortedTransactions || abortedTransactions.length === 0) return messages
  const coming = abortedTransactions
    .map(({ firstOffset, producerId }) => ({ first: BigInt(firstOffset), producer: String(producerId) }))
    .sort((a, b) => (a.first < b.first ? -1 : 1))
  const open = new Set<string>()
  return messages.filter(({ offset, isControlRecord, key, batchContext }) => {
    for (const at = BigInt(offset); coming[0] && coming[0].first <= at; coming.shift())
      open.add(coming[0].producer)
    const producer = String(batchContext.producerId)
    // Its key is a version and what ended: 0 an aborted transaction, 1 a committed one.
    if (isControlRecord) {
      if (key && key.length >= 4 && key.readInt16BE(2) === 0) open.delete(producer)
      return true
    }
    return !(batchContext.inTransaction && open.has(producer))
  })
}

function readOnlyCodec(decompress: (packed: Buffer) => Promise<Buffer>) {
  return {
    compress: () => Promise.reject(new Error('lpa only reads.')),
    decompress,
  }
}

/** What an answer begins with. */
const LENGTH_BYTES = 4

interface Queue {
  throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  readonly pending: readonly unknown[]
  checkPendingRequests(): void
}

const CHECK_MS = 10

function scheduleCheckPendingRequests(this: Queue): void {
  if (this.throttleCheckTimeoutId || this.pending.length === 0) return
  const throttled = this.throttledUntil - Date.now()
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    },
    throttled > 0 ? throttled : CHECK_MS,
  )
}
