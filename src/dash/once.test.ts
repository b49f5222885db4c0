import { describe, expect, it } from 'vitest'
import { textWidth } from '../charts/frame.ts'
import type { Cell, Column, Result } from '../types.ts'
import { onceOptions, renderOnce } from './once.ts'
import { type OverviewData, overviewJson, readOverview } from './overview.ts'

function result(columns: Record<string, Column['type']>, rows: readonly Cell[][]): Result {
  return { columns: Object.entries(columns).map(([name, type]) => ({ name, type })), rows }
}

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
  null,
  'Photography 101',
]

function courses(count: number): Cell[][] {
  return Array.from({ length: count }, (_, course) => [
    `C${101 + course}`,
    TITLES[course % TITLES.length] ?? null,
    1612 - 31 * course,
    814 - 17 * course,
    50.5 - course,
    course === 4 ? null : 64.2 - course,
    70 - course,
    60,
    course === 2 ? null : 16.7 - 1.7 * course,
  ])
}

const FULL: OverviewData = {
  overview: result(KPI, [
    ['enrollments', 1203, 1150, 4.6, ''],
    ['completions', 411, 415, -1, ''],
    ['completion_rate', 38.4, 38.1, 0.8, '%'],
    ['active_learners', 14211, 14211, 0, ''],
  ]),
  daily: result(DAY, days(90)),
  courses: result(COURSE, courses(24)),
  days: 7,
}

const EMPTY: OverviewData = {
  overview: result(KPI, [
    ['enrollments', 0, 0, null, ''],
    ['completion_rate', null, null, null, '%'],
  ]),
  daily: result(DAY, []),
  courses: result(COURSE, []),
  days: 7,
}

const plain = (
  data: OverviewData,
  width: number,
  height: number,
  glyphs: 'braille' | 'block' | 'ascii' = 'braille',
) => renderOnce(data, { size: { width, height }, glyphs, color: false })

describe('golden frames', () => {
  it.each([
    ['overview-80x24-braille', FULL, 80, 24, 'braille'],
    ['overview-80x24-block', FULL, 80, 24, 'block'],
    ['overview-80x24-ascii', FULL, 80, 24, 'ascii'],
    ['overview-120x40-braille', FULL, 120, 40, 'braille'],
    ['overview-120x40-ascii', FULL, 120, 40, 'ascii'],
    ['overview-200x50-braille', FULL, 200, 50, 'braille'],
    ['overview-60x15-braille', FULL, 60, 15, 'braille'],
    ['overview-50x12-braille', FULL, 50, 12, 'braille'],
    ['overview-30x8-braille', FULL, 30, 8, 'braille'],
    ['overview-empty', EMPTY, 80, 24, 'braille'],
    ['overview-no-courses', { ...FULL, courses: EMPTY.courses }, 80, 24, 'braille'],
    ['overview-no-days', { ...FULL, daily: EMPTY.daily }, 80, 24, 'braille'],
  ] as const)('%s', async (name, data, width, height, glyphs) => {
    const file = `../../fixtures/golden/frames/${name}.txt`
    await expect(`${plain(data, width, height, glyphs)}\n`).toMatchFileSnapshot(file)
  })
})

it('fits every window', () => {
  const outside: string[] = []
  for (const data of [FULL, EMPTY, { ...FULL, daily: EMPTY.daily }, { ...FULL, courses: EMPTY.courses }]) {
    for (const width of [1, 2, 10, 29, 39, 40, 41, 59, 60, 61, 79, 80, 100, 109, 110, 120, 160, 200]) {
      for (const height of [0, 1, 2, 9, 10, 14, 15, 16, 20, 24, 29, 30, 31, 40, 60]) {
        const lines = plain(data, width, height).split('\n')
        const fits = lines.length <= Math.max(1, height) && lines.every((line) => textWidth(line) <= width)
        if (!fits) outside.push(`${width}x${height}`)
      }
    }
  }
  expect(outside).toEqual([])
})

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
  const options = { size: { width: 120, height: 40 }, glyphs: 'braille' } as const
  const colored = renderOnce(FULL, { ...options, color: true })
  expect(renderOnce(FULL, { ...options, color: false })).not.toContain('\x1b')
  expect(colored).toContain('\x1b[32m▲4.6%\x1b[0m')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: taking the colours away
  expect(colored.replace(/\x1b\[[\d;]*m/g, '')).toBe(renderOnce(FULL, { ...options, color: false }))
})

it('shows hostile course titles as text', () => {
  const row = courses(1)[0] as Cell[]
  const hostile = result(COURSE, [row.with(1, '\x1b[2J\n\u202eSQL')])
  const text = plain({ ...FULL, courses: hostile }, 120, 40)
  expect(text).toContain('\\e[2J\\n\\u{202e}SQL')
})

it('asks the reports for the same window that it names', async () => {
  const asked: unknown[] = []
  const data = await readOverview(async (report, params) => {
    asked.push([report, params])
    return { overview: FULL.overview, daily: result(DAY, days(500)), 'course-table': FULL.courses }[
      report
    ] as Result
  }, 14)
  expect(asked).toEqual([
    ['overview', { days: '14' }],
    ['daily', {}],
    ['course-table', { days: '14' }],
  ])
  expect(data.daily.rows).toHaveLength(364)
  expect(plain(data, 80, 24)).toContain('14 days to 19 May 2027, against the 14 before')
})

it('gives the numbers as JSON, exactly', () => {
  const big = result(COURSE, [(courses(1)[0] as Cell[]).with(2, 9007199254740993n)])
  const json = overviewJson({ ...FULL, daily: EMPTY.daily, courses: big })
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
  expect(parsed.courses[0].course_title).toBe('Intro to SQL')
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
