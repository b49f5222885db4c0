/** Spark on this machine: a Spark Connect server on the loopback, which goes on after the command that started it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../errors.ts'
import { javaCommand, javaLacking } from '../../java.ts'
import { processStart } from '../../process-alive.ts'
import { stateFolder } from '../../state-folder.ts'
import { takeWriterLock } from '../duckdb/writer-lock.ts'
import type { SparkAddress } from './address.ts'
import { sparkHome } from './home.ts'

/** What is known of it from run to run, in a file that only this user can read. */
export interface LocalServer {
  readonly pid: number
  readonly processStart: string
  readonly port: number
  readonly token: string
  readonly memory: string
  readonly log: string
  readonly startedAt: string
}

export interface StartRequest {
  /** Of Java's heap, as Spark writes sizes: `2g`. */
  readonly memory: string
  /** Spark's own settings, beside lpa's and in their place. */
  readonly settings?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

const HOST = '127.0.0.1'
const PORT = 'spark.connect.grpc.binding.port'
const START_LIMIT_MS = 300_000
const STOP_LIMIT_MS = 20_000
const POLL_MS = 250

/** What Java 17 and newer want to hear before Spark may look into their own classes; as Spark's launcher has it. */
const OPENED = [
  ...['lang', 'lang.invoke', 'lang.reflect', 'io', 'net', 'nio', 'util', 'util.concurrent'],
  'util.concurrent.atomic',
].map((name) => `java.base/java.${name}`)
const INNER = [
  'jdk.internal.ref',
  'sun.nio.ch',
  'sun.nio.cs',
  'sun.security.action',
  'sun.util.calendar',
].map((name) => `java.base/${name}`)

/** The server that runs, if one does. */
export function findLocalServer(): LocalServer | undefined {
  const server = readState()
  return server && processStart(server.pid) === server.processStart ? server : undefined
}

export function addressOf({ port }: LocalServer): SparkAddress {
  return { host: HOST, port, isEncrypted: false, user: 'lpa' }
}

/** What commands print of it: all but its token. */
export function serverRecord(server: LocalServer | undefined) {
  if (server === undefined) return { state: 'stopped' }
  const { pid, port, memory, log, startedAt } = server
  return { state: 'running', address: `sc://${HOST}:${port}`, pid, memory, started_at: startedAt, log }
}

/** Whether it takes statements. */
export async function answers(server: LocalServer, signal: AbortSignal): Promise<boolean> {
  const { SparkSession } = await import('./session.ts')
  try {
    await using _session = await SparkSession.open({
      ...{ address: addressOf(server), token: server.token, signal },
    })
    return true
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'LPA-SPARK-NETWORK') throw error
    return false
  }
}

/**
 * Starts it, or answers the one that runs.
 * @throws UserError unavailable (69) without Java 17 or Spark, or with the end of its log when it does not start
 */
export async function startLocalServer(
  request: StartRequest,
): Promise<{ server: LocalServer; isNew: boolean }> {
  mkdirSync(stateFolder(), { recursive: true, mode: 0o700 })
  // Two at once would start two, and know of one.
  using _lock = await takeWriterLock(stateFolder(), START_LIMIT_MS, request.signal)
  const running = findLocalServer()
  if (running) {
    // The run that started it may have been killed while it did.
    await untilItAnswers(running, request.signal)
    return { server: running, isNew: false }
  }
  const lacking = javaLacking('Spark')
  if (lacking) {
    const [what = '', next = ''] = lacking.split(/: (.*)/s)
    throw new UserError('LPA-SPARK-JAVA', `${what[0]?.toUpperCase()}${what.slice(1)}.`, {
      exit: 'unavailable',
      next,
    })
  }
  const home = sparkHome()
  const log = stateFolder('spark.log')
  const wanted = Number(request.settings?.[PORT])
  // What is no port, Spark refuses itself.
  const port = await freePort(wanted > 0 && wanted <= 65_535 ? wanted : 0)
  const token = randomBytes(24).toString('hex')
  const child = run(javaArguments(home, port, request), { log, home, token })
  const server = await writeState(child, { port, token, memory: request.memory, log })
  try {
    await untilItAnswers(server, request.signal)
  } catch (error) {
    await stopLocalServer()
    throw error
  }
  return { server, isNew: true }
}

/** Stops it; answers the one that was stopped, if one ran. */
export async function stopLocalServer(): Promise<LocalServer | undefined> {
  const server = findLocalServer()
  if (server) {
    process.kill(server.pid, 'SIGTERM')
    const limit = Date.now() + STOP_LIMIT_MS
    while (findLocalServer()) {
      if (Date.now() > limit) process.kill(server.pid, 'SIGKILL')
      await sleep(POLL_MS)
    }
  }
  rmSync(stateFile(), { force: true })
  return server
}

function stateFile(): string {
  return stateFolder('spark.json')
}

function readState(): LocalServer | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(), 'utf8'))
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (isMissing || error instanceof SyntaxError) return undefined
    throw error
  }
}

async function writeState(
  child: ChildProcess,
  known: Pick<LocalServer, 'port' | 'token' | 'memory' | 'log'>,
): Promise<LocalServer> {
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => resolve(child.pid as number))
  })
  const startedAt = new Date().toISOString()
  const server = { pid, processStart: processStart(pid) ?? '', ...known, startedAt }
  const part = `${stateFile()}.new`
  writeFileSync(part, JSON.stringify(server), { mode: 0o600 })
  renameSync(part, stateFile())
  return server
}

/** What sources and warehouses are opened with: a statement can ask Java for all that it has. */
const SECRETIVE = /^(LPA|SNOWFLAKE)_|^CREDENTIALS_DIRECTORY$/

/** A process of its own, which Ctrl-C at this terminal does not reach; its files are this user's only. */
function run(
  args: readonly string[],
  { log, home, token }: { log: string; home: string; token: string },
): ChildProcess {
  const file = openSync(log, 'w', 0o600)
  const child = spawn(javaCommand(), args, {
    ...{ cwd: stateFolder(), detached: true, stdio: ['ignore', file, file] },
    env: {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !SECRETIVE.test(name))),
      SPARK_HOME: home,
      SPARK_LOCAL_IP: HOST,
      // Without it, executors do not find their classes.
      SPARK_SCALA_VERSION: '2.13',
      SPARK_CONNECT_AUTHENTICATE_TOKEN: token,
    },
  })
  child.unref()
  closeSync(file)
  return child
}

function javaArguments(home: string, port: number, { memory, settings = {} }: StartRequest): string[] {
  const all: Readonly<Record<string, string | number>> = {
    'spark.master': 'local[*]',
    'spark.connect.grpc.binding.address': HOST,
    [PORT]: port,
    // Else it would take the next one, and nobody would know.
    'spark.port.maxRetries': 0,
    'spark.driver.host': HOST,
    'spark.driver.bindAddress': HOST,
    'spark.ui.enabled': 'false',
    'spark.log.level': 'WARN',
    // Hadoop has a mask of its own, which counts for checkpoints.
    'spark.hadoop.fs.permissions.umask-mode': '077',
    'spark.sql.shuffle.partitions': 8,
    'spark.sql.warehouse.dir': `file:${stateFolder('spark-warehouse')}`,
    ...settings,
  }
  const opened = [...OPENED, ...INNER].map((name) => `--add-opens=${name}=ALL-UNNAMED`)
  return [
    ...['-XX:+IgnoreUnrecognizedVMOptions', '-XX:+UseParallelGC', `-Xmx${memory}`],
    ...['--add-modules=jdk.incubator.vector', ...opened],
    ...['-Djdk.reflect.useDirectMethodHandle=false', '-Dio.netty.tryReflectionSetAccessible=true'],
    ...['-cp', join(home, 'jars', '*'), 'org.apache.spark.deploy.SparkSubmit'],
    ...['--class', 'org.apache.spark.sql.connect.service.SparkConnectServer'],
    ...Object.entries(all).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
    'spark-internal',
  ]
}

async function untilItAnswers(server: LocalServer, signal: AbortSignal): Promise<void> {
  const limit = Date.now() + START_LIMIT_MS
  while (!(await answers(server, signal))) {
    if (!findLocalServer() || Date.now() > limit) throw notStarted(server)
    await sleep(POLL_MS, undefined, { signal })
  }
}

function notStarted({ log }: LocalServer): UserError {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
  const told = lines.findLast((line) => /exception|error/i.test(line)) ?? lines.at(-1) ?? ''
  return new UserError('LPA-SPARK-START', `Spark did not start: ${told.trim()}`, {
    exit: 'unavailable',
    next: `All that it said: ${log}`,
  })
}

/** @throws UserError unavailable (69) where the one that is wanted cannot be had */
export function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new UserError('LPA-SPARK-PORT', `Port ${wanted} is not free (${cause.code}).`, {
          ...{ exit: 'unavailable', cause },
          next: 'Name another one, or none: lpa finds a free one by itself.',
        }),
      ),
    )
    server.listen(wanted, HOST, () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
