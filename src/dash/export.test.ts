import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { valueText } from '../charts/number-text.ts'
import type { Result } from '../types.ts'
import { readCampus, result, seeded, spoiled } from './campus.test-support.ts'
import { exportFormat, exportScreen } from './export.ts'
import { onceView } from './once.ts'
import type { PageScreen } from './page-screen.ts'
import type { Panels, View } from './screen.ts'
import { SCREENS } from './screens/index.ts'

const VIEW = onceView('braille')
const HOSTILE = '<script>alert(1)</script>"\'&\x1b[2J'
const NAMED = SCREENS.map((screen) => [screen.name, screen] as const)

let folder: string
let campusPanels: Awaited<ReturnType<typeof readCampus>>
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-export-'))
  campusPanels = await readCampus()
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

async function exported(
  screen: PageScreen,
  panels: Panels,
  ending: string,
  view: View = VIEW,
): Promise<Buffer> {
  const file = join(folder, `${screen.name}.${ending}`)
  await exportScreen(screen, panels, view, file)
  return readFileSync(file)
}

/** Every element closed in its turn, every attribute in quotes, nothing but the five entities. */
function assertWellFormed(xml: string): void {
  const open: string[] = []
  const rest = xml.replace(
    /<(\/?)([a-z]+)((?:\s[\w:-]+="[^"<]*")*)\s*(\/?)>/gi,
    (_, close, name, _attributes, own) => {
      if (close) expect(open.pop()).toBe(name)
      else if (!own) open.push(name)
      return ''
    },
  )
  expect(open).toEqual([])
  expect(rest).not.toMatch(/[<>]/)
  expect(rest.replace(/&(amp|lt|gt|quot|apos);/g, '')).not.toContain('&')
}

const overview = SCREENS[0] as PageScreen

describe('as vectors', () => {
  it.each(NAMED)('%s is well-formed and says what the screen says', async (_, screen) => {
    const svg = (await exported(screen, campusPanels(screen), 'svg')).toString()
    assertWellFormed(svg)
    expect(svg).toContain(screen.title.replace('&', '&amp;'))
    expect(svg).not.toMatch(/NaN|Infinity|undefined|lacks/)
    const { parts, side } = screen.page(VIEW, campusPanels(screen))
    for (const { title } of [...parts, ...side]) expect(svg).toContain(`>${title}<`)
  })

  it.each(NAMED)('%s without data says so', async (_, screen) => {
    const svg = (await exported(screen, new Map(), 'svg')).toString()
    assertWellFormed(svg)
    expect(svg).toContain('not read yet')
  })

  it.each(NAMED)('%s is well-formed of any result', async (_, screen) => {
    const random = seeded(11)
    for (let round = 0; round < 8; round += 1) {
      const view = { ...VIEW, opened: round % 3 === 0 ? 'CS101' : undefined, isCompared: round % 2 === 0 }
      const panels = new Map(
        [...campusPanels(screen, view)].map(([name, panel]) => [name, spoiled(panel, random)] as const),
      )
      const svg = (await exported(screen, panels, 'svg', view)).toString()
      assertWellFormed(svg)
      expect(svg).not.toMatch(/ (x|y|d|width|height)="[^"]*(NaN|Infinity)/)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
      expect(svg).not.toMatch(/[\x00-\x08\x0b-\x1f\u202e]/)
    }
  })

  it('draws a line for each series, apart in colour and dashes, and each value to hover over', async () => {
    const svg = (
      await exported(overview, campusPanels(overview), 'svg', { ...VIEW, isCompared: true })
    ).toString()
    expect(svg).toContain('stroke-dasharray="6 4"')
    const daily = campusPanels(overview).get('daily')?.result
    const enrolled = (daily?.rows ?? []).map((row) => row[2])
    expect(daily?.columns[2]?.name).toBe('enrollments')
    const [newest, before] = [enrolled.at(-1), enrolled.at(-29)]
    expect(svg).toContain(`<title>23 Mar: these 28 days ${newest}, 28 days before ${before}</title>`)
    expect(svg).toContain('28 days before')
  })

  it('shows text from data as text', async () => {
    const panels = new Map(campusPanels(overview))
    const columns = panels.get('course-table')?.result?.columns ?? []
    const row = columns.map(({ name }) => (name === 'course_title' ? HOSTILE : 1))
    panels.set('course-table', { result: { columns, rows: [row] } })
    for (const ending of ['svg', 'html']) {
      const text = (await exported(overview, panels, ending)).toString()
      expect(text).not.toContain('<script')
      expect(text).not.toContain('\x1b')
      expect(text).toContain('&lt;script&gt;alert(1)')
    }
  })
})

it('as a page is one file that asks for nothing', async () => {
  const html = (await exported(overview, campusPanels(overview), 'html')).toString()
  expect(html).toMatch(/^<!doctype html>/)
  expect(html).toContain("default-src 'none'")
  expect(html.replace('http://www.w3.org/2000/svg', '')).not.toMatch(
    /https?:|src=|href=|url\(|<script|@import/,
  )
  expect(html).toContain('<li>Enrollments: 10, down 79.2% on the days before.</li>')
})

describe('in a browser', () => {
  /** The page as it is after all was loaded. */
  function shownInBrowser(name: string) {
    const browser = ['chromium', 'google-chrome', 'chromium-browser'].find(
      (program) => spawnSync(program, ['--version']).status === 0,
    )
    if (browser === undefined) throw new Error('There is no browser: apt-get install chromium')
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--enable-logging=stderr', '--dump-dom']
    const profile = `--user-data-dir=${join(folder, 'profile')}`
    return spawnSync(browser, [...flags, profile, `file://${join(folder, `${name}.html`)}`], {
      encoding: 'utf8',
    })
  }

  it.each(NAMED)(
    'nothing is fetched, nothing goes wrong, values are those of the report: %s',
    async (name, screen) => {
      const panels = campusPanels(screen)
      await exported(screen, panels, 'html')
      const { stdout, stderr, status } = shownInBrowser(name)
      expect(status).toBe(0)
      expect(stderr).not.toMatch(/CONSOLE|Refused/)
      const texts = [...stdout.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text = '']) => text)
      const { table } = screen.page(VIEW, panels)
      const { columns, rows } = (panels.get(table.report) as { result: Result }).result
      expect(rows.length).toBeGreaterThan(0)
      // Columns are drawn one after the other, each below its heading.
      const numbers = table.columns.filter(({ kind }) => kind === 'number')
      for (const { name: column, heading } of numbers) {
        const start = texts.lastIndexOf(heading) + 1
        const values = rows.map((row) => row[columns.findIndex((one) => one.name === column)] ?? null)
        const shown = values.slice(0, 40).map((value) => (value === null ? '-' : valueText(Number(value))))
        expect(texts.slice(start, start + shown.length)).toEqual(shown)
      }
    },
    60_000,
  )

  it('each day of a line can be hovered over', async () => {
    await exported(overview, campusPanels(overview), 'html')
    const { stdout } = shownInBrowser('overview')
    const days = (campusPanels(overview).get('daily')?.result?.rows ?? []).slice(-VIEW.days)
    expect(days).toHaveLength(28)
    const wanted = ['enrollments', 'completions', 'active learners', 'events'].flatMap((name, index) =>
      days.map((row) => `: ${name} ${row[2 + index]}`),
    )
    const titles = [...stdout.matchAll(/<title>\d+ \w+(: [^<]*)/g)].map(([, title]) => title)
    expect(titles).toEqual(wanted)
    expect(stdout).toMatch(/<path d="M[\d. ]+L/)
  }, 60_000)
})

it.each(NAMED)('as pixels: %s', async (_, screen) => {
  const png = await exported(screen, campusPanels(screen), 'png')
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  expect(png.readUInt32BE(16)).toBe(2400)
})

describe('as rows', () => {
  const panels: Panels = new Map([
    [
      'course-table',
      {
        result: result({ course_id: 'text', course_title: 'text', enrolled: 'integer' }, [
          ['C1', '=HYPERLINK("http://x")', 12],
          ['C2', 'Plain, with a comma', -3],
        ]),
      },
    ],
  ])

  it('has formulas made harmless, numbers exact', async () => {
    expect((await exported(overview, panels, 'csv')).toString()).toBe(
      'course_id,course_title,enrolled\nC1,"\'=HYPERLINK(""http://x"")",12\nC2,"Plain, with a comma",-3\n',
    )
  })

  it('has text that no terminal acts on', async () => {
    const hostile: Panels = new Map([
      ['course-table', { result: result({ course_title: 'text' }, [[HOSTILE]]) }],
    ])
    expect((await exported(overview, hostile, 'csv')).toString()).not.toContain('\x1b')
  })

  it('has what filter and sort leave', async () => {
    const view = { ...VIEW, filter: { text: 'plain', isInverted: true } }
    expect((await exported(overview, panels, 'csv', view)).toString().split('\n')).toHaveLength(3)
  })
})

it('refuses other endings', () => {
  expect(exportFormat('a/b.HTML')).toBe('html')
  expect(() => exportFormat('picture.gif')).toThrow('A screen cannot be written as picture.gif.')
  expect(() => exportFormat('picture')).toThrow()
})
