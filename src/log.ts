import { writeFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { UserError } from './errors.ts'
import { safeJson, safeText } from './safe-text.ts'
import { scrub } from './secrets.ts'

/** What a line may tell besides its words. Never a personal value: counts, names of files, tables and steps. */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** Writes what is still held back. */
  close(): Promise<void>
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, async close() {} }

export interface LogOptions {
  /** JSON lines are appended to this file (0600). */
  readonly file?: string
  /** 1: information on stderr; 2: everything, also in the file. */
  readonly verbose: number
  readonly stderr: Writable
  /** In every line: which run wrote it. */
  readonly runId: string
}

/** A log by pino. Imported and opened only when asked for: without --log-file and -v it is `silentLog`. */
export async function openLog(options: LogOptions): Promise<Log> {
  const { file, verbose, stderr, runId } = options
  if (file === undefined && verbose === 0) return silentLog
  const { pino } = await import('pino')
  const level = verbose > 1 ? 'debug' : 'info'
  const streams: { level: 'debug' | 'info'; stream: { write(line: string): void } }[] = []
  let closeFile = async (): Promise<void> => {}
  if (file !== undefined) {
    const { open } = await import('node:fs/promises')
    const handle = await open(file, 'a', 0o600).catch((error) => {
      throw unwritable(file, error)
    })
    let lines = 0
    let isLost = false
    const write = (line: string) => {
      if (isLost) return
      try {
        // At once: the last lines before a crash are the ones that matter. Logs are looked at with cat and tail, and
        // pino lets 8-bit controls and bidirectional marks be.
        writeFileSync(handle.fd, safeJson(scrub(line)))
        lines += 1
      } catch (error) {
        isLost = true
        const failure = unwritable(file, error as NodeJS.ErrnoException)
        // Who asks for a log wants one; work that has begun is worth more.
        if (lines === 0) throw failure
        stderr.write(`Warning: ${safeText(failure.message)} The run goes on without it.\n`)
      }
    }
    streams.push({ level, stream: { write } })
    closeFile = () => handle.close()
  }
  if (verbose > 0)
    streams.push({ level, stream: { write: (line) => void stderr.write(`${readable(scrub(line))}\n`) } })
  const pinoLog = pino(
    {
      level,
      base: { run: runId },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.multistream(streams),
  )
  const write = (at: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
    pinoLog[at](exact(fields), message)
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    close: closeFile,
  }
}

function unwritable(file: string, cause: NodeJS.ErrnoException): UserError {
  return new UserError('LPA-LOG-OPEN', `The log file ${file} cannot be written (${cause.code}).`, {
    ...{ exit: cause.code === 'EACCES' ? 'notPermitted' : 'cannotCreate', cause },
    next: 'Name another file with --log-file.',
  })
}

/** pino's JSON has no bigints: they are written as text. */
function exact(fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
  )
}

/** A JSON line as people read it: `08:13:22.120 info  loaded file=events.ndjson rows=22000`. */
function readable(line: string): string {
  const { level, time, run: _run, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const told = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`)
  return safeText([String(time).slice(11, 23), String(level).padEnd(5), msg, ...told].join(' '))
}
