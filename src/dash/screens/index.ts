/** Stands in for the seven screens until they are there: the Overview as it is drawn once. */

import { clipFrame, span } from '../../charts/frame.ts'
import type { Cell, Result } from '../../types.ts'
import { courseTable } from '../course-table.ts'
import { kpiTiles } from '../kpis.ts'
import type { OverviewData } from '../overview.ts'
import type { Panels, Screen, View } from '../screen.ts'

const NOTHING: Result = { columns: [], rows: [] }

function dataOf(panels: Panels, view: View): OverviewData {
  const of = (report: string) => panels.get(report)?.result ?? NOTHING
  return { overview: of('overview'), daily: of('daily'), courses: coursesOf(panels, view), days: view.days }
}

function coursesOf(panels: Panels, { filter, sort }: View): Result {
  const courses = panels.get('course-table')?.result ?? NOTHING
  const holds = (row: readonly Cell[]) =>
    row.some((cell) => String(cell).toLowerCase().includes(filter.text.toLowerCase())) !== filter.isInverted
  const rows = filter.text === '' ? courses.rows : courses.rows.filter(holds)
  if (sort === undefined) return { ...courses, rows }
  const order = (a: Cell | undefined, b: Cell | undefined) =>
    typeof a === 'number' && typeof b === 'number' ? a - b : String(a) < String(b) ? -1 : 1
  const by = rows.toSorted((a, b) => order(a[sort.column], b[sort.column]))
  return { ...courses, rows: sort.isDescending ? by.reverse() : by }
}

function screen(number: number, name: string, title: string): Screen {
  return {
    number,
    name,
    title,
    shortTitle: title.slice(0, 6),
    reports: ({ days }) => [
      { report: 'overview', params: { days: `${days}` } },
      { report: 'daily', params: {} },
      { report: 'course-table', params: { days: `${days}` } },
    ],
    columns: (panels) => panels.get('course-table')?.result?.columns.map((column) => column.name) ?? [],
    rows: (panels, view) =>
      coursesOf(panels, view).rows.map((row) => ({ key: String(row[0]), cells: row.map(String) })),
    draw(panels, view, size) {
      const problems = [...panels.values()].flatMap(({ problem }) =>
        problem ? [[span(problem.text, 'bad')]] : [],
      )
      if (panels.size < 3) return [...problems, [span('  ..........', 'muted')]]
      const data = dataOf(panels, view)
      const kpis = kpiTiles(data, { width: size.width, glyphs: view.glyphs, sparks: true })
      const table = courseTable(data.courses, view.days, { ...size, height: size.height - 6 }, view.glyphs)
      const [heading = [], ...rows] = table
      const marked = rows.map((row, index) =>
        index === view.selected ? [span('› ', 'accent'), ...row.slice(1)] : row,
      )
      const opened = view.opened === undefined ? [] : [[span(`Opened ${view.opened}`, 'strong')]]
      return clipFrame([...problems, ...opened, ...kpis, [], heading, ...marked], size)
    },
    describe: (panels) => [...panels.keys()],
  }
}

export const SCREENS: readonly Screen[] = [screen(1, 'overview', 'Overview'), screen(4, 'courses', 'Courses')]
