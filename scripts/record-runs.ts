/**
 * Runs the commands of docs/recorded-runs.md again and writes what they print under them:
 *   node scripts/record-runs.ts FOLDER     FOLDER holds the files that the page names
 * Each block is one run in a new folder, on a terminal of 80 columns. A command goes on in lines that begin with `>`.
 */

import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ROOT } from './oclif-config.ts'

const PAGE = join(ROOT, 'docs', 'recorded-runs.md')

function record(page: string, files: string): string {
  return page.replace(/^```\n(\$ [^`]*?)^```\n/gm, (_, block: string) => {
    const top = mkdtempSync(join(tmpdir(), 'lpa-recorded-'))
    try {
      const folder = join(top, 'run')
      for (const from of [files, join(ROOT, 'docs', 'examples')]) cpSync(from, folder, { recursive: true })
      const environment = { HOME: process.env.HOME, PATH: pathWithLpa(top), LANG: 'C.UTF-8', COLUMNS: '80' }
      const runs = commandsOf(block).map((lines) => run(lines, folder, environment))
      return `\`\`\`\n${runs.join('\n')}\`\`\`\n`
    } finally {
      rmSync(top, { recursive: true, force: true })
    }
  })
}

/** The lines of each command, as typed. */
function commandsOf(block: string): string[][] {
  const commands: string[][] = []
  for (const line of block.split('\n')) {
    if (line.startsWith('$ ')) commands.push([line])
    else if (line.startsWith('> ')) commands.at(-1)?.push(line)
  }
  return commands
}

function run(lines: readonly string[], cwd: string, env: NodeJS.ProcessEnv): string {
  const command = lines.map((line) => line.slice(2)).join('\n')
  // One pipe for both, so that they come in the order in which they were printed.
  const { stdout, status } = spawnSync('sh', ['-c', `exec 2>&1\n${command}`], { cwd, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command}\nended with ${status}: ${stdout}`)
  return `${lines.join('\n')}\n${stdout}`
}

function pathWithLpa(top: string): string {
  const bin = join(top, 'bin')
  mkdirSync(bin)
  const program = join(bin, 'lpa')
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'bin', 'run.js')}" "$@"\n`)
  chmodSync(program, 0o755)
  return `${bin}:/usr/local/bin:/usr/bin:/bin`
}

const [files] = process.argv.slice(2)
if (files === undefined) throw new Error('Which folder holds the files? node scripts/record-runs.ts FOLDER')
writeFileSync(PAGE, record(readFileSync(PAGE, 'utf8'), resolve(files)))
