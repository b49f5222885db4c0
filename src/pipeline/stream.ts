/** stream: sources that keep coming, exactly once, with the facts behind them. */

import type { Config } from '../config.ts'
import { LONGEST_TIMER_MS } from '../duration.ts'
import { LEAST_LOCK_WAIT_MS } from '../engines/lock-wait.ts'
import { UserError } from '../errors.ts'
import { parseInstant } from '../instant.ts'
import { readKey } from '../pseudonym.ts'
import { readErased } from './erased.ts'
import { otherKeyWarning } from './load.ts'
import { readOtherLoads, reloadsOf } from './reload.ts'
import { StreamStatus } from './stream-status.ts'
import { removeStatusFile, writeStatusFile } from './stream-status-file.ts'
import {
  type DirectoryTarget,
  type KafkaTarget,
  type StreamTarget,
  streamTarget,
  type TargetRequest,
} from './stream-target.ts'
import { type StreamProgress, StreamWork } from './stream-work.ts'
import { withWarehouse } from './warehouse.ts'

export interface StreamRequest extends TargetRequest {
  readonly untilCaughtUp: boolean
  /** Where topics begin that were never read: `earliest` (unless said), `latest`, or an instant. */
  readonly from?: string | undefined
  /** Records of a commit of messages; 50,000 unless said. */
  readonly commitRows?: number | undefined
  /** How long messages wait at most, 5 s unless said; or the pause between two looks at a directory, 1 s unless said. */
  readonly commitEveryMs?: number | undefined
  readonly resetOffsets: boolean
  readonly metricsFile?: string | undefined
  /** What reads, when not lpa itself. */
  readonly engine?: 'spark' | undefined
  readonly runId: string
}

export interface StreamSummary {
  readonly source: string
  readonly read: number
  readonly mapped: number
  readonly rejected: number
  readonly filtered: number
  readonly doubled: number
  readonly commits: number
  readonly overtaken: number
  readonly failedChecks: boolean
  /** What a commit is of: a file, or what came of messages. */
  readonly unit: 'commit' | 'file'
}

const COMMIT_ROWS = 50_000
const COMMIT_EVERY_MS = 5000
const LOOK_EVERY_MS = 1000

const STATUS_MS = 1000
/** Where no terminal shows the status, it is told so often, if anything came. */
const NOTE_MS = 60_000

/**
 * Streams until it is stopped, or with `untilCaughtUp` until what was there at the start is committed and built.
 * @throws UserError data (65) for topics made anew, messages that are gone and too many rejects; unavailable (69) when no
 *   broker answers; locked (75), …
 */
export async function stream(
  config: Config,
  request: StreamRequest,
  signal: AbortSignal,
  progress: StreamProgress,
  onSummary: (summary: StreamSummary) => void,
): Promise<void> {
  const target = streamTarget(config, request)
  const run = runOf(config, target, request)
  const key = readKey(config.privacy.keyFile)
  const lockWaitMs = Math.max(config.load.lockWaitMs, LEAST_LOCK_WAIT_MS)
  const { timezone, memoryLimit, threads } = config.warehouse
  const beside = {
    ...config,
    load: { ...config.load, lockWaitMs },
    warehouse: { ...config.warehouse, memoryLimit: thirdOf(memoryLimit) },
  }
  const { source, idSpace, mappings, entity } = target
  await withWarehouse(beside, 'write', signal, async (engine) => {
    const status = new StreamStatus(source, run.lag)
    const erased = await readErased(engine, config.privacy.keyFile, key)
    const work = new StreamWork({
      ...{ config, engine, source, status, signal, progress, runId: request.runId },
      commitRows: request.commitRows ?? COMMIT_ROWS,
      commitEveryMs: Math.min(request.commitEveryMs ?? run.commitEveryMs, LONGEST_TIMER_MS),
      untilCaughtUp: request.untilCaughtUp,
      fileRequest: {
        ...{ source, idSpace, mappings, entity, key, erased, timezone, memoryLimit, threads, signal },
        scratch: engine.scratch,
        parquetVersion: engine.parquetVersion,
        nextLoadId: () => engine.nextLoadId(),
      },
    })
    // What is read again is told of when that is done.
    const others = request.resetOffsets ? [] : await readOtherLoads(engine, key.id)
    if (others.length > 0)
      progress.onWarning(...otherKeyWarning(others, reloadsOf(others, config, process.cwd())))
    const telling = new Telling(status, progress, request.metricsFile, engine.scratch)
    try {
      await run.start(work)
      await work.build()
    } catch (error) {
      // To be stopped is how a stream ends.
      if (!signal.aborted) throw error
    } finally {
      await telling.end()
      onSummary({ source, ...status.counts, failedChecks: work.hasFailedChecks, unit: run.unit })
    }
  })
}

/** The warehouse has a third of the memory that is configured: two groups of records may be staged beside it. */
function thirdOf(limit: string): string {
  return limit.replace(/^[\d.]+/, (size) => String(Number(size) / 3))
}

/** How one kind of target is streamed. */
interface StreamRun {
  readonly lag: 'records' | 'files'
  readonly unit: StreamSummary['unit']
  readonly commitEveryMs: number
  start(work: StreamWork): Promise<void>
}

function runOf(config: Config, target: StreamTarget, request: StreamRequest): StreamRun {
  if ('directory' in target) refuseForDirectory(request)
  if (request.engine === 'spark') return sparkRun(config, target, request)
  return 'kafka' in target ? kafkaRun(target, request) : directoryRun(config, target, request)
}

function sparkRun(config: Config, target: StreamTarget, request: StreamRequest): StreamRun {
  const from = startOf(request.from ?? 'earliest')
  return {
    ...{ lag: 'records', unit: 'commit', commitEveryMs: COMMIT_EVERY_MS },
    async start(work) {
      const { streamSpark } = await import('./stream-spark.ts')
      await streamSpark({ config, target, from, resetOffsets: request.resetOffsets }, work)
    },
  }
}

function kafkaRun({ kafka: settings }: KafkaTarget, request: StreamRequest): StreamRun {
  const from = startOf(request.from ?? 'earliest')
  return {
    ...{ lag: 'records', unit: 'commit', commitEveryMs: COMMIT_EVERY_MS },
    async start(work) {
      const { streamKafka } = await import('./stream-kafka.ts')
      await streamKafka({ settings, from, resetOffsets: request.resetOffsets }, work)
    },
  }
}

function directoryRun(config: Config, target: DirectoryTarget, request: StreamRequest): StreamRun {
  return {
    ...{ lag: 'files', unit: 'file', commitEveryMs: LOOK_EVERY_MS },
    async start(work) {
      const { streamDirectory } = await import('./stream-directory.ts')
      const { mappings, entity, source } = request
      await streamDirectory({ config, target, mappings, entity, source }, work)
    },
  }
}

/** @throws UserError usage (2) for what is said of topics only */
function refuseForDirectory(request: StreamRequest): void {
  const said = { '--from': request.from, '--commit-rows': request.commitRows }
  const flags = [
    ...Object.entries(said).flatMap(([flag, value]) => (value === undefined ? [] : [flag])),
    ...(request.resetOffsets && request.engine === undefined ? ['--reset-offsets'] : []),
  ]
  if (flags.length === 0) return
  throw new UserError('LPA-STREAM-FLAG', `${flags.join(' and ')} can be said of Kafka topics only.`, {
    ...{ exit: 'usage', where: request.target },
    next: 'Leave it out: each file of a directory is loaded once, as a whole.',
  })
}

/** `12,400 records mapped, 3 rejected in 14 commits`. */
export function streamSummary({ mapped, rejected, filtered, doubled, commits, unit }: StreamSummary): string {
  const said = (count: number) => count.toLocaleString('en')
  if (commits === 0) return 'nothing new'
  const fates = [
    `${said(mapped)} ${mapped === 1 ? 'record' : 'records'} mapped`,
    `${said(rejected)} rejected`,
    ...(filtered > 0 ? [`${said(filtered)} filtered`] : []),
    ...(doubled > 0 ? [`${said(doubled)} doubled`] : []),
  ]
  return `${fates.join(', ')} in ${said(commits)} ${unit}${commits === 1 ? '' : 's'}`
}

function startOf(from: string): 'earliest' | 'latest' | Date {
  if (from === 'earliest' || from === 'latest') return from
  const time = parseInstant(from.length > 10 ? from : `${from}T00:00`)
  if (time) return time
  throw new UserError('LPA-STREAM-FROM', `--from is ${JSON.stringify(from)}.`, {
    exit: 'usage',
    next: 'It is earliest, latest, or a time: 2026-01-12T08:00:00Z',
  })
}

/** Tells where a stream is, while it runs. */
class Telling {
  readonly #status: StreamStatus
  readonly #progress: StreamProgress
  readonly #metricsFile: string | undefined
  readonly #timer: NodeJS.Timeout
  #noted = { at: Date.now(), commits: 0 }
  #writing: Promise<void> = Promise.resolve()
  readonly #scratch: string
  #hasFailed = false

  constructor(
    status: StreamStatus,
    progress: StreamProgress,
    metricsFile: string | undefined,
    scratch: string,
  ) {
    this.#scratch = scratch
    this.#status = status
    this.#progress = progress
    this.#metricsFile = metricsFile
    this.#timer = setInterval(() => this.#tell(), STATUS_MS)
    this.#tell()
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    removeStatusFile(this.#scratch)
    await this.#writing
    await this.#writeMetrics()
  }

  #tell(): void {
    const line = this.#status.line()
    this.#progress.onStatus(line)
    this.#writeStatus()
    const { commits } = this.#status.counts
    if (Date.now() - this.#noted.at >= NOTE_MS && commits > this.#noted.commits) {
      this.#noted = { at: Date.now(), commits }
      this.#progress.onLine(line)
    }
    this.#writing = this.#writing.then(() => this.#writeMetrics())
  }

  /** Only the dashboard misses it: a full disk is for the commits to tell. */
  #writeStatus(): void {
    try {
      writeStatusFile(this.#scratch, this.#status)
    } catch {}
  }

  /** What cannot be written is told once: the stream goes on. */
  async #writeMetrics(): Promise<void> {
    if (this.#metricsFile === undefined) return
    try {
      await this.#status.writeMetrics(this.#metricsFile)
      this.#hasFailed = false
    } catch (error) {
      if (!this.#hasFailed)
        this.#progress.onWarning(
          `The metrics file cannot be written: ${error instanceof Error ? error.message : ''}`,
        )
      this.#hasFailed = true
    }
  }
}
