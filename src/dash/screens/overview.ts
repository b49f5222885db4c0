import { readKpis } from '../../charts/kpi.ts'
import { toValue } from '../../charts/series.ts'
import { cellOf, type Figure, type Results, resultsOf } from '../page.ts'
import { pageScreen } from '../page-screen.ts'
import { dayChart } from '../period.ts'
import { courseColumns, FILLS } from './course-columns.ts'

const CHARTS = [
  { y: 'enrollments', title: 'Enrollments/day' },
  { y: 'completions', title: 'Completions/day' },
  { y: 'active_learners', title: 'Active learners/day' },
  { y: 'events', title: 'Events/day' },
]

export const overview = pageScreen(
  { number: 1, name: 'overview', title: 'Overview', shortTitle: 'Over', opens: 'courses' },
  (view, panels) => {
    const daily = resultsOf(panels)('daily')
    // Where there is none of the first, as in logs of events alone, what there is instead.
    const isThere = ({ y }: { y: string }) =>
      daily.rows.some((row) => (toValue(cellOf(daily, row, y)) ?? 0) > 0)
    const charts = [...CHARTS.filter(isThere), ...CHARTS.filter((chart) => !isThere(chart))]
    const empty = { text: 'No day has any yet.', command: FILLS }
    return {
      requests: [
        { report: 'overview', params: { days: `${view.days}` } },
        { report: 'daily', params: {} },
        { report: 'course-table', params: { days: `${view.days}` } },
      ],
      figures: {
        reports: ['overview', 'daily'],
        read: (results) => overviewFigures(results, view.days),
      },
      parts: charts
        .slice(0, 3)
        .map(({ y, title }) => dayChart({ report: 'daily', title, y: [y], empty }, view)),
      side: charts.slice(3).map(({ y, title }) => dayChart({ report: 'daily', title, y: [y], empty }, view)),
      table: {
        ...{ kind: 'table', report: 'course-table', title: 'Courses', key: 'course_id' },
        columns: courseColumns(view.days),
        empty: { text: 'No course has enrollments yet.', command: FILLS },
      },
    }
  },
)

function overviewFigures(results: Results, days: number): readonly Figure[] {
  const [figures, daily] = [results('overview'), results('daily')]
  const newest = daily.rows.slice(-days)
  const spec = { kind: 'kpi', title: '', x: 'kpi', y: ['value', 'change_percent'], glyphs: 'ascii' } as const
  return readKpis(figures, spec).map((kpi) => ({
    ...kpi,
    days: newest.map((row) => toValue(cellOf(daily, row, kpi.name))),
  }))
}
