/** What streams of every kind have in common: the facts that follow, the limit of rejects, what is told meanwhile. */

import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { readKey } from '../pseudonym.ts'
import type { FileRequest, StagedFile } from '../sources/files.ts'
import type { Engine } from '../types.ts'
import { type BuildSummary, buildIn } from './build.ts'
import { checkNotes } from './quality.ts'
import { allowedRejects, tooManyRejects } from './reject-limit.ts'
import type { StreamStatus } from './stream-status.ts'

export interface StreamProgress {
  /** The line that is always there on a terminal. */
  onStatus(line: string): void
  /** The same now and then, for where no terminal is. */
  onLine(line: string): void
  onNote(line: string): void
  onWarning(...lines: readonly [string, ...string[]]): void
  /** For the log. */
  onDone(step: 'staged' | 'committed' | 'built' | 'compacted', fields: Readonly<Record<string, number>>): void
}

export interface StreamWorkOptions {
  readonly config: Config
  readonly engine: Engine
  readonly source: string
  readonly fileRequest: FileRequest
  readonly commitRows: number
  readonly commitEveryMs: number
  readonly untilCaughtUp: boolean
  readonly runId: string
  readonly status: StreamStatus
  readonly signal: AbortSignal
  readonly progress: StreamProgress
}

interface Counts {
  readonly read: number
  readonly rejected: number
}

/** Rejects are held against this many of the last records, */
const WINDOW_RECORDS = 10_000
/** and a share of them against so many at least: one bad record among the first ten is no ten percent. */
const LEAST_RECORDS = 1000
/** Records of a build: with what it takes of memory, the stream stays within its bound. */
const BUILD_RECORDS = 120_000
/** Checks look at whole tables, and hold commits up meanwhile: so long at least lies between them, */
const CHECK_MS = 300_000
/** ten times as long as they took last, */
const CHECK_SHARE = 10
/** and while records wait an hour. */
const LATE_CHECK_MS = 3_600_000
/** Of what was read and not committed nothing is left. */
const GOES_ON = [
  'What was committed stays. Start it again, and it goes on from there under the new key.',
  'What has to be loaded again under the new key: lpa key show',
]
/** Small files are looked for after so many commits, and at the end. */
const COMPACT_COMMITS = 50
/** While records wait, building takes at most a tenth of the time. */
const BUILD_SHARE = 9

export class StreamWork {
  readonly options: StreamWorkOptions
  #window: readonly Counts[] = []
  /** A run that died may have left loads that are not built. */
  #hasUnbuilt = true
  #hasUnchecked = false
  #uncompacted = 0
  #checkedAt = Date.now()
  #checkTookMs = 0
  #failedChecks = ''
  #hasFailedChecks = false

  constructor(options: StreamWorkOptions) {
    this.options = options
  }

  /** Whether a check of severity error found something when facts were last built. */
  get hasFailedChecks(): boolean {
    return this.#hasFailedChecks
  }

  /**
   * Holds the rejects of a commit, and of those before it, against the limit; before anything of it is committed.
   * @throws UserError data (65)
   */
  assertRejects(staged: readonly StagedFile[]): void {
    const { maxRejects } = this.options.config.load
    const { read, rejected } = totalOf(this.#windowWith(staged))
    if (rejected <= allowedRejects(maxRejects, Math.max(read, LEAST_RECORDS))) return
    throw tooManyRejects(
      `${rejected} of the last ${read} records are bad, more than the limit of ${maxRejects}. These were not committed.`,
      staged.flatMap(({ reasons }) => reasons),
      [
        'What was committed before stays, its rejects too: lpa rejects list',
        `To go on and quarantine them: --max-rejects ${maxRejects.includes('%') ? '100%' : rejected}, or mend the mapping or the producer.`,
      ],
      this.options.source,
    )
  }

  /**
   * A stream holds its key for days. One that was replaced meanwhile, maybe because somebody has it, makes no more pseudonyms.
   * @throws UserError config (78)
   */
  assertKey(next: readonly string[] = GOES_ON): void {
    const { config, fileRequest } = this.options
    if (readKey(config.privacy.keyFile).id === fileRequest.key.id) return
    throw new UserError('LPA-STREAM-KEY', 'The pseudonym key was replaced while the stream ran.', {
      ...{ exit: 'config', where: config.privacy.keyFile },
      next,
    })
  }

  /** Counts of the last commits and of what may come after them; against a number of rejects, all there ever were. */
  #windowWith(staged: readonly StagedFile[]): readonly Counts[] {
    const window = [...this.#window, ...staged.map(({ batch }) => batch.load.counts)]
    if (!this.options.config.load.maxRejects.includes('%')) return [totalOf(window)]
    const isEnough = ([first, ...rest]: readonly Counts[]) => first && totalOf(rest).read > WINDOW_RECORDS
    while (isEnough(window)) window.shift()
    return window
  }

  /** When all was read again: it takes the place of what was read of it under another key. */
  async replaceReread(isReset: boolean): Promise<void> {
    const { replaceReread } = await import('./stream-offsets.ts')
    const { engine, source, fileRequest, progress } = this.options
    const { replaced, left } = await replaceReread(engine, source, fileRequest.key.id)
    if (replaced > 0) progress.onNote(`${loadsAre(replaced)} replaced by what was read again under this key.`)
    // Else it was told at the start what to do.
    if (left === 0 || !isReset) return
    progress.onWarning(
      `${loadsAre(left)} left under another key: learners who are in both count twice.`,
      'What is streamed does not hold all of it any more, or it is no events: nothing can take its place.',
      'If that may not stay, stream it into a new warehouse.',
    )
  }

  /** After each commit: facts follow at once, or, while records wait, as soon as that does not hold them up. */
  async committed(isBehind: () => boolean, staged: readonly StagedFile[] = []): Promise<void> {
    this.#window = this.#windowWith(staged)
    this.#hasUnbuilt = true
    this.#uncompacted += 1
    if (this.#uncompacted >= COMPACT_COMMITS) await this.#compact()
    const { lastBuild } = this.options.status
    const isSoon = lastBuild && Date.now() - lastBuild.at.getTime() < 1000 * BUILD_SHARE * lastBuild.seconds
    if (isBehind() && isSoon) return
    await this.#buildSome(this.#isCheckDue(isBehind() ? LATE_CHECK_MS : CHECK_MS))
    // What was left while records waited: nothing else may come for long.
    while (this.#hasUnbuilt && !isBehind()) await this.#buildSome(false)
  }

  /** Checks what was built and not checked yet, where nothing is committed that would bring it about. */
  async checkWhenDue(isBehind: () => boolean): Promise<void> {
    // Then commits come, and bring it about.
    if (isBehind()) return
    if (this.#hasUnchecked && this.#isCheckDue(CHECK_MS)) await this.#buildSome(true)
  }

  /** Where nothing comes for a while: builds what is left, and checks it at once if that is no more than a tenth of the time. */
  async rest(): Promise<void> {
    while (this.#hasUnbuilt) await this.#buildSome(this.#isCheckDue(0))
    if (this.#hasUnchecked && this.#isCheckDue(0)) await this.#buildSome(true)
  }

  #isCheckDue(leastMs: number): boolean {
    return Date.now() - this.#checkedAt >= Math.max(leastMs, CHECK_SHARE * this.#checkTookMs)
  }

  /** At the end: builds what is committed and not built yet, and checks it. */
  async build(): Promise<void> {
    while (this.#hasUnbuilt || this.#hasUnchecked) await this.#buildSome(true)
    if (this.#uncompacted > 0) await this.#compact()
  }

  async #compact(): Promise<void> {
    const started = performance.now()
    this.#uncompacted = 0
    const tables = await this.options.engine.compact()
    if (tables === 0) return
    this.options.progress.onDone('compacted', {
      tables,
      milliseconds: Math.round(performance.now() - started),
    })
  }

  async #buildSome(checks: boolean): Promise<void> {
    const { config, engine, runId, status, progress } = this.options
    const request = { select: [], full: false, runId, mostRecords: BUILD_RECORDS, checks }
    const built = await buildIn(config, engine, request, { onModel: () => {} })
    this.#hasUnbuilt = built.left > 0
    this.#hasUnchecked = !checks || this.#hasUnbuilt
    if (!this.#hasUnchecked) {
      this.#checkedAt = Date.now()
      this.#checkTookMs = built.checkMilliseconds
    }
    status.built(built.milliseconds / 1000)
    progress.onDone('built', { loads: built.loads, milliseconds: built.milliseconds })
    if (!this.#hasUnchecked) this.#tellChecks(built, progress)
  }

  /** A check that fails is told once, until it fails otherwise. */
  #tellChecks({ checks }: BuildSummary, progress: StreamProgress): void {
    const failed = checks.filter(({ failures }) => failures > 0)
    this.#hasFailedChecks = failed.some(({ severity }) => severity === 'error')
    const names = failed.map(({ name }) => name).join(', ')
    if (names !== this.#failedChecks) for (const note of checkNotes(failed)) progress.onNote(note)
    this.#failedChecks = names
  }
}

function loadsAre(count: number): string {
  return count === 1 ? '1 load is' : `${count} loads are`
}

function totalOf(window: readonly Counts[]): Counts {
  const sum = (of: keyof Counts) => window.reduce((total, counts) => total + counts[of], 0)
  return { read: sum('read'), rejected: sum('rejected') }
}
