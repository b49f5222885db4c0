import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeFolder, writeNew } from './new-file.ts'

const MODULES = ['./new-file.ts', './pseudonym.ts', './report-file.ts'].map((name) =>
  JSON.stringify(fileURLToPath(new URL(name, import.meta.url))),
)

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-new-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('folders are made with those above, and may be there', () => {
  const path = join(folder, 'a/b/c')
  for (let times = 0; times < 2; times += 1) makeFolder(path, 0o700)
  expect(statSync(join(folder, 'a/b')).mode & 0o777).toBe(0o700)
  expect(statSync(path).isDirectory()).toBe(true)
  writeFileSync(join(folder, 'file'), '')
  expect(() => makeFolder(join(folder, 'file/below'))).toThrow(expect.objectContaining({ exitCode: 73 }))
})

test('where none can be made it says so, instead of trying for ever', (context) => {
  if (!existsSync('/proc/self')) context.skip('no /proc')
  // In a process of its own: what this would find holds its thread for good.
  const script = `import(${MODULES[0]}).then((m) => m.makeFolder('/proc/lpa/x')).catch((error) => console.log(error.exitCode, error.message))`
  const { stdout } = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })
  expect(stdout).toBe('73 The folder /proc/lpa cannot be made (ENOENT).\n')
})

test('a new file is whole and private, and never in place of another', () => {
  const file = join(folder, 'lpa.toml')
  expect(writeNew(file, 'one')).toBe(true)
  expect(writeNew(file, 'two')).toBe(false)
  expect(readFileSync(file, 'utf8')).toBe('one')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['lpa.toml'])
})

test('where nothing can be written no file is left, and the error names it', (context) => {
  if (process.platform === 'win32') context.skip('no ulimit')
  const script = `Promise.all([${MODULES.join()}].map((name) => import(name))).then(async ([fresh, keys, reports]) => {
    const told = (error) => console.log(error.code, error.path)
    try { fresh.writeNew('new.txt', 'text') } catch (error) { told(error) }
    try { keys.createKey('new.key') } catch (error) { told(error) }
    await reports.writeWhole('report.json', 'text').catch(told)
  })`
  // As on a full disk: the file is opened, and takes nothing.
  const { stdout } = spawnSync(
    'sh',
    ['-c', 'ulimit -f 0; exec "$@" | cat', 'sh', process.execPath, '-e', script],
    { cwd: folder, encoding: 'utf8' },
  )
  expect(stdout).toBe('EFBIG new.txt\nEFBIG new.key\nEFBIG report.json\n')
  expect(readdirSync(folder)).toEqual([])
})
