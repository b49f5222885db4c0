import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UserError } from '../errors.ts'
import { filesOf, hasArchives } from './files.ts'
import { assertUnchanged, openInput, readInput } from './input.ts'
import { type ZippedFile, zipOf } from './zip.test-support.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-zip-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let archives = 0

function archive(files: readonly ZippedFile[] | Buffer): string {
  const path = join(folder, `${++archives}.zip`)
  writeFileSync(path, Buffer.isBuffer(files) ? files : zipOf(files))
  return path
}

async function textOf(path: string): Promise<string> {
  const chunks: Buffer[] = []
  const input = await openInput(path)
  const { signal } = new AbortController()
  const sink = async (chunk: Buffer) => void chunks.push(Buffer.from(chunk))
  await readInput(input, { hasHeader: true, signal, sink })
  return Buffer.concat(chunks).toString()
}

async function failure(work: Promise<unknown>): Promise<UserError> {
  return await work.then(
    () => expect.fail('it was read'),
    (error) => error,
  )
}

const USERS = 'id,name\n1,a\n'

test.each([false, true])('the data files of an archive are inputs, with ZIP64: %s', async (isZip64) => {
  const big = `id,text\n${'7,some text that is long enough to be packed\n'.repeat(20_000)}`
  const path = archive([
    { name: 'roster/users.csv', text: USERS, isZip64 },
    ...['roster/readme.md', '__MACOSX/roster/._users.csv'].map((name) => ({ name, text: 'x' })),
    { name: 'big.csv', text: big, isZip64 },
  ])
  expect(await filesOf(path)).toEqual([`${path}/big.csv`, `${path}/roster/users.csv`])
  expect(await textOf(`${path}/roster/users.csv`)).toBe(USERS)
  expect(await textOf(`${path}/big.csv`)).toBe(big)
})

test('archives in an archive are told, and not looked into', async () => {
  const inner = { name: 'more.ZIP', text: 'x' }
  const beside = archive([{ name: 'users.csv', text: USERS }, inner])
  expect(await filesOf(beside)).toEqual([`${beside}/users.csv`])
  expect(await hasArchives(beside)).toBe(true)
  expect(await hasArchives(archive([{ name: 'users.csv', text: USERS }]))).toBe(false)
  const error = await failure(filesOf(archive([inner])))
  expect(error).toMatchObject({ next: [expect.stringContaining('unpack it')] })
})

test('an archive that was replaced since it was looked at is not what was recognised', async () => {
  const path = archive([{ name: 'users.csv', text: USERS }])
  const input = await openInput(`${path}/users.csv`)
  expect(() => assertUnchanged(input)).not.toThrow()
  writeFileSync(path, zipOf([{ name: 'users.csv', text: `${USERS}2,b\n` }]))
  expect(() => assertUnchanged(input)).toThrow('It changed while it was read.')
})

test.each<[string, ZippedFile[], RegExp]>([
  ['encrypted', [{ name: 'users.csv', text: USERS, isEncrypted: true }], /encrypted/],
  ['a bomb', [{ name: 'users.csv', text: USERS, says: { size: 3e9 } }], /400 times/],
  ['a name that climbs', [{ name: '../users.csv', text: USERS }], /leads out of the folder/],
  ['a name from the root', [{ name: '/etc/users.csv', text: USERS }], /leads out of the folder/],
  ['a name with backslashes', [{ name: '..\\users.csv', text: USERS }], /leads out of the folder/],
  ['one name twice', [USERS, 'id\n'].map((text) => ({ name: 'users.csv', text })), /two files of one name/],
  ['no data', [{ name: 'readme.md', text: 'x' }], /no data/],
])('%s is refused', async (_, files, message) => {
  const path = archive(files)
  const error = await failure(filesOf(path))
  expect(error).toMatchObject({ exit: 'data', where: path })
  expect(error.message).toMatch(message)
})

test.each([
  ['longer than it says', { size: 5 }],
  ['shorter than it says', { size: 500 }],
  ['of another checksum', { crc: 7 }],
])('a file that is %s ends the load', async (_, says) => {
  const path = archive([{ name: 'users.csv', text: USERS, says }])
  const error = await failure(textOf(`${path}/users.csv`))
  expect(error).toMatchObject({ code: 'LPA-INPUT-ZIP', message: expect.stringMatching(/cut off or damaged/) })
})

test('an archive that is cut off is told, and quotes nothing', async () => {
  const whole = zipOf([{ name: 'jane.doe@example.org.csv', text: USERS }])
  const error = await failure(filesOf(archive(whole.subarray(0, whole.length - 30))))
  expect(error).toMatchObject({ exit: 'data', message: expect.stringMatching(/cut off or damaged/) })
  expect(JSON.stringify(error)).not.toContain('jane')
})
