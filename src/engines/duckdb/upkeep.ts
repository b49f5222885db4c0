/** House-keeping that somebody asked for: what compaction does beside a stream, until nothing of it is left, and a smaller catalog. */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Upkeep, Upkept } from '../../types.ts'
import { LEAST_LOCK_WAIT_MS } from '../lock-wait.ts'
import { catalogFile, freeBytes, readCatalog, shrinkCatalog } from './catalog.ts'
import { unrecordCatalog } from './checksums.ts'
import { keepLakeSmall, type Lake, plannedCompactions } from './compaction.ts'
import { snapshotsToGo, unneededFiles } from './kept-snapshots.ts'

/** To write the catalog anew is worth it for so many free bytes, if they are a quarter of it. */
const MANY_FREE_BYTES = 1024 * 1024
/** Beside a stream there is always something left to do. */
const MOST_ROUNDS = 100
/** Who waits for the lock looks for it more often. */
const OTHERS_TURN_MS = 100

export async function planUpkeep({
  connection,
  folder,
  timeTravelMs,
}: Pick<Lake, 'connection' | 'folder' | 'timeTravelMs'>): Promise<Upkeep> {
  const [compactions, free] = await readCatalog(folder, (database) => [
    plannedCompactions(database, true),
    freeBytes(database),
  ])
  const isMuch = free >= Math.max(MANY_FREE_BYTES, statSync(catalogFile(folder)).size / 4)
  return {
    files: new Set(compactions.flatMap(({ files }) => files)).size,
    rows: compactions.reduce((sum, { rows }) => sum + rows, 0),
    states: timeTravelMs === undefined ? 0 : (await snapshotsToGo(connection, timeTravelMs)).length,
    unneeded: (await unneededFiles(connection)).length,
    freeBytes: isMuch ? free : 0,
  }
}

/** Each step can be repeated: what a run that was killed left to do, or one that failed, the next one finds. */
export async function keepHouse(lake: Lake): Promise<Upkept> {
  const { folder, signal } = lake
  const bytesBefore = bytesOf(folder)
  const done = { files: 0, rows: 0, states: 0, unneeded: 0, freeBytes: 0 }
  let failure: unknown
  try {
    await keepAll(takingTurns(lake), done)
  } catch (error) {
    signal.throwIfAborted()
    failure = error
  }
  return { ...done, freedBytes: bytesBefore - bytesOf(folder), ...(failure !== undefined && { failure }) }
}

/** Between two steps others get the lock, and are waited for as a stream waits. */
function takingTurns(lake: Lake): Lake {
  return {
    ...lake,
    async locked(work) {
      await sleep(OTHERS_TURN_MS, undefined, { signal: lake.signal })
      return lake.locked(work, LEAST_LOCK_WAIT_MS)
    },
  }
}

/** Counts in `done` what it did, also where it fails. */
async function keepAll(lake: Lake, done: { -readonly [Part in keyof Upkeep]: number }): Promise<void> {
  const { folder, locked } = lake
  const sound = new Set<string>()
  let planned = await planUpkeep(lake)
  for (let round = 0, before = ''; round < MOST_ROUNDS && asked(planned) !== before; round += 1) {
    before = asked(planned)
    try {
      await keepLakeSmall(lake, sound)
    } finally {
      const next = await planUpkeep(lake)
      for (const part of PARTS) done[part] += Math.max(0, planned[part] - next[part])
      planned = next
    }
  }
  if (planned.freeBytes === 0) return
  await locked(async () => {
    await unrecordCatalog(folder)
    await shrinkCatalog(folder)
  })
  done.freeBytes = planned.freeBytes
}

/** What a round can change. */
const PARTS = ['files', 'rows', 'states', 'unneeded'] as const

function asked(planned: Upkeep): string {
  return JSON.stringify(PARTS.map((part) => planned[part]))
}

/** Of tables and catalog. */
function bytesOf(folder: string): number {
  const catalog = catalogFile(folder)
  const data = readdirSync(join(folder, 'data'), { recursive: true, withFileTypes: true })
  return data
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .concat(catalog, `${catalog}-wal`)
    .map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0)
}
