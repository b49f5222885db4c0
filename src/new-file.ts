/** Folders and files that are made once. Their errors are the system's, with the name that was asked for. */

import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { UserError } from './errors.ts'

/**
 * Makes a folder and those above it. Not by Node's own `recursive`, which tries for ever where no folder can be made
 * although the one above is there: in /proc.
 */
export function makeFolder(folder: string, mode = 0o777): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
  if (dirname(folder) !== folder) makeFolder(dirname(folder), mode)
  try {
    mkdirSync(folder, { mode })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
    if (code !== 'ENOENT' && code !== 'EEXIST' && code !== 'ENOTDIR') throw cause
    throw new UserError('LPA-FOLDER-MAKE', `The folder ${folder} cannot be made (${code}).`, {
      exit: 'cannotCreate',
      next: 'Name another one.',
      cause,
    })
  }
}

/**
 * Writes a file that is not there yet, readable by its owner only; answers whether it did. It is whole or not there:
 * written beside it, synced, then given its name, so that a full disk leaves none that looks finished.
 */
export function writeNew(file: string, content: string | Buffer): boolean {
  if (existsSync(file)) return false
  const beside = join(dirname(file), `.${basename(file)}.${process.pid}.part`)
  try {
    const handle = openSync(beside, 'w', 0o600)
    try {
      writeFileSync(handle, content)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    return giveName(beside, file)
  } catch (error) {
    throw withPath(error, file)
  } finally {
    rmSync(beside, { force: true })
  }
}

/** Never in place of a file that another run has made meanwhile; where there are no hard links, as far as can be seen. */
function giveName(beside: string, file: string): boolean {
  try {
    linkSync(beside, file)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || existsSync(file)) return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EMLINK') throw error
    renameSync(beside, file)
    return true
  }
}

/** Makes sure that the names in a folder outlive a power cut. */
export function syncFolder(folder: string): void {
  // Windows opens no folders.
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** The system names no file that is open already, nor should it name the one beside. */
export function withPath(error: unknown, file: string): unknown {
  return error instanceof Error && 'syscall' in error ? Object.assign(error, { path: file }) : error
}
