/**
 * What the live dashboard costs at 120 × 40, beside a bare Node and a script that opens the lake and asks the same.
 *
 * Beside them the first frames of harlequin, which pip fetches into the cache and which opens a small DuckDB file, and of btop
 * (apt-get install btop).
 *
 * usage: npm run bench:dash -- [--rounds N] [--warehouse FOLDER]     (default: 9 rounds over the sample campus)
 * A large one: lpa sample exports --learners 200000 --events 5000000 --format parquet && lpa up exports
 * Starts are medians, each round running all in turn; keys are percentiles of 200. With --warehouse the folder of
 * lpa.toml is taken as it is, and nothing is loaded into it: the rows about a data change are left out.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildWhenStale } from '../../scripts/build.ts'
import { SCREENS } from '../../src/dash/screens/index.ts'
import { type Peer, peers } from './peers.ts'
import { BareTerminal } from './terminal.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, warehouse: { type: 'string' } },
})
const rounds = Number(values.rounds)
const work = mkdtempSync(join(tmpdir(), 'lpa-bench-'))
const folder = values.warehouse ?? work
const RUN = join(ROOT, 'bin', 'run.js')
const DASH = `'${process.execPath}' '${RUN}' dash`
const LIVE = /● live/
const STORED = /opening v/
const REPORTS = ['overview', 'daily', 'course-table']

function lpa(...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [RUN, ...args, '-q'], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`lpa ${args.join(' ')}: exit ${status}\n${stderr}`)
}

const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)
const percentile = (numbers: readonly number[], share: number) =>
  sorted(numbers)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))] ?? Number.NaN
const median = (numbers: readonly number[]) => percentile(numbers, 0.5)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const table: string[][] = []
const tell = (what: string, measured: string, goal: string) => table.push([what, measured, goal])

// ── starts ────────────────────────────────────────────────────────────────────────────────────────────────

async function firstShown(command: string, ...wanted: readonly (string | RegExp)[]): Promise<number[]> {
  const terminal = new BareTerminal(command, folder)
  const times: number[] = []
  for (const one of wanted) times.push(await terminal.shows(one))
  await terminal.end()
  return times
}

async function starts(): Promise<void> {
  const bare = join(work, 'bare.mjs')
  writeFileSync(bare, `process.getBuiltinModule('node:fs').writeSync(1, 'started')`)
  const script = `'${process.execPath}' '${join(ROOT, 'bench', 'start', 'minimal-query.ts')}' warehouse ${REPORTS.join(' ')}`
  const beside = await peers(join(work, 'peers.duckdb'))
  const measured = {
    ...{ bare: [] as number[], script: [] as number[], skeleton: [] as number[] },
    ...{ frame: [] as number[], cold: [] as number[], live: [] as number[], first: [] as number[] },
    peers: beside.map((): number[] => []),
  }
  // The first round warms the caches and does not count.
  for (let round = 0; round <= rounds; round += 1) {
    const [node = 0] = await firstShown(`'${process.execPath}' '${bare}'`, 'started')
    const [answer = 0] = await firstShown(script, 'course_title')
    forgetResults()
    const [skeleton = 0, cold = 0, live = 0] = await firstShown(DASH, 'opening the', 'Enrollments/day', LIVE)
    // What it stored is shown before the engine is there.
    const [frame = 0] = await firstShown(DASH, STORED)
    const peerTimes: number[] = []
    for (const peer of beside) peerTimes.push(await firstFrameOf(peer))
    if (round === 0) continue
    measured.bare.push(node)
    measured.script.push(answer)
    measured.skeleton.push(skeleton / node)
    measured.cold.push(cold / node)
    measured.frame.push(frame / node)
    measured.first.push(frame)
    measured.live.push(live / answer)
    for (const [index, time] of peerTimes.entries()) measured.peers[index]?.push(time / live)
  }
  tell('skeleton after start ÷ bare node start', median(measured.skeleton).toFixed(2), '≤ 1.3')
  tell('full frame from stored results ÷ bare node start', median(measured.frame).toFixed(2), '≤ 5')
  tell('the first time: the screen without data ÷ bare node start', median(measured.cold).toFixed(2), '≤ 5')
  tell(
    'full frame with data ÷ a script that opens the lake and asks the same reports',
    median(measured.live).toFixed(2),
    '≤ 2.5',
  )
  for (const [index, { name }] of beside.entries()) {
    const goal = name === 'harlequin' ? '> 1' : ''
    tell(
      `first frame of ${name} ÷ full frame with data`,
      median(measured.peers[index] ?? []).toFixed(2),
      goal,
    )
  }
  const scale = [measured.bare, measured.script, measured.first].map(
    (times) => `${median(times).toFixed(0)} ms`,
  )
  tell('for scale: bare node, that script, frame from stored results', scale.join(', '), '')
}

async function firstFrameOf({ command, shows, leaves }: Peer): Promise<number> {
  const terminal = new BareTerminal(command, folder)
  const time = await terminal.shows(shows)
  await terminal.end(leaves)
  return time
}

/** As if nobody had looked at this warehouse yet. */
const forgetResults = () => rmSync(join(folder, 'warehouse', 'results'), { recursive: true, force: true })

/** Milliseconds from the start, of screens that nobody has looked at yet and of those that somebody has. */
async function screens(): Promise<void> {
  for (const { name } of SCREENS) {
    const times: { first: number[]; again: number[] } = { first: [], again: [] }
    for (let round = 0; round < 3; round += 1) {
      forgetResults()
      const command = `${DASH} --screen ${name}`
      times.first.push(...(await firstShown(command, LIVE)))
      times.again.push(...(await firstShown(command, STORED)))
    }
    const [first, again] = [times.first, times.again].map((some) => `${median(some).toFixed(0)} ms`)
    tell(`${name}: whole frame from stored results; the first time ever, live`, `${again}; ${first}`, '1 s')
  }
}

// ── while it runs ─────────────────────────────────────────────────────────────────────────────────────────

async function keys(terminal: BareTerminal, before: () => Promise<void>): Promise<number[]> {
  const times: number[] = []
  for (let count = 0; count < 200; count += 1) {
    await before()
    times.push(await terminal.press(count % 12 < 6 ? 'j' : 'k'))
    // People press neither in step with the drawing nor with the clock.
    await pause(20 + ((count * 37) % 60))
  }
  return times
}

const p50p95 = (times: readonly number[]) =>
  `${median(times).toFixed(0)}, ${percentile(times, 0.95).toFixed(0)} ms`

async function running(): Promise<void> {
  const terminal = new BareTerminal(DASH, folder)
  await terminal.shows(LIVE)
  await terminal.settles(1000)
  const peakMegabytes = terminal.peakMegabytes
  tell('key to bytes, p50, p95', p50p95(await keys(terminal, async () => {})), '< 40, then < 20')
  const whileRefreshing = await keys(terminal, async () => {
    await terminal.press('r')
    await pause(5)
  })
  tell('the same while all reports run', p50p95(whileRefreshing), '< 40, then < 20')

  await terminal.settles(7000)
  const [idleFrom, written] = [terminal.cpu, terminal.text.length]
  const seconds = 20
  await pause(seconds * 1000)
  const idle = terminal.cpu.all - idleFrom.all
  tell('idle CPU', `${(idle / (seconds * 10)).toFixed(2)} %`, '< 0.2 %')
  tell('idle output', `${terminal.text.length - written} bytes in ${seconds} s`, '0')
  if (values.warehouse === undefined) await dataChanges(terminal)
  tell('memory without the engine’s own', `${memory(peakMegabytes)}`, '< 110 MB')
  await terminal.end()
}

/** Each time an enrollment more, and all facts made anew. */
async function dataChanges(terminal: BareTerminal): Promise<void> {
  const [cpu, bytes]: [number[], number[]] = [[], []]
  for (let count = 0; count < 5; count += 1) {
    const file = join(folder, `more-${count}.csv`)
    const row = `MORE${count},MORE${count},PHY101,2026-06-30T10:00:00Z,active,audit`
    writeFileSync(file, `enrollment_id,learner_id,course_id,enrolled_at,status,mode\n${row}\n`)
    const [from, start] = [terminal.cpu, terminal.text.length]
    lpa('load', file)
    lpa('batch', '--full')
    await pause(2500)
    await terminal.settles()
    const written = terminal.text.slice(start)
    const frames = written.split('\x1b[?2026h').length - 1
    cpu.push((terminal.cpu.drawing - from.drawing) / frames)
    bytes.push(Buffer.byteLength(written) / frames)
  }
  tell('CPU of a frame that data changed', `${median(cpu).toFixed(0)} ms`, '≤ 30 ms')
  tell('bytes of a frame that data changed', `${median(bytes).toFixed(0)}`, '≤ 1024')
}

/** The dashboard's peak less that of the script with the same engine and reports, plus a bare Node's. */
function memory(whole: number): string {
  const peak = (...words: string[]) => {
    const file = join(work, 'memory')
    spawnSync(process.execPath, ['--import', join(ROOT, 'bench', 'report-memory.mjs'), ...words], {
      cwd: folder,
      env: { ...process.env, BENCH_MEMORY: file },
    })
    return Number(readFileSync(file, 'utf8'))
  }
  const script = peak(join(ROOT, 'bench', 'start', 'minimal-query.ts'), 'warehouse', ...REPORTS)
  return `${(whole - script + peak(join(work, 'bare.mjs'))).toFixed(0)} MB (${whole.toFixed(0)} in all, the script ${script.toFixed(0)})`
}

await buildWhenStale()
if (values.warehouse === undefined) lpa('up', '--sample')
await starts()
await screens()
await running()
const lines = [['', 'measured', 'goal'], ['---', '---', '---'], ...table].map(
  (cells) => `| ${cells.join(' | ')} |`,
)
process.stdout.write(`120 × 40, ${rounds} rounds\n\n${lines.join('\n')}\n`)
rmSync(work, { recursive: true, force: true })
