/** Zip archives: each file inside is an input of its own, `bundle.zip/users.csv`, read where it lies and never unpacked to disk. */

import { existsSync, statSync } from 'node:fs'
import type { Entry, ZipFile } from 'yauzl'
import { UserError } from '../errors.ts'

export interface ZipEntry {
  readonly archive: string
  readonly name: string
}

/** Archives may unpack to this many times their size, once that is large. Real exports stay under 60. */
export const BOMB_RATIO = 400
export const BOMB_BYTES = 512 * 1024 * 1024
const MOST_FILES = 1000
/** What macOS adds beside the files. */
const OF_THE_SYSTEM = /^__MACOSX\//

export function isZip(path: string): boolean {
  return /\.zip$/i.test(path) && statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

/** Whether there is such a file, by itself or inside an archive. */
export function isThere(path: string): boolean {
  return existsSync(path) || zipEntryOf(path) !== undefined
}

/** Unless bundle.zip is a folder. */
export function zipEntryOf(path: string): ZipEntry | undefined {
  const [, archive = '', name = ''] = /^(.+?\.zip)\/(.+)$/i.exec(path) ?? []
  return isZip(archive) ? { archive, name } : undefined
}

/**
 * Names of the files that `isWanted`, in order.
 * @throws UserError (data) for an archive that nobody should unpack: encrypted, a bomb, names that lead elsewhere
 */
export async function filesInZip(archive: string, isWanted: (name: string) => boolean): Promise<string[]> {
  const names = new Set<string>()
  const mostBytes = Math.max(BOMB_BYTES, BOMB_RATIO * statSync(archive).size)
  let bytes = 0
  await withEntries(archive, async (entry) => {
    const { fileName } = entry
    if (!isWanted(fileName) || OF_THE_SYSTEM.test(fileName)) return false
    if (entry.isEncrypted()) throw refused(archive, 'It is encrypted.', 'Unpack it, and load the folder.')
    if (names.has(fileName)) throw refused(archive, 'It holds two files of one name.', 'Export it again.')
    bytes += entry.uncompressedSize
    if (bytes > mostBytes) {
      throw refused(
        archive,
        `It unpacks to more than ${BOMB_RATIO} times its size.`,
        'If that is meant, unpack it yourself and load the folder.',
      )
    }
    names.add(fileName)
    if (names.size > MOST_FILES) {
      throw refused(archive, `It holds more than ${MOST_FILES} files.`, 'Unpack it, and load the folder.')
    }
    return false
  })
  return [...names].sort()
}

/** The size of a file inside, unpacked; undefined when there is none of that name. */
export async function sizeInZip({ archive, name }: ZipEntry): Promise<number | undefined> {
  let size: number | undefined
  await withEntries(archive, async ({ fileName, uncompressedSize }) => {
    if (fileName === name) size = uncompressedSize
    return fileName === name
  })
  return size
}

/** The bytes of a file inside, unpacked and checked. */
export async function* bytesInZip({ archive, name }: ZipEntry): AsyncGenerator<Buffer> {
  const { crc32 } = process.getBuiltinModule('node:zlib')
  const zip = await opened(archive)
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== name) continue
      let sum = 0
      for await (const chunk of await zip.openReadStreamPromise(entry)) {
        sum = crc32(chunk, sum)
        yield chunk
      }
      if (sum !== entry.crc32) throw new Error('its checksum is another one')
      return
    }
  } catch (cause) {
    throw damaged(archive, cause)
  } finally {
    zip.close()
  }
}

/** Until `visit` answers true. */
async function withEntries(archive: string, visit: (entry: Entry) => Promise<boolean>): Promise<void> {
  const zip = await opened(archive)
  try {
    for await (const entry of zip.eachEntry()) if (await visit(entry)) return
  } catch (cause) {
    throw damaged(archive, cause)
  } finally {
    zip.close()
  }
}

async function opened(archive: string): Promise<ZipFile> {
  // Bundled, a CommonJS package has its default export only.
  const { default: yauzl } = await import('yauzl')
  try {
    return await yauzl.openPromise(archive, { autoClose: false, lazyEntries: true, strictFileNames: true })
  } catch (cause) {
    throw damaged(archive, cause)
  }
}

/** The reader's own messages quote names, which may be anybody's. */
function damaged(archive: string, cause: unknown): unknown {
  if (cause instanceof UserError || (cause as { code?: string }).code === 'ENOENT') return cause
  const message = cause instanceof Error ? cause.message : ''
  if (/^(absolute path|invalid relative path|invalid characters in fileName)/.test(message)) {
    return refused(archive, 'A file inside has a name that leads out of the folder.', 'Do not unpack it.')
  }
  if (/unsupported compression method|multi-disk|strong encryption/i.test(message)) {
    return refused(
      archive,
      'It is packed in a way that lpa does not read.',
      'Unpack it, and load the folder.',
    )
  }
  return refused(archive, 'The archive is cut off or damaged.', 'Export or copy it again.')
}

function refused(archive: string, message: string, next: string): UserError {
  return new UserError('LPA-INPUT-ZIP', message, { exit: 'data', where: archive, next })
}
