import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Directory } from './directory.ts'

test('links to nowhere and to themselves are no files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lpa-directory-'))
  try {
    writeFileSync(join(folder, 'a.csv'), 'id\n')
    symlinkSync('loop.csv', join(folder, 'loop.csv'))
    symlinkSync('gone.csv', join(folder, 'nowhere.csv'))
    expect((await new Directory(folder).look()).changing).toEqual([join(folder, 'a.csv')])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
