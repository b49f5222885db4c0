/** The live dashboard in a real terminal: what keys do, what is written, and how it is left. */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from 'vitest'
import { BareTerminal } from '../bench/dash/terminal.ts'
import { ROOT } from '../scripts/oclif-config.ts'
import { type Command, KEYS } from '../src/dash/live/keys.ts'
import { SCREENS } from '../src/dash/screens/index.ts'
import { generateCampus } from '../src/pipeline/sample/campus.ts'
import { textWidth } from '../src/text-width.ts'
import { until } from './faults/until.ts'
import { TEXTS } from './hostile/texts.ts'
import { noTmux, Tmux, type TmuxOptions } from './tmux.ts'
import { TryWarehouse } from './try-warehouse.ts'

const RUN = join(ROOT, 'bin', 'run.js')
const LIVE = /● live v\d+ \d\d:\d\d/

let place: TryWarehouse

beforeAll(async () => {
  place = await TryWarehouse.create()
  const exports = join(place.folder, 'exports')
  await generateCampus(exports, { learners: 200, events: 3000, seed: 3, badRows: 0 })
  const files = ['learners.csv', 'courses.json', 'enrollments.csv', 'completions.csv', 'events.ndjson']
  await place.load(files.map((file) => join(exports, file)))
  await place.build()
})
afterAll(() => place[Symbol.dispose]())

beforeEach((context: TestContext) => {
  const reason = noTmux()
  if (reason !== undefined) context.skip(reason)
})

function terminal(options: Partial<TmuxOptions> = {}): Tmux {
  const tmux = new Tmux({
    folder: place.folder,
    ...options,
    env: { HOME: place.folder, XDG_CACHE_HOME: cache(), LPA_DASH_REFRESH: '250ms', ...options.env },
  })
  tmux.enter(`lpa() { '${process.execPath}' '${RUN}' "$@"; }; echo what was there before`)
  return tmux
}

const cache = () => process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '', '.cache')

async function dash(options: Partial<TmuxOptions> = {}, words = ''): Promise<Tmux> {
  const tmux = terminal(options)
  tmux.enter(`lpa dash ${words}; echo "ended with $?"`)
  await tmux.shows(LIVE)
  await tmux.settles()
  return tmux
}

/** The process of lpa itself, below the window's shell. */
function lpaProcess(tmux: Tmux): number {
  return Number(spawnSync('pgrep', ['-P', `${tmux.paneProcess}`], { encoding: 'utf8' }).stdout.split('\n')[0])
}

async function expectRestored(tmux: Tmux, code: number): Promise<void> {
  await tmux.shows(`ended with ${code}`)
  expect(tmux.screen).toContain('what was there before')
  expect({ alternate: tmux.is('alternate_on'), cursor: tmux.is('cursor_flag') }).toEqual({
    alternate: false,
    cursor: true,
  })
  tmux.enter('stty -a | grep -o -e " -\\?icanon" -e " -\\?echo " | xargs echo modes')
  await tmux.shows('modes icanon echo')
}

/** The table's rows as they are shown, and which of them is chosen. */
function table(tmux: Tmux): { readonly rows: readonly string[]; readonly chosen: number } {
  const { lines } = tmux
  const heading = lines.findIndex((line) => /^ {2}COURSE /.test(line))
  const rows = lines
    .slice(heading + 1, -1)
    .filter((line) => /^[› ] \S/.test(line) && !/^ {2}\d+(-\d+)? of /.test(line))
  return { rows, chosen: rows.findIndex((line) => line.startsWith('›')) }
}

async function choosesRow(tmux: Tmux, row: number): Promise<void> {
  await until(() => table(tmux).chosen === row, `row ${row} is chosen`)
}

/** Each key shows the screen of its number. */
async function showsInTurn(tmux: Tmux, steps: readonly (readonly [string, number])[]): Promise<void> {
  for (const [key, number] of steps) {
    tmux.press(key)
    await tmux.shows(`›${number}`)
  }
}

// ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What each command does, tried with every one of its keys. One after the other, on the same dashboard. */
const DOES: Readonly<Record<Command, (tmux: Tmux) => Promise<void>>> = {
  async down(tmux) {
    tmux.press('j', 'Down')
    await choosesRow(tmux, 2)
  },
  async up(tmux) {
    tmux.press('k')
    await choosesRow(tmux, 1)
    tmux.press('Up')
    await choosesRow(tmux, 0)
  },
  async last(tmux) {
    const last = table(tmux).rows.length - 1
    expect(last).toBeGreaterThan(5)
    tmux.press('G')
    await choosesRow(tmux, last)
    tmux.press('g', 'End')
    await choosesRow(tmux, last)
  },
  async first(tmux) {
    tmux.press('g')
    await choosesRow(tmux, 0)
    tmux.press('G', 'Home')
    await choosesRow(tmux, 0)
  },
  async pageDown(tmux) {
    const far = Math.min(10, table(tmux).rows.length - 1)
    tmux.press('C-d')
    await choosesRow(tmux, far)
    tmux.press('g', 'PageDown')
    await choosesRow(tmux, far)
  },
  async pageUp(tmux) {
    tmux.press('C-u')
    await choosesRow(tmux, 0)
    tmux.press('G', 'PageUp')
    await choosesRow(tmux, 0)
  },
  async screen(tmux) {
    for (const { number, shortTitle } of SCREENS) {
      tmux.press(`${number}`)
      await tmux.shows(`›${number} ${shortTitle}`)
    }
    tmux.press('1')
    await tmux.shows('›1')
  },
  nextScreen: (tmux) =>
    showsInTurn(tmux, [
      ['l', 2],
      ['Right', 3],
      ['Tab', 4],
    ]),
  previousScreen: (tmux) =>
    showsInTurn(tmux, [
      ['h', 3],
      ['Left', 2],
      ['BTab', 1],
    ]),
  async open(tmux) {
    tmux.press('j')
    await choosesRow(tmux, 1)
    const title = table(tmux).rows[1]?.slice(2, 15)
    tmux.press('Enter')
    await tmux.shows(`‹ Courses / ${title}`)
    await tmux.shows('›4')
  },
  async back(tmux) {
    tmux.press('Escape')
    await tmux.shows('›1')
    await choosesRow(tmux, 1)
  },
  async filter(tmux) {
    const all = table(tmux).rows
    tmux.type('/intro')
    await tmux.shows('/intro▏')
    tmux.press('Enter')
    await tmux.shows(/days to .* \/intro /)
    const found = table(tmux).rows
    expect(found.length).toBeGreaterThan(0)
    for (const row of found) expect(row.toLowerCase()).toContain('intro')
    tmux.type('/')
    tmux.press('C-u')
    tmux.type('!intro')
    tmux.press('Enter')
    await tmux.shows(/ \/!intro /)
    const others = table(tmux).rows
    expect(others.length).toBe(all.length - found.length)
    for (const row of others) expect(row.toLowerCase()).not.toContain('intro')
    tmux.press('Escape')
    await until(() => table(tmux).rows.length === all.length, 'the filter is gone')
  },
  async sort(tmux) {
    tmux.press('s')
    await tmux.shows(/COURSE ▼/)
    tmux.press('s')
    await tmux.shows(/ENROLLED ▼/)
  },
  async turnSort(tmux) {
    const titles = () => table(tmux).rows.map((row) => row.slice(2, 20))
    const before = titles()
    tmux.press('S')
    await tmux.shows(/ENROLLED ▲/)
    expect(titles()).toEqual(before.toReversed())
  },
  async range(tmux) {
    for (const days of [90, 364, 7, 28]) {
      tmux.press('t')
      await tmux.shows(`New in ${days} days`)
      await tmux.shows(` ${days} days to `)
    }
  },
  async compare(tmux) {
    tmux.press('c')
    await tmux.shows(/days to .*, compared/)
    await tmux.shows('28 days before')
    tmux.press('c')
    await until(() => !tmux.screen.includes('compared'), 'nothing is compared')
  },
  async style(tmux) {
    const hasColumns = () => /│[^│]*█/.test(tmux.lines.slice(3, 12).join('\n'))
    expect(hasColumns()).toBe(false)
    tmux.press('v')
    await until(hasColumns, 'there are columns')
  },
  async pause(tmux) {
    tmux.press('p')
    await tmux.shows('● paused v')
    tmux.press('p')
    await tmux.shows(LIVE)
  },
  async refresh(tmux) {
    tmux.press('r')
    await tmux.shows('Reading everything again.')
  },
  async copy(tmux) {
    tmux.press('g', 'y')
    await tmux.shows('clipboard')
    const [title = '', ...cells] = tmux.clipboard.split('\t')
    expect(table(tmux).rows[0]).toContain(title.slice(0, 15))
    expect(cells.length).toBeGreaterThan(3)
  },
  async palette(tmux) {
    tmux.type(':health')
    await tmux.shows(':health▏')
    tmux.press('Enter')
    await tmux.shows('›7')
    tmux.type(':')
    // Courses are there without their screen having been looked at.
    await tmux.shows(/Introduction/)
    tmux.type('introduction')
    tmux.press('Enter')
    await tmux.shows('‹ Courses / Introduction')
    tmux.press('Escape')
    await tmux.shows('›7')
  },
  async help(tmux) {
    tmux.press('?')
    // A screen has no key for what changes nothing on it.
    const lacks: readonly Command[] = SCREENS.find(({ number }) => number === 7)?.lacks ?? []
    for (const { command, help } of KEYS) {
      if (lacks.includes(command)) expect(tmux.screen).not.toContain(help)
      else await tmux.shows(help)
    }
    tmux.press('?')
    await tmux.shows('›7')
  },
  async export(tmux) {
    tmux.press('e')
    await tmux.shows('Written: lpa-health.html')
    expect(readFileSync(join(place.folder, 'lpa-health.html'), 'utf8')).toContain(
      '<title>Data health</title>',
    )
  },
  async suspend(tmux) {
    tmux.press('C-z')
    await tmux.shows('Stopped')
    tmux.enter('fg')
    await tmux.shows('›7')
  },
  async quit(tmux) {
    const lpa = lpaProcess(tmux)
    tmux.press('q')
    await until(() => !isRunning(lpa), 'lpa has ended')
    // After fg the shell has forgotten the rest of its line.
    tmux.enter('lpa dash; echo "ended with $?"')
    await tmux.shows(LIVE)
    tmux.press('q')
    await expectRestored(tmux, 0)
  },
  async interrupt(tmux) {
    tmux.enter('lpa dash; echo "ended with $?"')
    await tmux.shows(LIVE)
    tmux.press('C-c')
    await expectRestored(tmux, 130)
  },
}

describe('keys', () => {
  it('do what the help says', async () => {
    using tmux = await dash({ columns: 110, rows: 34 })
    for (const [command, does] of Object.entries(DOES)) {
      await does(tmux).catch((error) => {
        throw new Error(`${command}: ${error.message}`, { cause: error })
      })
    }
  })

  it('have the mouse beside them where it is asked for, and it is given back', async () => {
    using tmux = await dash({ columns: 110, rows: 34 }, '--mouse')
    const click = (column: number, row: number) =>
      tmux.type(`\x1b[<0;${column};${row}M\x1b[<0;${column};${row}m`)
    const clickOn = (text: string) => {
      const row = tmux.lines.findIndex((line) => line.includes(text))
      click((tmux.lines[row]?.indexOf(text) ?? 0) + 1, row + 1)
    }
    const hasMouse = () => tmux.is('mouse_standard_flag') && tmux.is('mouse_sgr_flag')
    await until(hasMouse, 'the mouse is taken')
    tmux.type('\x1b[<65;50;20M\x1b[<65;50;20M')
    await choosesRow(tmux, 2)
    clickOn('3 Funnel')
    await tmux.shows('›3')
    tmux.press('C-z')
    await tmux.shows('Stopped')
    expect(hasMouse()).toBe(false)
    tmux.enter('fg')
    await tmux.shows('›3')
    await until(hasMouse, 'the mouse is taken again')
    clickOn('1 Over')
    await tmux.shows('›1')
    clickOn('q quit')
    await until(() => !tmux.is('alternate_on'), 'the dashboard was left')
    expect(hasMouse()).toBe(false)
    tmux.enter('cat -v')
    // Nothing of the mouse was left to be read by the shell.
    tmux.enter('typed')
    await tmux.shows(/^typed$/m)
    expect(tmux.screen).not.toContain('[<')
  })

  it('leave the mouse to the terminal unless it is asked for', async () => {
    using tmux = await dash()
    expect(tmux.is('mouse_any_flag')).toBe(false)
  })

  it('arrive all when they are pasted at once', async () => {
    using tmux = await dash()
    tmux.type('jjjjk')
    await choosesRow(tmux, 3)
  })
})

// ── what is written ───────────────────────────────────────────────────────────────────────────────────────

const ESC = '\\x1b'
const CLEARS = new RegExp(`${ESC}\\[[0-3]?J|${ESC}c`, 'g')
const COLOURS = new RegExp(`${ESC}\\[(3|4|9|10)\\d[;m]`, 'g')
/** What Ink writes: weights and colours, places in a line, lines up and down, erased rests of lines, cursor, screen. */
const OWN = new RegExp(`${ESC}\\[([\\d;]*m|\\d*[ABEGK]|[HJ]|\\?(7|25|1049|2026|2004)[hl])|\\r`, 'g')
/** All other that a terminal may act on. */
const RAW = new RegExp(`[${'\\x00'}-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]`, 'g')

describe('what is written', () => {
  it('is nothing while nothing happens, little for what changes, and never a clear', async () => {
    using tmux = await dash({ columns: 120, rows: 40 })
    const first = await tmux.settles()
    // Twelve looks at the warehouse.
    await new Promise((resolve) => setTimeout(resolve, 3000))
    expect(tmux.written.length - first).toBe(0)

    tmux.press('j')
    const moved = (await tmux.settles()) - first
    expect(moved).toBeGreaterThan(0)
    expect(moved).toBeLessThan(2048)

    const version = /live (v\d+)/.exec(tmux.screen)?.[1] ?? ''
    const before = tmux.written.length
    await enrollOneMore()
    await until(
      () => LIVE.test(tmux.screen) && !tmux.screen.includes(`${version} `),
      'the new version is shown',
    )
    await tmux.settles()
    const written = tmux.written.slice(before)
    // Each of the commits changes the version in the header.
    const frames = written.split('\x1b[?2026h').length - 1
    expect(frames).toBeGreaterThan(0)
    expect(Buffer.byteLength(written) / frames).toBeLessThan(1024)
    const started = tmux.written.lastIndexOf('\x1b[?1049h')
    const afterFirstFrame = tmux.written.slice(tmux.written.indexOf('\x1b[?2026l', started))
    expect(afterFirstFrame.match(CLEARS)).toBe(null)
  })

  it('has no colour with NO_COLOR, ASCII only without UTF-8', async () => {
    using tmux = terminal({ env: { NO_COLOR: '1', LC_ALL: 'C' } })
    const start = tmux.written.length
    tmux.enter('lpa dash')
    await tmux.shows(/\* live v\d+/)
    await tmux.settles()
    const written = tmux.written.slice(start)
    expect(written.match(COLOURS)).toBe(null)
    expect(tmux.lines.slice(0, 12).join('')).toMatch(/^[\x20-\x7e]*$/)
  })

  it('is one plain picture on a dumb terminal', async () => {
    using tmux = terminal({ env: { TERM: 'dumb' } })
    tmux.enter('clear; export TERM=dumb; lpa dash; echo "ended with $?"')
    await tmux.shows('ended with 0')
    expect(tmux.screen).toContain('Enrollments/day')
    expect(tmux.is('alternate_on')).toBe(false)
  })

  it('is sentences for a screen reader', async () => {
    using tmux = terminal({ env: { INK_SCREEN_READER: 'true' } })
    tmux.enter('lpa dash; echo "ended with $?"')
    await tmux.shows(/Live, version \d+\./)
    expect(tmux.screen).toMatch(/Enrollments: \d+/)
    expect(tmux.screen).not.toMatch(/[╭│█⠀-⣿]/)
    expect(tmux.is('alternate_on')).toBe(false)
    tmux.press('2')
    await tmux.shows('Screen 2 of 7: Enrollments.')
    tmux.press('q')
    await tmux.shows('ended with 0')
  })
})

let more = 0

/** Adds an enrollment of today to the warehouse. */
async function enrollOneMore(): Promise<void> {
  more += 1
  const header = 'enrollment_id,learner_id,course_id,enrolled_at,status,mode'
  const row = `MORE${more},MORE${more},PHY101,2026-06-30T10:00:00Z,active,audit`
  await place.load(place.write(`more-${more}.csv`, `${header}\n${row}\n`))
  await place.build(true)
}

// ── windows ───────────────────────────────────────────────────────────────────────────────────────────────

describe('windows', () => {
  it('may change their size as often as they like', async () => {
    using tmux = await dash()
    using other = await dash({ columns: 90, rows: 28 })
    let seed = 7
    const below = (most: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return seed % most
    }
    for (let count = 0; count < 60; count += 1) tmux.resize(20 + below(200), 4 + below(60))
    tmux.resize(30, 8)
    await tmux.shows('Too small: 30x8')
    tmux.resize(90, 28)
    await until(() => tmux.screen === other.screen, 'both windows are the same').catch(() => {})
    expect(tmux.screen).toBe(other.screen)
  })

  it('may be closed: nothing stays behind', async () => {
    using tmux = await dash()
    const process = lpaProcess(tmux)
    expect(process).toBeGreaterThan(1)
    tmux.run('kill-pane')
    await until(() => !isRunning(process), 'lpa has ended')
  })
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

// ── leaving ───────────────────────────────────────────────────────────────────────────────────────────────

describe('leaving', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s gives the terminal back', async (signal, code) => {
    using tmux = await dash()
    process.kill(lpaProcess(tmux), signal)
    await expectRestored(tmux, code)
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s gives the terminal back while there is only the skeleton', async (signal, code) => {
    using tmux = terminal({ env: { NODE_OPTIONS: `--import=${heldImport()}` } })
    tmux.enter('lpa dash; echo "ended with $?"')
    await tmux.shows('opening the warehouse')
    process.kill(lpaProcess(tmux), signal)
    await expectRestored(tmux, code)
  })

  it('a crash gives the terminal back, and says what it was', async () => {
    using tmux = terminal({ env: { NODE_OPTIONS: `--import=${crash()}` } })
    tmux.enter('lpa dash; echo "ended with $?"')
    await expectRestored(tmux, 70)
    expect(tmux.screen).toContain('Internal error: Something that never happens.')
  })

  it('no warehouse is an error as of any command, not a dashboard', async () => {
    using tmux = terminal()
    tmux.enter('LPA_WAREHOUSE_PATH=elsewhere lpa dash; echo "ended with $?"')
    await expectRestored(tmux, 66)
    expect(tmux.screen).toContain('Make it: lpa schema apply')
  })

  it('a wrong flag is an error of the command line', async () => {
    using tmux = terminal()
    tmux.enter('lpa dash --scren funnel; echo "ended with $?"')
    await expectRestored(tmux, 2)
    expect(tmux.screen).toContain('Did you mean --screen?')
  })

  it('the command itself shows the same dashboard', async () => {
    using tmux = terminal()
    tmux.enter('lpa dash --screen funnel --lock-wait 1s; echo "ended with $?"')
    await tmux.shows(LIVE)
    await tmux.shows('›3 Funnel')
    tmux.press('q')
    await expectRestored(tmux, 0)
  })

  it('Ctrl-Z and fg change nothing, also in a window of another size', async () => {
    using tmux = await dash()
    using other = await dash({ columns: 80, rows: 25 })
    tmux.press('C-z')
    await tmux.shows('Stopped')
    expect(tmux.is('alternate_on')).toBe(false)
    expect(tmux.is('cursor_flag')).toBe(true)
    tmux.enter('echo meanwhile')
    await tmux.shows('meanwhile\n')
    tmux.resize(80, 25)
    tmux.enter('fg')
    await tmux.shows(LIVE)
    await until(() => tmux.screen === other.screen, 'both windows are the same').catch(() => {})
    expect(tmux.screen).toBe(other.screen)
    tmux.press('j')
    await choosesRow(tmux, 1)
    tmux.press('q')
    await tmux.shows('meanwhile')
  })

  it('Ctrl-Z goes on where there is no shell that could wake it', async () => {
    const alone = new BareTerminal(`'${process.execPath}' '${RUN}' dash`, place.folder)
    await alone.shows('● live')
    alone.type('\x1a')
    await alone.settles()
    alone.type('2')
    await alone.shows('›2')
    await alone.end()
  })

  it('Ctrl-Z does nothing while there is only the skeleton', async () => {
    using tmux = terminal({ env: { NODE_OPTIONS: `--import=${heldImport()}` } })
    tmux.enter('lpa dash; echo "ended with $?"')
    await tmux.shows('opening the warehouse')
    tmux.press('C-z')
    await tmux.settles()
    expect(tmux.screen).toContain('opening the warehouse')
    process.kill(lpaProcess(tmux), 'SIGINT')
    await expectRestored(tmux, 130)
  })

  it('SIGTSTP from outside does as Ctrl-Z', async () => {
    using tmux = await dash()
    process.kill(lpaProcess(tmux), 'SIGTSTP')
    await tmux.shows('Stopped')
    expect(tmux.is('alternate_on')).toBe(false)
    tmux.enter('fg')
    await tmux.shows(LIVE)
    tmux.press('q')
    await tmux.shows('what was there before')
  })
})

/** A module that makes the import of the dashboard wait, so that there is time to look at the skeleton. */
function heldImport(): string {
  const file = join(place.folder, 'held.mjs')
  writeFileSync(
    file,
    `import { registerHooks } from 'node:module'
     registerHooks({
       load(url, context, next) {
         const held = 'await new Promise((resolve) => setTimeout(resolve, 60_000))\\nexport const startLive = () => {}'
         return url.endsWith('dash/live/start.js') ? { format: 'module', source: held, shortCircuit: true } : next(url, context)
       },
     })`,
  )
  return file
}

function crash(): string {
  const file = join(place.folder, 'crash.mjs')
  writeFileSync(
    file,
    `import { isMainThread } from 'node:worker_threads'
     if (isMainThread) setTimeout(() => { throw new Error('Something that never happens.') }, 1500)`,
  )
  return file
}

// ── the warehouse ─────────────────────────────────────────────────────────────────────────────────────────

describe('the warehouse', () => {
  it('may disappear and return: the last rows stay', async () => {
    using tmux = await dash()
    const warehouse = place.config.warehouse.path
    const away = `${warehouse}-away`
    const before = table(tmux).rows
    renameSync(warehouse, away)
    try {
      await tmux.shows(/● disconnected \d+s v\d+/)
      await tmux.shows('Trying again.')
      expect(table(tmux).rows).toEqual(before)
      tmux.press('j')
      await choosesRow(tmux, 1)
    } finally {
      renameSync(away, warehouse)
    }
    await tmux.shows(LIVE)
    expect(tmux.screen).not.toContain('Trying again')
  })

  it('may be another one in its place: what it holds is shown', async () => {
    const here = place.config.warehouse.path
    using tmux = await dash()
    const before = table(tmux).rows
    const version = /live (v\d+)/.exec(tmux.screen)?.[1]
    const away = `${here}-away`
    renameSync(here, away)
    cpSync(away, here, { recursive: true })
    try {
      // The same number: nothing but the file tells it.
      await tmux.shows(/● disconnected/)
      await tmux.shows('Another warehouse was put in its place')
      await tmux.shows(`● live ${version}`)
      expect(table(tmux).rows).toEqual(before)
    } finally {
      // The dashboard may be writing there.
      rmSync(here, { recursive: true, maxRetries: 9 })
      renameSync(away, here)
    }
    await tmux.shows(LIVE)
  })

  it('is shown as it was looked at last until it has answered', async () => {
    using tmux = terminal()
    tmux.enter('lpa dash --screen funnel; echo "ended with $?"')
    await tmux.shows(LIVE)
    tmux.press('q')
    await expectRestored(tmux, 0)
    const from = tmux.written.length
    tmux.enter('lpa dash --screen funnel')
    await tmux.shows(LIVE)
    const written = tmux.written.slice(from)
    expect(written).toMatch(/opening v\d+/)
    expect(written.indexOf('Introduction')).toBeLessThan(written.indexOf('● live'))
  })

  it('may be plain files, which are followed too', async () => {
    const core = join(place.folder, 'core')
    mkdirSync(core)
    for (const name of ['dim_date', 'dim_course', 'fact_enrollment', 'agg_course_day']) {
      const words = ['query', '-q', '--sql', `select * from ${name}`, '--format', 'csv']
      const { stdout } = spawnSync(process.execPath, [RUN, ...words], { cwd: place.folder, encoding: 'utf8' })
      writeFileSync(join(core, `${name}.csv`), stdout)
    }
    using tmux = await dash({}, 'core')
    const before = table(tmux).rows
    expect(before.length).toBeGreaterThan(5)
    const courses = join(core, 'dim_course.csv')
    const [, title = ''] = /^› (\S+ \S+)/.exec(before[0] ?? '') ?? []
    writeFileSync(courses, readFileSync(courses, 'utf8').replaceAll(title, 'Renamed now'))
    await tmux.shows('Renamed now')
    expect(tmux.screen).toMatch(/● live v2 /)
    tmux.press('7')
    await tmux.shows('Plain files tell nothing of loads')
  })

  it('may hold anything: it is text, in columns', async () => {
    using hostile = await TryWarehouse.create()
    const titles = TEXTS.map((text) => text.replace(/[\r\0]/g, ''))
    const wide = ['数据库入门', 'Cafe\u0301 Zoe\u0308', 'مقدمة في SQL']
    // Wider in this terminal than anybody can know.
    const emoji = ['👩‍👩‍👧‍👦 Family', `Thumbs ${'👍🏽'.repeat(20)}`]
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
    // As many texts in one title as a screen shows of them.
    const rows = Array.from({ length: 12 }, (_, row) =>
      titles.filter((_, index) => index % 12 === row).map((text) => `${text} `),
    )
    const names = [...rows.map((some, row) => `${row} ${some.join('')}`), ...wide, ...emoji]
    const courses = names.map((name, row) => `C${row},${quoted(name)}`)
    const enrollments = names.map(
      (_, row) => `E${row},L${row},C${row},2026-06-${10 + row}T10:00:00Z,active,audit`,
    )
    await hostile.load([
      hostile.write('courses.csv', `course_id,course_title\n${courses.join('\n')}\n`),
      hostile.write(
        'enrollments.csv',
        `enrollment_id,learner_id,course_id,enrolled_at,status,mode\n${enrollments.join('\n')}\n`,
      ),
    ])
    await hostile.build()
    using tmux = new Tmux({
      folder: hostile.folder,
      columns: 160,
      rows: 40,
      env: { HOME: hostile.folder, XDG_CACHE_HOME: cache() },
    })
    tmux.enter(`'${process.execPath}' '${RUN}' dash`)
    await tmux.shows(LIVE)
    const start = tmux.written.lastIndexOf('\x1b[?1049h')
    for (const key of ['4', 'j', 'j', 'j', 'Enter', 'Escape', '2', '3', '5', ':']) {
      tmux.press(key)
      await tmux.settles(150)
      // Nothing has scrolled out of the window.
      expect(tmux.lines[0]).toMatch(/^ lpa /)
      expect(tmux.lines.at(-1)).toMatch(key === ':' ? /esc close/ : /\? help/)
    }
    const left = tmux.written.slice(start).replace(OWN, '')
    expect(left.match(RAW)).toBe(null)
    // The palette lists each title in a row of its own.
    expect(tmux.lines.filter((line) => /^ {2}\d+ /.test(line)).length).toBe(12)
    tmux.press('Escape')
    await tmux.shows('? help')
    tmux.press('1')
    await tmux.shows('›1')
    const { lines } = tmux
    const at = (wanted: RegExp) => lines.filter((line) => wanted.test(line))
    expect(at(/[│╮╯]$/).length).toBeGreaterThan(20)
    // Columns stand below their headings, whatever is beside them.
    const heading = at(/^ {2}COURSE /)[0] ?? ''
    const end = textWidth(heading.slice(0, heading.indexOf('ENROLLED') + 'ENROLLED'.length))
    for (const title of wide) {
      const row = lines.find((line) => line.includes(title)) ?? ''
      const [beforeNumber = ''] = new RegExp(`^.*?${title}\\s+\\d+`, 'u').exec(row) ?? []
      expect([title, textWidth(beforeNumber)]).toEqual([title, end])
    }
    const lpa = lpaProcess(tmux)
    tmux.press('q')
    await until(() => !isRunning(lpa), 'lpa has ended')
  })
})
