import { describe, expect, it } from 'vitest'
import type { Cell, Column, Frame, Glyphs, Result, Size } from '../types.ts'
import { lineWidth } from './frame.ts'
import { CHARTS, chartKinds, drawChart, frameToText, guessChartSpec, parseChartSpec } from './index.ts'

const LEVELS: readonly Glyphs[] = ['braille', 'block', 'ascii']

function result(columns: Record<string, Column['type']>, rows: readonly Cell[][]): Result {
  return { columns: Object.entries(columns).map(([name, type]) => ({ name, type })), rows }
}

/** Days with a weekly rhythm; arithmetic only, so that goldens stay the same everywhere. */
function days(count: number): Result {
  const rows = Array.from({ length: count }, (_, day): Cell[] => {
    const date = new Date(Date.UTC(2026, 0, 5) + day * 86_400_000)
    const weekend = day % 7 > 4
    const enrollments = (weekend ? 600 : 1400) + ((day * 37) % 200) + 8 * Math.min(day, 60)
    return [date.toISOString().slice(0, 10), enrollments, Math.floor(enrollments / 3) + ((day * 53) % 90)]
  })
  return result({ day: 'date', enrollments: 'integer', completions: 'integer' }, rows)
}

const COURSES = result(
  { course_title: 'text', enrolled: 'integer', completed: 'integer', progress: 'double' },
  [
    ['Intro to SQL', 1612, 814, 0.642],
    ['Data Structures and Algorithms in Python', 1480, 565, 0.511],
    ['線形代数入門', 980, 431, 0.998],
    ['Écriture créative', 310, 218, 0],
  ],
)

const STEPS = result({ step: 'text', pairs: 'integer' }, [
  ['enrolled', 14203],
  ['viewed', 11020],
  ['explored', 6120],
  ['completed', 3611],
  ['certified', 1904],
])

const WEEKS = [0, 1, 2, 3, 4, 5]
const COHORTS = result(
  { cohort: 'text', ...Object.fromEntries(WEEKS.map((week) => [`week_${week}`, 'double' as const])) },
  [0, 1, 2, 3, 4, 5, 6].map((cohort) => [
    `2026-W0${cohort + 1}`,
    ...WEEKS.map((week) => (cohort + week > 6 ? null : Math.round(1000 / (1 + week + cohort / 9)) / 10)),
  ]),
)

const KPIS = result({ kpi: 'text', value: 'double', change_percent: 'double', unit: 'text' }, [
  ['enrollments', 14203, 4.2, ''],
  ['completion_rate', 38.4, -0.8, '%'],
  ['at_risk', 212, 12, ''],
  ['active_learners', 8211, null, ''],
])

const HOSTILE: Readonly<Record<string, readonly Cell[][]>> = {
  'no rows': [],
  'one row': [['only', 7, 3]],
  nulls: [
    [null, null, null],
    ['b', null, null],
  ],
  'all zero': [
    ['a', 0, 0],
    ['b', 0, 0],
  ],
  'not numbers': [
    ['a', Number.NaN, Number.POSITIVE_INFINITY],
    ['b', 'text', Number.NEGATIVE_INFINITY],
    ['c', 5, true],
  ],
  negative: [
    ['a', -5, 3],
    ['b', -900, 2],
    ['c', 40, -1],
  ],
  huge: [
    ['a', 1.7e308, -1.7e308],
    ['b', 9007199254740993n, 5e-324],
    ['c', '123456789012345678901234567890.5', 1e-9],
  ],
  'wide and hostile text': [
    ['👩‍👩‍👧‍👦 数学 e\u0301\u0301\u0301 \u202egnisrever', 3, 4],
    ['\x1b[31mred\x1b[0m\nline\ttab\x07\x9b2J', 2, 1],
    ['\ud800 lone'.repeat(20), 9, 2],
    ['', 1, 1],
  ],
  dates: Array.from({ length: 150 }, (_, day): Cell[] => [
    new Date(Date.UTC(2024, 0, 1) + day * 86_400_000).toISOString().slice(0, 10),
    day % 11 === 0 ? null : day,
    -day,
  ]),
  'far dates': [
    ['0001-01-01', 1, 2],
    ['9999-12-31', 3, 1],
    ['2026-02-30', 2, 2],
  ],
  'same date twice': [
    ['2026-01-01', 1, 2],
    ['2026-01-01', 3, 1],
  ],
}

// Every small width, then those around the thresholds; the same for heights.
const WIDTHS = [...Array.from({ length: 27 }, (_, width) => width), 29, 30, 39, 40, 60, 72, 99, 130]
const SIZES = WIDTHS.flatMap((width) => [0, 1, 2, 3, 4, 7, 20].map((height) => ({ width, height })))

const fits = (frame: Frame, { width, height }: Size) =>
  frame.length <= height && frame.every((line) => lineWidth(line) <= width)

describe.each(chartKinds)('%s', (kind) => {
  it.each(Object.keys(HOSTILE))('stays within any size: %s', (name) => {
    const data = result({ x: 'text', y: 'double', z_percent: 'double' }, HOSTILE[name] as Cell[][])
    const spec = { kind, x: 'x', y: ['y', 'z_percent'] }
    const outside = LEVELS.flatMap((glyphs, index) => {
      const title = index === 0 ? '' : 'A title that is longer than most of the widths'
      return SIZES.filter((size) => !fits(drawChart(data, { ...spec, title, glyphs }, size), size))
    })
    expect(outside).toEqual([])
  })

  it('lets no control character of the data or the title through', () => {
    const rows = HOSTILE['wide and hostile text'] as Cell[][]
    const data = result({ 'x\x1b]0;': 'text', y: 'double' }, rows)
    for (const glyphs of LEVELS) {
      const spec = { kind, title: 'T\x1b[2J', x: 'x\x1b]0;', y: ['y'], glyphs }
      const text = frameToText(drawChart(data, spec, { width: 80, height: 20 }), { color: false })
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
    }
  })

  it('draws the same picture again', () => {
    const spec = { kind, title: 'T', x: 'day', y: ['enrollments', 'completions'], glyphs: 'braille' } as const
    const draw = () => drawChart(days(90), spec, { width: 60, height: 12 })
    expect(draw()).toEqual(draw())
  })

  it('draws only ASCII where nothing else is shown', () => {
    const spec = { kind, title: 'T', x: 'day', y: ['enrollments', 'completions'], glyphs: 'ascii' } as const
    for (const [width, height] of [
      [80, 20],
      [30, 8],
      [12, 3],
    ] as const) {
      const text = frameToText(drawChart(days(90), spec, { width, height }), { color: false })
      expect(text).toMatch(/^[\x20-\x7e\n]*$/)
    }
  })
})

it('needs no clipping at usual sizes', () => {
  for (const [name, data, header, title] of GOLDENS) {
    for (const glyphs of LEVELS) {
      const spec = parseChartSpec(header, title, glyphs)
      const chart = CHARTS.find(({ kind }) => kind === spec.kind)
      const sizes = SIZES.filter(({ width, height }) => width >= 40 && height >= 4)
      const outside = sizes.filter((size) => !fits(chart?.draw(data, spec, size) ?? [], size))
      expect(
        outside.map(({ width, height }) => `${width}x${height}`),
        `${name} ${glyphs}`,
      ).toEqual([])
    }
  }
})

// More rows than a function takes arguments.
it('draws a result of 130,000 rows', () => {
  const rows = Array.from({ length: 130_000 }, (_, row): Cell[] => [`name ${row}`, row, row / 7])
  const data = result({ x: 'text', y: 'integer', z: 'double' }, rows)
  for (const kind of chartKinds) {
    const frame = drawChart(
      data,
      { kind, title: '', x: 'x', y: ['y', 'z'], glyphs: 'braille' },
      { width: 80, height: 20 },
    )
    expect(frame.length, kind).toBeGreaterThan(0)
  }
})

const GOLDENS: readonly (readonly [
  name: string,
  data: Result,
  header: string,
  title: string,
  width: number,
  height: number,
])[] = [
  ['line', days(45), 'line x=day y=enrollments', 'Enrollments/day', 60, 10],
  ['line-two', days(90), 'line x=day y=enrollments,completions', 'Enrollments and completions', 72, 14],
  ['line-year', days(365), 'line x=day y=enrollments', 'Enrollments/day', 38, 8],
  ['bar', COURSES, 'bar x=course_title y=enrolled', 'Courses', 60, 6],
  ['bar-two', COURSES, 'bar x=course_title y=enrolled,completed', 'Courses', 60, 8],
  ['sparkline', days(90), 'sparkline x=day y=enrollments,completions', 'Per day', 60, 3],
  ['heat', COHORTS, `heat x=cohort y=${WEEKS.map((week) => `week_${week}`).join(',')}`, 'Retention', 72, 8],
  ['funnel', STEPS, 'funnel x=step y=pairs', 'From enrollment to certificate', 60, 10],
  ['progress', COURSES, 'progress x=course_title y=progress', 'Progress', 60, 5],
  ['kpi', KPIS, 'kpi x=kpi y=value,change_percent', 'At a glance', 40, 8],
]

describe('golden frames', () => {
  for (const [name, data, header, title, width, height] of GOLDENS) {
    it.each(LEVELS)(`${name}, %s`, async (glyphs) => {
      const frame = drawChart(data, parseChartSpec(header, title, glyphs), { width, height })
      const file = `../../fixtures/golden/frames/${name}-${glyphs}.txt`
      await expect(`${frameToText(frame, { color: false })}\n`).toMatchFileSnapshot(file)
    })
  }
})

describe('what a picture says', () => {
  const text = (data: Result, header: string, width = 60, height = 12, glyphs: Glyphs = 'braille') =>
    frameToText(drawChart(data, parseChartSpec(header, '', glyphs), { width, height }), { color: false })

  it('starts at zero', () => {
    const data = result({ t: 'text', v: 'integer' }, [
      ['a', 1000],
      ['b', 1010],
    ])
    expect(text(data, 'line x=t y=v')).toMatch(/^\s+0┤/m)
  })

  it('labels the first, middle and last x', () => {
    expect(text(days(45), 'line x=day y=enrollments')).toMatch(/└5 Jan ─+ 27 Jan ─+ 18 Feb$/)
  })

  it('says how days were thinned', () => {
    expect(text(days(50), 'line x=day y=enrollments')).not.toContain('mean')
    expect(text(days(90), 'line x=day y=enrollments')).toContain('7-day mean')
    expect(text(days(300), 'line x=day y=enrollments')).toContain('7-day mean')
    expect(text(days(730), 'line x=day y=enrollments')).toContain('2-week mean')
    expect(text(COURSES, 'sparkline x=course_title y=enrolled', 10, 2)).not.toContain('mean')
  })

  it('leaves a gap where days are missing', () => {
    const data = result({ day: 'date', n: 'integer' }, [
      ['2026-01-01', 5],
      ['2026-01-02', 5],
      ['2026-01-09', 5],
      ['2026-01-10', 5],
    ])
    const [plotted = ''] = text(data, 'line x=day y=n', 40, 4, 'ascii')
      .split('\n')
      .filter((line) => line.includes('--'))
    expect(plotted).toMatch(/-+ {10,}-+/)
  })

  it('tells several series apart without colour', () => {
    const data = result({ t: 'text', a: 'integer', b: 'integer' }, [
      ['x', 9, 3],
      ['y', 9, 3],
      ['z', 9, 3],
    ])
    const glyphsOf = (line: string | undefined) => new Set((line ?? '').replace(/^.*[┤│+|]|\s/g, ''))
    for (const [glyphs, kind] of [
      ['braille', 'line'],
      ['ascii', 'line'],
    ] as const) {
      const lines = text(data, `${kind} x=t y=a,b`, 40, 12, glyphs).split('\n').slice(1, -1)
      const drawn = lines.map(glyphsOf).filter((set) => set.size > 0)
      expect(drawn).toHaveLength(2)
      expect(drawn[0]).not.toEqual(drawn[1])
    }
    expect(text(data, 'bar x=t y=a,b')).toContain('▒')
    expect(text(data, 'line x=t y=a,b', 60, 12, 'block')).toMatch(/^a\n[\s\S]*^b\n/m)
  })

  it('never draws something as nothing', () => {
    const data = result({ t: 'text', v: 'integer' }, [
      ['much', 1_000_000],
      ['little', 1],
    ])
    expect(text(data, 'bar x=t y=v')).toMatch(/little ▏ 1$/m)
  })

  it('calls by its id what has no name yet', () => {
    const data = result({ course_id: 'text', course_title: 'text', enrolled: 'integer' }, [['C7', null, 3]])
    expect(text(data, 'bar x=course_title y=enrolled')).toMatch(/^C7 █+ 3$/)
  })

  it('says how many bars are left out', () => {
    expect(text(COURSES, 'bar x=course_title y=enrolled', 60, 3)).toMatch(/… 2 more$/)
  })

  it('shows only all as 100% and only nothing as 0%', () => {
    const data = result({ t: 'text', v: 'double' }, [
      ['a', 0.999],
      ['b', 1],
      ['c', 0.001],
      ['d', 0],
    ])
    expect(text(data, 'progress x=t y=v').match(/\S+%$/gm)).toEqual(['99%', '100%', '<1%', '0%'])
  })

  it('counts the rows of each name, the most first', () => {
    const data = result({ id: 'text', days: 'double' }, [
      ['a', 119],
      ['b', 8],
      [null, 9],
      ['b', 119],
    ])
    const lines = text(data, 'count x=id y=learners').split('\n')
    expect(lines.map((line) => line.replace(/ [^ ]+ /, ' '))).toEqual(['b    2', 'a    1', 'none 1'])
  })

  it('tells a change by its arrow, and its worth by its tone', () => {
    const spec = parseChartSpec('kpi x=kpi y=value,change_percent', '', 'braille')
    const spans = drawChart(KPIS, spec, { width: 120, height: 3 }).flat()
    const toneOf = (change: string) => spans.find((span) => span.text === change)?.tone
    expect(toneOf('▲4.2%')).toBe('good')
    expect(toneOf('▼0.8%')).toBe('bad')
    expect(toneOf('▲12.0%')).toBe('bad')
  })
})

describe('the spec of a chart', () => {
  it('is read from a header', () => {
    expect(parseChartSpec('line x=day y=a,b', 'T', 'block')).toEqual({
      kind: 'line',
      title: 'T',
      x: 'day',
      y: ['a', 'b'],
      glyphs: 'block',
    })
  })

  it.each(['line', 'line x=day', 'line y=a', 'line x=day y=', 'line x=day y=a z=b'])(
    'is refused: %s',
    (header) => {
      expect(() => parseChartSpec(header, '', 'ascii')).toThrow(
        expect.objectContaining({ code: 'LPA-CHART-HEADER' }),
      )
    },
  )

  it('suggests the kind that was meant', () => {
    expect(() => parseChartSpec('funel x=a y=b', '', 'ascii')).toThrow(
      expect.objectContaining({
        code: 'LPA-CHART-KIND',
        next: [expect.stringContaining('Did you mean funnel?')],
      }),
    )
  })

  it('names the columns there are when one is missing', () => {
    const draw = () =>
      drawChart(STEPS, parseChartSpec('bar x=step y=learners', '', 'ascii'), { width: 80, height: 9 })
    expect(draw).toThrow(
      expect.objectContaining({ code: 'LPA-CHART-COLUMN', next: ['Its columns are: step, pairs.'] }),
    )
  })

  it('is guessed for a result that names none', () => {
    expect(guessChartSpec(days(3), '', 'ascii')).toMatchObject({
      kind: 'line',
      x: 'day',
      y: ['enrollments', 'completions'],
    })
    expect(guessChartSpec(STEPS, '', 'ascii')).toMatchObject({ kind: 'bar', x: 'step', y: ['pairs'] })
    expect(guessChartSpec(result({ a: 'text' }, []), '', 'ascii')).toBeUndefined()
  })
})
