import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from '../scripts/oclif-config.ts'
import { SHELLS, type Shell } from '../src/completion.ts'
import { listSql } from '../src/sql-files.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-completion-'))
  for (const shell of SHELLS) {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [join(ROOT, 'bin', 'dev.js'), 'completion', shell],
      {
        encoding: 'utf8',
      },
    )
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    writeFileSync(join(folder, `lpa.${shell}`), stdout)
  }
  writeFileSync(
    join(folder, 'lpa.toml'),
    '[profiles.prod.warehouse]\n[profiles.dev.warehouse]\n[profiles.dev.load]\n[sources.lms]\nuri = "x"\n',
  )
  mkdirSync(join(folder, 'below'))
  writeFileSync(join(folder, 'below', 'a-file'), '')
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0

/** What each shell offers after these words; the last one is where the cursor is. */
const complete: Readonly<Record<Shell, (words: readonly string[]) => string[]>> = {
  bash: (words) =>
    run('bash', [
      '--norc',
      '-c',
      `source ../lpa.bash
complete -p lpa >&2 || exit 1
# Stands in for bash, which offers files by itself where there is no word, unless told otherwise.
files=a-file; compopt() { files=; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lpa; [ -n "$COMPREPLY" ] || COMPREPLY=("$files"); printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      // As bash splits them: --flag=value is three words.
      ...words.flatMap((word) => word.split(/(=)/).filter((part, index) => index === 0 || part !== '')),
    ]),
  zsh: (words) =>
    run('zsh', [
      '-f',
      '-c',
      // The completion system needs a terminal; its three functions that are used are stood in for.
      `compdef() { : }; _files() { print a-file }; compset() { : }
compadd() { shift; local word; for word; do [[ $word == \${current##*=}* ]] && print -r -- $word && found=; done; [[ -v found ]] }
source ../lpa.zsh; words=("$@"); CURRENT=$#; _lpa`,
      'zsh',
      ...words,
    ]),
  fish: (words) =>
    run('fish', [
      '--no-config',
      '-c',
      `source ../lpa.fish; complete -C ${JSON.stringify(words.join(' '))}`,
    ]).map((line) => line.split('\t')[0] ?? ''),
}

function run(shell: string, args: readonly string[]): string[] {
  const { stdout, stderr, status } = spawnSync(shell, args, {
    cwd: join(folder, 'below'),
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: folder, LANG: 'C.UTF-8' },
  })
  expect(status, stderr).toBe(0)
  return stdout.split('\n').filter(Boolean).sort()
}

describe.each(SHELLS)('%s', (shell) => {
  beforeEach((context) => {
    if (!has(shell)) context.skip(`there is no ${shell}: apt-get install ${shell}`)
  })

  it.each([
    ['a command', ['lpa', 'comp'], ['completion']],
    ['the second word', ['lpa', 'schema', ''], ['apply', 'plan', 'status']],
    ['an argument', ['lpa', 'completion', 'f'], ['fish']],
    ['a flag', ['lpa', 'load', '--max'], ['--max-rejects']],
    ['a flag of a second word', ['lpa', 'schema', 'apply', '--loc'], ['--lock-wait']],
    ['values of a flag', ['lpa', 'query', '--format', 'nd'], ['ndjson']],
    ['profiles, from lpa.toml above', ['lpa', 'load', '--profile', ''], ['dev', 'prod']],
    ['sources, from lpa.toml above', ['lpa', 'load', 'l'], ['lms']],
    ['sources of a flag', ['lpa', 'rejects', '--source', ''], ['lms']],
    ['entities', ['lpa', 'load', '--as', 'course_c'], ['course_category', 'course_completion']],
    ['files where an argument is one', ['lpa', 'load', 'a-'], ['a-file']],
    ['no files where none is', ['lpa', 'rejects', 'show', ''], []],
    ['reports', ['lpa', 'query', 'enroll'], listSql('reports').filter((name) => name.startsWith('enroll'))],
    ['reports after flags', ['lpa', 'query', '--json', 'enroll'], ['enrollments']],
  ])('%s', (_, words, wanted) => {
    expect(complete[shell](words)).toEqual(wanted)
  })

  it('values after =', () => {
    // fish answers with the whole word.
    expect(
      complete[shell](['lpa', 'query', '--format=nd']).map((word) => word.replace(/^--format=/, '')),
    ).toEqual(['ndjson'])
  })

  it('all reports', () => {
    const offered = complete[shell](['lpa', 'query', ''])
    for (const report of listSql('reports')) expect(offered).toContain(report)
  })
})
