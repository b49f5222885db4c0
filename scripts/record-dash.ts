/**
 * Records a session of the dashboard over the sample campus:
 *   node scripts/record-dash.ts
 * docs/pictures/dash.cast is all that was written to the terminal, for `asciinema play`; dash.svg is the same as a picture
 * that moves. A screen as it is exported is courses.svg.
 */

import { spawnSync } from 'node:child_process'
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BareTerminal, type Piece } from '../bench/dash/terminal.ts'
import { buildWhenStale } from './build.ts'
import { ROOT } from './oclif-config.ts'
import { movingPicture } from './terminal-picture.ts'

const SIZE = { columns: 104, rows: 32 }
const FOLDER = join(ROOT, 'docs', 'pictures')
const RUN = join(ROOT, 'bin', 'run.js')

/** Keys and how long they are looked at, in seconds; a function is what another terminal does meanwhile. */
const SESSION: readonly (readonly [key: string | (() => void), seconds: number])[] = [
  ['', 2.5],
  ...Array.from({ length: 3 }, () => ['j', 0.35] as const),
  ['\r', 2.5],
  ['\x1b', 1],
  ['c', 2],
  ['c', 0.5],
  ['2', 2],
  ['3', 2.5],
  ['5', 2.5],
  ...Array.from(':cell', (key) => [key, 0.2] as const),
  ['', 0.8],
  ['\r', 2],
  ['1', 0.8],
  [loadMore, 3.5],
  ['7', 2],
  ['?', 2.5],
  ['?', 0.6],
  ['1', 2],
]

const work = mkdtempSync(join(tmpdir(), 'lpa-record-'))

function lpa(...words: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [RUN, ...words, '-q'], {
    cwd: work,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`lpa ${words.join(' ')}: exit ${status}\n${stderr}`)
}

/** A morning's enrollments, which the dashboard shows without being asked. */
function loadMore(): void {
  const rows = Array.from({ length: 60 }, (_, index) => {
    const minute = String(index).padStart(2, '0')
    return `NEW${index},NEW${index},PHY101,2026-06-30T10:${minute}:00Z,active,audit`
  })
  writeFileSync(
    join(work, 'more.csv'),
    `enrollment_id,learner_id,course_id,enrolled_at,status,mode\n${rows.join('\n')}\n`,
  )
  appendFileSync(join(work, 'lpa.toml'), '\n[sources.today]\nuri = "more.csv"\nid_space = "campus"\n')
  lpa('load', 'today')
  lpa('batch')
}

async function record(): Promise<readonly Piece[]> {
  const terminal = new BareTerminal(`'${process.execPath}' '${RUN}' dash`, work, { LPA_THEME: 'dark' }, SIZE)
  await terminal.shows(/● live/)
  for (const [step, seconds] of SESSION) {
    if (typeof step === 'string') terminal.type(step)
    else step()
    await sleep(seconds * 1000)
  }
  const { pieces } = terminal
  await terminal.end()
  return pieces
}

/** https://docs.asciinema.org/manual/asciicast/v2/ */
function castOf(pieces: readonly Piece[]): string {
  const header = {
    ...{ version: 2, width: SIZE.columns, height: SIZE.rows },
    ...{ title: 'lpa dash', env: { TERM: 'xterm-256color' } },
  }
  const events = pieces.map(({ at, text }) => [Number((at / 1000).toFixed(3)), 'o', text])
  return `${[header, ...events].map((line) => JSON.stringify(line)).join('\n')}\n`
}

await buildWhenStale()
try {
  lpa('up', '--sample')
  const pieces = await record()
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, 'dash.cast'), castOf(pieces))
  writeFileSync(join(FOLDER, 'dash.svg'), await movingPicture(pieces, SIZE))
  lpa('dash', '--screen', 'courses', '--export', 'courses.svg')
  copyFileSync(join(work, 'courses.svg'), join(FOLDER, 'courses.svg'))
} finally {
  rmSync(work, { recursive: true, force: true })
}
