/**
 * Where a stream on Spark leaves its rows and how far it was: `streams/NAME/TIME`, a folder of its own each time that it begins
 * anew. A query that a killed run left on the server may go on in the old one: nobody reads there any more.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sinkBatches } from '../engines/spark/sink-log.ts'
import { UserError } from '../errors.ts'
import { writeWhole } from '../report-file.ts'

export interface StreamPlace {
  readonly rows: string
  readonly checkpoint: string
  /** Which topics were read. */
  readonly topics: string
  /** Which run started the query. */
  readonly run: string
}

const OLD_MS = 86_400_000

/**
 * The place where the stream goes on, or a new one. What others have left is taken away when it is old.
 * @throws UserError data (65) where rows wait, and nothing tells how far the records were read
 */
export function streamPlace(folder: string): StreamPlace {
  const names = namesIn(folder)
  const places = names.map((name) => placeIn(folder, name))
  const known = places.findLastIndex(({ checkpoint }) => queryIdOf(checkpoint) !== undefined)
  const waiting = places.find(({ rows }) => sinkBatches(rows, 0).length > 0)
  if (known < 0 && waiting) throw anotherCheckpoint(waiting.checkpoint)
  const name = names[known] ?? String(Math.max(Date.now(), Number(names.at(-1) ?? 0) + 1))
  for (const other of names)
    if (other !== name && isOld(join(folder, other))) forgetPlaces(join(folder, other))
  const place = placeIn(folder, name)
  for (const path of [place.rows, place.checkpoint]) mkdirSync(path, { recursive: true })
  return place
}

/** Removes it, whether Spark writes there meanwhile or not. */
export function forgetPlaces(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** The query that has this checkpoint, if one has. */
export function queryIdOf(checkpoint: string): string | undefined {
  const file = join(checkpoint, 'metadata')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).id : undefined
}

/** The last batch of which Spark has said what it reads; -1: of none. */
export function lastPlanned(checkpoint: string): number {
  const log = join(checkpoint, 'offsets')
  const numbers = existsSync(log) ? readdirSync(log).filter((name) => /^\d+$/.test(name)) : []
  return Math.max(-1, ...numbers.map(Number))
}

/** From now on the query is this run's. */
export async function takeOver({ run }: StreamPlace, runId: string): Promise<void> {
  await writeWhole(run, runId)
}

export function isOurs({ run }: StreamPlace, runId: string): boolean {
  return existsSync(run) && readFileSync(run, 'utf8') === runId
}

export function anotherCheckpoint(folder: string): UserError {
  return new UserError('LPA-STREAM-RECREATED', 'How far Spark has read is not what the warehouse knows.', {
    ...{ exit: 'data', where: folder },
    next: [
      'One of them was restored or taken away without the other.',
      'To read from the beginning: --reset-offsets. Events that are there already stay as they are.',
    ],
  })
}

/** In the order of their beginnings. */
function namesIn(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return names.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b))
}

function placeIn(folder: string, name: string): StreamPlace {
  const path = (part: string) => join(folder, name, part)
  return { rows: path('rows'), checkpoint: path('checkpoint'), topics: path('topics.json'), run: path('run') }
}

/** The others may be of a run that begins just now. */
function isOld(folder: string): boolean {
  const { mtimeMs = Number.POSITIVE_INFINITY } = statSync(folder, { throwIfNoEntry: false }) ?? {}
  return Date.now() - mtimeMs > OLD_MS
}
