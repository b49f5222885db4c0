/** stream: sources that keep coming, exactly once, with the facts behind them. */

import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { readKey } from '../pseudonym.ts'
import { otherKeyWarning } from './load.ts'
import { readOtherLoads, reloadsOf } from './reload.ts'
import { StreamStatus } from './stream-status.ts'
import { streamTarget, type TargetRequest } from './stream-target.ts'
import { type StreamProgress, StreamWork } from './stream-work.ts'
import { withWarehouse } from './warehouse.ts'

export interface StreamRequest extends TargetRequest {
  readonly untilCaughtUp: boolean
  /** Where topics begin that were never read: `earliest`, `latest`, or an instant. */
  readonly from: string
  readonly commitRows: number
  readonly commitEveryMs: number
  readonly resetOffsets: boolean
  readonly metricsFile?: string | undefined
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
}

/** Another run holds the warehouse for its commit; this one has time. */
const LEAST_LOCK_WAIT_MS = 600_000
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
  const from = startOf(request.from)
  const key = readKey(config.privacy.keyFile)
  const lockWaitMs = Math.max(config.load.lockWaitMs, LEAST_LOCK_WAIT_MS)
  const patient = { ...config, load: { ...config.load, lockWaitMs } }
  const { source, idSpace, mappings, entity } = target
  await withWarehouse(patient, 'write', signal, async (engine) => {
    const status = new StreamStatus(source)
    const { timezone, memoryLimit, threads } = config.warehouse
    const work = new StreamWork({
      ...{ config, engine, source, status, signal, progress, runId: request.runId },
      ...{ commitRows: request.commitRows, commitEveryMs: request.commitEveryMs },
      untilCaughtUp: request.untilCaughtUp,
      fileRequest: {
        ...{ source, idSpace, mappings, entity, key, timezone, memoryLimit, threads, signal },
        scratch: engine.scratch,
        nextLoadId: () => engine.nextLoadId(),
      },
    })
    const others = await readOtherLoads(engine, key.id)
    if (others.length > 0)
      progress.onWarning(...otherKeyWarning(others, reloadsOf(others, config, process.cwd())))
    const telling = new Telling(status, progress, request.metricsFile)
    try {
      const { streamKafka } = await import('./stream-kafka.ts')
      await streamKafka({ settings: target.kafka, from, resetOffsets: request.resetOffsets }, work)
      await work.build()
    } catch (error) {
      // To be stopped is how a stream ends.
      if (!signal.aborted) throw error
    } finally {
      await telling.end()
      onSummary({ source, ...status.counts, failedChecks: work.hasFailedChecks })
    }
  })
}

/** `12,400 records mapped, 3 rejected in 14 commits`. */
export function streamSummary({ mapped, rejected, filtered, doubled, commits }: StreamSummary): string {
  const said = (count: number) => count.toLocaleString('en')
  if (commits === 0) return 'nothing new'
  const fates = [
    `${said(mapped)} records mapped`,
    `${said(rejected)} rejected`,
    ...(filtered > 0 ? [`${said(filtered)} filtered`] : []),
    ...(doubled > 0 ? [`${said(doubled)} doubled`] : []),
  ]
  return `${fates.join(', ')} in ${said(commits)} ${commits === 1 ? 'commit' : 'commits'}`
}

function startOf(from: string): 'earliest' | 'latest' | Date {
  if (from === 'earliest' || from === 'latest') return from
  const time = new Date(/^\d{4}-\d\d-\d\d$/.test(from) ? `${from}T00:00:00Z` : from)
  if (/^\d{4}-\d\d-\d\d/.test(from) && !Number.isNaN(time.getTime())) return time
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
  #hasFailed = false

  constructor(status: StreamStatus, progress: StreamProgress, metricsFile: string | undefined) {
    this.#status = status
    this.#progress = progress
    this.#metricsFile = metricsFile
    this.#timer = setInterval(() => this.#tell(), STATUS_MS)
    this.#tell()
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
    await this.#writeMetrics()
  }

  #tell(): void {
    const line = this.#status.line()
    this.#progress.onStatus(line)
    const { commits } = this.#status.counts
    if (Date.now() - this.#noted.at >= NOTE_MS && commits > this.#noted.commits) {
      this.#noted = { at: Date.now(), commits }
      this.#progress.onLine(line)
    }
    this.#writing = this.#writing.then(() => this.#writeMetrics())
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
