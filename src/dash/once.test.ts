import { beforeAll, describe, expect, it } from 'vitest'
import { lineToText, span } from '../charts/frame.ts'
import { textWidth } from '../text-width.ts'
import type { Cell, Reader, Result, RoleViews } from '../types.ts'
import { readCampus, result, seeded, spoiled } from './campus.test-support.ts'
import { themeFor } from './live/theme.ts'
import { onceOptions, onceView, panelsJson, renderOnce, tooSmall } from './once.ts'
import type { PageScreen } from './page-screen.ts'
import { panelOf } from './read-panels.ts'
import type { Panel, Panels, View } from './screen.ts'
import { SCREENS } from './screens/index.ts'

const KPI = {
  kpi: 'text',
  value: 'double',
  previous: 'double',
  change_percent: 'double',
  unit: 'text',
} as const
const DAY = {
  day: 'date',
  weekday: 'text',
  enrollments: 'integer',
  completions: 'integer',
  active_learners: 'integer',
  events: 'integer',
} as const
const COURSE = {
  course_id: 'text',
  course_title: 'text',
  enrolled: 'integer',
  completed: 'integer',
  completion_percent: 'double',
  mean_progress_percent: 'double',
  new_enrollments: 'integer',
  enrollments_before: 'integer',
  change_percent: 'double',
} as const

function days(count: number): Cell[][] {
  return Array.from({ length: count }, (_, day) => {
    const date = new Date(Date.UTC(2026, 0, 5) + day * 86_400_000)
    const enrollments = (day % 7 > 4 ? 60 : 140) + ((day * 37) % 20) + Math.min(day, 60)
    const completions = Math.floor(enrollments / 3) + ((day * 53) % 9)
    return [
      date.toISOString().slice(0, 10),
      'Mon',
      enrollments,
      completions,
      enrollments * 3,
      enrollments * 40,
    ]
  })
}

const TITLES = [
  'Intro to SQL',
  'Data Structures and Algorithms in Python',
  '線形代数入門',
  // Arabic, and a letter with a combining mark.
  'مقدمة في الإحصاء',
  'Cafe\u0301 culture',
]

function courses(count: number): Cell[][] {
  return Array.from({ length: count }, (_, course) => [
    `C${101 + course}`,
    TITLES[course % TITLES.length] as string,
    1612 - 31 * course,
    814 - 17 * course,
    50.5 - course,
    course === 4 ? null : 64.2 - course,
    70 - course,
    60,
    course === 2 ? null : 16.7 - 1.7 * course,
  ])
}

const OVERVIEW = SCREENS[0] as PageScreen

const panelsOf = (results: Readonly<Record<string, Result>>): Panels =>
  new Map(Object.entries(results).map(([report, one]) => [report, { result: one }]))

const FULL = {
  overview: result(KPI, [
    ['enrollments', 1203, 1150, 4.6, ''],
    ['completions', 411, 415, -1, ''],
    ['completion_rate', 38.4, 38.1, 0.8, '%'],
    ['active_learners', 14211, 14211, 0, ''],
    ['events', 201_344, 180_200, 11.7, ''],
  ]),
  daily: result(DAY, days(90)),
  'course-table': result(COURSE, courses(24)),
}

const NO_ROWS: Result = { columns: [], rows: [] }

const EMPTY = {
  overview: result(KPI, [
    ['enrollments', 0, 0, null, ''],
    ['completion_rate', null, null, null, '%'],
  ]),
  daily: result(DAY, []),
  'course-table': result(COURSE, []),
}

interface Look extends Partial<View> {
  readonly screen?: PageScreen
  readonly color?: boolean
}

function draw(panels: Panels, width: number, height: number, look: Look = {}): string {
  const { screen = OVERVIEW, color = false, ...view } = look
  const glyphs = view.glyphs ?? 'braille'
  return renderOnce(
    screen,
    panels,
    { ...onceView(glyphs), ...view },
    { size: { width, height }, glyphs, color },
  )
}

const plain = (data: Readonly<Record<string, Result>>, width: number, height: number, look: Look = {}) =>
  draw(panelsOf(data), width, height, look)

const goldenFile = (name: string) => `../../fixtures/golden/frames/${name}.txt`

let campusPanels: Awaited<ReturnType<typeof readCampus>>
beforeAll(async () => {
  campusPanels = await readCampus()
})

// ── golden frames ─────────────────────────────────────────────────────────────────────────────────────────

describe('golden frames of the overview', () => {
  it.each([
    ['overview-80x24-block', FULL, 80, 24, 'block'],
    ['overview-50x12-braille', FULL, 50, 12, 'braille'],
    ['overview-empty', EMPTY, 80, 24, 'braille'],
    ['overview-no-courses', { ...FULL, 'course-table': EMPTY['course-table'] }, 80, 24, 'braille'],
    ['overview-no-days', { ...FULL, daily: EMPTY.daily }, 80, 24, 'braille'],
  ] as const)('%s', async (name, data, width, height, glyphs) => {
    await expect(`${plain(data, width, height, { glyphs })}\n`).toMatchFileSnapshot(goldenFile(name))
  })

  const chosen = { selected: 13 }
  const sorted = { sort: { column: 6, isDescending: false }, selected: 0 }
  const filtered = { filter: { text: 'sql', isInverted: false }, selected: 2 }
  const inverted = { filter: { text: 'sql', isInverted: true }, selected: 0 }
  it.each<[string, number, number, Look]>([
    ['overview-chosen', 120, 40, chosen],
    ['overview-sorted', 80, 24, sorted],
    ['overview-filtered', 80, 24, filtered],
    ['overview-filter-inverted', 80, 24, inverted],
    ['overview-filter-nothing', 80, 24, { filter: { text: 'no such course', isInverted: false } }],
    ['overview-compared', 120, 40, { isCompared: true }],
    ['overview-compared-ascii', 80, 24, { isCompared: true, glyphs: 'ascii' }],
    ['overview-columns', 80, 24, { style: 1 }],
    ['overview-90-days', 80, 24, { days: 90 }],
    ['overview-color', 120, 40, { color: true, selected: 1 }],
  ])('%s', async (name, width, height, look) => {
    await expect(`${plain(FULL, width, height, look)}\n`).toMatchFileSnapshot(goldenFile(name))
  })
})

const SIZES = [
  [80, 24],
  [120, 40],
  [200, 50],
  [60, 15],
  [30, 8],
] as const

describe.each(SCREENS.map((screen) => [screen.name, screen] as const))(
  'golden frames of %s',
  (name, screen) => {
    it.each(SIZES)('%i x %i', async (width, height) => {
      const panels = screen === OVERVIEW ? panelsOf(FULL) : campusPanels(screen)
      for (const glyphs of ['braille', 'ascii'] as const) {
        const text = draw(panels, width, height, { screen, glyphs, selected: 0 })
        await expect(`${text}\n`).toMatchFileSnapshot(goldenFile(`${name}-${width}x${height}-${glyphs}`))
      }
      // Without colour weights tell what tones do.
      const small = tooSmall({ width, height })
      const frame =
        small === undefined
          ? screen.draw(panels, { ...onceView('block'), selected: 0 }, { width, height })
          : [[span(small, 'warn')]]
      const mono = frame.map((line) => lineToText(line, themeFor('mono', true)).replaceAll('\x1b', '\\e'))
      await expect(`${mono.join('\n')}\n`).toMatchFileSnapshot(goldenFile(`${name}-${width}x${height}-mono`))
    })
  },
)

describe('golden frames of states', () => {
  const failed = { kind: 'failed', text: 'IO Error: the file part-7.parquet is not there' } as const
  const denied = { kind: 'denied', text: 'the role "tutor" may not read learner_id' } as const
  const suppressed = { kind: 'suppressed', text: 'fewer than 10 in each cell' } as const
  const named = (name: string) => SCREENS.find((screen) => screen.name === name) as PageScreen

  it.each<[string, string, Look, Readonly<Record<string, Panel | undefined>>]>([
    ['skeleton', 'overview', {}, { overview: undefined, daily: undefined, 'course-table': undefined }],
    ['partial', 'overview', {}, { 'course-table': undefined }],
    ['failed', 'funnel', {}, { funnel: { problem: failed }, 'completion-rate': { problem: failed } }],
    ['denied', 'learners', {}, { 'at-risk': { problem: denied } }],
    ['suppressed', 'learners', {}, { retention: { problem: suppressed } }],
    ['color', 'health', { color: true }, { rejects: { problem: failed } }],
    ['opened', 'courses', { opened: 'CS101' }, {}],
    ['opened', 'funnel', { opened: 'CS101' }, {}],
    ['opened', 'learners', { opened: 'CS101' }, {}],
    ['shares', 'funnel', { style: 1 }, {}],
  ])('%s %s', async (state, name, look, changed) => {
    const screen = named(name)
    const panels = new Map(campusPanels(screen, look))
    for (const [report, panel] of Object.entries(changed)) {
      if (panel === undefined) panels.delete(report)
      else panels.set(report, panel)
    }
    for (const [width, height] of [SIZES[0], SIZES[1]]) {
      const text = draw(panels, width, height, { ...look, screen, selected: 0 })
      await expect(`${text}\n`).toMatchFileSnapshot(goldenFile(`${name}-${state}-${width}x${height}`))
    }
  })

  it('keeps rows whose newer ones do not come, and says why', async () => {
    const screen = named('courses')
    const panels = new Map(campusPanels(screen))
    panels.set('course-table', { ...panels.get('course-table'), problem: failed })
    const text = draw(panels, 80, 24, { screen, selected: 0 })
    expect(text).toContain('Failed: IO Error')
    expect(text).toContain('Databases')
    expect(screen.describe(panels, onceView('braille')).at(-1)).toMatch(
      /^Courses is not the newest: Failed: IO/,
    )
    await expect(`${text}\n`).toMatchFileSnapshot(goldenFile('courses-kept-80x24'))
  })

  it('says why a role sees no row, not that there is none', () => {
    const role: RoleViews = {
      ...{ role: 'tutor', user: 'anna', mayReveal: false, tables: [], statements: [] },
      missingAttributes: ['region'],
    }
    const screen = named('courses')
    const none = (who: Pick<Reader, 'role'>) =>
      new Map([...campusPanels(screen)].map(([report]) => [report, panelOf(who, report, NO_ROWS)]))
    const text = draw(none({ role }), 80, 24, { screen })
    expect(text).toContain('Not permitted: anna has no region in the policy')
    expect(text).not.toContain('lpa load FILE')
    expect(draw(none({}), 80, 24, { screen })).toContain('lpa load FILE')
    expect(panelOf({ role }, 'loads', NO_ROWS).problem).toBeUndefined()
  })

  it.each(SCREENS.map((screen) => [screen.name, screen] as const))(
    '%s without any rows',
    async (_, screen) => {
      const panels = new Map(
        [...campusPanels(screen)].map(([report, panel]): [string, Panel] => [
          report,
          // Key figures are rows also of an empty warehouse.
          report === 'overview'
            ? { result: EMPTY.overview }
            : { result: { columns: panel.result?.columns ?? [], rows: [] } },
        ]),
      )
      expect(draw(panels, 80, 24, { screen })).toContain('lpa load FILE')
      const opened = draw(panels, 80, 24, { screen, opened: 'CS101', selected: 0 })
      expect(opened).toContain('lpa ')
    },
  )
})

// ── any data, any size ────────────────────────────────────────────────────────────────────────────────────

const WIDTHS = [0, 1, 2, 10, 29, 39, 40, 41, 59, 60, 61, 79, 80, 109, 110, 120, 159, 160, 200]
const HEIGHTS = [0, 1, 2, 9, 10, 13, 14, 15, 24, 28, 29, 30, 40, 60]

/** Sizes at which a frame does not fit, or cannot be drawn. */
function misfits(panels: Panels, screen: PageScreen, look: Look): readonly string[] {
  const view = { ...onceView('braille'), ...look }
  return WIDTHS.flatMap((width) =>
    HEIGHTS.flatMap((height) => {
      const frame = screen.draw(panels, view, { width, height })
      const lines = frame.map((line) => line.map(({ text }) => text).join(''))
      const fits = lines.length <= height && lines.every((line) => textWidth(line) <= width)
      return fits ? [] : [`${screen.name} ${width}x${height}`]
    }),
  )
}

describe('fits every window', () => {
  it.each(SCREENS.map((screen) => [screen.name, screen] as const))('%s', (_, screen) => {
    const panels = campusPanels(screen)
    expect(misfits(panels, screen, { selected: 0 })).toEqual([])
    expect(misfits(new Map(), screen, {})).toEqual([])
    expect(misfits(panels, screen, { isCompared: true, style: 1, glyphs: 'ascii', selected: 99 })).toEqual([])
  })

  it.each(SCREENS.map((screen) => [screen.name, screen] as const))('%s with any result', (_, screen) => {
    const random = seeded(7)
    for (let round = 0; round < 12; round += 1) {
      const opened = round % 3 === 0 ? 'CS101' : undefined
      const panels = new Map(
        [...campusPanels(screen, { opened })].map(
          ([report, panel]) => [report, spoiled(panel, random)] as const,
        ),
      )
      const view: Look = { selected: Math.floor(random() * 5) - 1, opened, isCompared: round % 2 === 0 }
      const filter = { text: random() < 0.3 ? 'a' : '', isInverted: random() < 0.5 }
      const sort = random() < 0.5 ? { column: Math.floor(random() * 9), isDescending: true } : undefined
      const look = { ...view, filter, sort }
      for (const [width, height] of [...SIZES, [111, 29], [61, 14], [7, 5]] as const) {
        const frame = screen.draw(panels, { ...onceView('braille'), ...look }, { width, height })
        expect(frame.length).toBeLessThanOrEqual(height)
        for (const line of frame)
          expect(textWidth(line.map(({ text }) => text).join(''))).toBeLessThanOrEqual(width)
      }
      screen.rows(panels, { ...onceView('ascii'), ...look })
      screen.columns(panels, { ...onceView('ascii'), ...look })
      expect(screen.describe(panels, { ...onceView('ascii'), ...look }).join('\n')).not.toContain('\x1b')
    }
  })
})

// ── what the picture says ─────────────────────────────────────────────────────────────────────────────────

it('tells the change of a rate in points, of other figures in percent', () => {
  const text = plain(FULL, 80, 24)
  expect(text).toContain('38.4% ▲0.3 pp')
  expect(text).toContain('▲4.6%')
})

it('charts what there is when nobody enrolled', () => {
  const rows = days(30).map((row) => row.with(2, 0).with(3, 0))
  const text = plain({ ...FULL, daily: result(DAY, rows) }, 80, 24)
  expect(text).toContain('Active learners/day')
  expect(text).toContain('Events/day')
})

it('has no escapes without colour, and the same text with it', () => {
  const colored = plain(FULL, 120, 40, { color: true })
  expect(plain(FULL, 120, 40)).not.toContain('\x1b')
  expect(colored).toContain('\x1b[32m▲4.6%\x1b[0m')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: taking the colours away
  expect(colored.replace(/\x1b\[[\d;]*m/g, '')).toBe(plain(FULL, 120, 40))
})

it('shows hostile course titles as text', () => {
  const row = courses(1)[0] as Cell[]
  const hostile = result(COURSE, [row.with(1, '\x1b[2J\n\u202eSQL')])
  const text = plain({ ...FULL, 'course-table': hostile }, 120, 40)
  expect(text).toContain('\\e[2J\\n\\u{202e}SQL')
})

it('keeps columns in line below wide, combining and right-to-left titles', () => {
  const lines = plain(FULL, 80, 24).split('\n')
  const heading = lines.findIndex((line) => line.includes('COURSE'))
  const ends = lines.slice(heading + 1, heading + 6).map((line) => {
    const [before = ''] = line.split(/\d{4} /)
    return textWidth(before)
  })
  expect(new Set(ends).size).toBe(1)
})

it('asks the reports for the same window that it names', () => {
  const asked = OVERVIEW.reports({ ...onceView('braille'), days: 14 })
  expect(asked).toEqual([
    { report: 'overview', params: { days: '14' } },
    { report: 'daily', params: {} },
    { report: 'course-table', params: { days: '14' } },
  ])
  const text = plain({ ...FULL, daily: result(DAY, days(500)) }, 80, 24, { days: 14 })
  expect(text).toContain('14 days to 19 May 2027, against the 14 before')
})

it('gives the numbers as JSON, exactly', () => {
  const big = result(COURSE, [(courses(1)[0] as Cell[]).with(2, 9007199254740993n)])
  const json = panelsJson(panelsOf({ ...FULL, daily: EMPTY.daily, 'course-table': big }))
  expect(json).toContain('"enrolled":9007199254740993,')
  const parsed = JSON.parse(json)
  expect(parsed.overview[0]).toEqual({
    kpi: 'enrollments',
    value: 1203,
    previous: 1150,
    change_percent: 4.6,
    unit: '',
  })
  expect(parsed.daily).toEqual([])
  expect(parsed['course-table'][0].course_title).toBe('Intro to SQL')
})

// ── rows as the shell moves among them ────────────────────────────────────────────────────────────────────

describe('rows', () => {
  const rows = (look: Look) =>
    OVERVIEW.rows(panelsOf(FULL), { ...onceView('braille'), ...look }).map(({ key }) => key)

  it('are those of the report, each with its key and its cells', () => {
    const [first] = OVERVIEW.rows(panelsOf(FULL), onceView('braille'))
    expect(first).toEqual({
      key: 'C101',
      cells: ['Intro to SQL', '1612', '814', '50.5', '64.2', '70', '16.7'],
    })
    expect(rows({})).toHaveLength(24)
  })

  it('are filtered by any cell, whatever the case, and the other way round', () => {
    const kept = rows({ filter: { text: 'SQL', isInverted: false } })
    const others = rows({ filter: { text: 'sql', isInverted: true } })
    expect(kept).toHaveLength(5)
    expect([...kept, ...others].sort()).toEqual(rows({}).sort())
    expect(rows({ filter: { text: '1612', isInverted: false } })).toEqual(['C101'])
  })

  it('are sorted by size or as words, what is not there last', () => {
    expect(rows({ sort: { column: 1, isDescending: false } })[0]).toBe('C124')
    for (const isDescending of [true, false])
      expect(rows({ sort: { column: 6, isDescending } }).at(-1)).toBe('C103')
    expect(rows({ sort: { column: 0, isDescending: false } })[0]).toBe('C105')
  })
})

it('tells in sentences what the picture shows', async () => {
  const told = SCREENS.map((screen) =>
    screen.describe(campusPanels(screen), { ...onceView('braille'), selected: 0 }).join('\n'),
  )
  await expect(`${told.join('\n\n')}\n`).toMatchFileSnapshot(goldenFile('sentences'))
  expect(OVERVIEW.describe(panelsOf(FULL), { ...onceView('braille'), selected: 0 })).toContain(
    'Enrollments: 1203, up 4.6% on the days before.',
  )
})

describe('what it is drawn for', () => {
  const terminal = { isTerminal: true, width: 132, height: 43, color: true, unicode: true }

  it('is the terminal, with a line left for the prompt', () => {
    expect(onceOptions(terminal, { LANG: 'C.UTF-8', LINES: '10' })).toEqual({
      size: { width: 132, height: 42 },
      glyphs: 'braille',
      color: true,
    })
  })

  it('is 80 by 24 without one, or what LINES says', () => {
    const piped = { ...terminal, isTerminal: false, width: Number.POSITIVE_INFINITY, color: false }
    expect(onceOptions(piped, {})).toEqual({ size: { width: 80, height: 24 }, glyphs: 'ascii', color: false })
    expect(onceOptions({ ...piped, width: 120 }, { LINES: '40' }).size).toEqual({ width: 120, height: 40 })
  })
})
