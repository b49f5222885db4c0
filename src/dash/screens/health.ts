import { toValue } from '../../charts/series.ts'
import type { Cell, Result, Tone } from '../../types.ts'
import { cellOf, type Figure, type Results } from '../page.ts'
import { pageScreen } from '../page-screen.ts'
import { numberFigure, plainFigure } from '../period.ts'
import { timeText } from '../table.ts'
import { FILLS } from './course-columns.ts'
import { loadsTable, rejectsTable } from './load-tables.ts'

export const health = pageScreen(
  {
    number: 7,
    name: 'health',
    title: 'Data health',
    shortTitle: 'Health',
    lacks: ['range', 'compare', 'style'],
  },
  () => ({
    requests: [
      { report: 'checks', params: {} },
      { report: 'freshness', params: {} },
      { report: 'rejects', params: {} },
      { report: 'loads', params: {} },
    ],
    figures: { reports: ['checks', 'freshness'], read: figuresOf },
    parts: [
      {
        ...{ kind: 'table', report: 'freshness', title: 'Freshness by source' },
        columns: [
          { name: 'source', heading: 'SOURCE', label: 'Source', kind: 'text', rank: 0 },
          { name: 'newest_load_at', heading: 'NEWEST (UTC)', label: 'Newest load', kind: 'time', rank: 0 },
          { name: 'loads', heading: 'LOADS', label: 'Loads', kind: 'number', rank: 2 },
          { name: 'not_built', heading: 'NOT BUILT', label: 'Not built', kind: 'number', rank: 1 },
          { name: 'mapped', heading: 'RECORDS', label: 'Records', kind: 'number', rank: 3 },
          { name: 'rejected', heading: 'REJECTED', label: 'Rejected', kind: 'number', rank: 4 },
        ],
        empty: { text: 'Nothing was loaded yet.', command: 'lpa load FILE' },
      },
      rejectsTable,
    ],
    side: [loadsTable],
    table: {
      ...{ kind: 'table', report: 'checks', title: 'Checks' },
      columns: [
        { name: 'check_name', heading: 'CHECK', label: 'Check', kind: 'text', rank: 0 },
        { name: 'state', heading: 'STATE', label: 'State', kind: 'text', rank: 0, tone: stateTone },
        { name: 'failures', heading: 'FAILURES', label: 'Failures', kind: 'number', rank: 1 },
        { name: 'checked_at', heading: 'CHECKED (UTC)', label: 'Checked', kind: 'time', rank: 2 },
      ],
      empty: { text: 'No check has run yet.', command: FILLS },
    },
  }),
)

function stateTone(state: Cell): Tone {
  return state === 'failed' ? 'bad' : state === 'warning' ? 'warn' : 'good'
}

function figuresOf(results: Results): readonly Figure[] {
  const [checks, sources] = [results('checks'), results('freshness')]
  const inState = (state: string) =>
    checks.columns.length === 0
      ? null
      : checks.rows.filter((row) => cellOf(checks, row, 'state') === state).length
  const newest = sources.rows[0]
  return [
    numberFigure('failed', 'Checks failed', inState('failed')),
    numberFigure('warnings', 'Warnings', inState('warning')),
    numberFigure('rejected', 'Rejected', sum(sources, 'rejected')),
    numberFigure('not_built', 'Loads not built', sum(sources, 'not_built')),
    plainFigure('newest', 'Newest load (UTC)', timeText(cellOf(sources, newest, 'newest_load_at'))),
  ]
}

function sum(result: Result, column: string): number | null {
  if (result.columns.length === 0) return null
  return result.rows.reduce((total, row) => total + (toValue(cellOf(result, row, column)) ?? 0), 0)
}
