/** Folders that are whole or not there. */

import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { UserError } from './errors.ts'
import { makeFolder, syncFolder } from './new-file.ts'
import { isAlive } from './process-alive.ts'

/**
 * Lets `fill` write the files of a folder beside its place, syncs them, and gives the folder its name: in place of what is there
 * under it, which goes with it. What fails, or is killed, leaves what was there.
 * @throws UserError cannotCreate where something has the name by then and `replaces` does not say that it may go
 */
export async function fillFolder<T>(
  name: string,
  { replaces }: { readonly replaces: boolean },
  fill: (part: string) => Promise<T>,
): Promise<T> {
  const folder = existsSync(name) ? realpathSync(name) : resolve(name)
  makeFolder(dirname(folder))
  tidy(folder)
  const [part, old] = [beside(folder, 'part'), beside(folder, 'old')]
  mkdirSync(part, { mode: 0o700 })
  try {
    const filled = await fill(part)
    await syncFiles(part)
    if (replaces && existsSync(folder)) renameSync(folder, old)
    giveName(part, folder)
    rmSync(old, { recursive: true, force: true })
    syncFolder(dirname(folder))
    return filled
  } catch (error) {
    if (existsSync(old) && !existsSync(folder)) renameSync(old, folder)
    throw error
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
}

/** What has a folder's name and is not to go. */
export function folderExists(folder: string): UserError {
  return new UserError('LPA-FOLDER-EXISTS', `${folder} is there already.`, {
    exit: 'cannotCreate',
    next: 'Nothing was changed. Name another one.',
  })
}

/** An empty folder is no loss. */
function giveName(part: string, folder: string): void {
  try {
    renameSync(part, folder)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(code)) throw folderExists(folder)
    throw error
  }
}

const beside = (folder: string, kind: string) =>
  join(dirname(folder), `.${basename(folder)}.${process.pid}.${kind}`)

const LEFT = /^(\d+)\.(part|old)$/

/** Takes away what runs left that were killed, and gives a folder its name back that one of them was about to replace. */
function tidy(folder: string): void {
  const before = `.${basename(folder)}.`
  for (const name of readdirSync(dirname(folder))) {
    const [, pid, kind] = (name.startsWith(before) && LEFT.exec(name.slice(before.length))) || []
    // In a container each run may have the number of the one before.
    if (pid === undefined || (Number(pid) !== process.pid && isAlive(Number(pid)))) continue
    const left = join(dirname(folder), name)
    if (kind === 'old' && !existsSync(folder)) renameSync(left, folder)
    else rmSync(left, { recursive: true, force: true })
  }
}

/** Their owner's only, whoever wrote them. */
async function syncFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = await open(join(folder, name), 'r')
    try {
      await file.chmod(0o600)
      await file.sync()
    } finally {
      await file.close()
    }
  }
  syncFolder(folder)
}
