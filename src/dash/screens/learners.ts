import { countRows } from '../../charts/count.ts'
import { toValue } from '../../charts/series.ts'
import { cellOf, type Figure, type Results, type TableColumn } from '../page.ts'
import { pageScreen } from '../page-screen.ts'
import { dayChart, numberFigure, percentFigure } from '../period.ts'
import type { View } from '../screen.ts'
import { FILLS } from './course-columns.ts'

/** More are not read by anybody, and would take long to hand over at every change. */
export const MOST_AT_RISK = 1000

const WEEKS = Array.from({ length: 9 }, (_, week) => `week_${week}`)

export const learners = pageScreen(
  { number: 5, name: 'learners', title: 'Learners & engagement', shortTitle: 'Learn' },
  (view, panels) => {
    const { opened, glyphs } = view
    const isCut = (panels.get('at-risk')?.result?.rows.length ?? 0) >= MOST_AT_RISK
    const riskTitle = isCut ? `Longest silent ${MOST_AT_RISK} by course` : 'At risk by course'
    const course: Record<string, string> = opened === undefined ? {} : { course: opened }
    const empty = { text: 'No activity of learners yet.', command: FILLS }
    return {
      requests: [
        { report: 'active-learners', params: {} },
        { report: 'retention', params: {} },
        { report: 'at-risk', params: { ...course, most: `${MOST_AT_RISK}` } },
        { report: 'time-on-task', params: course },
      ],
      ...(opened !== undefined && { trail: `At risk / ${opened}` }),
      figures: { reports: ['active-learners', 'at-risk'], read: (results) => figuresOf(results, view) },
      parts: [
        dayChart(
          { report: 'active-learners', title: 'Active learners', y: ['dau', 'mau_28_days'], empty },
          view,
        ),
        {
          ...{ kind: 'chart', report: 'retention', title: 'Retention', empty },
          chart: (result) => ({
            result,
            spec: { kind: 'heat', title: 'Retention', x: 'cohort', y: WEEKS, glyphs },
          }),
        },
      ],
      side: [
        {
          ...{ kind: 'chart', report: 'time-on-task', title: 'Hours on task', empty },
          chart: (result) => ({
            result,
            spec: { kind: 'bar', title: 'Hours on task', x: 'course_title', y: ['hours_long'], glyphs },
          }),
        },
        {
          ...{ kind: 'chart', report: 'at-risk', title: riskTitle, empty },
          chart: (result) => ({
            result: countRows(result, 'course_id', 'learners'),
            spec: { kind: 'bar', title: riskTitle, x: 'course_id', y: ['learners'], glyphs },
          }),
        },
      ],
      table: {
        ...{ kind: 'table', report: 'at-risk', title: 'Learners at risk', key: 'course_id' },
        columns: [
          { name: 'course_id', heading: 'COURSE', label: 'Course', kind: 'text', rank: 0 },
          ...atRiskColumns(),
        ],
        empty: { text: 'No learner is at risk.', command: 'lpa query at-risk' },
      },
    }
  },
)

/** Columns of the report `at-risk` beside the course. */
export function atRiskColumns(): readonly [TableColumn, ...TableColumn[]] {
  return [
    { name: 'reason', heading: 'REASON', label: 'Reason', kind: 'text', rank: 1, most: 39 },
    { name: 'days_silent', heading: 'SILENT', label: 'Days silent', kind: 'number', rank: 0 },
    { name: 'events', heading: 'EVENTS', label: 'Events', kind: 'number', rank: 2 },
    { name: 'learner_id', heading: 'LEARNER', label: 'Learner', kind: 'text', rank: 3, most: 13 },
  ]
}

function figuresOf(results: Results, view: View): readonly Figure[] {
  const active = results('active-learners')
  const newest = active.rows.at(-1)
  const of = (column: string) => toValue(cellOf(active, newest, column))
  const days = active.rows.slice(-view.days).map((row) => toValue(cellOf(active, row, 'dau')))
  const { columns, rows } = results('at-risk')
  const atRisk = columns.length === 0 ? null : rows.length
  return [
    { ...numberFigure('dau', 'Active on newest day', of('dau')), days },
    numberFigure('wau', 'In its week', of('wau')),
    numberFigure('mau', 'In 28 days', of('mau_28_days')),
    percentFigure('stickiness', 'Stickiness', of('stickiness_percent')),
    numberFigure('at_risk', 'At risk', atRisk, rows.length >= MOST_AT_RISK ? ' or more' : ''),
  ]
}
