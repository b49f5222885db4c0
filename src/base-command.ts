import { Command, Flags, type Interfaces } from '@oclif/core'
import type { Config } from './config.ts'
import { formatDuration } from './duration.ts'
import { EXIT, type ExitName, STOP_SIGNALS, UserError } from './errors.ts'
import { asUserError, failureJson, failureOutput, reportFailure } from './failure.ts'
import type { Lineage } from './lineage.ts'
import { type Log, silentLog } from './log.ts'
import { wrapped } from './output/width.ts'
import {
  describeTerminal,
  exactJson,
  FORMATS,
  type Format,
  type WriteOptions,
  writeRows,
  writeText,
} from './output.ts'
import { type Progress, silentProgress, terminalProgress } from './progress.ts'
import { newRunId, type RunRecord } from './run-record.ts'
import { safeLines, safeText } from './safe-text.ts'
import { maskEmails, rememberSecretVariables, rememberTypedSecrets, scrub } from './secrets.ts'
import type { Result, ResultStream } from './types.ts'
import { listenForWords } from './words.ts'

const GLOBAL = 'GLOBAL'

const sharedFlags = {
  config: Flags.string({
    helpGroup: GLOBAL,
    helpValue: 'FILE',
    summary: 'Configuration file, instead of the nearest lpa.toml upwards.',
  }),
  profile: Flags.string({ helpGroup: GLOBAL, helpValue: 'NAME', summary: 'Profile of the configuration.' }),
  format: Flags.option({ options: FORMATS })({
    helpGroup: GLOBAL,
    helpValue: 'FORMAT',
    summary: `How rows are printed: ${FORMATS.join(', ')}.`,
  }),
  json: Flags.boolean({ helpGroup: GLOBAL, summary: 'The same as --format json; errors are JSON too.' }),
  quiet: Flags.boolean({ char: 'q', helpGroup: GLOBAL, summary: 'Only data and errors.' }),
  verbose: Flags.boolean({
    char: 'v',
    helpGroup: GLOBAL,
    summary: 'Log to standard error, with stacks of errors; twice for more.',
  }),
  'log-file': Flags.string({
    helpGroup: GLOBAL,
    helpValue: 'FILE',
    summary: 'Append the log to a file, as JSON lines.',
  }),
  'no-color': Flags.boolean({ helpGroup: GLOBAL, summary: 'No colour (also NO_COLOR, TERM=dumb).' }),
  'lock-wait': Flags.string({
    helpGroup: GLOBAL,
    helpValue: 'DURATION',
    summary: 'How long to wait for another run that writes: 30s, 5m.',
  }),
  report: Flags.string({
    helpGroup: GLOBAL,
    helpValue: 'FILE',
    summary: 'Write what was done to a file, as JSON.',
  }),
}

type SharedFlags = Interfaces.InferredFlags<typeof sharedFlags>

/** Flags whose values may be personal or long, and are not recorded. */
const UNRECORDED = ['sql', 'param', 'reveal', 'from']

/** Work that was asked to stop has this long, before the process is ended under it. */
const STOP_WITHIN_MS = 3500

/**
 * What every command of lpa has in common. A command is: `start` (parse), one call into the pipeline, `print` or
 * `printValue`, `finish`.
 *
 *     async run(): Promise<void> {
 *       const { args, flags } = await this.start(Batch)
 *       const built = await buildCore(await this.settings(), { full: flags.full, signal: this.signal })
 *       this.finish({ summary: `${built.rows} rows`, details: built })
 *     }
 */
export abstract class BaseCommand extends Command {
  static override baseFlags = sharedFlags

  readonly #startedAt = new Date()
  readonly #stop = new AbortController()
  #stoppedBy: { readonly signal: string; readonly code: number } | undefined
  #shared: SharedFlags | undefined
  #verbose = 0
  #progress: Progress = silentProgress
  #log: Log = silentLog
  #outcome: { summary?: string; details?: object; exit: ExitName } = { exit: 'done' }
  #recordRun: ((run: RunRecord) => Promise<void>) | undefined
  #lineage: Lineage | undefined
  #audit:
    | { readonly role: string | undefined; readonly record: (run: RunRecord) => Promise<void> }
    | undefined
  #letGo: () => void = () => {}

  /** Names this run in logs, reports and `meta.runs`. */
  protected readonly runId = newRunId(this.#startedAt)

  /** Aborted by SIGINT, SIGTERM and SIGHUP; its reason is a UserError to be thrown on. */
  protected get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Stops the work with an error of the command's own, as a signal does. */
  protected stop(reason: UserError, withinMs = STOP_WITHIN_MS): void {
    setTimeout(() => {
      const { code, message, next } = reason
      this.#printFailure(new UserError(code, message, { exit: 'sigterm', next }))
      dieOf('SIGTERM', EXIT.sigterm)
    }, withinMs).unref()
    this.#stop.abort(reason)
  }

  /** Shown on stderr when that is a terminal, else silent. */
  protected get progress(): Progress {
    return this.#progress
  }

  /** Silent without --log-file and -v. */
  protected get runLog(): Log {
    return this.#log
  }

  /** Parses the command line and makes the rest of this class ready. Throws UserError (exit 2). */
  protected async start<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(command: Interfaces.Input<F, SharedFlags, A>): Promise<Interfaces.ParserOutput<F, SharedFlags, A>> {
    // oclif reads standard input for an argument that is not given, and lets a list flag swallow the arguments.
    for (const arg of Object.values(command.args ?? {})) (arg as { ignoreStdin?: boolean }).ignoreStdin = true
    for (const flag of Object.values(command.flags ?? {})) {
      if ((flag as { multiple?: boolean }).multiple)
        (flag as { multipleNonGreedy?: boolean }).multipleNonGreedy = true
    }
    const parsed = await this.parse(command)
    const shared: SharedFlags = parsed.flags
    this.#shared = shared
    this.#verbose = parsed.raw.filter((token) => token.type === 'flag' && token.flag === 'verbose').length
    rememberSecretVariables(process.env)
    rememberTypedSecrets(this.argv)
    this.#letGo = this.#listenForSignals()
    listenForWords({
      warn: (first, ...more) => this.warning(first, ...more),
      note: (...lines) => this.note(...lines),
    })
    if (shared['log-file'] !== undefined || this.#verbose > 0) {
      const { openLog } = await import('./log.ts')
      this.#log = await openLog({
        ...(shared['log-file'] !== undefined && { file: shared['log-file'] }),
        verbose: this.#verbose,
        stderr: process.stderr,
        runId: this.runId,
      })
      this.#log.info('started', { command: this.#name, arguments: this.#recordedArguments() })
    }
    const shows = process.stderr.isTTY && !shared.quiet && this.#verbose === 0 && process.env.TERM !== 'dumb'
    if (shows) this.#progress = terminalProgress(process.stderr)
    return parsed
  }

  /** What is configured; `overrides` are flags of the command, by setting: `{'load.max_rejects': '5%'}`. */
  protected async settings(overrides: Readonly<Record<string, string | undefined>> = {}): Promise<Config> {
    const { loadConfig } = await import('./config.ts')
    return loadConfig({
      cwd: process.cwd(),
      env: process.env,
      flags: {
        config: this.#shared?.config,
        profile: this.#shared?.profile,
        settings: { 'load.lock_wait': this.#shared?.['lock-wait'], ...overrides },
      },
    })
  }

  /** The format asked for, or `otherwise`. */
  protected format(otherwise: Format = 'table'): Format {
    return this.#shared?.json ? 'json' : (this.#shared?.format ?? otherwise)
  }

  /**
   * Prints rows on stdout in the format asked for, and answers how many. The command brings what draws the chart and
   * what writes Parquet; without them these formats are refused. With --quiet, a command that writes the warehouse
   * (`recordRun` before) prints nothing unless a format is asked for: its rows tell what was done, not an answer.
   * A table of people can be of other columns than what programs get: `table`.
   */
  protected async print(
    rows: Result | ResultStream,
    options: Pick<WriteOptions, 'draw' | 'parquet' | 'raw'> & {
      readonly format?: Format
      readonly table?: Result | ResultStream
    } = {},
  ): Promise<number> {
    this.#progress.done()
    if (this.#saysNothing) return 0
    const { table, ...how } = options
    const format = this.format(how.format)
    const count = await writeRows(format === 'table' && table ? table : rows, {
      to: process.stdout,
      terminal: this.terminal,
      ...how,
      format,
    })
    this.#outcome.summary ??= `${count} ${count === 1 ? 'row' : 'rows'}`
    return count
  }

  /**
   * Prints what is not rows on stdout: as JSON when that is asked for, else as this text, made safe. --quiet: as
   * `print`.
   */
  protected async printValue(value: object, text: string): Promise<void> {
    this.#progress.done()
    if (this.#saysNothing) return
    const format = this.format()
    if (format === 'json') await writeText(exactJson(value, 2), process.stdout)
    else if (format === 'ndjson') await writeText(exactJson(value), process.stdout)
    else await writeText(safeLines(scrub(text)), process.stdout)
  }

  /** As `printValue`, for what was done instead of an answer: nothing with --quiet, unless a format is asked for. */
  protected async printDone(value: object, text: string): Promise<void> {
    if (!this.#isOnlyQuiet) await this.printValue(value, text)
  }

  /** Tells people something on stderr, unless --quiet. Each text is one line, whatever names and data are in it. */
  protected note(...lines: readonly string[]): void {
    if (this.#shared?.quiet) return
    this.#progress.done()
    for (const line of lines) this.#say(line)
  }

  /** Tells on stderr, also with --quiet, that something is wrong that does not stop the run. */
  protected warning(first: string, ...more: readonly string[]): void {
    this.#progress.done()
    this.#log.warn([first, ...more].join('\n'))
    this.#say(`Warning: ${first}`)
    for (const line of more) this.#say(`  ${line}`)
  }

  /** What the run came to: the summary line, what `--report` adds, and the exit code. */
  protected finish(outcome: { summary?: string; details?: object; exit?: ExitName }): void {
    this.#outcome = { ...this.#outcome, ...outcome }
  }

  /** For commands that write the warehouse: called once at the end, however it ends, to add the row of `meta.runs`. */
  protected recordRun(record: (run: RunRecord) => Promise<void>): void {
    this.#recordRun = record
  }

  /**
   * For commands that read as a role, or tell who learners are: who asked what is recorded at the end too, however it ends.
   * Where it cannot be, as for who may only read the warehouse, that is said.
   */
  protected auditAs(role: string | undefined, record: (run: RunRecord) => Promise<void>): void {
    this.#audit = { role, record }
  }

  /** For `--lineage FILE`: the events of this run, of which the last is written at the end, however it ends. */
  protected async traceTo(file: string | undefined): Promise<Lineage | undefined> {
    if (file === undefined) return undefined
    const { Lineage } = await import('./lineage.ts')
    this.#lineage = new Lineage({
      ...{ file, runId: this.runId, job: this.#name, version: this.config.version },
      namespace: process.env.OPENLINEAGE_NAMESPACE || 'lpa',
    })
    return this.#lineage
  }

  /** What is recorded of a run before its end: for what may not happen unrecorded. */
  protected runSoFar(summary: string, role: string | undefined): RunRecord {
    return {
      ...this.#runRecord(new Date(), EXIT.done, undefined),
      summary,
      ...(role !== undefined && { role }),
    }
  }

  /** What stdout can show. */
  protected get terminal() {
    return describeTerminal(process.stdout, process.env, this.#shared?.['no-color'])
  }

  // ── the end of a run ────────────────────────────────────────────────────────────────────────────────────

  // The error is reported in `finally`, together with the rest of the run's end.
  protected override async catch(): Promise<void> {}

  protected override async finally(error: Error | undefined): Promise<void> {
    try {
      await this.#end(error)
    } finally {
      // Not before the run is recorded: a signal in between would end the process in the middle of it.
      this.#letGo()
    }
  }

  async #end(error: Error | undefined): Promise<void> {
    this.#progress.done()
    const left = error as { code?: string; oclif?: { exit?: number } } | undefined
    if (left?.code === 'EEXIT') {
      process.exitCode = left.oclif?.exit ?? EXIT.done
      return
    }
    let failure = error && asUserError(error, this.#commandLine())
    let code = this.#stoppedBy?.code ?? failure?.exitCode ?? EXIT[this.#outcome.exit]
    const finishedAt = new Date()
    const run = () => this.#runRecord(finishedAt, code, failure)
    // The report is written also of a run that could not be recorded.
    for (const tell of [
      async () => this.#recordRun?.(run()),
      async () => this.#lineage?.end(run()),
      () => this.#writeReport(run(), failure),
    ]) {
      await tell().catch((thrown) => {
        // The first failure is the one that matters.
        failure ??= asUserError(thrown)
        if (code === EXIT.done) code = failure.exitCode
      })
    }
    await this.#audit?.record(run()).catch((thrown) => {
      const { code: why } = asUserError(thrown)
      this.#log.warn(`not recorded: ${why}`)
      // Where there is no warehouse, nothing was asked of it.
      if (why !== failure?.code) this.note('This question is not recorded: meta.runs cannot be written here.')
    })
    process.exitCode = code
    if (failure) this.#printFailure(failure)
    this.#printSummary(run())
    this.#log.info('ended', { exitCode: code, ...(failure && { error: failure.code }) })
    await this.#log.close()
  }

  /** One line on stderr, which goes on indented where the terminal ends. */
  #say(line: string): void {
    const { width } = describeTerminal(process.stderr, process.env)
    process.stderr.write(`${wrapped(safeText(scrub(line)), width)}\n`)
  }

  #printFailure(failure: UserError): void {
    // What the work says when it was asked to stop tells nothing new.
    if (this.#stoppedBy && this.#verbose === 0) return
    if (!this.#shared) {
      reportFailure(failure, this.argv)
      return
    }
    const format = this.format()
    const json = format === 'json' || format === 'ndjson'
    const { color, width } = describeTerminal(process.stderr, process.env, this.#shared['no-color'])
    const { profile } = this.#shared
    process.stderr.write(failureOutput(failure, { json, color, verbose: this.#verbose > 0, width, profile }))
  }

  #printSummary(run: RunRecord): void {
    // No summary for a command line that could not be read, nor for commands that have nothing to sum up.
    if (!this.#shared || run.summary === '') return
    // Findings are no success: even a quiet run says so.
    if (this.#shared.quiet && run.exitCode !== EXIT.findings) return
    const took = formatDuration(Date.parse(run.finishedAt) - Date.parse(run.startedAt))
    this.#say(`lpa ${run.command}: ${run.summary} (${took})`)
  }

  #runRecord(finishedAt: Date, exitCode: number, failure: UserError | undefined): RunRecord {
    // Work that was too far to be stopped, or goes on until it is, says what it came to.
    const parts = [
      failure && !this.#stoppedBy ? `failed: ${failure.code}` : (this.#outcome.summary ?? ''),
      ...(this.#stoppedBy ? [`stopped by ${this.#stoppedBy.signal}`] : []),
    ]
    return {
      runId: this.runId,
      command: this.#name,
      arguments: this.#recordedArguments(),
      ...(this.#audit?.role !== undefined && { role: this.#audit.role }),
      startedAt: this.#startedAt.toISOString(),
      finishedAt: finishedAt.toISOString(),
      exitCode,
      // The message of an internal error may hold anything, so records have codes only.
      summary: scrub(parts.filter(Boolean).join('; ')),
    }
  }

  async #writeReport(run: RunRecord, failure: UserError | undefined): Promise<void> {
    const file = this.#shared?.report
    if (file === undefined) return
    const { writeWhole } = await import('./report-file.ts')
    const told =
      failure && (failure.code === 'LPA-INTERNAL' ? { error: { code: failure.code } } : failureJson(failure))
    await writeWhole(file, `${scrub(exactJson({ ...run, ...told, ...this.#outcome.details }, 2))}\n`)
  }

  // ── small parts ─────────────────────────────────────────────────────────────────────────────────────────

  get #saysNothing(): boolean {
    return this.#recordRun !== undefined && this.#isOnlyQuiet
  }

  /** --quiet, and no format that a program asks for. */
  get #isOnlyQuiet(): boolean {
    const shared = this.#shared
    return shared?.quiet === true && !shared.json && shared.format === undefined
  }

  get #name(): string {
    return (this.id ?? '').replaceAll(':', ' ')
  }

  #commandLine() {
    return {
      command: this.#name,
      commands: this.config.commandIDs.map((id) => id.replaceAll(':', ' ')),
      flags: [...Object.keys(this.ctor.flags ?? {}), ...Object.keys(sharedFlags), 'help'],
    }
  }

  #recordedArguments(): string {
    const hidden = new RegExp(`^--(${UNRECORDED.join('|')})(=|$)`)
    const shown = this.argv.map((word, index) => {
      if (hidden.test(word)) return word.replace(/=.*$/s, '=…')
      return hidden.test(this.argv[index - 1] ?? '') && !this.argv[index - 1]?.includes('=') ? '…' : word
    })
    const masked = shown.map(maskEmails)
    return scrub(
      masked.map((word) => (/^[\w@%+=:,./…-]+$/.test(word) ? word : JSON.stringify(word))).join(' '),
    )
  }

  #listenForSignals(): () => void {
    const stop = (signal: NodeJS.Signals): void => {
      const code = STOP_SIGNALS[signal as keyof typeof STOP_SIGNALS]
      if (this.#stoppedBy) dieOf(signal, code)
      this.#stoppedBy = { signal, code }
      this.#progress.done()
      process.stderr.write(`lpa ${this.#name}: stopping (${signal}); once more to stop at once.\n`)
      setTimeout(() => dieOf(signal, code), STOP_WITHIN_MS).unref()
      this.#stop.abort(
        new UserError('LPA-RUN-STOPPED', `Stopped by ${signal}.`, {
          exit: signal === 'SIGINT' ? 'sigint' : 'sigterm',
        }),
      )
    }
    for (const signal of Object.keys(STOP_SIGNALS)) process.on(signal, stop)
    return () => {
      for (const signal of Object.keys(STOP_SIGNALS)) process.off(signal, stop)
    }
  }
}

/**
 * Ends the process at once, as the signal does in any program: exit code 128 + its number in a shell. process.exit()
 * would wait for the engine's threads, some of whose functions (a list of millions, sorted) cannot be interrupted.
 */
function dieOf(signal: NodeJS.Signals, code: number): void {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // Where a signal does not end it: as the first process of a container.
  process.exit(code)
}
