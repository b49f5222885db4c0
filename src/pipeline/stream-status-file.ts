/** What a running stream says of itself to others on this machine: a small file beside the warehouse's staged ones. */

import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from '../process-alive.ts'
import type { ColumnType, Result, Row } from '../types.ts'
import type { Lag, StreamStatus } from './stream-status.ts'

/** Written every second; a file that was left behind may carry the number of another process. */
const BELIEVED_MS = 30_000
const NAME = /^stream-status-(\d+)$/

interface Told {
  readonly told_at: number
  readonly source: string
  readonly rate: number
  readonly read: number
  readonly rejected: number
  readonly commits: number
  readonly unit: string
  readonly lags: readonly Lag[]
}

function fileOf(folder: string): string {
  return join(folder, `stream-status-${process.pid}`)
}

/** Renamed into place, so that nobody reads a part of it. The next write that can will sweep what a killed run left. */
export function writeStatusFile(folder: string, status: StreamStatus): void {
  const { read, rejected, commits } = status.counts
  const { source, rate, unit, lags } = status
  const told: Told = { told_at: Date.now(), source, rate, read, rejected, commits, unit, lags }
  const part = join(folder, `stream-part-${process.pid}`)
  writeFileSync(part, JSON.stringify(told))
  renameSync(part, fileOf(folder))
}

export function removeStatusFile(folder: string): void {
  rmSync(fileOf(folder), { force: true })
}

const COLUMNS: Readonly<Record<string, ColumnType>> = {
  pid: 'integer',
  source: 'text',
  place: 'text',
  behind: 'integer',
  unit: 'text',
  rate: 'double',
  read: 'integer',
  rejected: 'integer',
  commits: 'integer',
}

/** A row for each partition (or directory) of each stream that runs: its lag, and the numbers of the whole stream. */
export function runningStreams(folder: string | undefined): Result {
  const files = folder === undefined ? [] : readdirSync(folder).sort()
  return {
    columns: Object.entries(COLUMNS).map(([name, type]) => ({ name, type })),
    rows: files.flatMap((name) => {
      const pid = Number(NAME.exec(name)?.[1])
      return pid && isAlive(pid) ? rowsOf(pid, join(folder ?? '', name)) : []
    }),
  }
}

function rowsOf(pid: number, file: string): readonly Row[] {
  const told = readTold(file)
  if (told === undefined || Date.now() - told.told_at > BELIEVED_MS) return []
  const { source, rate, unit, read, rejected, commits } = told
  // A stream that has not asked its broker yet runs all the same.
  const lags = told.lags.length > 0 ? told.lags : [{ name: source, behind: null }]
  return lags.map(({ name, behind }) => [pid, source, name, behind, unit, rate, read, rejected, commits])
}

/** Undefined for a stream that ended between two looks. */
function readTold(file: string): Told | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Told
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
