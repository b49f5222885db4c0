import { dayText, toValue } from '../../charts/series.ts'
import { cellOf, type Figure, type Results } from '../page.ts'
import { pageScreen } from '../page-screen.ts'
import { dayChart, numberFigure, sumFigure, total } from '../period.ts'
import type { View } from '../screen.ts'
import { FILLS } from './course-columns.ts'

export const enrollments = pageScreen(
  { number: 2, name: 'enrollments', title: 'Enrollments', shortTitle: 'Enroll', opens: 'courses' },
  (view) => {
    const empty = { text: 'No enrollments yet.', command: FILLS }
    return {
      requests: [
        { report: 'enrollments', params: {} },
        { report: 'category-rollup', params: {} },
        { report: 'reconciliation', params: {} },
        { report: 'course-table', params: { days: `${view.days}` } },
      ],
      figures: { reports: ['enrollments'], read: (results) => figuresOf(results, view) },
      parts: [
        dayChart({ report: 'enrollments', title: 'Enrollments/day', y: ['enrollments'], empty }, view),
        {
          ...{ kind: 'chart', report: 'category-rollup', title: 'Enrollments by category', empty },
          chart: (result) => ({
            result,
            spec: {
              ...{ kind: 'bar', title: 'Enrollments by category', x: 'category', y: ['enrollments'] },
              glyphs: view.glyphs,
            },
          }),
        },
      ],
      side: [
        {
          ...{ kind: 'table', report: 'reconciliation', title: 'Roster against events', empty },
          columns: [
            { name: 'course_id', heading: 'COURSE', label: 'Course', kind: 'text', rank: 0 },
            { name: 'matched', heading: 'BOTH', label: 'In both', kind: 'number', rank: 0 },
            { name: 'only_roster', heading: 'ROSTER', label: 'Only in the roster', kind: 'number', rank: 1 },
            { name: 'only_events', heading: 'EVENTS', label: 'Only in the events', kind: 'number', rank: 2 },
          ],
        },
      ],
      table: {
        ...{ kind: 'table', report: 'course-table', title: 'Courses', key: 'course_id', empty },
        columns: [
          { name: 'course_title', heading: 'COURSE', label: 'Course', kind: 'text', rank: 0 },
          {
            name: 'new_enrollments',
            heading: `NEW ${view.days}D`,
            label: `New in ${view.days} days`,
            kind: 'number',
            rank: 0,
          },
          { name: 'enrollments_before', heading: 'BEFORE', label: 'Before', kind: 'number', rank: 2 },
          { name: 'change_percent', heading: 'CHANGE', label: 'Change', kind: 'change', rank: 1 },
          { name: 'enrolled', heading: 'ENROLLED', label: 'Enrolled', kind: 'number', rank: 3 },
        ],
      },
    }
  },
)

function figuresOf(results: Results, view: View): readonly Figure[] {
  const result = results('enrollments')
  const newest = result.rows.slice(-view.days)
  const known = newest.map((row) => toValue(cellOf(result, row, 'enrollments')))
  const sum = total(known)
  const counts = known.map((count) => count ?? 0)
  const most = Math.max(0, ...counts)
  const day = Date.parse(String(cellOf(result, newest[counts.lastIndexOf(most)], 'day')))
  const mean = sum === null ? null : Math.round((sum / Math.max(1, counts.length)) * 10) / 10
  return [
    sumFigure(result, 'enrollments', view),
    numberFigure('mean_a_day', 'Mean a day', mean),
    numberFigure('most_a_day', `Most, on ${Number.isNaN(day) ? 'no day' : dayText(day)}`, most),
    numberFigure('newest_day', 'Newest day', known.length === 0 ? 0 : (known.at(-1) ?? null)),
  ]
}
