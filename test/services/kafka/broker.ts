/** A real Apache Kafka broker in KRaft mode: on free loopback ports, with its data in a temporary folder. */

import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { javaCommand } from '../../../src/java.ts'
import { makeCertificates } from './certificates.ts'
import { java, javaArguments } from './java.ts'
import { HOST, type Ports, serverProperties, USERS } from './properties.ts'

/** Where clients find the broker, each `host:port`. */
export interface Addresses {
  readonly plaintext: string
  readonly sasl: string
  readonly ssl: string
  readonly saslSsl: string
  /** PEM file of the authority that signed the broker's certificate. */
  readonly ca: string
}

export interface BrokerOptions {
  /** For data, log and certificates; kept at the end. A temporary one, removed at the end, when absent. */
  readonly folder?: string
  /** The port without encryption and signing in; a free one when absent. */
  readonly port?: number
  /** Where clients without encryption are sent: to a proxy, when it is not the broker itself. */
  readonly advertised?: number
  readonly heapMb?: number
}

const START_LIMIT_MS = 90_000
const STOP_LIMIT_MS = 30_000
const STARTED = 'Kafka Server started'
const PORT_TAKEN = /Address already in use/

export class Broker implements AsyncDisposable {
  readonly folder: string
  readonly #isOwnFolder: boolean
  readonly #heapMb: number
  readonly #advertised: number | undefined
  #ports: Ports
  #process: Running | undefined

  private constructor(folder: string, ports: Ports, options: BrokerOptions) {
    this.folder = folder
    this.#isOwnFolder = options.folder === undefined
    this.#heapMb = options.heapMb ?? 256
    this.#advertised = options.advertised
    this.#ports = ports
  }

  /**
   * A broker that answers, 5 s after the call or later.
   * @throws NoKafka when Java, openssl or the jars are missing; Error with the end of its log when it does not start
   */
  static async start(options: BrokerOptions = {}): Promise<Broker> {
    if (options.port !== undefined && !(await isFree(options.port)))
      throw new Error(`The port ${options.port} is taken.`)
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'lpa-kafka-'))
    mkdirSync(folder, { recursive: true })
    const broker = new Broker(folder, await freePorts(options.port), options)
    try {
      makeCertificates(folder)
      await broker.#format()
      await broker.#startOnFreePorts(options.port)
    } catch (error) {
      await broker.stop()
      throw error
    }
    return broker
  }

  get addresses(): Addresses {
    const at = (port: number) => `${HOST}:${port}`
    const { plaintext, sasl, ssl, saslSsl } = this.#ports
    return {
      ...{ plaintext: at(plaintext), sasl: at(sasl), ssl: at(ssl), saslSsl: at(saslSsl) },
      ca: join(this.folder, 'ca.pem'),
    }
  }

  /** Of the Java process; undefined while it is not running. */
  get pid(): number | undefined {
    return this.#process?.child.pid
  }

  /** All that the broker has logged since its first start. */
  get log(): string {
    const file = this.#at('broker.log')
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }

  /** kill -9, as a crash is; data and ports stay for `restart`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Starts it again on the same ports and data, after `kill` or while it runs. Resolves when it answers. */
  async restart(): Promise<void> {
    await this.#end('SIGTERM')
    await this.#run()
  }

  /** Ends it in good order, and removes its temporary folder. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    if (this.#isOwnFolder) rmSync(this.folder, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** The first file of a partition's log, for DumpLogSegments. */
  segment(topic: string, partition = 0): string {
    return join(this.#at('data'), `${topic}-${partition}`, `${'0'.repeat(20)}.log`)
  }

  #at(name: string): string {
    return join(this.folder, name)
  }

  #writeProperties(): void {
    const [data, certificate] = [this.#at('data'), this.#at('server.pem')]
    const text = serverProperties(this.#ports, data, certificate, this.#advertised)
    writeFileSync(this.#at('server.properties'), text, { mode: 0o600 })
  }

  /** The data folder of a new cluster, with its SCRAM users. */
  async #format(): Promise<void> {
    if (existsSync(this.#at('data/meta.properties'))) return
    this.#writeProperties()
    const scram = Object.entries(USERS)
      .filter(([mechanism]) => mechanism.startsWith('SCRAM'))
      .flatMap(([mechanism, { username, password }]) => [
        '--add-scram',
        `${mechanism}=[name=${username},password=${password}]`,
      ])
    const cluster = ['-t', 'AAAAAAAAAAAAAAAAAAAAAQ', '-c', this.#at('server.properties')]
    await java('kafka.tools.StorageTool', ['format', ...cluster, ...scram])
  }

  /** Between the look for free ports and their use somebody else may take one. */
  async #startOnFreePorts(port: number | undefined): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.#writeProperties()
      const before = this.log.length
      try {
        return await this.#run()
      } catch (error) {
        if (attempt === 3 || port !== undefined || !PORT_TAKEN.test(this.log.slice(before))) throw error
      }
      this.#ports = await freePorts()
    }
  }

  async #run(): Promise<void> {
    const before = this.log.length
    const settings = [this.#at('server.properties')]
    const args = await javaArguments('kafka.Kafka', settings, { heapMb: this.#heapMb, log: 'info' })
    const process = run(args, this.#at('broker.log'), this.#isOwnFolder ? this.folder : undefined)
    this.#process = process
    const limit = Date.now() + START_LIMIT_MS
    while (!this.log.slice(before).includes(STARTED)) {
      if (process.child.exitCode !== null || process.child.signalCode !== null || Date.now() > limit) {
        await this.#end('SIGKILL')
        throw new Error(`The Kafka broker did not start:\n${lastLines(this.log.slice(before))}`)
      }
      await sleep(50)
    }
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const process = this.#process
    if (!process) return
    this.#process = undefined
    process.child.kill(signal)
    const limit = setTimeout(() => process.child.kill('SIGKILL'), STOP_LIMIT_MS)
    await process.ended
    clearTimeout(limit)
  }
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<void>
}

/** Starts Java in the background, with its output at the end of the file `log`. */
function run(args: readonly string[], log: string, folder: string | undefined): Running {
  const file = openSync(log, 'a')
  // A group of its own: Ctrl-C is for the one who started it, who then stops it.
  const child = spawn(javaCommand(), args, { stdio: ['ignore', file, file], detached: true })
  closeSync(file)
  const watch = watcher(child, folder)
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  }).finally(() => watch.kill('SIGKILL'))
  return { child, ended }
}

/**
 * A process that outlives this one to end the broker when this one is gone without having done so (kill -9): its
 * standard input ends then. It also removes `folder`.
 */
function watcher(broker: ChildProcess, folder: string | undefined): ChildProcess {
  const script = 'read -r _; kill -9 "$1"; sleep 1; [ -z "$2" ] || rm -rf "$2"'
  const child = spawn('sh', ['-c', script, 'sh', String(broker.pid), folder ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  child.unref()
  return child
}

const lastLines = (log: string) => log.trimEnd().split('\n').slice(-20).join('\n')

async function freePorts(plaintext?: number): Promise<Ports> {
  const taken = new Set(plaintext === undefined ? [] : [plaintext])
  const next = async () => {
    const port = await freePort(taken)
    taken.add(port)
    return port
  }
  return {
    plaintext: plaintext ?? (await next()),
    sasl: await next(),
    ssl: await next(),
    saslSsl: await next(),
    controller: await next(),
  }
}

/** Below those that systems give to outgoing connections: such a one could take the port while the broker is down. */
async function freePort(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (!taken.has(port) && (await isFree(port))) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, HOST, () => server.close(() => resolve(true)))
  })
}
