import { toValue } from '../../charts/series.ts'
import { cellOf, type Figure, type Results } from '../page.ts'
import { pageScreen } from '../page-screen.ts'
import { dayChart, numberFigure, percentFigure, sumFigure } from '../period.ts'
import type { View } from '../screen.ts'
import { FILLS } from './course-columns.ts'
import { funnelPart, mediansPart } from './course-parts.ts'

export const funnel = pageScreen(
  { number: 3, name: 'funnel', title: 'Funnel & completions', shortTitle: 'Funnel' },
  (view) => {
    const course: Record<string, string> = view.opened === undefined ? {} : { course: view.opened }
    const empty = { text: 'No completions yet.', command: FILLS }
    return {
      requests: [
        { report: 'funnel', params: course },
        { report: 'completions', params: {} },
        { report: 'completion-rate', params: {} },
        { report: 'time-to-completion', params: course },
      ],
      ...(view.opened !== undefined && { trail: `Funnel / ${view.opened}` }),
      figures: {
        reports: ['funnel', 'completions', 'time-to-completion'],
        read: (results) => figuresOf(results, view),
      },
      parts: [
        funnelPart(view),
        dayChart(
          {
            ...{ report: 'completions', y: ['completions'], empty },
            title: view.opened === undefined ? 'Completions/day' : 'Completions/day, all courses',
          },
          view,
        ),
        mediansPart(view),
      ],
      side: [],
      table: {
        ...{ kind: 'table', report: 'completion-rate', title: 'Completion rate', key: 'course_id' },
        columns: [
          { name: 'course_title', heading: 'COURSE', label: 'Course', kind: 'text', rank: 0 },
          { name: 'enrolled', heading: 'ENROLLED', label: 'Enrolled', kind: 'number', rank: 0 },
          { name: 'completed', heading: 'DONE', label: 'Completed', kind: 'number', rank: 1 },
          {
            ...{ name: 'of_enrolled_percent', heading: 'OF ENROLLED', label: 'Of the enrolled' },
            ...{ kind: 'bar', rank: 2 },
          },
          {
            ...{ name: 'of_viewed_percent', heading: 'OF VIEWED', label: 'Of those who viewed' },
            ...{ kind: 'percent', rank: 3 },
          },
          {
            ...{ name: 'of_explored_percent', heading: 'OF EXPLORED', label: 'Of those who explored' },
            ...{ kind: 'percent', rank: 4 },
          },
        ],
        empty: { text: 'No enrollments yet.', command: FILLS },
      },
    }
  },
)

function figuresOf(results: Results, view: View): readonly Figure[] {
  const steps = results('funnel')
  const share = (name: string) => {
    const row = steps.rows.find((one) => cellOf(steps, one, 'step') === name)
    return toValue(cellOf(steps, row, 'of_enrolled_percent'))
  }
  const times = results('time-to-completion')
  const median = toValue(cellOf(times, times.rows[0], 'median_days'))
  return [
    sumFigure(results('completions'), 'completions', view),
    percentFigure('completion_rate', 'Completion rate', share('completed')),
    percentFigure('viewed', 'Viewed', share('viewed')),
    percentFigure('certified', 'Certified', share('certified')),
    numberFigure('median_days', 'Median time', median, ' days'),
  ]
}
