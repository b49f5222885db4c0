import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ENTRY = fileURLToPath(new URL('try-lpa.ts', import.meta.url))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-command-line-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const ENV = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', LANG: 'C.UTF-8' }

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function begin(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [ENTRY, ...args], { cwd: folder, env: { ...ENV, ...env } })
}

/** Runs to the end; standard input stays open, as under a terminal, and must not be waited for. */
function lpa(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return ended(begin(args, env))
}

function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    // As a shell tells it: what died of a signal has 128 and its number.
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], stdout, stderr }),
    )
  })
}

function shell(command: string, env: Record<string, string> = {}): Ended {
  const run = spawnSync('bash', ['-c', command], {
    cwd: folder,
    env: { ...ENV, NODE: process.execPath, LPA: ENTRY, ...env },
    encoding: 'utf8',
  })
  return { code: run.status, stdout: run.stdout, stderr: run.stderr }
}

describe('output', () => {
  it('puts data on stdout, and one summary line on stderr', async () => {
    const { code, stdout, stderr } = await lpa(['rows', '--format', 'csv'])
    expect(stdout).toBe('n,text\n0,Intro to SQL\n1,Intro to SQL\n')
    expect(stderr).toMatch(/^lpa rows: 2 rows \(0\.\d\d s\)\n$/)
    expect(code).toBe(0)
  })

  it('is silent on success with -q', async () => {
    expect(await lpa(['rows', '-q', '--json', '--count', '0'])).toEqual({
      code: 0,
      stdout: '[]\n',
      stderr: '',
    })
  })

  it('with -q tells what was done to the warehouse only when asked, but never hides findings', async () => {
    const work = ['work', '--ms', '1', '--record', 'quiet.json']
    const ready = 'ready\n'
    expect((await lpa(work)).stdout).toContain('worked')
    expect(await lpa([...work, '-q'])).toEqual({ code: 0, stdout: '', stderr: ready })
    expect((await lpa([...work, '-q', '--json'])).stdout).toBe('[\n{"step":"worked"}\n]\n')
    const found = await lpa([...work, '-q', '--findings'])
    expect(found).toMatchObject({ code: 1, stderr: expect.stringMatching(/^ready\nlpa work: worked \(/) })
  })

  it('disarms text from data on every path that is not JSON', async () => {
    const hostile = '\x1b]0;owned\x07\u009b2J'
    for (const format of ['table', 'csv', 'markdown', 'json']) {
      const { stdout, stderr } = await lpa(['rows', hostile, '--format', format, '--text', hostile])
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
      expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
    }
  })

  it('takes arguments after a flag that may come twice, and does not wait for standard input', async () => {
    const { stderr } = await lpa(['rows', '--param', 'a=1', 'enrollments', '--param', 'b=2'])
    expect(stderr).toContain('argument enrollments, parameters a=1 b=2')
    expect((await lpa(['rows'])).code).toBe(0)
  })

  it('hands over every byte to a slow reader, also when the exit code is not 0', () => {
    const { code, stdout } = shell(
      'set -o pipefail; $NODE $LPA rows --count 200000 --format ndjson --fail 2>/dev/null | (sleep 1; wc -lc)',
    )
    // {"n":0,"text":"Intro to SQL"}: 29 bytes and the line end, and 4.44 more digits on average.
    expect(stdout.trim().split(/\s+/)).toEqual(['200000', '6888890'])
    expect(code).toBe(65)
  })

  // The young generation has a bound too: left alone it takes what it likes, now and then more than all the rest.
  it.each(['csv', 'json'])('prints any number of rows as %s in 24 MB of heap', (format) => {
    const { stdout } = shell(
      `$NODE --max-old-space-size=24 --max-semi-space-size=4 $LPA rows --quiet --count 800000 --format ${format} | wc -l`,
    )
    expect(Number(stdout)).toBe(format === 'csv' ? 800_001 : 800_002)
  })

  it('is quiet when its reader has enough', () => {
    const { code, stdout, stderr } = shell(
      'set -o pipefail; $NODE $LPA rows --count 200000 --format csv | head -2',
    )
    expect({ stdout, stderr, code }).toEqual({ stdout: 'n,text\n0,Intro to SQL\n', stderr: '', code: 141 })
  })
})

describe.runIf(existsSync('/dev/full'))('a full disk under stdout', () => {
  it.each([2, 5000])('is said once, with exit code 73 (%d rows)', (count) => {
    const { code, stderr } = shell(`$NODE $LPA rows --count ${count} --format csv > /dev/full`)
    expect(stderr).toContain('Error: standard output cannot be written: the disk is full.\n')
    expect(stderr.length).toBeLessThan(500)
    expect(code).toBe(73)
  })
})

describe('errors', () => {
  it('say what, where, why, what next and a code; the stack only with --verbose', async () => {
    const plain = await lpa(['rows', '--fail'])
    expect(plain.code).toBe(65)
    expect(plain.stderr).toContain(`Error: grades.csv:12: Too many records were rejected.
  Look at them: lpa rejects list
  Allow more: --max-rejects 5%
  LPA-TRY-REJECTS, exit 65
`)
    expect(plain.stderr).not.toContain('.ts:')
    expect(plain.stderr).toMatch(/\nlpa rows: failed: LPA-TRY-REJECTS \(.* s\)\n$/)
    const verbose = await lpa(['rows', '--fail', '--verbose'])
    expect(verbose.stderr).toMatch(/Rows\.run .*rows\.ts:/)
    expect(verbose.stderr).toContain('Caused by: Error: the cause')
  })

  it('are one JSON line on stderr with --json', async () => {
    const { code, stdout, stderr } = await lpa(['rows', '--fail', '--json', '-q', '--count', '1'])
    expect(JSON.parse(stdout)).toEqual([{ n: 0, text: 'Intro to SQL' }])
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: 'LPA-TRY-REJECTS',
        exit: 65,
        message: 'Too many records were rejected.',
        where: 'grades.csv:12',
        next: ['Look at them: lpa rejects list', 'Allow more: --max-rejects 5%'],
      },
    })
    expect(code).toBe(65)
  })

  it.each([
    ['a flag', ['rows', '--cuont', '3'], 2, ['--cuont is not a flag of lpa rows.', 'Did you mean --count?']],
    ['a shared flag', ['rows', '--quite'], 2, ['Did you mean --quiet?']],
    ['an argument too many', ['rows', 'a', 'b'], 2, ['takes no argument "b" here']],
    ['a format', ['rows', '--format', 'jsn'], 2, ['--format is "jsn"', 'Did you mean json?']],
    ['no value', ['rows', '--text'], 2, ['expects a value']],
    ['a duration', ['rows', '--lock-wait', 'soon'], 2, ['--lock-wait: load.lock_wait is "soon"']],
    ['a profile', ['rows', '--profile', 'prod'], 78, ['There is no profile prod.']],
    ['a format it cannot', ['rows', '--format', 'chart'], 2, ['This cannot be shown as chart.']],
    [
      'a bug',
      ['work', '--break', 'bug'],
      70,
      ['Internal error: x is not a function', 'LPA-INTERNAL, exit 70'],
    ],
    ['a missing file', ['work', '--break', 'missing-file'], 66, ['no/such/file is not there (open).']],
  ])('%s', async (_, args, code, texts) => {
    const run = await lpa(args)
    for (const text of texts) expect(run.stderr).toContain(text)
    expect(run.stderr).not.toContain('.ts:')
    expect(run.stdout).toBe('')
    expect(run.code).toBe(code)
  })

  it('in lpa.toml say the line', async () => {
    const below = join(folder, 'wrong')
    mkdirSync(below)
    writeFileSync(join(below, 'lpa.toml'), '[warehouse]\npaht = "x"\n')
    const run = await lpa(['rows', '--config', 'wrong/lpa.toml'])
    expect(run.stderr).toContain(
      'Error: wrong/lpa.toml:2: warehouse.paht is not a setting.\n  Did you mean warehouse.path?',
    )
    expect(run.code).toBe(78)
  })
})

describe('signals', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s: a message within 200 ms, then the work stops: %d', async (signal, code) => {
    const child = begin(['work', '--record', `${signal}.json`])
    const end = ended(child)
    await line(child, 'ready')
    const sent = performance.now()
    child.kill(signal)
    await line(child, 'stopping')
    expect(performance.now() - sent).toBeLessThan(200)
    const run = await end
    expect(performance.now() - sent).toBeLessThan(1000)
    expect(run.code).toBe(code)
    expect(run.stderr).toMatch(
      new RegExp(
        `^ready\nlpa work: stopping \\(${signal}\\); .*\nlpa work: stopped by ${signal} \\(.*\\)\n$`,
      ),
    )
    expect(JSON.parse(readFileSync(join(folder, `${signal}.json`), 'utf8'))).toMatchObject({
      command: 'work',
      exitCode: code,
      summary: `stopped by ${signal}`,
    })
  })

  it('ends work that does not listen within 5 s', async () => {
    const child = begin(['work', '--deaf'])
    const end = ended(child)
    await line(child, 'ready')
    const sent = performance.now()
    child.kill('SIGINT')
    expect((await end).code).toBe(130)
    expect(performance.now() - sent).toBeLessThan(5000)
  })

  it('ends at once when told twice', async () => {
    const child = begin(['work', '--deaf'])
    const end = ended(child)
    await line(child, 'ready')
    child.kill('SIGTERM')
    await line(child, 'stopping')
    const sent = performance.now()
    child.kill('SIGTERM')
    expect((await end).code).toBe(143)
    expect(performance.now() - sent).toBeLessThan(500)
  })

  function line(child: ChildProcess, text: string): Promise<void> {
    return new Promise((resolve) => {
      let seen = ''
      child.stderr?.on('data', (chunk) => {
        seen += chunk
        if (seen.includes(text)) resolve()
      })
    })
  }
})

describe('--report and the record of the run', () => {
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'))

  it('tells what was done, exactly, in a private file', async () => {
    const args = ['rows', 'x y', '--report', 'ok.json', '--sql', "name = 'Alice'", '--param=who=Alice']
    expect((await lpa(args)).code).toBe(0)
    const text = readFileSync(join(folder, 'ok.json'), 'utf8')
    expect(text).toContain('"rows": 1152921504606846976')
    expect(read('ok.json')).toMatchObject({
      runId: expect.stringMatching(/^\d{8}-\d{6}-[0-9a-f]{6}$/),
      command: 'rows',
      arguments: '"x y" --report ok.json --sql … --param=…',
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      finishedAt: expect.stringMatching(/Z$/),
      exitCode: 0,
      summary: '2 rows',
    })
    expect(statSync(join(folder, 'ok.json')).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('tells failures, and of internal ones the code only', async () => {
    await lpa(['rows', '--fail', '--report', 'failed.json'])
    expect(read('failed.json')).toMatchObject({
      exitCode: 65,
      error: { code: 'LPA-TRY-REJECTS', where: 'grades.csv:12' },
    })
    await lpa(['work', '--break', 'bug', '--report', 'bug.json', '--record', 'record.json'])
    expect(read('bug.json')).toMatchObject({ exitCode: 70, error: { code: 'LPA-INTERNAL' } })
    expect(read('record.json')).toMatchObject({ exitCode: 70, summary: 'failed: LPA-INTERNAL' })
    expect(JSON.stringify([read('bug.json'), read('record.json')])).not.toContain('not a function')
  })

  it('fails when it cannot be written', async () => {
    const run = await lpa(['rows', '--report', 'no/such/folder/r.json'])
    expect(run.code).toBe(73)
    expect(run.stderr).toContain('There is no folder no/such/folder for r.json.')
    expect(run.stderr).not.toContain('.part')
  })
})

it('no secret appears in any output, log, error or record', async () => {
  const env = { LPA_TRY_TOKEN: 'canary-5f3a9c' }
  const runs = [
    await lpa(['rows', '--text', env.LPA_TRY_TOKEN, '-vv', '--log-file', 'canary.log'], env),
    await lpa(['rows', env.LPA_TRY_TOKEN, '--report', 'canary.json', '--fail'], env),
    await lpa(
      ['work', '--break', 'secret', '-vv', '--log-file', 'canary.log', '--record', 'canary2.json'],
      env,
    ),
    await lpa(['work', '--break', 'secret', '--json', '--report', 'canary3.json'], env),
  ]
  const files = ['canary.log', 'canary.json', 'canary2.json', 'canary3.json'].map((name) =>
    readFileSync(join(folder, name), 'utf8'),
  )
  const all = JSON.stringify([runs, files])
  expect(all).toContain('[secret]')
  expect(all).not.toContain('canary-5f3a9c')
})

describe('logs', () => {
  it('go to the file asked for, with the run in every line', async () => {
    await lpa(['rows', '--log-file', 'run.log', '-vv'])
    const lines = readFileSync(join(folder, 'run.log'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text))
    expect(lines.map(({ msg }) => msg)).toEqual(['started', 'printed', 'ended'])
    expect(new Set(lines.map(({ run }) => run)).size).toBe(1)
  })
})

describe('on a terminal', () => {
  // util-linux's script gives a process a terminal.
  const inTerminal = (command: string, env: Record<string, string> = {}) =>
    shell(`script -qec ${JSON.stringify(command)} /dev/null`, { TERM: 'xterm', ...env }).stdout

  it('progress is shown, and erased at the end', async () => {
    const text = inTerminal('$NODE $LPA work --ms 500')
    expect(text.replaceAll('\r\x1b[2K', '<erase>')).toMatch(
      /<erase>Working {2}\d+(\.\d)?k? rows[\s\S]*<erase>┌/,
    )
  })

  it.each([
    ['--quiet', 'work --ms 300 --quiet', {}],
    ['TERM=dumb', 'work --ms 300', { TERM: 'dumb' }],
  ])('nothing moves with %s', (_, command, env) => {
    expect(inTerminal(`$NODE $LPA ${command}`, env)).not.toContain('\x1b[2K')
  })

  it('heads are bold, unless told otherwise', () => {
    expect(inTerminal('$NODE $LPA rows')).toContain('\x1b[1mtext\x1b[22m')
    expect(inTerminal('$NODE $LPA rows --no-color')).not.toContain('\x1b')
    expect(inTerminal('$NODE $LPA rows', { NO_COLOR: '1' })).not.toContain('\x1b')
  })
})

it('shows nothing that moves when stderr is not a terminal', async () => {
  const { stderr } = await lpa(['work', '--ms', '300'])
  expect(stderr).toMatch(/^ready\nlpa work: worked \(.*\)\n$/)
})
