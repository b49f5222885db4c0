/** A directory in which files appear: which of them are complete, as far as looking twice can tell. */

import { stat } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import { dataFilesIn } from './files.ts'

export interface Look {
  /** Files that were the same the time before, by their path, each with its mark: another one when it was changed. */
  readonly ready: ReadonlyMap<string, string>
  /** Files that are new or were changed since. */
  readonly changing: readonly string[]
  /** Nothing is as it was not the time before: neither is a file gone. */
  readonly isSame: boolean
  /** The folders that were looked into, by their path, each with what says that it is still the same one. */
  readonly folders: ReadonlyMap<string, string>
}

/** One by one, each would cost six times as much. */
const AT_ONCE = 64

/**
 * Looked at again and again, since network file systems tell nobody of what appears in them. Data are the files that
 * a folder is loaded with; what is hidden, or called .part or .tmp until it is complete, is none.
 */
export class Directory {
  readonly path: string
  #before: ReadonlyMap<string, string> = new Map()

  constructor(path: string) {
    this.path = path
  }

  /** @throws UserError noInput (66) when it is not there; the system's error when it cannot be read */
  async look(): Promise<Look> {
    const { marks, folders } = await this.#marks()
    const ready = new Map([...marks].filter(([path, mark]) => this.#before.get(path) === mark))
    const isSame = ready.size === marks.size && ready.size === this.#before.size
    this.#before = marks
    return { ready, changing: [...marks.keys()].filter((path) => !ready.has(path)), isSame, folders }
  }

  async #marks() {
    const folder = await stat(this.path).catch(() => undefined)
    if (!folder?.isDirectory()) {
      throw new UserError('LPA-INPUT-MISSING', `${this.path}: there is no such folder.`, {
        exit: 'noInput',
        next: 'Check the path, and that its disk is mounted.',
      })
    }
    const marks = new Map<string, string>()
    const found = await dataFilesIn(this.path)
    for (let at = 0; at < found.files.length; at += AT_ONCE) {
      const some = found.files.slice(at, at + AT_ONCE)
      for (const [index, mark] of (await Promise.all(some.map(markOf))).entries())
        if (mark !== undefined) marks.set(some[index] as string, mark)
    }
    const folders = new Map<string, string>()
    for (const path of found.folders) folders.set(path, await identityOf(path))
    return { marks, folders }
  }
}

/**
 * What a file looks like from outside: undefined for none. Its change time is part of it, since copies are often given
 * the times of their originals, and a new file the inode of an old one.
 */
export async function markOf(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path, { bigint: true })
    return stats.isFile()
      ? [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ')
      : undefined
  } catch (error) {
    const { code } = error as { code?: string }
    // Gone since its name was read, or a link to nowhere or to itself.
    if (code === 'ENOENT' || code === 'ELOOP') return undefined
    throw error
  }
}

/** A folder that was made again may have the inode of the one before. */
async function identityOf(folder: string): Promise<string> {
  const stats = await stat(folder, { bigint: true }).catch(() => undefined)
  return [stats?.dev, stats?.ino, stats?.birthtimeNs].join(' ')
}
