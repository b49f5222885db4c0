import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from '../scripts/oclif-config.ts'
import { createKey } from '../src/pseudonym.ts'

const PAGE = readFileSync(join(ROOT, 'docs', 'cron.md'), 'utf8')

/** The code blocks of a language in docs/cron.md. */
function blocks(language: string): string[] {
  return [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(
    (match) => match[1] ?? '',
  )
}

const cronCommand = (crontab: string) => /^[\d*]+ [\d*]+ [\d*]+ [\d*]+ [\d*]+ (.*)$/m.exec(crontab)?.[1] ?? ''
const [crontab = ''] = blocks('cron')
const [service = '', timer = ''] = blocks('ini')
const settingsOf = (unit: string, key: string) =>
  [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map((match) => match[1] ?? '')

/** Stands for /: has srv/lpa with the exports, usr/local/bin/lpa, an empty home folder. */
let root: string
let home: string
let served: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lpa-cron-'))
  home = join(root, 'home')
  served = join(root, 'srv', 'lpa')
  const bin = join(root, 'usr', 'local', 'bin')
  for (const folder of [home, join(served, 'exports'), bin]) mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(bin, 'lpa'),
    `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'bin', 'run.js')}" "$@"\n`,
  )
  chmodSync(join(bin, 'lpa'), 0o755)
  writeFileSync(join(served, 'lpa.toml'), blocks('toml')[0] ?? '')
  createKey(join(served, 'pseudonym.key'))
  writeFileSync(
    join(served, 'exports', 'events.ndjson'),
    ['viewed', 'completed']
      .map((event_type, number) =>
        JSON.stringify({
          event_id: `e${number}`,
          event_type,
          learner_id: 'learner-1',
          course_id: 'CS101',
          activity_id: 'CS101/01-video',
          activity_type: 'video',
          session_id: 's1',
          occurred_at: `2026-01-12T08:1${number}:22Z`,
          attributes: {},
        }),
      )
      .join('\n'),
  )
  const made = start('cd /srv/lpa && /usr/local/bin/lpa schema apply --quiet', [])
  expect(made.status, made.output).toBe(0)
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

/** As cron and systemd start it: nothing of this environment, no terminal, no standard input. */
function start(command: string, variables: readonly string[]): { output: string; status: number | null } {
  // DuckDB's extension files were fetched into the cache before the tests: no download for each.
  const cache = `XDG_CACHE_HOME=${process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '', '.cache')}`
  const { stdout, stderr, status } = spawnSync(
    'env',
    ['-i', `HOME=${home}`, cache, ...variables, '/bin/sh', '-c', moved(command)],
    { cwd: home, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  )
  return { output: stdout + stderr, status }
}

/** The page's places, in `root`. */
function moved(text: string): string {
  return text.replaceAll('/srv/lpa', served).replaceAll('/usr/local/bin', join(root, 'usr', 'local', 'bin'))
}

function query(sql: string): unknown {
  const { output } = start(`cd /srv/lpa && /usr/local/bin/lpa query --quiet --json --sql "${sql}"`, [])
  return JSON.parse(output)
}

const BUILT = 'select count(*) as n from core.fact_learning_event'

describe('cron', () => {
  const run = () =>
    start(
      cronCommand(crontab),
      settingsOf(crontab, 'PATH').map((path) => `PATH=${moved(path)}`),
    )

  it('says nothing, builds the facts, and does nothing more the next night', () => {
    expect(run()).toEqual({ output: '', status: 0 })
    expect(query(BUILT)).toEqual([{ n: 2 }])
    expect(readFileSync(join(served, 'lpa.log'), 'utf8')).toContain('"msg":"ended"')
    expect(run()).toEqual({ output: '', status: 0 })
    expect(query(BUILT)).toEqual([{ n: 2 }])
  })

  it('says what is wrong, with its exit code, and does not go on', () => {
    writeFileSync(join(served, 'exports', 'events.ndjson'), 'this is not JSON\n'.repeat(50))
    const { output, status } = run()
    expect(status).toBe(65)
    expect(output).toMatch(/^Error: /m)
    expect(output).not.toContain('\x1b')
    expect(output).not.toContain('lpa batch')
  })
})

describe('systemd', () => {
  it('the service builds the facts, with the key as a credential', () => {
    const credentials = join(root, 'run', 'credentials')
    mkdirSync(credentials, { recursive: true })
    copyFileSync(join(served, 'pseudonym.key'), join(credentials, 'pseudonym.key'))
    rmSync(join(served, 'pseudonym.key'))
    expect(settingsOf(service, 'LoadCredential')).toEqual(['pseudonym.key:/etc/lpa/pseudonym.key'])
    const [folder] = settingsOf(service, 'WorkingDirectory')
    for (const command of settingsOf(service, 'ExecStart')) {
      const variables = ['PATH=/usr/bin:/bin', `CREDENTIALS_DIRECTORY=${credentials}`]
      expect(start(`cd ${folder} && ${command}`, variables)).toEqual({ output: '', status: 0 })
    }
    expect(query(BUILT)).toEqual([{ n: 2 }])
  })

  it('systemd accepts the units', (context) => {
    writeFileSync(join(root, 'lpa.service'), moved(service).replace(/^User=.*$/m, ''))
    writeFileSync(join(root, 'lpa.timer'), timer)
    for (const name of ['lpa.service', 'lpa.timer']) {
      const checked = spawnSync('systemd-analyze', ['verify', '--man=no', join(root, name)], {
        encoding: 'utf8',
      })
      if (checked.error) context.skip('there is no systemd-analyze: apt-get install systemd')
      expect(checked.stderr.split('\n').filter((line) => line.includes(root))).toEqual([])
    }
  })
})
