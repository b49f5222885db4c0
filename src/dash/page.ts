/** What a screen is made of. Its picture, its export and its sentences are all made from the same page. */

import type { Kpi } from '../charts/kpi.ts'
import type { Value } from '../charts/series.ts'
import { UserError } from '../errors.ts'
import { safeText } from '../safe-text.ts'
import type { Cell, ChartSpec, Result, Tone } from '../types.ts'
import type { Panel, Panels, ReportRequest, View } from './screen.ts'

export type Problem = NonNullable<Panel['problem']>

/** A key figure, and how it came to be: a value for each of the newest days, or none. */
export interface Figure extends Kpi {
  readonly days: readonly Value[]
}

export interface ChartPart {
  readonly kind: 'chart'
  readonly report: string
  readonly title: string
  /** What to draw of the report's rows. */
  chart(result: Result): { readonly result: Result; readonly spec: ChartSpec }
  readonly empty: Empty
}

export interface TableColumn {
  /** Column of the report. */
  readonly name: string
  readonly heading: string
  /** Where one row is shown alone; else the heading in words. */
  readonly label: string
  /** `time`: an instant to the minute, UTC. The first column of a table is text and takes what the others leave. */
  readonly kind: 'text' | 'number' | 'percent' | 'bar' | 'change' | 'time'
  /** Narrow tables keep the lowest. */
  readonly rank: number
  /** Cells of a text at most; 32 unless said. */
  readonly most?: number
  readonly tone?: (cell: Cell) => Tone
}

export interface TablePart {
  readonly kind: 'table'
  readonly report: string
  readonly title: string
  readonly columns: readonly TableColumn[]
  /** Column that names a row for Enter; none: rows cannot be opened. */
  readonly key?: string
  readonly empty: Empty
}

/** What is missing when a part has no rows, and the command that brings it. */
export interface Empty {
  readonly text: string
  readonly command: string
}

export type Part = ChartPart | TablePart

export interface Page {
  readonly requests: readonly ReportRequest[]
  /** What was opened: `Courses / Intro to SQL`. */
  readonly trail?: string
  readonly figures: {
    /** Of these reports. While one is on its way there are no figures; one that failed has no rows and no columns. */
    readonly reports: readonly string[]
    read(results: Results): readonly Figure[]
  }
  /** Beside each other, the most telling first: small windows show one or none. */
  readonly parts: readonly Part[]
  /** On wide windows, below the chosen row. */
  readonly side: readonly Part[]
  readonly table: TablePart
}

/** The rows of the reports that have come, by name. @throws never: a report that is missing has no rows. */
export type Results = (report: string) => Result

/** A page for a view; what there is so far says which charts are worth their place. */
export type PageOf = (view: View, panels: Panels) => Page

const PROBLEMS: Readonly<Record<Problem['kind'], string>> = {
  failed: 'Failed',
  denied: 'Not permitted',
  suppressed: 'Too few learners',
}

/** Why rows, or newer ones, do not come: `Failed: …`. */
export function problemText({ kind, text }: Problem): string {
  return text === '' ? PROBLEMS[kind] : `${PROBLEMS[kind]}: ${safeText(text)}`
}

const NOTHING: Result = { columns: [], rows: [] }

export function resultsOf(panels: Panels): Results {
  return (report) => panels.get(report)?.result ?? NOTHING
}

/** The rows of a report that was asked for. @throws UserError notPermitted (77) where the role may not see them. */
export function rowsOf(panels: Panels, report: string): Result {
  const { result, problem } = panels.get(report) ?? {}
  if (result !== undefined || problem === undefined) return result ?? NOTHING
  throw new UserError('LPA-DASH-DENIED', problem.text, { exit: 'notPermitted' })
}

/** What is wrong with reports, a line each: for what has no place for it. */
export function problemNotes(panels: Panels): string[] {
  return [...panels].flatMap(([report, { problem }]) => (problem ? `${report}: ${problemText(problem)}` : []))
}

/** The page's figures once all of their reports have rows to tell of; none before. */
export function wholeFigures(page: Page, panels: Panels): readonly Figure[] | undefined {
  const areKnown = page.figures.reports.every((report) => panels.get(report)?.result !== undefined)
  const figures = areKnown ? readFigures(page, panels) : undefined
  return figures instanceof UserError ? undefined : figures
}

/** Of the reports that have come; the reason where one has other columns than this page knows, as those of another version. */
export function readFigures({ figures }: Page, panels: Panels): readonly Figure[] | UserError {
  try {
    return figures.read(resultsOf(panels))
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
}

/** A cell by its column's name; null where the report has no such column or row. */
export function cellOf(result: Result, row: readonly Cell[] | undefined, name: string): Cell {
  return row?.[result.columns.findIndex((column) => column.name === name)] ?? null
}
