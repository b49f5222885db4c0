import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeCampus, openCampus, reportResult } from '../../report-campus.test-support.ts'
import { textWidth } from '../../text-width.ts'
import type { Result } from '../../types.ts'
import type { Panel, ReportRequest } from '../screen.ts'
import { SCREENS } from '../screens/index.ts'
import { KEYS } from './keys.ts'
import { keyOf, type ToEngine } from './messages.ts'
import { Shell, type ShellOptions, type TerminalEffect } from './shell.ts'
import { themeFor } from './theme.ts'

type WantMessage = Extract<ToEngine, { kind: 'want' }>

let results: ReadonlyMap<string, Result>

beforeAll(async () => {
  const db = await openCampus(makeCampus(20260105))
  const known = new Map<string, Result>()
  for (const report of ['overview', 'course-table']) {
    for (const days of ['7', '28', '90'])
      known.set(keyOf({ report, params: { days } }), await reportResult(db, report, { days }))
  }
  for (const report of ['daily', 'enrollments', 'category-rollup', 'reconciliation', 'course-ranking']) {
    known.set(keyOf({ report, params: {} }), await reportResult(db, report, {}))
  }
  results = known
})

/** A shell whose warehouse is this test. */
class Tried {
  /** Three minutes past two of any zone. */
  now = new Date(2026, 3, 4, 14, 3).getTime()
  readonly sent: ToEngine[] = []
  readonly shell: Shell
  redraws = 0

  constructor(options: Partial<ShellOptions> = {}) {
    this.shell = new Shell({
      screens: SCREENS,
      screen: 'overview',
      glyphs: 'braille',
      theme: themeFor('mono', false),
      size: { width: 80, height: 24 },
      now: () => this.now,
      send: (message) => this.sent.push(message),
      ...options,
    })
    this.shell.subscribe(() => {
      this.redraws += 1
    })
    this.shell.start()
  }

  get wanted(): readonly ReportRequest[] {
    return this.sent.findLast((message): message is WantMessage => message.kind === 'want')?.requests ?? []
  }

  check(version: string): void {
    this.shell.receive({ kind: 'checked', version, nextMs: 2000 })
  }

  /** Answers what is wanted, with these panels in place of the rows. */
  answer(version: string, instead: Readonly<Record<string, Panel | undefined>> = {}): void {
    this.check(version)
    for (const request of this.wanted) {
      const key = keyOf(request)
      const panel =
        request.report in instead ? instead[request.report] : { result: results.get(key) as Result }
      if (panel !== undefined) this.shell.receive({ kind: 'panel', key, version, panel })
    }
  }

  press(...keys: string[]): readonly TerminalEffect[] {
    return this.shell.press(keys)
  }

  pass(ms: number): void {
    this.now += ms
    this.shell.tick()
  }

  get text(): string {
    const text = this.shell.lines().join('\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: taking the weights away
    return `${text.replace(/\x1b\[[\d;]*m/g, '')}\n`
  }

  get header(): string {
    return this.text.split('\n')[0] ?? ''
  }

  get footer(): string {
    return this.text.trimEnd().split('\n').at(-1) ?? ''
  }
}

const golden = (name: string) => `../../../fixtures/golden/frames/live-${name}.txt`
const empty = (report: string, params: Record<string, string> = {}): Panel => ({
  result: { ...(results.get(keyOf({ report, params })) as Result), rows: [] },
})

let tried: Tried
beforeEach(() => {
  tried = new Tried()
})

describe('golden frames of states', () => {
  const failed = { kind: 'failed', text: 'IO Error: part-7.parquet is not there' } as const
  const denied = { kind: 'denied', text: 'the role "tutor" may not read the courses' } as const

  it.each<[string, () => void]>([
    ['skeleton', () => {}],
    ['live', () => tried.answer('412')],
    [
      'empty',
      () =>
        tried.answer('1', {
          overview: empty('overview', { days: '28' }),
          daily: empty('daily'),
          'course-table': empty('course-table', { days: '28' }),
        }),
    ],
    ['partial', () => tried.answer('412', { 'course-table': undefined, daily: { problem: failed } })],
    ['denied', () => tried.answer('412', { 'course-table': { problem: denied } })],
    [
      'stale',
      () => {
        tried.answer('412')
        tried.pass(600_000)
      },
    ],
    [
      'disconnected',
      () => {
        tried.answer('412')
        tried.shell.receive({
          kind: 'lost',
          reason: 'There is no warehouse in /srv/lpa/warehouse.',
        })
        tried.pass(185_000)
      },
    ],
    [
      'paused',
      () => {
        tried.answer('412')
        tried.press('p')
        tried.pass(600_000)
      },
    ],
  ])('%s', async (name, arrange) => {
    arrange()
    await expect(tried.text).toMatchFileSnapshot(golden(name))
  })
})

describe('golden frames of what is over a screen', () => {
  it.each([
    ['help', ['?']],
    ['help-scrolled', ['?', ...Array.from({ length: 30 }, () => 'j')]],
    ['palette', [':']],
    ['palette-found', [':', 'd', 'a', 'down']],
    ['filter', ['/', '!', 'd', 'a']],
    ['filtered-compared', ['c', '/', 'd', 'a', 'enter']],
    ['sorted', ['s', 's', 'j']],
  ])('%s', async (name, keys) => {
    tried.answer('412')
    tried.press(...keys)
    // The palette lists courses, which have to be read.
    tried.answer('412')
    await expect(tried.text).toMatchFileSnapshot(golden(name))
  })
})

describe('golden frames of other windows', () => {
  it.each<[string, Partial<ShellOptions>]>([
    ['120x40', { size: { width: 120, height: 40 } }],
    ['ascii', { glyphs: 'ascii' }],
    ['50x12', { size: { width: 50, height: 12 } }],
    ['30x8', { size: { width: 30, height: 8 } }],
    ['last-screen', { screen: 'health', size: { width: 60, height: 16 } }],
  ])('%s', async (name, options) => {
    tried = new Tried(options)
    if (name !== 'last-screen') tried.answer('412')
    await expect(tried.text).toMatchFileSnapshot(golden(name))
  })

  it.each(['ansi', 'dark', 'light', 'high-contrast', 'mono'] as const)('theme %s', async (theme) => {
    tried = new Tried({ theme: themeFor(theme, true), size: { width: 60, height: 17 } })
    tried.answer('412')
    const text = tried.shell.lines().join('\n').replaceAll('\x1b', '\\e')
    await expect(`${text}\n`).toMatchFileSnapshot(golden(`theme-${theme}`))
  })

  it('in sentences', async () => {
    tried = new Tried({ isSpoken: true })
    const spoken: string[] = []
    const say = () => spoken.push(tried.text)
    say()
    tried.answer('412')
    say()
    tried.press('j')
    say()
    tried.press(':', 'd')
    say()
    await expect(spoken.join('---\n')).toMatchFileSnapshot(golden('spoken'))
  })

  it('fill every window exactly', () => {
    for (const size of [
      [80, 24],
      [61, 15],
      [40, 10],
      [39, 9],
      [300, 80],
      [1, 1],
    ] as const) {
      const [width, height] = size
      tried = new Tried({ size: { width, height } })
      tried.answer('412')
      for (const keys of [[], ['?'], ['escape', ':'], ['escape', '/', 'x']]) {
        tried.press(...keys)
        const lines = tried.text.slice(0, -1).split('\n')
        expect(lines).toHaveLength(height)
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width)
      }
    }
  })
})

describe('a click', () => {
  /** On the first place where the text is shown. */
  function clickOn(text: string): readonly TerminalEffect[] {
    const lines = tried.text.split('\n')
    const row = lines.findIndex((line) => line.includes(text))
    const column = textWidth((lines[row] ?? '').slice(0, lines[row]?.indexOf(text)))
    expect(row).toBeGreaterThanOrEqual(0)
    return tried.shell.point({ kind: 'click', column, row })
  }
  const rows = () => {
    const lines = tried.text.split('\n')
    return lines.slice(lines.findIndex((line) => line.startsWith('  COURSE')) + 1)
  }
  const chosen = () => rows().findIndex((line) => line.startsWith('›'))

  beforeEach(() => {
    tried = new Tried({ size: { width: 110, height: 34 } })
    tried.answer('412')
  })

  it('chooses a row, and opens the chosen one', () => {
    const title = rows()[3]?.slice(2, 14).trimEnd() ?? ''
    clickOn(`  ${title}`)
    expect(chosen()).toBe(3)
    expect(tried.header).toContain('›1')
    clickOn(`› ${title}`)
    expect(tried.header).toContain('›4')
    expect(tried.text).toContain(`‹ Courses / ${title}`)
  })

  it('shows a screen', () => {
    clickOn('3 Funnel')
    expect(tried.header).toContain('›3')
    // Also from a list, and without typing its number there.
    tried.press(':')
    clickOn('2 Enrol')
    expect(tried.header).toContain('›2')
    expect(tried.footer).toContain('28 days')
  })

  it('sorts by a column, and turns it', () => {
    clickOn('ENROLLED')
    expect(tried.text).toContain('ENROLLED ▼')
    clickOn('ENROLLED')
    expect(tried.text).toContain('ENROLLED ▲')
  })

  it('does what the footer says', () => {
    clickOn('? help')
    expect(tried.text).toContain('next row')
    tried.press('escape')
    expect(clickOn('q quit')).toEqual([{ kind: 'leave', isInterrupted: false }])
  })

  it('goes where the palette says', () => {
    tried.press(':')
    clickOn('Data health')
    expect(tried.header).toContain('›7')
  })

  it('on anything else does nothing, also outside', () => {
    const before = tried.text
    for (const [column, row] of [
      [0, 2],
      [109, 33],
      [500, 3],
      [3, 500],
    ] as const)
      expect(tried.shell.point({ kind: 'click', column, row })).toEqual([])
    expect(tried.text).toBe(before)
  })

  it('of the wheel moves the choice', () => {
    for (let notch = 0; notch < 3; notch += 1) tried.shell.point({ kind: 'wheel', isDown: true })
    expect(chosen()).toBe(3)
    tried.shell.point({ kind: 'wheel', isDown: false })
    expect(chosen()).toBe(2)
  })
})

describe('what was looked at in an earlier session', () => {
  const recall: ShellOptions['recall'] = (request) => {
    const result = results.get(keyOf(request))
    return result && { version: '410', result }
  }

  it('is shown at once, with its version, until the engine has answered', () => {
    tried = new Tried({ recall })
    expect(tried.header).toContain('opening v410')
    expect(tried.text).toContain('Databases')
    const before = tried.text
    tried.check('412')
    tried.pass(3000)
    expect(tried.header).toContain('opening v410')
    tried.answer('412')
    expect(tried.header).toContain('live v412')
    expect(tried.text.split('\n').slice(1)).toEqual(before.split('\n').slice(1))
  })

  it('is not believed to be live because its version is the same', async () => {
    tried = new Tried({ recall })
    tried.check('410')
    tried.pass(3000)
    expect(tried.header).toContain('opening v410')
    await expect(tried.text).toMatchFileSnapshot(golden('opening'))
    // Nor does the engine's thread think that it was answered.
    expect(tried.sent.findLast((message) => message.kind === 'want')?.answeredAt).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    tried.answer('410')
    expect(tried.header).toContain('live v410')
  })

  it('is told to be old on a screen that is looked at for the first time', () => {
    tried = new Tried({ recall })
    tried.answer('412')
    tried.press('2')
    tried.pass(1000)
    expect(tried.header).toContain('v410')
    tried.pass(2000)
    expect(tried.header).toContain('stale 0s v410')
    tried.answer('412')
    expect(tried.header).toContain('live v412')
  })

  it('gives way to what the engine has answered', () => {
    tried = new Tried({ recall })
    tried.answer('412', { 'course-table': empty('course-table', { days: '28' }) })
    tried.press('2', '1')
    expect(tried.header).toContain('live v412')
    expect(tried.text).toContain('No course has enrollments')
  })
})

it('does not take what was answered before the warehouse was lost for what is there now', () => {
  tried.answer('412')
  tried.shell.receive({ kind: 'lost', reason: 'It is away.' })
  tried.check('412')
  tried.pass(3000)
  expect(tried.header).toContain('stale')
  tried.answer('412')
  expect(tried.header).toContain('live v412')
})

it('goes back in the help at once, however far it was scrolled', () => {
  tried.press('?', ...Array.from({ length: 60 }, () => 'j'))
  const last = tried.text
  tried.press('k')
  expect(tried.text).not.toBe(last)
})

it('takes a paste as text where text is typed, and nowhere else, and no more than a title has', () => {
  tried.answer('412')
  const before = tried.text
  expect(tried.shell.paste('qqq3')).toEqual([])
  expect(tried.text).toBe(before)
  tried.press('/')
  tried.shell.paste(' Data\n')
  expect(tried.footer).toContain('/Data')
  tried.press('escape', '/')
  tried.shell.paste('x'.repeat(100_000))
  tried.press('y')
  expect(tried.footer).not.toContain('y')
})

it('of very many answers forgets none that is shown', () => {
  tried.answer('412')
  for (let course = 0; course < 80; course += 1) {
    tried.press('1', 'j', 'enter')
    const key = `opened-${course}`
    tried.shell.receive({ kind: 'panel', key, version: '412', panel: { result: empty('daily').result } })
    tried.press('escape')
  }
  expect(tried.header).toContain('live v412')
  expect(tried.text).toContain('Databases')
})

describe('what is asked of the warehouse', () => {
  it('is what the screen needs, once', () => {
    tried.answer('412')
    tried.press('j', 'G', 's', '/', 'x', 'escape', 'v', 'p', 'p')
    const asked = tried.sent.filter(({ kind }) => kind === 'want')
    expect(asked).toHaveLength(1)
    expect(tried.wanted.map(({ report }) => report)).toEqual(['overview', 'daily', 'course-table'])
  })

  it('is the new time range, and the new screen', () => {
    tried.answer('412')
    tried.press('t')
    expect(tried.wanted[0]).toEqual({ report: 'overview', params: { days: '90' } })
    tried.press('2')
    expect(tried.wanted.map(({ report }) => report)).toContain('category-rollup')
  })

  it('is everything again after r', () => {
    tried.answer('412')
    tried.press('r')
    expect(tried.sent.at(-1)).toMatchObject({ kind: 'want', isAnew: true })
    expect(tried.footer).toContain('again')
    tried.pass(6000)
    expect(tried.footer).not.toContain('again')
  })

  it('shows what was read before at once', () => {
    tried.answer('412')
    tried.press('2')
    tried.answer('412')
    tried.press('1')
    expect(tried.text).toContain('Programming')
    expect(tried.header).toContain('live v412')
  })
})

describe('states', () => {
  it('are told in the header, and pass', () => {
    expect(tried.header).toContain('opening')
    tried.answer('412')
    expect(tried.header).toContain('live v412 14:03')
    tried.check('413')
    expect(tried.header).toContain('live v412')
    tried.pass(2500)
    expect(tried.header).toContain('stale 0s v412')
    tried.answer('413')
    expect(tried.header).toContain('live v413')
  })

  it('keep the last rows, also beside a problem, and come back', () => {
    tried.answer('412')
    tried.shell.receive({ kind: 'lost', reason: 'It is gone.' })
    expect(tried.header).toContain('disconnected 0s v412')
    expect(tried.footer).toContain('It is gone. Trying again.')
    expect(tried.text).toContain('Programming')
    tried.answer('413', { 'course-table': { problem: { kind: 'failed', text: 'no file' } } })
    expect(tried.header).toContain('live v413')
    expect(tried.text).toContain('Programming')
    expect(tried.text).toContain('no file')
  })

  it('are no longer live when nobody could look for long', () => {
    tried.answer('412')
    tried.pass(9000)
    expect(tried.header).toContain('live')
    tried.pass(2000)
    expect(tried.header).toContain('stale 10s')
    tried.check('412')
    expect(tried.header).toContain('live v412 14:03')
  })

  it('tell the engine of a pause', () => {
    tried.answer('412')
    tried.press('p')
    expect(tried.sent.at(-1)).toEqual({ kind: 'pause', isPaused: true })
    expect(tried.header).toContain('paused v412')
    tried.press('p')
    expect(tried.sent.at(-1)).toEqual({ kind: 'pause', isPaused: false })
  })
})

describe('what is drawn', () => {
  it('is nothing when nothing changed', () => {
    tried.answer('412')
    const before = tried.shell.lines()
    tried.redraws = 0
    tried.answer('412')
    for (let second = 0; second < 9; second += 1) {
      tried.pass(1000)
      tried.check('412')
    }
    tried.press('k', 'x', '^u')
    expect(tried.redraws).toBe(0)
    expect(tried.shell.lines()).toBe(before)
  })

  it('is two rows when the selection moves, in a window without a preview', () => {
    tried.answer('412')
    const before = tried.shell.lines()
    tried.press('j')
    const changed = tried.shell.lines().filter((line, row) => line !== before[row])
    expect(changed).toHaveLength(2)
  })

  it('keeps the chosen row while other rows are on their way, and one that is there when they are fewer', () => {
    tried.answer('412')
    tried.press('j', 'j')
    const chosen = () => tried.text.split('\n').find((line) => line.startsWith('›'))
    const before = chosen()
    tried.press('t')
    tried.answer('412')
    expect(chosen()?.slice(0, 20)).toBe(before?.slice(0, 20))
    const whole = results.get(keyOf({ report: 'course-table', params: { days: '90' } })) as Result
    tried.answer('413', { 'course-table': { result: { ...whole, rows: whole.rows.slice(0, 1) } } })
    expect(chosen()).toContain(String(whole.rows[0]?.[1]))
  })
})

describe('what the terminal is asked to do', () => {
  it('is to leave', () => {
    expect(tried.press('q')).toEqual([{ kind: 'leave', isInterrupted: false }])
    expect(tried.press('^c')).toEqual([{ kind: 'leave', isInterrupted: true }])
    expect(tried.press('^z')).toEqual([{ kind: 'suspend' }])
  })

  it('is to copy the row as text, whatever is in it', () => {
    expect(tried.press('y')).toEqual([])
    expect(tried.footer).toContain('no row')
    const course = results.get(keyOf({ report: 'course-table', params: { days: '28' } })) as Result
    const hostile = course.rows.map((row) => row.with(1, 'a\nrm -rf ~\x1b[2J'))
    tried.answer('412', { 'course-table': { result: { ...course, rows: hostile } } })
    const [effect] = tried.press('y')
    expect(effect).toMatchObject({ kind: 'copy', text: expect.stringContaining('a\\nrm -rf ~\\e[2J\t') })
    expect(tried.footer).toContain('clipboard')
  })
})

describe('exporting', () => {
  it('has no key where nobody exports', () => {
    tried.answer('412')
    tried.press('e')
    expect(tried.text).not.toContain('export')
    tried.press('?')
    expect(tried.text).not.toContain('export')
  })

  it('is of what is shown, and says where it went or why it did not', async () => {
    let outcome: () => Promise<string> = async () => 'overview.svg'
    const asked: unknown[] = []
    tried = new Tried({
      exportScreen: (screen, panels, view) => {
        asked.push([screen.name, panels.size, view.days])
        return outcome()
      },
    })
    tried.answer('412')
    tried.press('t', 'e')
    await new Promise(setImmediate)
    expect(asked).toEqual([['overview', 1, 90]])
    expect(tried.footer).toContain('Written: overview.svg')
    outcome = () => Promise.reject(new Error('The disk is full.'))
    tried.press('e')
    await new Promise(setImmediate)
    expect(tried.footer).toContain('The disk is full.')
  })
})

it('tells of every key in its help', () => {
  tried = new Tried({ size: { width: 80, height: 40 }, exportScreen: async () => '' })
  tried.press('?')
  for (const { shown, help } of KEYS)
    expect(tried.text).toMatch(
      new RegExp(`${shown.replace(/[/^?]/g, '\\$&')} +${help.slice(0, 8).replace(/[/?]/g, '\\$&')}`),
    )
})
