/** A page as lines of text: what is shown in a window of which size, and how parts look that have nothing to show yet. */

import { beside, boxed, clipFrame, clipText, ellipsis, type Line, lineWidth, span } from '../charts/frame.ts'
import { drawChart } from '../charts/index.ts'
import { UserError } from '../errors.ts'
import { fold } from '../output/width.ts'
import { safeText } from '../safe-text.ts'
import type { Frame, Row, Size, Tone } from '../types.ts'
import { figureLines, figureTiles, MARGIN } from './figures.ts'
import { type Empty, type Page, type Part, type Problem, problemText, readFigures } from './page.ts'
import type { Panel, Panels, View } from './screen.ts'
import { arrangeRows, drawCard, drawTable } from './table.ts'

// Below: key figures and what is left of the table. From WIDE there is room for sparklines and a second column.
const FULL: Size = { width: 60, height: 13 }
const WIDE: Size = { width: 110, height: 28 }
const THREE_PARTS = 160

/** At most `size.height` lines of at most `size.width` cells. */
export function drawPage(page: Page, panels: Panels, view: View, size: Size): Frame {
  return clipFrame(pictureOf(page, panels, view, size), size)
}

function pictureOf(page: Page, panels: Panels, view: View, size: Size): Frame {
  if (isEmpty(page, panels)) return emptyState(page, panels, view, size)
  const isWide = !lessThan(size, WIDE)
  const trail: Frame = page.trail === undefined ? [] : [trailLine(page.trail, view, size.width)]
  const gap: Frame = isWide ? [[]] : []
  if (lessThan(size, FULL)) {
    const figures = drawFigures(page, panels, view, { width: size.width, isTall: true, sparks: true })
    const top = [...trail, ...figures]
    const rest = { width: size.width, height: size.height - top.length }
    return rest.height < 4 ? top : [...top, ...drawRows(page, panels, view, rest)]
  }
  const figures = drawFigures(page, panels, view, { width: size.width, isTall: false, sparks: isWide })
  const count = size.width >= THREE_PARTS ? 3 : 2
  const parts = page.parts.slice(0, count)
  const top = [
    ...trail,
    ...gap,
    ...figures,
    ...gap,
    ...drawBeside(parts, panels, view, { width: size.width, height: partHeight(size) }),
  ]
  const rest = { width: size.width, height: size.height - top.length }
  if (!isWide) return [...top, ...drawRows(page, panels, view, rest)]
  const side = [...page.parts.slice(count), ...page.side]
  return [...top, ...drawWide(page, side, panels, view, rest)]
}

export function lessThan(size: Size, least: Size): boolean {
  return size.width < least.width || size.height < least.height
}

function partHeight({ height }: Size): number {
  return Math.max(7, Math.min(16, Math.round(height * 0.38)))
}

function trailLine(trail: string, { glyphs }: View, width: number): Line {
  const back = glyphs === 'ascii' ? '< ' : '‹ '
  return [span(back, 'accent'), span(clipText(safeText(trail), width - 2, ellipsis(glyphs)), 'strong')]
}

/** Nothing was loaded, nothing of it has become facts yet, or a role sees none. */
function isEmpty(page: Page, panels: Panels): boolean {
  return page.trail === undefined && panelsOf(page, panels).every((panel) => panel?.result?.rows.length === 0)
}

function panelsOf({ parts, side, table }: Page, panels: Panels): (Panel | undefined)[] {
  return [...parts, ...side, table].map(({ report }) => panels.get(report))
}

function emptyState(page: Page, panels: Panels, view: View, { width, height }: Size): Frame {
  const problem = panelsOf(page, panels).find((panel) => panel?.problem)?.problem
  if (problem) return [[], ...indented(problemLines(problem, width - MARGIN, height - 1, view))]
  return [
    [],
    [span('  '), span('The warehouse has no facts yet.', 'strong')],
    [],
    [span('  lpa load FILE     '), span('loads your exports', 'muted')],
    [span('  lpa batch         '), span('builds the facts from them', 'muted')],
    [span('  lpa up --sample   '), span('does all that for a sample campus', 'muted')],
  ]
}

// ── key figures ───────────────────────────────────────────────────────────────────────────────────────────

interface FigureLayout {
  readonly width: number
  /** Below each other. */
  readonly isTall: boolean
  readonly sparks: boolean
}

function drawFigures(page: Page, panels: Panels, view: View, { width, isTall, sparks }: FigureLayout): Frame {
  const { glyphs } = view
  const panel = page.figures.reports.map((report) => panels.get(report))
  const problem = panel.find((one) => one?.problem)?.problem
  const isComing = panel.some((one) => one?.result === undefined && one?.problem === undefined)
  const isThere = !isComing && panel.some((one) => one?.result !== undefined)
  const figures = isThere ? readFigures(page, panels) : undefined
  const failure: Problem | undefined =
    figures instanceof UserError ? { kind: 'failed', text: figures.message } : problem
  if (figures === undefined || figures instanceof UserError) {
    const lines =
      failure && !isComing
        ? indented(problemLines(failure, width - MARGIN, 2, view))
        : skeleton({ width, height: 2 }, view)
    // As high as what comes, so that nothing jumps.
    return Array.from({ length: isTall ? 4 : sparks ? 3 : 2 }, (_, row) => lines[row] ?? [])
  }
  return isTall ? figureLines(figures, { width, glyphs }) : figureTiles(figures, { width, glyphs, sparks })
}

// ── the table ─────────────────────────────────────────────────────────────────────────────────────────────

const indented = (lines: Frame) => lines.map((line) => [span(' '.repeat(MARGIN)), ...line])

/** The page's own table, without a box. */
function drawRows({ table }: Page, panels: Panels, view: View, size: Size): Frame {
  const panel = panels.get(table.report)
  const result = panel?.result
  const inner = { width: size.width - MARGIN, height: size.height }
  if (result === undefined) return indented(unavailable(panel, inner, view))
  if (result.rows.length === 0) return indented(nothing(table.empty, panel, inner, view))
  const note = problemNote(panel, inner, view)
  const rows = arrangeRows(table, result, view)
  const height = size.height - note.length
  return [
    ...drawTable(table, result, rows, { width: size.width, height, selected: view.selected }, view),
    ...indented(note),
  ]
}

/** The table beside its chosen row (the first while none is) and the parts that there is room for. */
function drawWide(page: Page, side: readonly Part[], panels: Panels, view: View, size: Size): Frame {
  const tableFrame = drawRows(page, panels, view, {
    width: Math.floor(size.width * 0.64),
    height: size.height,
  })
  // The boxes take what the table leaves, two blanks after it.
  const tableWidth = Math.max(...tableFrame.map(lineWidth), Math.floor(size.width * 0.4)) + 2
  const width = size.width - tableWidth
  const row = selectedRow(page, panels, view)
  const card = row === undefined ? [] : drawCard(page.table, row.result, row.row, width - 2, view.glyphs)
  const cardHeight = Math.min(card.length === 0 ? 0 : card.length + 1, size.height)
  const room = size.height - cardHeight
  const count = Math.max(0, Math.min(side.length, Math.floor(room / 6)))
  const partHeight = count === 0 ? 0 : Math.min(12, Math.floor(room / count))
  return beside([
    { frame: tableFrame, width: tableWidth },
    {
      frame: [
        ...(cardHeight > 0 ? boxed(card, { width, height: cardHeight }, view.glyphs) : []),
        ...side
          .slice(0, count)
          .flatMap((part) => drawPart(part, panels, view, { width, height: partHeight })),
      ],
      width,
    },
  ])
}

function selectedRow({ table }: Page, panels: Panels, view: View) {
  const result = panels.get(table.report)?.result
  const row: Row | undefined = result && arrangeRows(table, result, view)[Math.max(0, view.selected)]
  return result && row && { result, row }
}

// ── parts in boxes ────────────────────────────────────────────────────────────────────────────────────────

function drawBeside(parts: readonly Part[], panels: Panels, view: View, size: Size): Frame {
  const width = Math.floor(size.width / Math.max(1, parts.length))
  return beside(
    parts.map((part, index) => {
      const own = index === parts.length - 1 ? size.width - width * index : width
      return { frame: drawPart(part, panels, view, { ...size, width: own }), width: own }
    }),
  )
}

function drawPart(part: Part, panels: Panels, view: View, size: Size): Frame {
  const panel = panels.get(part.report)
  const inner = { width: size.width - 2, height: size.height - 2 }
  const title: Line = [span(clipText(part.title, inner.width - 2, ellipsis(view.glyphs)), 'strong')]
  const isSaid = panel?.result === undefined || deniedAll(panel) !== undefined
  const note = isSaid ? [] : problemNote(panel, inner, view)
  const lines = partLines(part, panel, view, { ...inner, height: inner.height - note.length }, title)
  const filled = Array.from(
    { length: Math.max(0, inner.height + 1 - note.length) },
    (_, row) => lines[row] ?? [],
  )
  return boxed([...filled, ...note], size, view.glyphs)
}

/** The title, and below it what there is. */
function partLines(part: Part, panel: Panel | undefined, view: View, size: Size, title: Line): Frame {
  const result = panel?.result
  if (result === undefined) return [title, ...unavailable(panel, size, view)]
  if (result.rows.length === 0) return [title, ...nothing(part.empty, panel, size, view)]
  if (part.kind === 'table') {
    return [title, ...drawTable(part, result, result.rows, { ...size, selected: -1 }, plainView(view))]
  }
  try {
    const { result: drawn, spec } = part.chart(result)
    return drawChart(drawn, spec, { width: size.width, height: size.height + 1 })
  } catch (error) {
    // A report of another version may lack a column; the other parts are whole.
    if (!(error instanceof UserError)) throw error
    return [title, ...problemLines({ kind: 'failed', text: error.message }, size.width, size.height, view)]
  }
}

/** Filter and sort are of the page's own table. */
function plainView(view: View): View {
  return { ...view, filter: { text: '', isInverted: false }, sort: undefined }
}

// ── what is not there ─────────────────────────────────────────────────────────────────────────────────────

function unavailable(panel: Panel | undefined, size: Size, view: View): Frame {
  if (panel?.problem) return problemLines(panel.problem, size.width, size.height, view)
  return skeleton(size, view)
}

/** The shape of what is still to come: the same at every look, so that nothing moves. */
function skeleton({ width, height }: Size, { glyphs }: View): Frame {
  const shares = [0.7, 0.5, 0.6, 0.4]
  const mark = glyphs === 'ascii' ? '.' : '·'
  return Array.from({ length: Math.max(0, Math.min(height, 4)) }, (_, row) => {
    const cells = Math.floor(Math.max(0, width - 2) * (shares[row] ?? 0))
    return [span(` ${mark.repeat(cells)}`, 'muted')]
  })
}

const PROBLEM_TONES: Readonly<Record<Problem['kind'], Tone>> = {
  failed: 'bad',
  denied: 'warn',
  suppressed: 'muted',
}

function problemLines(problem: Problem, width: number, height: number, { glyphs }: View): Frame {
  if (width < 1 || height < 1) return []
  const lines = fold(problemText(problem), width, height, ellipsis(glyphs))
  return lines.map((line) => [span(line, PROBLEM_TONES[problem.kind])])
}

/** Below rows that are kept while newer ones do not come. */
function problemNote(panel: Panel | undefined, { width, height }: Size, view: View): Frame {
  return panel?.problem && height > 3 ? problemLines(panel.problem, width, 1, view) : []
}

/** Why a role sees no row. */
function deniedAll(panel: Panel | undefined): Problem | undefined {
  return panel?.result?.rows.length === 0 && panel.problem?.kind === 'denied' ? panel.problem : undefined
}

/** No row, or none that the role sees. */
function nothing(empty: Empty, panel: Panel | undefined, { width, height }: Size, view: View): Frame {
  const problem = deniedAll(panel)
  return problem ? problemLines(problem, width, height, view) : emptyLines(empty, width, view)
}

function emptyLines({ text, command }: Empty, width: number, { glyphs }: View): Frame {
  if (width < 1) return []
  const lines = fold(text, width, 3, ellipsis(glyphs))
  return [...lines.map((line) => [span(line, 'muted')]), [span(clipText(command, width, ellipsis(glyphs)))]]
}
