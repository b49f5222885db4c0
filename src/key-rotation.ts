/** A new key in place of the old one, which is kept beside it: killed at any step, a run loses neither. */

import { linkSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { UserError } from './errors.ts'
import { syncFolder } from './new-file.ts'
import { isAlive } from './process-alive.ts'
import { createKey, readKey } from './pseudonym.ts'
import { shellWord } from './shell-word.ts'

export interface Rotation {
  readonly file: string
  readonly oldKeyId: string
  readonly newKeyId: string
  /** Where the old key is kept. */
  readonly kept: string
}

/**
 * 1. The new key is written whole as `KEY.after-OLDID`, or the one that another run put there is taken.
 * 2. The run gives it a name of its own, and only then sees that KEY is still the old one: a new key that was put there
 *    after KEY changed is never taken.
 * 3. The old key gets a second name, `KEY.OLDID`.
 * 4. The name of its own is renamed to `KEY`: of several runs at once all make the same new key.
 * @throws UserError LPA-KEY-…; the system's error where the folder cannot be written or has no hard links
 */
export function rotateKey(named: string): Rotation {
  const old = readKey(named)
  // A link stays one: what it leads to is replaced.
  const file = realpathSync(named)
  const next = `${file}.after-${old.id}`
  const own = `${file}.${process.pid}.part`
  const kept = `${file}.${old.id}`
  clearUp(file, next)
  writeNext(file, own, next)
  try {
    linkSync(next, own)
  } catch (error) {
    if (isMissing(error)) throw rotatedMeanwhile(named)
    throw error
  }
  const made = readKey(own)
  if (readKey(file).id !== old.id) {
    for (const name of [own, next]) rmSync(name, { force: true })
    throw rotatedMeanwhile(named)
  }
  linkOnce(file, kept)
  if (readKey(kept).id !== old.id) {
    rmSync(own, { force: true })
    throw new UserError('LPA-KEY-KEPT', `${kept} is another key than its name says. Nothing was changed.`, {
      exit: 'cannotCreate',
      next: 'Move it away, and run lpa key rotate again.',
    })
  }
  syncFolder(dirname(file))
  renameSync(own, file)
  syncFolder(dirname(file))
  // When another run of that moment renamed first, POSIX leaves a second name of the same file as it is.
  for (const name of [own, next]) rmSync(name, { force: true })
  return { file: named, oldKeyId: old.id, newKeyId: made.id, kept }
}

/** Keys that rotations kept beside this one. */
export function keptKeys(file: string): { readonly file: string; readonly keyId: string }[] {
  const names = namesBeside(file)
  return names
    .map((name) => ({ file: join(dirname(file), name), keyId: name.slice(basename(file).length + 1) }))
    .filter(({ keyId }) => /^[0-9a-f]{16}$/.test(keyId))
}

/** The command that takes a kept key into use again, and keeps the one that is used now. */
export function wayBack(file: string, keyId: string, kept: string): string {
  return `mv ${shellWord(file)} ${shellWord(`${file}.${keyId}`)} && mv ${shellWord(kept)} ${shellWord(file)}`
}

/** Takes away what runs that died left: new keys that nobody used, and names of keys that are in use. */
function clearUp(file: string, next: string): void {
  for (const name of namesBeside(file)) {
    const path = join(dirname(file), name)
    const pid = Number(/\.(\d+)\.part$/.exec(name)?.[1])
    const isLeft = pid
      ? pid === process.pid || !isAlive(pid)
      : /\.after-[0-9a-f]{16}$/.test(name) && path !== next
    if (isLeft) rmSync(path, { force: true })
  }
}

function writeNext(file: string, own: string, next: string): void {
  createKey(own)
  try {
    linkOnce(own, next)
  } finally {
    rmSync(own, { force: true })
  }
  syncFolder(dirname(file))
}

function rotatedMeanwhile(file: string): UserError {
  return new UserError('LPA-KEY-ROTATED', `Another run replaced ${file} at this moment.`, {
    exit: 'locked',
    next: 'See which key is used now: lpa key show',
  })
}

/** A second name for a file, unless that name is there. */
function linkOnce(file: string, name: string): void {
  try {
    linkSync(file, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function namesBeside(file: string): string[] {
  return readdirSync(dirname(file))
    .filter((name) => name.startsWith(`${basename(file)}.`))
    .sort()
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
