import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Writes a file so that its name holds the old content or the new, never a part: written beside it, synced, renamed,
 * and the folder synced. Only its owner can read it unless `mode` says more. Throws the system's error (ENOSPC, EACCES, …).
 */
export async function writeWhole(file: string, text: string, mode = 0o600): Promise<void> {
  const folder = dirname(file)
  const beside = join(folder, `.${basename(file)}.${process.pid}.part`)
  try {
    const handle = await open(beside, 'w', 0o600)
    try {
      if (mode !== 0o600) await handle.chmod(mode)
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, file)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  const parent = await open(folder, 'r')
  try {
    await parent.sync()
  } finally {
    await parent.close()
  }
}
