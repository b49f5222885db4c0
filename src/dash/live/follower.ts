/** Follows a warehouse: asks for its version now and then, and runs the reports of the shown screen when it has changed. */

import { UserError } from '../../errors.ts'
import { asUserError } from '../../failure.ts'
import type { Reader, Result } from '../../types.ts'
import { panelOf } from '../read-panels.ts'
import type { Panel, ReportRequest } from '../screen.ts'
import { type FromEngine, keyOf, type ToEngine } from './messages.ts'
import type { StoredResult } from './stored-results.ts'

const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 30_000
/** What changes without a commit is asked for twice a second at most. */
const VOLATILE_MS = 500
/** Beside a stream answers change every other second. */
const STORE_AGAIN_MS = 60_000

export interface FollowerOptions {
  /** How often to look for a new version; less often where the warehouse asks for that. */
  readonly pollMs: number
  /** Opens the warehouse, and closes it after the work. */
  readonly open: (signal: AbortSignal, work: (reader: Reader) => Promise<void>) => Promise<void>
  readonly readReport: (reader: Reader, request: ReportRequest) => Promise<Result>
  readonly post: (message: FromEngine) => void
  /** Keeps an answer for the next start. */
  readonly store?: (request: ReportRequest, stored: StoredResult) => void
}

export class Follower {
  readonly #options: FollowerOptions
  readonly #stop = new AbortController()
  /** By key: at which version of the warehouse a wanted report was answered. */
  #answered = new Map<string, string>()
  /** By key: when it was run last, by `performance.now()`. */
  readonly #askedAt = new Map<string, number>()
  readonly #storedAt = new Map<string, number>()
  #wanted: readonly ReportRequest[] = []
  #isPaused = false
  #isAskedAnew = false
  #isAwake = false
  #wake: () => void = () => {}

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  receive(message: ToEngine): void {
    switch (message.kind) {
      case 'want':
        this.#wanted = message.requests
        this.#answered = new Map(
          message.requests.flatMap((request, index) => {
            const version = message.isAnew ? undefined : message.answeredAt[index]
            return version === undefined ? [] : [[keyOf(request), version]]
          }),
        )
        this.#isAskedAnew ||= message.isAnew
        break
      case 'pause':
        this.#isPaused = message.isPaused
        break
      case 'stop':
        this.#stop.abort(new Error('stopped'))
    }
    this.#isAwake = true
    this.#wake()
  }

  /** Until it is stopped, or the warehouse cannot be opened the first time. One that goes away is tried again. */
  async run(): Promise<void> {
    const { open, post } = this.#options
    let hasAnswered = false
    let retryMs = FIRST_RETRY_MS
    while (!this.#stop.signal.aborted) {
      try {
        await open(this.#stop.signal, (reader) =>
          this.#follow(reader, () => {
            hasAnswered = true
            retryMs = FIRST_RETRY_MS
          }),
        )
      } catch (error) {
        if (this.#stop.signal.aborted) return
        const { code, message, exit, next } = asUserError(error)
        if (!hasAnswered) return post({ kind: 'failed', failure: { code, message, exit, next } })
        post({
          kind: 'lost',
          reason: error instanceof UserError ? message : 'The warehouse cannot be read.',
        })
        await this.#rest(retryMs)
        retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
      }
    }
  }

  /** Goes on until it is stopped, or the warehouse does not answer. */
  async #follow(reader: Reader, onAnswer: () => void): Promise<void> {
    const { pollMs, post } = this.#options
    const leastMs = reader.leastPollMs ?? 0
    const nextMs = Math.max(pollMs, leastMs)
    let version = ''
    let lookedAt = Number.NEGATIVE_INFINITY
    // What is there now may be another warehouse with the same numbers.
    this.#answered = new Map()
    while (!this.#stop.signal.aborted) {
      // Keys that ask for another screen come here too: where it was answered before, that need not wake the warehouse.
      const isDue = !this.#isPaused && performance.now() - lookedAt >= leastMs
      const mustRun = this.#isAskedAnew || this.#wanted.some((request) => !this.#answered.has(keyOf(request)))
      // What is run is of the newest version, so this is what it has to be called.
      if (version === '' || isDue || mustRun) {
        this.#isAskedAnew = false
        version = await reader.version()
        lookedAt = performance.now()
        onAnswer()
        post({ kind: 'checked', version, nextMs })
      }
      await this.#answer(reader, version)
      await this.#rest(nextMs)
    }
  }

  /** Runs what is wanted and not answered yet; begins anew when something else is wanted meanwhile. */
  async #answer(reader: Reader, version: string): Promise<void> {
    for (const request of this.#wanted) {
      const key = keyOf(request)
      if (this.#isAnswered(request, version)) continue
      this.#askedAt.set(key, performance.now())
      const panel = await this.#read(reader, request)
      this.#answered.set(key, version)
      this.#options.post({ kind: 'panel', key, version, panel })
      this.#store(request, version, panel)
      if (this.#stop.signal.aborted || this.#isAwake) return
    }
  }

  /** While it is paused, whatever was answered at all. */
  #isAnswered(request: ReportRequest, version: string): boolean {
    const key = keyOf(request)
    const answeredAt = this.#answered.get(key)
    if (answeredAt === undefined || this.#isPaused) return answeredAt !== undefined
    const sinceMs = performance.now() - (this.#askedAt.get(key) ?? Number.NEGATIVE_INFINITY)
    return answeredAt === version && !(request.isVolatile && sinceMs >= VOLATILE_MS)
  }

  #store(request: ReportRequest, version: string, { result }: Panel): void {
    const [key, now] = [keyOf(request), performance.now()]
    const isRecent = now - (this.#storedAt.get(key) ?? Number.NEGATIVE_INFINITY) < STORE_AGAIN_MS
    if (result === undefined || request.isVolatile || isRecent) return
    this.#storedAt.set(key, now)
    this.#options.store?.(request, { version, result })
  }

  async #read(reader: Reader, request: ReportRequest): Promise<Panel> {
    try {
      return panelOf(reader, request.report, await this.#options.readReport(reader, request))
    } catch (error) {
      // One report that fails is its panel's problem, unless nothing answers any more.
      await reader.version()
      const { exit, message } = asUserError(error)
      return { problem: { kind: exit === 'notPermitted' ? 'denied' : 'failed', text: message } }
    }
  }

  /** Waits so long, or until there is a message. */
  async #rest(ms: number): Promise<void> {
    if (!this.#isAwake) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#isAwake = false
  }
}
