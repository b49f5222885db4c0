/** House-keeping that somebody asked for: what compaction does beside a stream, until nothing of it is left, and a smaller catalog. */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Upkeep, Upkept } from '../../types.ts'
import { catalogFile, freeBytes, inCatalog, shrinkCatalog } from './catalog.ts'
import { unrecordCatalog } from './checksums.ts'
import { keepLakeSmall, type Lake, plannedCompactions } from './compaction.ts'
import { snapshotsToGo, unneededFiles } from './kept-snapshots.ts'

/** To write the catalog anew is worth it for so many free bytes, if they are a quarter of it. */
const MANY_FREE_BYTES = 1024 * 1024
/** Beside a stream there is always something left to do. */
const MOST_ROUNDS = 100

export async function planUpkeep({
  connection,
  folder,
  timeTravelMs,
}: Pick<Lake, 'connection' | 'folder' | 'timeTravelMs'>): Promise<Upkeep> {
  const [compactions, free] = await inCatalog(folder, (database) => [
    plannedCompactions(database, true),
    freeBytes(database),
  ])
  const isMuch = free >= Math.max(MANY_FREE_BYTES, statSync(catalogFile(folder)).size / 4)
  return {
    files: new Set(compactions.flatMap(({ files }) => files)).size,
    rows: compactions.reduce((sum, { rows }) => sum + rows, 0),
    states: (await snapshotsToGo(connection, timeTravelMs)).length,
    unneeded: (await unneededFiles(connection)).length,
    freeBytes: isMuch ? free : 0,
  }
}

/**
 * Each step can be repeated: what a run that was killed left to do, the next one finds.
 * @throws UserError locked (75), LPA-WAREHOUSE-DAMAGED (io)
 */
export async function keepHouse(lake: Lake): Promise<Upkept> {
  const { folder, locked } = lake
  const bytesBefore = bytesBelow(folder)
  const done = { files: 0, rows: 0, states: 0, unneeded: 0 }
  let planned = await planUpkeep(lake)
  for (let round = 0, before = ''; round < MOST_ROUNDS && asked(planned) !== before; round += 1) {
    before = asked(planned)
    const { states, unneeded } = await keepLakeSmall(lake, true)
    const next = await planUpkeep(lake)
    done.files += Math.max(0, planned.files - next.files)
    done.rows += Math.max(0, planned.rows - next.rows)
    done.states += states
    done.unneeded += unneeded
    planned = next
  }
  if (planned.freeBytes > 0) {
    await locked(async () => {
      await unrecordCatalog(folder)
      await shrinkCatalog(folder)
    })
  }
  return { ...done, freeBytes: planned.freeBytes, freedBytes: bytesBefore - bytesBelow(folder) }
}

/** What a round can change. */
function asked({ files, rows, states, unneeded }: Upkeep): string {
  return JSON.stringify([files, rows, states, unneeded])
}

function bytesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0)
}
