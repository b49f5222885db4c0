/** Who holds the writer lock, for people who wait for it. */

import { constants, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { isPermitted } from './permissions.ts'
import { takeWriterLock } from './writer-lock.ts'

/** Undefined when nobody does; `pid` undefined when the system does not tell (anything but Linux). */
export async function lockHolder(folder: string): Promise<{ pid: number | undefined } | undefined> {
  // Not taken where there is none yet: that would make the file.
  const file = join(folder, 'writer.lock')
  if (!existsSync(file)) return undefined
  if (!isPermitted(file, constants.W_OK)) {
    // Who may only read the warehouse cannot try the lock.
    const pid = pidOf(statSync(file).ino)
    return pid === undefined ? undefined : { pid }
  }
  try {
    const lock = await takeWriterLock(folder, 0)
    lock.release()
    return undefined
  } catch (error) {
    if (!(error instanceof UserError && error.exit === 'locked')) throw error
    return { pid: pidOf(statSync(file).ino) }
  }
}

/** `1: POSIX  ADVISORY  WRITE 4711 08:01:1234567 0 EOF` */
function pidOf(inode: number): number | undefined {
  if (!existsSync('/proc/locks')) return undefined
  const line = readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .find((text) => text.split(/\s+/)[5]?.endsWith(`:${inode}`))
  return line === undefined ? undefined : Number(line.split(/\s+/)[4]) || undefined
}
