import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findFiles } from './files.ts'

describe('the files that are named', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lpa-files-'))
    mkdirSync(join(folder, 'sub.csv'))
    for (const name of ['b.csv', 'a.ndjson.gz', 'read.me', 'sub.csv/c.csv'])
      writeFileSync(join(folder, name), 'x')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const found = (...names: readonly string[]) =>
    findFiles(names.map((name) => (name === '-' ? name : join(folder, name)))).map((path) =>
      path.replace(`${folder}/`, ''),
    )

  test('are those of a folder, also below one that is named like a file', () => {
    expect(found('')).toEqual(['a.ndjson.gz', 'b.csv', 'sub.csv/c.csv'])
    expect(found('sub.csv')).toEqual(['sub.csv/c.csv'])
  })

  test('are those of a glob, with the folders that it meets, each once', () => {
    mkdirSync(join(folder, 'empty.csv'))
    expect(found('*.csv')).toEqual(['b.csv', 'sub.csv/c.csv'])
    expect(found('b.csv', '-', '*')).toEqual(['b.csv', '-', 'a.ndjson.gz', 'read.me', 'sub.csv/c.csv'])
  })

  test.each([
    ['a link to nowhere', 'link.csv', 'a link to a file that is not there'],
    ['a pipe', 'pipe.csv', 'a pipe, a socket or a device'],
  ])('%s in a folder is an error that names it', (_, name, words) => {
    const path = join(folder, 'sub.csv', name)
    if (name === 'pipe.csv') expect(spawnSync('mkfifo', [path]).status).toBe(0)
    else symlinkSync('nowhere', path)
    for (const named of ['', 'sub.csv/*']) {
      expect(() => found(named)).toThrow(
        expect.objectContaining({ exitCode: 66, message: `${path}: it is ${words}.` }),
      )
    }
    // Named, a pipe is waited for.
    if (name === 'pipe.csv') expect(found('sub.csv/pipe.csv')).toEqual(['sub.csv/pipe.csv'])
  })

  test('an address is said to be one', () => {
    expect(() => findFiles(['https://example.org/a.csv'])).toThrow(
      expect.objectContaining({ code: 'LPA-INPUT-ADDRESS', exitCode: 2 }),
    )
  })

  test('a folder that may not be read is no empty one', (context) => {
    const sealed = join(folder, 'sub.csv')
    chmodSync(folder, 0o755)
    chmodSync(sealed, 0o000)
    const module = JSON.stringify(new URL('./files.ts', import.meta.url).href)
    const script = `import(${module}).then((files) => files.findFiles([${JSON.stringify(folder)}]))
      .then((all) => console.log(all.length), (error) => console.log(error.code, error.path))`
    const uid = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
      ...uid,
      cwd: folder,
      encoding: 'utf8',
    })
    if (/EACCES.*files\.ts/.test(stderr)) return context.skip('another user may not read this folder')
    expect(stdout).toBe(`EACCES ${sealed}\n`)
  })
})
