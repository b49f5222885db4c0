/** The numbers of the Overview screen: three reports, read once. */

import { objectKeys, rowJson } from '../output/json.ts'
import type { Result } from '../types.ts'

/** Results of the reports `overview`, `daily` and `course-table`. */
export interface OverviewData {
  /** kpi, value, previous, change_percent, unit */
  readonly overview: Result
  /** day, enrollments, completions, active_learners, events; the newest year */
  readonly daily: Result
  /** A course each: its title and its numbers, the largest first. */
  readonly courses: Result
  /** What `change_percent` compares: so many days with as many before them. */
  readonly days: number
}

/** `runReport` of the pipeline on an open warehouse. */
export type RunReport = (report: string, params: Readonly<Record<string, string>>) => Promise<Result>

// An older past would flatten the newest year.
const CHART_DAYS = 364

/** Runs the reports, one after the other: they share a connection. */
export async function readOverview(run: RunReport, days = 7): Promise<OverviewData> {
  const overview = await run('overview', { days: `${days}` })
  const daily = await run('daily', {})
  const courses = await run('course-table', { days: `${days}` })
  return { overview, daily: { ...daily, rows: daily.rows.slice(-CHART_DAYS) }, courses, days }
}

/** Nothing was loaded, or nothing of it has become facts yet. */
export function isEmpty({ overview, daily, courses }: OverviewData): boolean {
  const value = overview.columns.findIndex(({ name }) => name === 'value')
  return (
    daily.rows.length === 0 &&
    courses.rows.length === 0 &&
    overview.rows.every((row) => row[value] === null || Number(row[value]) === 0)
  )
}

/** The screen as JSON, numbers exact: an object with an array of rows for each report. */
export function overviewJson({ overview, daily, courses }: OverviewData): string {
  const rows = (result: Result) => {
    const keys = objectKeys(result.columns)
    const lines = result.rows.map((row) => `    ${rowJson(row, result.columns, keys)}`)
    return lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n  ]`
  }
  return `{\n  "overview": ${rows(overview)},\n  "daily": ${rows(daily)},\n  "courses": ${rows(courses)}\n}`
}
