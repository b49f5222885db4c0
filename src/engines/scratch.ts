/** The folder of staged files: each run has one of its own in it, which ends with its process id. */

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from '../process-alive.ts'

/** Takes away the folders of runs that are gone. */
export function sweepScratch(scratch: string): void {
  for (const name of readdirSync(scratch)) {
    const pid = Number(/-(\d+)$/.exec(name)?.[1])
    if (pid && !isAlive(pid)) rmSync(join(scratch, name), { recursive: true, force: true })
  }
}
