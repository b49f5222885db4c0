import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { shasOf, withExportKind } from './export-by.ts'
import { openInput } from './input.ts'
import { readMapping } from './mapping.ts'

test.each([
  ['bulk', 'snapshot'],
  ['delta', 'delta'],
])('a mapping knows what loads of a %s export say of it', async (told, kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'lpa-kinds-'))
  const file = join(folder, 'users.csv')
  writeFileSync(file, 'sourcedId,role\n1,student\n')
  writeFileSync(join(folder, 'manifest.csv'), `propertyName,value\nfile.users,${told}\n`)
  const mapping = readMapping('oneroster_user')
  const read = await withExportKind(mapping, await openInput(file))
  expect(read.export).toBe(kind)
  expect(read.sha256).not.toBe(mapping.sha256)
  expect(shasOf(mapping)).toEqual(expect.arrayContaining([mapping.sha256, read.sha256]))
  rmSync(folder, { recursive: true })
})
