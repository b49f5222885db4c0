import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createKafka, createSocketFactory, withoutAborted } from './mended-kafkajs.ts'

const record = (
  offset: number,
  producer: number,
  more: { key?: Buffer; control?: 'abort' | 'commit' } = {},
) => ({
  offset: String(offset),
  isControlRecord: more.control !== undefined,
  key: more.control ? Buffer.from([0, 0, 0, more.control === 'abort' ? 0 : 1]) : (more.key ?? null),
  batchContext: { producerId: String(producer), inTransaction: true },
})

const offsets = (messages: readonly ReturnType<typeof record>[], aborted: readonly [number, number][]) =>
  withoutAborted({
    messages: [...messages],
    abortedTransactions: aborted.map(([firstOffset, producerId]) => ({
      firstOffset: String(firstOffset),
      producerId: String(producerId),
    })),
  })
    .filter(({ isControlRecord }) => !isControlRecord)
    .map(({ offset }) => Number(offset))

describe('records of aborted transactions', () => {
  test('are left out until the transaction ends, those of others are not', () => {
    const messages = [
      ...[record(1, 7), record(2, 8), record(3, 7), record(4, 7, { control: 'abort' })],
      ...[record(5, 7), record(6, 8), record(7, 8, { control: 'commit' })],
    ]
    expect(offsets(messages, [[1, 7]])).toEqual([2, 5, 6])
  })

  test('of several that are open where the fetch begins', () => {
    const messages = [
      record(10, 8),
      record(11, 7),
      record(12, 9),
      record(13, 8, { control: 'abort' }),
      record(14, 8),
    ]
    expect(
      offsets(messages, [
        [5, 8],
        [3, 7],
      ]),
    ).toEqual([12, 14])
  })

  test('whatever the keys of messages are', () => {
    const messages = [
      record(1, 7, { key: Buffer.alloc(4) }),
      record(2, 7),
      record(3, 7, { control: 'abort' }),
    ]
    expect(offsets(messages, [[1, 7]])).toEqual([])
  })

  test('are only those', () => {
    const messages = [record(1, 7), record(2, 7)]
    expect(offsets(messages, [])).toEqual([1, 2])
  })
})

test('a connection that was cut in the middle of an answer understands those after it', async () => {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    const isCut = connections === 1
    socket.on('data', (request) => {
      const answer = Buffer.alloc(16)
      answer.writeInt32BE(12)
      answer.writeInt32BE(request.readInt32BE(8), 4)
      answer.write('answered', 8)
      if (isCut) socket.end(answer.subarray(0, 11))
      else socket.write(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  createKafka({ brokers: ['127.0.0.1:1'] })
  const require = createRequire(import.meta.url)
  const Connection = require('kafkajs/src/network/connection.js')
  const Encoder = require('kafkajs/src/protocol/encoder.js')
  const logger = { namespace: () => logger, debug() {}, error() {} }
  const connection = new Connection({
    ...{ host: '127.0.0.1', port: (server.address() as AddressInfo).port, logger },
    ...{ socketFactory: createSocketFactory(), requestTimeout: 1000, connectionTimeout: 1000 },
  })
  const asked = async () => {
    await connection.connect()
    return connection.send({
      request: { apiKey: 3, apiVersion: 0, apiName: 'Metadata', encode: async () => new Encoder() },
      response: { decode: async (bytes: Buffer) => bytes, parse: (bytes: Buffer) => String(bytes) },
    })
  }
  await expect(asked()).rejects.toThrow('Closed connection')
  expect(await asked()).toBe('answered')
  await connection.disconnect()
  server.close()
})
