/**
 * What stands between clients and a broker: it passes on what they say to one another, slowly or not all of it. Clients go
 * where the broker tells them, so it has to advertise the proxy's port.
 */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { HOST } from './properties.ts'

/** Requests by their number in Kafka's protocol. */
export const REQUESTS = { Fetch: 1, Metadata: 3, OffsetCommit: 8 } as const

export interface Asked {
  /** As the client calls itself. */
  readonly client: string
  readonly request: number
}

/** In the middle of what is cut; before an answer is, the broker has done what it was asked. */
export type Cut = 'request' | 'answer'

/** Of answers: so many bytes, then a pause. */
export interface Pace {
  readonly bytes: number
  readonly pauseMs: number
}

export class TcpProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #target: number | undefined
  /** Says of each request whether its connection is cut. */
  cut: (asked: Asked) => Cut | undefined = () => undefined
  /** Asked of each request too. */
  pace: (asked: Asked) => Pace | undefined = () => undefined

  private constructor() {
    this.#server = createServer((client) => this.#connect(client))
  }

  static async listen(): Promise<TcpProxy> {
    const proxy = new TcpProxy()
    proxy.#server.listen(0, HOST)
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): string {
    return `${HOST}:${this.port}`
  }

  /** Where the broker is, `host:port`; until it is told, nobody is let through. */
  leadTo(address: string): void {
    this.#target = Number(address.split(':')[1])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #connect(client: Socket): void {
    if (this.#target === undefined) {
      client.destroy()
      return
    }
    const broker = connect(this.#target, HOST)
    const end = () => {
      client.destroy()
      broker.destroy()
    }
    for (const socket of [client, broker]) {
      this.#sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        end()
      })
    }
    this.#passOn(client, broker, end)
  }

  #passOn(client: Socket, broker: Socket, end: () => void): void {
    /** What is to become of the answers, by the number that they share with their request. */
    const answers = new Map<number, { readonly cut: Cut | undefined; readonly pace: Pace | undefined }>()
    let isCut = false
    const cutIn = (to: Socket, message: Buffer) => {
      isCut = true
      to.write(message.subarray(0, message.length >> 1), end)
    }
    const requested = messages((message) => {
      if (isCut) return
      const asked = askedBy(message)
      const cut = this.cut(asked)
      if (cut === 'request') return cutIn(broker, message)
      answers.set(message.readInt32BE(8), { cut, pace: this.pace(asked) })
      broker.write(message)
    })
    // One after the other, also those that are slow.
    let written = Promise.resolve()
    const answered = messages((message) => {
      const number = message.readInt32BE(4)
      const { cut, pace } = answers.get(number) ?? {}
      answers.delete(number)
      written = written.then(async () => {
        if (isCut) return
        if (cut === 'answer') cutIn(client, message)
        else await write(client, message, pace)
      })
    })
    client.on('data', requested)
    broker.on('data', answered)
  }
}

/** Hands on whole messages of a connection, each with its length before it. */
function messages(take: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0)
      const message = rest.subarray(0, end)
      rest = rest.subarray(end)
      take(message)
    }
  }
}

/** A request is its length, its number and version, the number of its answer, and who asks. */
function askedBy(message: Buffer): Asked {
  const length = Math.max(0, message.readInt16BE(12))
  return { request: message.readInt16BE(4), client: message.toString('utf8', 14, 14 + length) }
}

async function write(to: Socket, message: Buffer, pace: Pace | undefined): Promise<void> {
  if (!pace) {
    to.write(message)
    return
  }
  for (let at = 0; at < message.length && !to.destroyed; at += pace.bytes) {
    to.write(message.subarray(at, at + pace.bytes))
    await sleep(pace.pauseMs)
  }
}
