/** What the live shell and the screens meet through. A screen is pure: the same data, view and size give the same frame. */

import type { Frame, Glyphs, Result, Size } from '../types.ts'

/** A report as a screen asks for it; the params are texts, as after `--param`. */
export interface ReportRequest {
  readonly report: string
  readonly params: Readonly<Record<string, string>>
  /** It also changes without a commit: to be asked again while its screen is looked at. */
  readonly isVolatile?: boolean
}

/** What came of a request: its newest rows, and why there are none, or none newer. */
export interface Panel {
  readonly result?: Result | undefined
  /** `denied`: the role may not see the rows; `suppressed`: the cells are too small to show. */
  readonly problem?: { readonly kind: 'failed' | 'denied' | 'suppressed'; readonly text: string } | undefined
}

/** By report. A report that was asked for and is missing is still on its way: a skeleton is drawn. */
export type Panels = ReadonlyMap<string, Panel>

/** How the reader looks at a screen; the keys change it. */
export interface View {
  /** Days of the time range, counted back from the newest day of the data. */
  readonly days: number
  /** Whether lines and figures are held against the period before. */
  readonly isCompared: boolean
  readonly filter: { readonly text: string; readonly isInverted: boolean }
  /** Index of the column by which the table is sorted; none: as the report is. */
  readonly sort: { readonly column: number; readonly isDescending: boolean } | undefined
  /** Row of the table, after filter and sort. */
  readonly selected: number
  /** Row key of what was opened with Enter, as a course_id. */
  readonly opened: string | undefined
  /** Which of the screen's chart kinds. */
  readonly style: number
  readonly glyphs: Glyphs
}

/** Time ranges to choose from, in days. */
export const DAY_RANGES: readonly number[] = [7, 28, 90, 364]

/** How a screen is seen first. */
export const FIRST_VIEW: Omit<View, 'glyphs'> = {
  days: 28,
  isCompared: false,
  filter: { text: '', isInverted: false },
  sort: undefined,
  selected: 0,
  opened: undefined,
  style: 0,
}

/** A row of a screen's table as the shell moves among them, copies and opens them. */
export interface TableRow {
  /** Names it for Enter; none: it cannot be opened. */
  readonly key: string | undefined
  /** Cells as text, for `y` (joined by tabs) and for the filter. */
  readonly cells: readonly string[]
}

export interface Screen {
  readonly number: number
  /** Lower case, as after --screen. */
  readonly name: string
  /** In the header: `Enrollments`; and where that is too long. */
  readonly title: string
  readonly shortTitle: string
  /** Name of the screen that shows what Enter opens; none: this one. */
  readonly opens?: string
  /** What changes nothing here, and so has no key. */
  readonly lacks?: readonly ('range' | 'compare' | 'style')[]
  reports(view: View): readonly ReportRequest[]
  /** Headings of the table, for `s`; empty: the screen has none. */
  columns(panels: Panels, view: View): readonly string[]
  /** Rows of the table after filter and sort. */
  rows(panels: Panels, view: View): readonly TableRow[]
  /** Everything between header and footer. */
  draw(panels: Panels, view: View, size: Size): Frame
  /** The same in sentences, for who listens to it. */
  describe(panels: Panels, view: View): readonly string[]
}
