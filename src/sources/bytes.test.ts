import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { byteSource, type Compression, compressionOf, unpacked } from './bytes.ts'

const text = Buffer.from(
  Array.from({ length: 20_000 }, (_, n) => `{"id":${n},"v":${Math.sin(n)}}\n`).join(''),
)
const half = text.length >> 1

async function unpack(bytes: Buffer, compression: Compression, chunkBytes: number): Promise<Buffer> {
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
  }
  const parts: Buffer[] = []
  for await (const part of unpacked(chunks(), compression)) parts.push(part)
  return Buffer.concat(parts)
}

/** To be skipped by the format's own rules. */
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])

describe.each([97, 4096, 1 << 20])('in chunks of %i bytes', (chunkBytes) => {
  test.each([
    ['gzip', gzipSync(text)],
    ['gzip of two members', Buffer.concat([gzipSync(text.subarray(0, half)), gzipSync(text.subarray(half))])],
    ['zstd', zstdCompressSync(text)],
    [
      'zstd of two frames',
      Buffer.concat([zstdCompressSync(text.subarray(0, half)), zstdCompressSync(text.subarray(half))]),
    ],
    ['zstd with an empty frame', Buffer.concat([zstdCompressSync(Buffer.alloc(0)), zstdCompressSync(text)])],
    ['zstd with frames to skip', Buffer.concat([skippable, zstdCompressSync(text), skippable])],
    [
      'zstd of one repeated byte',
      zstdCompressSync(Buffer.alloc(1_000_000, 'a')),
      Buffer.alloc(1_000_000, 'a'),
    ],
  ])('unpacks %s', async (name, bytes, expected = text) => {
    expect(
      (await unpack(bytes, name.startsWith('gzip') ? 'gzip' : 'zstd', chunkBytes)).equals(expected),
    ).toBe(true)
  })

  test.each([
    ['gzip cut off', gzipSync(text).subarray(0, -1)],
    ['gzip with something behind', Buffer.concat([gzipSync(text), Buffer.from('text')])],
    ['zstd cut off in a block', zstdCompressSync(text).subarray(0, 5000)],
    ['zstd cut off at its end', zstdCompressSync(text).subarray(0, -1)],
    [
      'zstd cut off in its second frame',
      Buffer.concat([zstdCompressSync(text), zstdCompressSync(text).subarray(0, 9)]),
    ],
    ['zstd with something behind', Buffer.concat([zstdCompressSync(text), Buffer.from('text')])],
    ['zstd with three bytes behind', Buffer.concat([zstdCompressSync(text), Buffer.from('abc')])],
  ])('refuses %s', async (name, bytes) => {
    const unpacking = unpack(bytes, name.startsWith('gzip') ? 'gzip' : 'zstd', chunkBytes)
    await expect(unpacking).rejects.toMatchObject({ code: expect.stringMatching(/^Z_/) })
  })
})

test('tells archives by their marks', () => {
  expect(compressionOf(gzipSync('a'))).toBe('gzip')
  expect(compressionOf(zstdCompressSync(Buffer.from('a')))).toBe('zstd')
  expect(compressionOf(Buffer.from('a,b\n'))).toBe('none')
  expect(compressionOf(Buffer.alloc(0))).toBe('none')
})

describe('a file', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lpa-bytes-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('can be looked at and read again and again', async () => {
    writeFileSync(join(folder, 'a'), text)
    const source = byteSource(join(folder, 'a'))
    expect(source.stats?.size).toBe(text.length)
    expect((await source.peek(10)).equals(text.subarray(0, 10))).toBe(true)
    expect((await source.peek(1 << 30)).equals(text)).toBe(true)
    for (const _ of [1, 2]) {
      const parts: Buffer[] = []
      for await (const part of source.open()) parts.push(part)
      expect(Buffer.concat(parts).equals(text)).toBe(true)
    }
  })

  test('that is not there is a missing input', () => {
    expect(() => byteSource(join(folder, 'b'))).toThrow(expect.objectContaining({ exit: 'noInput' }))
  })
})
