import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundleNotes, shasOf, withExportKind } from './export-by.ts'
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

test('of a bundle it is told what its manifest names and nobody finds, and where there is no manifest', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lpa-bundle-'))
  const users = { path: join(folder, 'users.csv'), mappings: [readMapping('oneroster_user')] }
  const manifest = { path: join(folder, 'manifest.csv'), mappings: [] }
  expect(await bundleNotes([users])).toEqual([
    `${folder}: no manifest.csv tells file.users: taken as bulk, which is a snapshot.`,
  ])
  const told = (classes: string) =>
    writeFileSync(manifest.path, `propertyName,value\nfile.users,bulk\nfile.classes,${classes}\n`)
  told('delta')
  expect(await bundleNotes([users])).toEqual([])
  expect(await bundleNotes([manifest, users])).toEqual([
    `${manifest.path}: it says that file.classes is delta, and there is no such file.`,
  ])
  told('absent')
  expect(await bundleNotes([manifest, users])).toEqual([])
  rmSync(folder, { recursive: true })
})
