/** A disk of a test's own in memory, as small as it likes. Only who may mount has one. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why no disk can be mounted here, or nothing when one can. */
export function noMount(): string | undefined {
  const folder = join(tmpdir(), `lpa-mount-${process.pid}`)
  try {
    new SmallDisk(folder, 64).remove()
    return undefined
  } catch (error) {
    return `no file system can be mounted here: ${(error as Error).message}`
  }
}

export class SmallDisk {
  readonly #folder: string

  constructor(folder: string, kilobytes: number) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    run('mount', '-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=700`, 'tmpfs', folder)
  }

  resize(kilobytes: number): void {
    run('mount', '-o', `remount,rw,size=${kilobytes}k`, this.#folder)
  }

  makeReadOnly(): void {
    run('mount', '-o', 'remount,ro', this.#folder)
  }

  remove(): void {
    run('umount', this.#folder)
  }
}

/** What the files of a folder take of a disk, in whole pages. */
export function kilobytesOf(folder: string): number {
  const sizes = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => {
    const stats = statSync(join(folder, name))
    return stats.isFile() ? Math.ceil(stats.size / 4096) * 4 : 0
  })
  return sizes.reduce((sum, size) => sum + size, 0)
}

function run(program: string, ...args: readonly string[]): void {
  const { error, status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(stderr.trim())
}
