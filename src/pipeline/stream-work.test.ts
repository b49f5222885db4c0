import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { rotateKey } from '../key-rotation.ts'
import { createKey, readKey } from '../pseudonym.ts'
import { StreamWork, type StreamWorkOptions } from './stream-work.ts'

it('a key that was replaced while a stream runs ends it, before anything more is committed under the old one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lpa-stream-key-'))
  try {
    const keyFile = join(folder, 'pseudonym.key')
    createKey(keyFile)
    const work = new StreamWork({
      config: { privacy: { keyFile } },
      fileRequest: { key: readKey(keyFile) },
    } as unknown as StreamWorkOptions)
    expect(() => work.assertKey()).not.toThrow()
    rotateKey(keyFile)
    expect(() => work.assertKey()).toThrow(
      expect.objectContaining({ code: 'LPA-STREAM-KEY', exit: 'config' }),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
