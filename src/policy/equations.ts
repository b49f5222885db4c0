/** Which unknowns linear equations tell, given that all else in them is known. */

/** Coefficients by cell; what they add up to is known. */
export type Equation = ReadonlyMap<number, number>

export interface Determined {
  readonly cell: number
  /** All cells of the equations that together tell it. */
  readonly cells: ReadonlySet<number>
}

interface Row {
  readonly terms: Map<number, number>
  readonly from: Set<Equation>
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
  return eliminated(rows).flatMap(({ terms, from }) => {
    const [cell] = terms.keys()
    if (terms.size !== 1 || cell === undefined) return []
    return { cell, cells: new Set([...from].flatMap((equation) => [...equation.keys()])) }
  })
}

/** Reduced so that an unknown of each is in no other (Gauss and Jordan): the rarest, so that few equations grow. */
function eliminated(rows: readonly Row[]): readonly Row[] {
  const uses = new Map<number, number>()
  for (const { terms } of rows) for (const cell of terms.keys()) uses.set(cell, (uses.get(cell) ?? 0) + 1)
  const byLead = new Map<number, Row>()
  /** Reduced rows by the unknowns that are in them beside their lead. */
  const holding = new Map<number, Set<Row>>()
  for (const row of rows) {
    for (const cell of [...row.terms.keys()]) {
      const pivot = byLead.get(cell)
      if (pivot) subtract(row, pivot, cell)
    }
    const lead = rarest(row.terms.keys(), uses)
    if (lead === undefined) continue
    const factor = row.terms.get(lead) ?? 1
    for (const [cell, value] of row.terms) row.terms.set(cell, value / factor)
    for (const other of holding.get(lead) ?? []) {
      subtract(other, row, lead)
      note(other)
    }
    byLead.set(lead, row)
    note(row)
  }
  return [...byLead.values()]

  function note(row: Row): void {
    for (const cell of row.terms.keys()) holding.set(cell, (holding.get(cell) ?? new Set()).add(row))
  }
}

function rarest(cells: Iterable<number>, uses: ReadonlyMap<number, number>): number | undefined {
  let best: number | undefined
  for (const cell of cells)
    if (best === undefined || (uses.get(cell) ?? 0) < (uses.get(best) ?? 0)) best = cell
  return best
}

/** Takes the lead of `pivot` out of `row`. */
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
