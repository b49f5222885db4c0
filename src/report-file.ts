import { existsSync } from 'node:fs'
import { open, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UserError } from './errors.ts'
import { syncFolder, withPath } from './new-file.ts'
import { isAlive } from './process-alive.ts'

/**
 * Writes a file so that its name holds the old content or the new, never a part: written beside it, synced, renamed,
 * and the folder synced. Only its owner can read it unless `mode` says more. A link stays and its file is written; a
 * device or a pipe is written to, since a file in its place would take /dev/null from everybody.
 * @throws UserError cannotCreate when its folder is not there; else the system's error (ENOSPC, EACCES, …) with the file
 */
export async function writeWhole(name: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const there = await stat(name).catch(() => undefined)
  if (there && !there.isFile() && !there.isDirectory()) return writeFile(name, content)
  const file = there ? await realpath(name) : name
  const folder = dirname(file)
  const beside = join(folder, `.${basename(file)}.${process.pid}.part`)
  try {
    await removeParts(file)
    const handle = await open(beside, 'w', 0o600)
    try {
      if (mode !== 0o600) await handle.chmod(mode)
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, file)
  } catch (error) {
    if (!existsSync(folder)) {
      throw new UserError('LPA-FILE-FOLDER', `There is no folder ${folder} for ${basename(file)}.`, {
        exit: 'cannotCreate',
        next: 'Make it, or name another file.',
        cause: error,
      })
    }
    await rm(beside, { force: true }).catch(() => {})
    throw withPath(error, file)
  }
  syncFolder(folder)
}

/** Files whose folder was looked at: a file may be written every second. */
const looked = new Set<string>()
/** Younger ones may be another machine's, which writes them now. */
const LEFT_AFTER_MS = 60_000

/** Takes away what runs left that were killed while they wrote this file. */
async function removeParts(file: string): Promise<void> {
  if (looked.has(file)) return
  looked.add(file)
  const [before, after] = [`.${basename(file)}.`, '.part']
  for (const name of await readdir(dirname(file)).catch(() => [])) {
    if (!name.startsWith(before) || !name.endsWith(after)) continue
    const pid = name.slice(before.length, -after.length)
    const path = join(dirname(file), name)
    const written = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now()
    if (/^\d+$/.test(pid) && !isAlive(Number(pid)) && Date.now() - written > LEFT_AFTER_MS)
      await rm(path, { force: true }).catch(() => {})
  }
}
