/** Keeps every file that appears in some folders, also those that are gone a moment later. */

import { linkSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface Watch {
  /** Files seen so far. */
  count(): number
  /** Stops, and answers how many files were kept. */
  stop(): number
}

/**
 * Looks every few milliseconds and gives each new file a second name in `keep` (same file system): what is written to
 * it later is kept too, and deleting it takes away only the first name.
 */
export function watchFiles(folders: readonly string[], keep: string): Watch {
  mkdirSync(keep, { recursive: true })
  const seen = new Set<string>()
  const look = () => {
    for (const folder of folders) {
      for (const path of filesIn(folder)) {
        try {
          const stats = lstatSync(path)
          const name = `${stats.ino}-${stats.birthtimeMs}`
          if (!stats.isFile() || seen.has(name)) continue
          linkSync(path, join(keep, `${seen.size}-${path.split('/').at(-1)}`))
          seen.add(name)
        } catch {
          // Gone between being seen and being kept.
        }
      }
    }
  }
  const timer = setInterval(look, 3)
  return {
    count: () => seen.size,
    stop() {
      look()
      clearInterval(timer)
      return seen.size
    },
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
  } catch {
    return []
  }
}
