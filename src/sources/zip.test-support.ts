/** Zip archives as no tool would write them. */

import { crc32, deflateRawSync } from 'node:zlib'

export interface ZippedFile {
  readonly name: string
  readonly text: string
  readonly isEncrypted?: boolean
  /** Sizes in the extra field of ZIP64. */
  readonly isZip64?: boolean
  /** What the archive says of it, when that is not so. */
  readonly says?: { readonly size?: number; readonly crc?: number }
}

export function zipOf(files: readonly ZippedFile[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const file of files) {
    const data = deflateRawSync(file.text)
    const name = Buffer.from(file.name)
    const local = header(0x04034b50, file, data.length, 4)
    directory.push(entryOf(file, data.length, offset))
    parts.push(local, name, data)
    offset += local.length + name.length + data.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, central, end])
}

/** What both headers have: from the version that is needed to the length of the name. */
function header(mark: number, file: ZippedFile, packed: number, versions: 4 | 6): Buffer {
  const { name, text, isEncrypted, says } = file
  const bytes = Buffer.alloc(versions === 4 ? 30 : 46)
  bytes.writeUInt32LE(mark, 0)
  bytes.writeUInt16LE(45, versions)
  bytes.writeUInt16LE((isEncrypted ? 1 : 0) | 0x800, versions + 2)
  bytes.writeUInt16LE(8, versions + 4)
  bytes.writeUInt32LE(says?.crc ?? crc32(text), versions + 10)
  bytes.writeUInt32LE(packed, versions + 14)
  bytes.writeUInt32LE(says?.size ?? Buffer.byteLength(text), versions + 18)
  bytes.writeUInt16LE(Buffer.byteLength(name), versions + 22)
  return bytes
}

function entryOf(file: ZippedFile, packed: number, offset: number): Buffer {
  const bytes = header(0x02014b50, file, packed, 6)
  const sizes = Buffer.alloc(file.isZip64 ? 28 : 0)
  if (file.isZip64) {
    sizes.writeUInt16LE(1, 0)
    sizes.writeUInt16LE(24, 2)
    sizes.writeBigUInt64LE(BigInt(Buffer.byteLength(file.text)), 4)
    sizes.writeBigUInt64LE(BigInt(packed), 12)
    sizes.writeBigUInt64LE(BigInt(offset), 20)
    bytes.fill(0xff, 20, 28)
  }
  bytes.writeUInt16LE(sizes.length, 30)
  bytes.writeUInt32LE(file.isZip64 ? 0xffffffff : offset, 42)
  return Buffer.concat([bytes, Buffer.from(file.name), sizes])
}
