import { toValue, type Value } from '../../charts/series.ts'
import type { Result } from '../../types.ts'
import { cellOf, type Figure, type Page, type Results, resultsOf } from '../page.ts'
import { pageScreen } from '../page-screen.ts'
import { numberFigure, percentFigure, sumFigure, total } from '../period.ts'
import type { Panels, View } from '../screen.ts'
import { courseColumns, FILLS } from './course-columns.ts'
import { funnelPart, mediansPart } from './course-parts.ts'
import { atRiskColumns, MOST_AT_RISK } from './learners.ts'

export const courses = pageScreen(
  { number: 4, name: 'courses', title: 'Courses', shortTitle: 'Courses' },
  (view, panels) => (view.opened === undefined ? allCourses(view) : oneCourse(view, view.opened, panels)),
)

function allCourses(view: View): Page {
  const empty = { text: 'No course has enrollments yet.', command: FILLS }
  return {
    requests: [
      { report: 'course-table', params: { days: `${view.days}` } },
      { report: 'enrollments', params: {} },
      { report: 'course-ranking', params: {} },
    ],
    figures: {
      reports: ['course-table', 'enrollments'],
      read: (results) => [
        ...totals(results('course-table')),
        sumFigure(results('enrollments'), 'enrollments', view),
      ],
    },
    parts: [],
    side: [
      {
        ...{ kind: 'chart', report: 'course-ranking', title: 'Ranked by completion', empty },
        chart: (result) => ({
          result,
          spec: {
            ...{ kind: 'bar', title: 'Ranked by completion', x: 'course_title' },
            ...{ y: ['completion_percent'], glyphs: view.glyphs },
          },
        }),
      },
    ],
    table: {
      ...{ kind: 'table', report: 'course-table', title: 'Courses', key: 'course_id', empty },
      columns: courseColumns(view.days),
    },
  }
}

function totals(result: Result): readonly Figure[] {
  const sum = (column: string) => total(result.rows.map((row) => toValue(cellOf(result, row, column))))
  const [enrolled, completed] = [sum('enrolled'), sum('completed')]
  return [
    numberFigure('courses', 'Courses', result.rows.length),
    numberFigure('enrolled', 'Enrolled', enrolled),
    numberFigure('completed', 'Completed', completed),
    percentFigure(
      'rate',
      'Completion rate',
      !enrolled || completed === null ? null : (100 * completed) / enrolled,
    ),
  ]
}

function oneCourse(view: View, course: string, panels: Panels): Page {
  const table = resultsOf(panels)('course-table')
  const row = table.rows.find((one) => String(cellOf(table, one, 'course_id')) === course)
  const title = row === undefined ? course : String(cellOf(table, row, 'course_title') ?? course)
  const empty = { text: 'No activity of the course was seen yet.', command: FILLS }
  return {
    requests: [
      { report: 'course-table', params: { days: `${view.days}` } },
      { report: 'funnel', params: { course } },
      { report: 'drop-off', params: { course } },
      { report: 'time-to-completion', params: { course } },
      { report: 'time-on-task', params: { course } },
      { report: 'at-risk', params: { course, most: `${MOST_AT_RISK}` } },
    ],
    trail: `Courses / ${title}`,
    figures: {
      reports: ['course-table', 'time-to-completion', 'time-on-task'],
      read: (results) => courseFigures(results, course, view),
    },
    parts: [
      funnelPart(view),
      {
        ...{ kind: 'chart', report: 'drop-off', title: 'Where learners stop', empty },
        chart: (result) => ({
          result,
          spec: {
            ...{ kind: 'bar', title: 'Where learners stop', x: 'activity_id', y: ['reached'] },
            glyphs: view.glyphs,
          },
        }),
      },
    ],
    side: [mediansPart(view)],
    table: {
      ...{ kind: 'table', report: 'at-risk', title: 'Learners at risk' },
      columns: atRiskColumns(),
      empty: { text: 'No learner of the course is at risk.', command: 'lpa query at-risk' },
    },
  }
}

function courseFigures(results: Results, course: string, view: View): readonly Figure[] {
  const of = (report: string) => {
    const result = results(report)
    const row = result.rows.find((one) => String(cellOf(result, one, 'course_id')) === course)
    return (column: string): Value => toValue(cellOf(result, row, column))
  }
  const [numbers, times, task] = [of('course-table'), of('time-to-completion'), of('time-on-task')]
  return [
    numberFigure('enrolled', 'Enrolled', numbers('enrolled')),
    {
      ...numberFigure('new', `New in ${view.days} days`, numbers('new_enrollments')),
      change: numbers('change_percent'),
    },
    percentFigure('completion', 'Completion', numbers('completion_percent')),
    percentFigure('progress', 'Mean progress', numbers('mean_progress_percent')),
    numberFigure('median_days', 'Median time', times('median_days'), ' days'),
    numberFigure('minutes', 'Time on task', task('median_minutes'), ' min'),
  ]
}
