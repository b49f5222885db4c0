import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openLog, silentLog } from './log.ts'
import { rememberSecret } from './secrets.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-log-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const textOf = (stream: PassThrough) => String(stream.read() ?? '')

it('is silent unless asked for', async () => {
  expect(await openLog({ verbose: 0, stderr: new PassThrough(), runId: 'r1' })).toBe(silentLog)
})

it('writes JSON lines with time, level and run to a private file, and appends', async () => {
  const file = join(folder, 'lpa.log')
  for (const message of ['first', 'second']) {
    const log = await openLog({ file, verbose: 0, stderr: new PassThrough(), runId: 'r1' })
    log.info(message, { rows: 2n ** 60n, file: 'a.csv', none: undefined })
    log.debug('not this')
    await log.close()
  }
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      run: 'r1',
      rows: '1152921504606846976',
      file: 'a.csv',
      msg: 'first',
    },
    expect.objectContaining({ msg: 'second' }),
  ])
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

it('writes readable, harmless lines to stderr with -v, and everything with -vv', async () => {
  const stderr = new PassThrough()
  const quiet = await openLog({ verbose: 1, stderr, runId: 'r1' })
  quiet.debug('too much')
  quiet.warn('odd \x1b[2J', { rows: 3 })
  expect(textOf(stderr)).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn {2}odd \\e\[2J rows=3\n$/)
  const loud = await openLog({ verbose: 2, stderr, runId: 'r1' })
  loud.debug('everything')
  expect(textOf(stderr)).toContain('debug everything')
})

it('writes lines that harm no terminal', async () => {
  const file = join(folder, 'hostile.log')
  const hostile = '\x1b[2J \u009b2J \x7f \u202e \u2028 \u{e0041}.csv'
  const log = await openLog({ file, verbose: 0, stderr: new PassThrough(), runId: 'r1' })
  log.info('loaded', { file: hostile })
  await log.close()
  const line = readFileSync(file, 'utf8').trimEnd()
  expect(line).toMatch(/^[\x20-\x7e]+$/)
  expect(JSON.parse(line).file).toBe(hostile)
})

it('hides secrets', async () => {
  rememberSecret('log-canary-1')
  const file = join(folder, 'lpa.log')
  const stderr = new PassThrough()
  const log = await openLog({ file, verbose: 1, stderr, runId: 'r1' })
  log.error('failed with log-canary-1', { url: 'https://u:log-canary-1@host' })
  await log.close()
  expect(readFileSync(file, 'utf8') + textOf(stderr)).not.toContain('canary')
})

it('says when the disk is full: before anything is done, or once', async (context) => {
  if (!existsSync('/dev/full')) context.skip('no /dev/full')
  const stderr = new PassThrough()
  const log = await openLog({ file: '/dev/full', verbose: 0, stderr, runId: 'r1' })
  expect(() => log.info('started')).toThrow(expect.objectContaining({ code: 'LPA-LOG-OPEN', exitCode: 73 }))
  log.info('ended')
  await log.close()

  // A file that is full after its first line.
  const file = join(folder, 'full.log')
  const script = `const { openLog } = await import(${JSON.stringify(join(import.meta.dirname, 'log.ts'))})
    const log = await openLog({ file: ${JSON.stringify(file)}, verbose: 0, stderr: process.stderr, runId: 'r1' })
    process.on('SIGXFSZ', () => {})
    for (let line = 0; line < 5; line += 1) log.info('x'.repeat(1000))
    await log.close()`
  const command = `ulimit -f 2; exec "$0" --import tsx --input-type=module -e "$1"`
  const ran = spawnSync('bash', ['-c', command, process.execPath, script], { encoding: 'utf8' })
  expect(ran.stderr).toBe(
    `Warning: The log file ${file} cannot be written (EFBIG). The run goes on without it.\n`,
  )
  expect(ran.status).toBe(0)
})

it('says when the file cannot be written', async () => {
  const opening = openLog({
    file: join(folder, 'no', 'lpa.log'),
    verbose: 0,
    stderr: new PassThrough(),
    runId: 'r1',
  })
  await expect(opening).rejects.toMatchObject({ code: 'LPA-LOG-OPEN', exitCode: 73 })
})
