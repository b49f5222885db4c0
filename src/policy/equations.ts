/** Which unknowns linear equations tell, given that all else in them is known. */

/** Coefficients by cell; what they add up to is known. */
export type Equation = ReadonlyMap<number, number>

export interface Determined {
  readonly cell: number
  /** All cells of the equations that together tell it. */
  readonly cells: ReadonlySet<number>
}

/** An equation, or what others were added to it. */
interface Row {
  readonly terms: Map<number, number>
  readonly from: Set<Equation>
}

/** A row in which an unknown is that no other row has, and so tells nothing of the others. */
interface Leaf {
  readonly row: Row
  readonly cell: number
}

const NEARLY_NOTHING = 1e-9

/** The unknowns that can have one value only. */
export function determined(
  equations: readonly Equation[],
  isUnknown: (cell: number) => boolean,
): readonly Determined[] {
  const rows = equations.flatMap((equation): Row[] => {
    const terms = new Map([...equation].filter(([cell]) => isUnknown(cell)))
    return terms.size === 0 ? [] : [{ terms, from: new Set([equation]) }]
  })
  const { core, leaves } = withoutLeaves(rows)
  const solved = eliminated(core)
  // The last that was taken away knows all rows that were left then.
  for (const { row, cell } of leaves.toReversed()) {
    for (const other of [...row.terms.keys()]) {
      const pivot = solved.get(other)
      if (pivot) subtract(row, pivot, other)
    }
    scale(row, cell)
    solved.set(cell, row)
  }
  return [...solved].flatMap(([cell, { terms, from }]) =>
    terms.size === 1 ? { cell, cells: new Set([...from].flatMap((equation) => [...equation.keys()])) } : [],
  )
}

/** Takes away, one after the other, what leaves there are: of most tables nothing else is left to solve. */
function withoutLeaves(rows: readonly Row[]): { core: readonly Row[]; leaves: readonly Leaf[] } {
  const holding = new Map<number, Set<Row>>()
  for (const row of rows)
    for (const cell of row.terms.keys()) holding.set(cell, (holding.get(cell) ?? new Set()).add(row))
  const leaves: Leaf[] = []
  const core = new Set(rows)
  const open = [...holding.keys()]
  for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
    const [row, ...others] = holding.get(cell) ?? []
    // An equation of one unknown tells it.
    if (row === undefined || others.length > 0 || row.terms.size === 1) continue
    leaves.push({ row, cell })
    core.delete(row)
    for (const other of row.terms.keys()) {
      holding.get(other)?.delete(row)
      open.push(other)
    }
  }
  return { core: [...core], leaves }
}

/** Rows by an unknown that no other of them has any more (Gauss and Jordan): the rarest, so that few grow. */
function eliminated(rows: readonly Row[]): Map<number, Row> {
  const uses = new Map<number, number>()
  for (const { terms } of rows) for (const cell of terms.keys()) uses.set(cell, (uses.get(cell) ?? 0) + 1)
  const solved = new Map<number, Row>()
  /** Solved rows by the unknowns in them. */
  const holding = new Map<number, Set<Row>>()
  const note = (row: Row, cells: Iterable<number>): void => {
    for (const cell of cells) holding.set(cell, (holding.get(cell) ?? new Set()).add(row))
  }
  // Long ones last: they would make others long.
  for (const row of rows.toSorted((a, b) => a.terms.size - b.terms.size)) {
    for (const cell of [...row.terms.keys()]) {
      const pivot = solved.get(cell)
      if (pivot) subtract(row, pivot, cell)
    }
    const lead = rarest(row.terms.keys(), uses)
    if (lead === undefined) continue
    scale(row, lead)
    for (const other of holding.get(lead) ?? []) {
      subtract(other, row, lead)
      note(other, row.terms.keys())
    }
    solved.set(lead, row)
    note(row, row.terms.keys())
  }
  return solved
}

function rarest(cells: Iterable<number>, uses: ReadonlyMap<number, number>): number | undefined {
  let best: number | undefined
  for (const cell of cells)
    if (best === undefined || (uses.get(cell) ?? 0) < (uses.get(best) ?? 0)) best = cell
  return best
}

function scale({ terms }: Row, lead: number): void {
  const factor = terms.get(lead) ?? 1
  for (const [cell, value] of terms) terms.set(cell, value / factor)
}

/** Takes an unknown out of `row` by a row whose own it is. */
function subtract(row: Row, pivot: Row, lead: number): void {
  const factor = row.terms.get(lead)
  if (factor === undefined) return
  for (const equation of pivot.from) row.from.add(equation)
  for (const [cell, value] of pivot.terms) {
    const left = (row.terms.get(cell) ?? 0) - factor * value
    if (Math.abs(left) < NEARLY_NOTHING) row.terms.delete(cell)
    else row.terms.set(cell, left)
  }
}
