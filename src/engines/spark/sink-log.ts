/**
 * What a streaming query has written for good. Its sink names the files of each batch in a log beside them, in one step: a file
 * that the log does not name is of a batch that was never ended, and is written anew.
 */

import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../errors.ts'

export interface SinkBatch {
  readonly number: number
  readonly files: readonly string[]
}

const LOG = '_spark_metadata'
const OLD_MS = 86_400_000

/** For the session that writes. */
export const SINK_SETTINGS: Readonly<Record<string, string>> = {
  // A log that is never rolled up keeps each batch apart.
  'spark.sql.streaming.fileSink.log.compactInterval': '2147483647',
  // What a run that was killed has left gives way.
  'spark.sql.streaming.stopActiveRunOnRestart': 'true',
  // Batches may be many while lpa builds facts, and what each dropped is told here only.
  'spark.sql.streaming.numRecentProgressUpdates': '500',
}

/** In order, from a batch on. */
export function sinkBatches(folder: string, from: number): readonly SinkBatch[] {
  return batchNumbers(folder)
    .filter((number) => number >= from)
    .flatMap((number) => {
      const files = filesOf(folder, number)
      return files ? [{ number, files }] : []
    })
}

/** Takes a batch's files away, and what the log says of those before it: Spark looks at its last entry only. */
export function forgetBatch(folder: string, { number, files }: SinkBatch): void {
  for (const file of files) removeFile(file)
  for (const older of batchNumbers(folder)) if (older < number) removeFile(join(folder, LOG, String(older)))
}

/** Takes old files away that belong to no batch from this one on: newer ones may be of a batch that is being written. */
export function sweepSink(folder: string, from: number): void {
  const kept = new Set(sinkBatches(folder, from).flatMap(({ files }) => files))
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(folder, name))
  for (const file of files) {
    const { mtimeMs = Infinity } = statSync(file, { throwIfNoEntry: false }) ?? {}
    if (!kept.has(file) && Date.now() - mtimeMs > OLD_MS) removeFile(file)
  }
}

/** With the checksum that Hadoop keeps beside it. */
function removeFile(file: string): void {
  rmSync(file, { force: true })
  rmSync(join(dirname(file), `.${basename(file)}.crc`), { force: true })
}

function batchNumbers(folder: string): number[] {
  const log = join(folder, LOG)
  if (!existsSync(log)) return []
  return readdirSync(log)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/** A line for its version, then one for each file. Undefined for a batch that another run has taken meanwhile. */
function filesOf(folder: string, batch: number): string[] | undefined {
  const text = readIfThere(join(folder, LOG, String(batch)))
  if (text === undefined) return undefined
  const [version, ...lines] = text.trimEnd().split('\n')
  if (version !== 'v1') {
    throw new UserError('LPA-SPARK-SINK', `Spark writes a log that lpa does not know: ${version}.`, {
      ...{ exit: 'unavailable', where: join(folder, LOG) },
      next: 'What was committed stays, all else is as it was. Use the Spark that this lpa is made for.',
    })
  }
  return lines.map((line) => fileURLToPath(JSON.parse(line).path))
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
