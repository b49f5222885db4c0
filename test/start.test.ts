/** The entry: what a shell sees of exit codes, pipes and Node versions, whatever the command is. */

import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const RUN = join(ROOT, 'bin', 'run.js')
const MEGABYTES = 3

let folder = ''
let entry = ''

/** A command line with two commands of its own on the real entry. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-start-'))
  mkdirSync(join(folder, 'commands'))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const pjson = {
    name: 'trial',
    version: '1.0.0',
    type: 'module',
    oclif: { bin: 'trial', commands: './commands' },
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(pjson))
  const command = (body: string) =>
    `import { Command } from '@oclif/core'\nexport default class extends Command { async run() { ${body} } }\n`
  const much = `process.stdout.write('x'.repeat(${MEGABYTES}e6)); process.stderr.write('y'.repeat(${MEGABYTES}e6))`
  writeFileSync(join(folder, 'commands', 'much.js'), command(`${much}; this.exit(65)`))
  writeFileSync(
    join(folder, 'commands', 'late.js'),
    command(
      `setTimeout(() => { throw new Error('late') }, 1); await new Promise(() => setInterval(() => {}, 1e6))`,
    ),
  )
  entry = join(folder, 'entry.js')
  const start = pathToFileURL(join(ROOT, 'dist', 'src', 'start.js')).href
  writeFileSync(entry, `import { start } from '${start}'\nawait start({ root: '${folder}' })\n`)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('every byte reaches a slow reader, on both streams, whatever the exit code', async () => {
  const child = spawn(process.execPath, [entry, 'much'])
  const ended = new Promise((resolve) => child.on('close', resolve))
  await sleep(500)
  const read = { stdout: 0, stderr: 0 }
  child.stdout.on('data', (chunk: Buffer) => {
    read.stdout += chunk.length
  })
  child.stderr.on('data', (chunk: Buffer) => {
    read.stderr += chunk.length
  })
  expect(await ended).toBe(65)
  expect(read).toEqual({ stdout: MEGABYTES * 1e6, stderr: MEGABYTES * 1e6 })
})

test('a reader that goes away ends it quietly, as SIGPIPE would', async () => {
  const script = `'${process.execPath}' '${entry}' much 2>'${folder}/stderr' | head -c 5; echo " \${PIPESTATUS[0]}"`
  const { stdout } = await promisify(execFile)('bash', ['-c', script])
  expect(stdout).toBe('xxxxx 141\n')
})

test('an error that nobody awaited is an internal error, not a crash', async () => {
  await expect(promisify(execFile)(process.execPath, [entry, 'late'])).rejects.toMatchObject({
    code: 70,
    stderr: expect.stringContaining('late'),
  })
})

test('--version and -V agree and say what runs', async () => {
  for (const flag of ['--version', '-V']) {
    const { stdout } = await promisify(execFile)(process.execPath, [RUN, flag])
    expect(stdout).toBe(`lpa/0.1.0 ${process.platform}-${process.arch} node-${process.version}\n`)
  }
})

test('an old Node is told so, with its path and the way out', async () => {
  // The entry reads process.versions before anything else, so a preloaded module can make it look old.
  const old = join(folder, 'old.cjs')
  writeFileSync(
    old,
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.0' } })",
  )
  await expect(promisify(execFile)(process.execPath, ['--require', old, RUN, 'query'])).rejects.toMatchObject(
    {
      code: 78,
      stderr: expect.stringMatching(/LPA-NODE-TOO-OLD: .*22\.19.*20\.11\.0[\s\S]*Install Node 24/),
    },
  )
})

test.each([
  ['--format', ['--format', 'json', 'query', '--list'], 'Write the command first, then its flags: '],
  ['-q', ['-q', 'query', '--list'], 'Write the command first, then its flags: '],
  ['--verison', ['--verison'], 'Did you mean lpa --version?'],
])('%s in front of the command is told how to be written', async (flag, args, next) => {
  await expect(promisify(execFile)(process.execPath, [RUN, ...args])).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining(`Error: ${flag} stands where the command should be.\n  ${next}`),
  })
})

test('init -q says nothing, but what a program asks for', async () => {
  const cwd = mkdtempSync(join(folder, 'init-'))
  const init = (...flags: string[]) => promisify(execFile)(process.execPath, [RUN, 'init', ...flags], { cwd })
  expect(await init('-q')).toEqual({ stdout: '', stderr: '' })
  const { stdout, stderr } = await init('-q', '--json')
  expect(JSON.parse(stdout).kept).toEqual(['lpa.toml', 'pseudonym.key', '.gitignore'])
  expect(stderr).toBe('')
})

test.runIf(existsSync('/dev/full'))('help and version too say that the disk is full', async () => {
  for (const words of ['--help', 'query --help', '--version', 'completion bash']) {
    const script = `'${process.execPath}' '${RUN}' ${words} > /dev/full`
    await expect(promisify(execFile)('bash', ['-c', script]), words).rejects.toMatchObject({
      code: 73,
      stderr: expect.stringMatching(/^Error: standard output cannot be written: [^\n]*\n/),
    })
  }
})

test.each([
  [['rejects', 'show', 'one', 'a.csv:1'], 'The argument is "one". It is a whole number.'],
  [['runs', '--limit', 'many'], '--limit is "many". It is a whole number.'],
  [['runs', '--limit', '0'], '--limit is "0". It is a whole number, 1 or more.'],
])('a number that is none is refused: %j', async (args, words) => {
  await expect(promisify(execFile)(process.execPath, [RUN, ...args])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`Error: ${words}\n`),
  })
})
