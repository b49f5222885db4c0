/**
 * Leaves counts of few learners out of a report's rows, and as much more as it takes that none of them can be worked out
 * from the others. What counts learners, and how the counts hang together, a report's header says in lines of `-- cells:`.
 */

import type { Cell, Result } from '../types.ts'
import { determined, type Equation } from './equations.ts'

/** Of a line `-- cells: …`. */
export type Rule =
  | { readonly kind: 'counts'; readonly columns: readonly string[]; readonly rows?: readonly string[] }
  /** Rows add up to one of them, or to what other reports show; `along`: as a path's parts to its beginning. */
  | {
      readonly kind: 'adds'
      readonly columns: readonly string[]
      readonly total?: { readonly column: string; readonly value: string }
      readonly along?: string
    }
  | { readonly kind: 'part'; readonly columns: readonly string[]; readonly whole: string }
  | { readonly kind: 'part of first row'; readonly columns: readonly string[] }
  | { readonly kind: 'sum'; readonly whole: string; readonly parts: readonly string[] }
  | { readonly kind: 'falls'; readonly column: string; readonly by: string; readonly within: string }
  | { readonly kind: 'before'; readonly column: string; readonly of: string; readonly rows: number }
  | { readonly kind: 'mean'; readonly column: string; readonly of: string; readonly rows: number }
  | { readonly kind: 'share'; readonly columns: readonly string[]; readonly of: readonly string[] }
  | { readonly kind: 'follows'; readonly columns: readonly string[]; readonly of: readonly string[] }
  | { readonly kind: 'follows every'; readonly columns: readonly string[]; readonly of: string }
  | { readonly kind: 'follows rows'; readonly rows: readonly string[]; readonly of: readonly string[] }
  | { readonly kind: 'order'; readonly of: readonly string[] }
  | { readonly kind: 'at least'; readonly param: string }
  | SharedCells

/** Cells that another report shows as well: left out of one, they are left out of all. */
export type SharedCells =
  | JoinRule
  | {
      readonly kind: 'same by key'
      readonly column: string
      readonly key: string
      readonly of: string
      readonly report: string
    }
  | {
      readonly kind: 'same in row'
      readonly columns: readonly string[]
      readonly row: string
      readonly of: string
      readonly report: string
    }
  /** Of the rows at the same path and below it, in another report. */
  | {
      readonly kind: 'below'
      readonly column: string
      readonly path: string
      readonly of: string
      readonly report: string
    }
  /** Of the column that the row's text names. */
  | {
      readonly kind: 'same as named'
      readonly column: string
      readonly name: string
      readonly report: string
    }
  /** Sums over as many of the newest rows of another report as are asked for, each column's right before the last one's. */
  | {
      readonly kind: 'windows'
      readonly columns: readonly string[]
      readonly row?: string
      readonly of: string
      readonly report: string
    }

/** Rows of the same key are the same: both reports are looked at as one, which has the rows of the first. */
export interface JoinRule {
  readonly kind: 'joined'
  readonly key: string
  readonly report: string
  readonly isFirst: boolean
}

/** Whom a report's rows are about: nobody, single learners, or groups of them by these rules. */
export type Cells = 'nobody' | 'learners' | readonly Rule[]

const LIST = String.raw`(\w+(?:, \w+)*)`
const REPORT = '([a-z-]+)'
const PHRASES: readonly (readonly [RegExp, (...words: string[]) => Rule])[] = [
  [phrase(`${LIST}`), (list) => ({ kind: 'counts', columns: listOf(list) })],
  [
    phrase(`${LIST} in the rows ${LIST}`),
    (list, rows) => ({ kind: 'counts', columns: listOf(list), rows: listOf(rows) }),
  ],
  [phrase(`${LIST} adds? up`), (list) => ({ kind: 'adds', columns: listOf(list) })],
  [
    phrase(String.raw`${LIST} adds? up to (\w+) = (.+)`),
    (list, column, value) => ({ kind: 'adds', columns: listOf(list), total: { column, value } }),
  ],
  [
    phrase(String.raw`${LIST} adds? up along (\w+)`),
    (list, along) => ({ kind: 'adds', columns: listOf(list), along }),
  ],
  [
    phrase(String.raw`${LIST} (?:is|are) part of (\w+)`),
    (list, whole) => ({ kind: 'part', columns: listOf(list), whole }),
  ],
  [
    phrase(`${LIST} (?:is|are) part of the first row`),
    (list) => ({ kind: 'part of first row', columns: listOf(list) }),
  ],
  [
    phrase(String.raw`(\w+) = (\w+(?: \+ \w+)+)`),
    (whole, parts) => ({ kind: 'sum', whole, parts: parts.split(' + ') }),
  ],
  [
    phrase(String.raw`(\w+) falls by (\w+) within (\w+)`),
    (column, by, within) => ({ kind: 'falls', column, by, within }),
  ],
  [
    phrase(String.raw`(\w+) is (\w+) (\d+) rows before`),
    (column, of, rows) => ({ kind: 'before', column, of, rows: Number(rows) }),
  ],
  [
    phrase(String.raw`(\w+) is the mean of (\w+) over (\d+) rows`),
    (column, of, rows) => ({ kind: 'mean', column, of, rows: Number(rows) }),
  ],
  [
    phrase(`${LIST} (?:is a share|are shares) of ${LIST}`),
    (list, of) => ({ kind: 'share', columns: listOf(list), of: listOf(of) }),
  ],
  [
    phrase(`${LIST} follows? ${LIST}`),
    (list, of) => ({ kind: 'follows', columns: listOf(list), of: listOf(of) }),
  ],
  [
    phrase(String.raw`${LIST} follows? every (\w+)`),
    (list, of) => ({ kind: 'follows every', columns: listOf(list), of }),
  ],
  [
    phrase(`the rows? ${LIST} follows? ${LIST}`),
    (rows, of) => ({ kind: 'follows rows', rows: listOf(rows), of: listOf(of) }),
  ],
  [phrase(`the order follows ${LIST}`), (of) => ({ kind: 'order', of: listOf(of) })],
  [phrase(String.raw`(\w+) is at least the threshold`), (param) => ({ kind: 'at least', param })],
  [
    phrase(String.raw`joined by (\w+) with ${REPORT}`),
    (key, report) => ({ kind: 'joined', key, report, isFirst: true }),
  ],
  [
    phrase(String.raw`joined by (\w+) to ${REPORT}`),
    (key, report) => ({ kind: 'joined', key, report, isFirst: false }),
  ],
  [
    phrase(String.raw`(\w+) by (\w+) is (\w+) of ${REPORT}`),
    (column, key, of, report) => ({ kind: 'same by key', column, key, of, report }),
  ],
  [
    phrase(String.raw`${LIST} in the row (\w+) (?:is|are) (\w+) of ${REPORT}`),
    (list, row, of, report) => ({ kind: 'same in row', columns: listOf(list), row, of, report }),
  ],
  [
    phrase(String.raw`(\w+) by (\w+) adds up (\w+) of ${REPORT}`),
    (column, path, of, report) => ({ kind: 'below', column, path, of, report }),
  ],
  [
    phrase(String.raw`${LIST} sum windows of (\w+) of ${REPORT}`),
    (list, of, report) => ({ kind: 'windows', columns: listOf(list), of, report }),
  ],
  [
    phrase(String.raw`${LIST} in the row (\w+) sum windows of (\w+) of ${REPORT}`),
    (list, row, of, report) => ({ kind: 'windows', columns: listOf(list), row, of, report }),
  ],
  [
    phrase(String.raw`(\w+) is its (\w+) of ${REPORT}`),
    (column, name, report) => ({ kind: 'same as named', column, name, report }),
  ],
]

function phrase(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`)
}

function listOf(text: string): string[] {
  return text.split(', ')
}

/** What the lines say; undefined where there are none, or one is not understood. */
export function readCells(lines: readonly string[] | undefined): Cells | undefined {
  const [only] = lines ?? []
  if (lines === undefined || only === undefined) return undefined
  if (lines.length === 1 && only === 'none') return 'nobody'
  if (lines.length === 1 && only === 'learners') return 'learners'
  const rules = lines.map((line) => {
    for (const [pattern, rule] of PHRASES) {
      const match = pattern.exec(line)
      if (match) return rule(...match.slice(1))
    }
    return undefined
  })
  return rules.every((rule) => rule !== undefined) ? rules : undefined
}

/** Counts that another report leaves out, and which rows' cells of a column each is a part of. */
export interface OutsideParts {
  readonly column: string
  readonly parts: readonly { readonly value: number; readonly rows: readonly number[] }[]
}

interface Around {
  readonly outside?: readonly OutsideParts[]
  /** By another report, so that the cell is left out here as well. */
  readonly isLeftOut?: (row: number, column: string) => boolean
  /** Columns that are left out last. */
  readonly kept?: readonly string[]
}

/** The rows without counts of fewer than `least`, and which values that left out. */
export function withoutSmallCells(
  result: Result,
  rules: readonly Rule[],
  least: number,
  { isLeftOut = () => false, kept = [], outside = [] }: Around = {},
): Result {
  const grid = new Grid(result, rules, least, kept)
  for (const one of outside) grid.relateOutside(one)
  grid.hideShared(isLeftOut)
  grid.hideSmall()
  grid.hideFollowing()
  return grid.result()
}

/** Equations to solve anew for cells that may come back: of tables of hundreds of rows not all are tried. */
const MOST_SOLVED = 20_000

/** A count that is shown nowhere, but follows from others: those who did not complete. */
interface Hidden {
  readonly value: number
}

class Grid {
  readonly #result: Result
  readonly #rules: readonly Rule[]
  readonly #least: number
  readonly #places: ReadonlyMap<string, number>
  readonly #width: number
  readonly #hidden = new Set<number>()
  /** Of few learners, whatever they count: what few did, and shares that tell of few. */
  readonly #ofFew = new Set<number>()
  /** How many a share stands for. */
  readonly #counted = new Map<number, number>()
  readonly #virtual: Hidden[] = []
  readonly #equations: Equation[] = []
  readonly #counts: readonly string[]
  readonly #kept: ReadonlySet<number>

  constructor(result: Result, rules: readonly Rule[], least: number, kept: readonly string[]) {
    this.#result = result
    this.#rules = rules
    this.#least = least
    this.#width = result.columns.length
    this.#places = new Map(result.columns.map(({ name }, index) => [name, index]))
    this.#kept = new Set(kept.map((name) => this.#places.get(name) ?? -1))
    this.#counts = rules.flatMap((rule) => (rule.kind === 'counts' ? rule.columns : []))
    for (const rule of rules) if (rule.kind === 'share') this.#countShares(rule)
    for (const rule of rules) this.#relate(rule)
  }

  result(): Result {
    const { columns, rows } = this.#result
    const shown = rows.map((row, index) =>
      row.map((cell, column) => (this.#hidden.has(index * this.#width + column) ? null : cell)),
    )
    if (this.#hidden.size === 0) return this.#result
    const order = this.#inOrder()
    const hidden = order.flatMap((row, place) =>
      columns.flatMap(({ name }, column) => (this.#isHidden(row, name) ? [[place, column] as const] : [])),
    )
    return { columns, rows: order.flatMap((row) => [shown[row] ?? []]), hidden }
  }

  /** Rows whose place would tell of what is left out of them come last, by their names; sums stay in front. */
  #inOrder(): readonly number[] {
    const rows = this.#result.rows.map((_, row) => row)
    const of = this.#rules.flatMap((rule) => (rule.kind === 'order' ? rule.of : []))
    const totals = this.#rules.flatMap((rule) => (rule.kind === 'adds' && rule.total ? rule.total : []))
    const isLast = (row: number) =>
      of.some((column) => this.#isHidden(row, column)) &&
      !totals.some(({ column, value }) => this.#text(row, column) === value)
    const names = this.#result.columns.flatMap(({ name, type }) => (type === 'text' ? name : []))
    const label = (row: number) => JSON.stringify(names.map((name) => this.#text(row, name)))
    const last = rows.filter(isLast).sort((a, b) => (label(a) < label(b) ? -1 : 1))
    return [...rows.filter((row) => !isLast(row)), ...last]
  }

  // ── what hangs together ─────────────────────────────────────────────────────────────────────────────────

  #relate(rule: Rule): void {
    switch (rule.kind) {
      case 'adds':
        for (const column of rule.columns)
          if (rule.along === undefined) this.#addUp(column, rule.total)
          else this.#addUpAlong(column, rule.along)
        break
      case 'part':
        for (const column of rule.columns)
          this.#eachRow((row) => this.#split(this.#cell(row, rule.whole), [this.#cell(row, column)]))
        break
      case 'part of first row':
        for (const column of rule.columns)
          this.#eachRow((row) => {
            if (row > 0) this.#split(this.#cell(0, column), [this.#cell(row, column)])
          })
        break
      case 'sum':
        this.#eachRow((row) =>
          this.#equal(
            this.#cell(row, rule.whole),
            rule.parts.map((part) => this.#cell(row, part)),
          ),
        )
        break
      case 'before':
        this.#eachRow((row) => {
          if (row >= rule.rows)
            this.#equal(this.#cell(row, rule.column), [this.#cell(row - rule.rows, rule.of)])
        })
        break
      case 'share':
        for (const column of rule.columns) this.#relateShare(column, rule.of)
        break
      case 'falls':
        this.#eachRow((row) => {
          const isSame = this.#text(row, rule.within) === this.#text(row + 1, rule.within)
          const next = isSame ? [this.#cell(row + 1, rule.column)] : []
          this.#equal(this.#cell(row, rule.column), [this.#cell(row, rule.by), ...next])
        })
    }
  }

  #countShares({ columns, of: [whole = ''] }: Extract<Rule, { kind: 'share' }>): void {
    for (const column of columns)
      this.#eachRow((row) => {
        const count = (this.#value(this.#cell(row, column)) * this.#value(this.#cell(row, whole))) / 100
        if (!Number.isNaN(count)) this.#counted.set(this.#cell(row, column), Math.round(count))
      })
  }

  /** Those whom a share counts are a part of all that it is a share of, and add up as the first of these does. */
  #relateShare(share: string, of: readonly string[]): void {
    this.#eachRow((row) => {
      for (const column of of) this.#split(this.#cell(row, column), [this.#cell(row, share)])
    })
    for (const rule of this.#rules)
      if (rule.kind === 'adds' && rule.columns.includes(of[0] ?? '') && rule.along === undefined)
        this.#addUp(share, rule.total)
  }

  #addUp(column: string, total: { readonly column: string; readonly value: string } | undefined): void {
    const all = this.#result.rows.map((_, row) => row)
    const top = total && all.find((row) => this.#text(row, total.column) === total.value)
    const cells = all.filter((row) => row !== top).map((row) => this.#cell(row, column))
    const rows = cells.filter((cell) => !Number.isNaN(this.#value(cell)))
    if (top !== undefined) this.#equal(this.#cell(top, column), rows)
    // Another report shows the sum. Of one row it is that row, or the parameters have made it so.
    else if (rows.length > 1) this.#equal(undefined, rows)
  }

  /** `Science` is what is right below it, and `Science/Physics`. */
  #addUpAlong(column: string, path: string): void {
    const paths = this.#result.rows.map((_, row) => this.#text(row, path))
    const parentOf = (text: string) => text.slice(0, Math.max(0, text.lastIndexOf('/')))
    const below = (parent: string) =>
      paths.flatMap((text, row) => (parentOf(text) === parent ? [this.#cell(row, column)] : []))
    for (const [row, text] of paths.entries()) {
      const parts = below(text)
      if (parts.length > 0) this.#split(this.#cell(row, column), parts)
    }
    const roots = below('')
    if (roots.length > 1) this.#equal(undefined, roots)
  }

  /** The whole is the parts and a rest that nothing shows. */
  #split(whole: number, parts: readonly number[]): void {
    const value = this.#value(whole) - parts.reduce((sum, part) => sum + this.#value(part), 0)
    this.#equal(whole, value === 0 ? parts : [...parts, this.#rest(value)])
  }

  /** What a cell is beyond its parts that are left out, is known; and so is what all of these add up to. */
  relateOutside({ column, parts }: OutsideParts): void {
    const cells = parts.map((part) => ({ ...part, cell: this.#rest(part.value) }))
    this.#eachRow((row) => {
      const own = cells.filter(({ rows }) => rows.includes(row))
      if (own.length > 0)
        this.#equal(
          this.#cell(row, column),
          own.map(({ cell }) => cell),
        )
    })
    this.#equal(
      undefined,
      cells.map(({ cell }) => cell),
    )
  }

  /** A cell of no row. */
  #rest(value: number): number {
    this.#virtual.push({ value })
    return this.#result.rows.length * this.#width + this.#virtual.length - 1
  }

  /** Where something is missing nothing can be worked out. */
  #equal(whole: number | undefined, parts: readonly number[]): void {
    const terms = [
      ...(whole === undefined ? [] : [[whole, 1] as const]),
      ...parts.map((part) => [part, -1] as const),
    ]
    if (terms.every(([cell]) => !Number.isNaN(this.#value(cell)))) this.#equations.push(new Map(terms))
  }

  // ── what is left out ────────────────────────────────────────────────────────────────────────────────────

  hideShared(isLeftOut: (row: number, column: string) => boolean): void {
    for (const { name } of this.#result.columns)
      this.#eachRow((row) => {
        if (isLeftOut(row, name)) this.#hide(row, [name])
      })
    for (const rule of this.#rules)
      if (rule.kind === 'before')
        this.#eachRow((row) => {
          if (this.#isHidden(row - rule.rows, rule.of)) this.#hide(row, [rule.column])
        })
  }

  hideSmall(): void {
    for (const rule of this.#rules) {
      if (rule.kind !== 'counts') continue
      const cells = rule.columns.flatMap((column) =>
        this.#rowsNamed(rule.rows).map((row) => this.#cell(row, column)),
      )
      for (const cell of cells) if (this.#isSmall(cell)) this.#hidden.add(cell)
    }
    for (const rule of this.#rules) for (const cell of this.#cellsOfFew(rule)) this.#ofFew.add(cell)
    for (const cell of this.#ofFew) this.#hidden.add(cell)
    const others: number[] = []
    for (let told = this.#told(); told.length > 0; told = this.#told()) {
      const more = new Set(told.flatMap((cells) => this.#leastShown(cells) ?? []))
      for (const cell of more) this.#hidden.add(cell)
      others.push(...more)
    }
    // What was left out first may not be needed beside what was later; the largest comes back first.
    const largest = others.toSorted((a, b) => this.#value(b) - this.#value(a))
    for (const cell of largest.slice(0, Math.floor(MOST_SOLVED / this.#equations.length))) {
      this.#hidden.delete(cell)
      if (this.#told().length > 0) this.#hidden.add(cell)
    }
  }

  /** Counts that follow small ones, and shares that tell of few. */
  #cellsOfFew(rule: Rule): number[] {
    const rows = this.#result.rows.map((_, row) => row)
    const counts = (columns: readonly string[]) => columns.filter((column) => this.#counts.includes(column))
    const isSmall = (row: number, columns: readonly string[]) =>
      columns.some((column) => this.#isSmall(this.#cell(row, column)))
    if (rule.kind === 'follows') {
      const cells = rows
        .filter((row) => isSmall(row, rule.of))
        .flatMap((row) => counts(rule.columns).map((column) => this.#cell(row, column)))
      return cells.filter((cell) => this.#value(cell) > 0)
    }
    if (rule.kind === 'follows rows') {
      const isAny = this.#rowsNamed(rule.of).some((row) => isSmall(row, this.#counts))
      return isAny
        ? this.#rowsNamed(rule.rows).flatMap((row) => this.#counts.map((column) => this.#cell(row, column)))
        : []
    }
    if (rule.kind !== 'share') return []
    return rule.columns.flatMap((column) =>
      rows.filter((row) => this.#tellsOfFew(row, column, rule.of)).map((row) => this.#cell(row, column)),
    )
  }

  /** Cells of equations that tell of few, and could be kept from telling: one that is left out, or several together. */
  #told(): readonly ReadonlySet<number>[] {
    const isUnknown = (cell: number) => this.#isUnknown(cell)
    const alone = determined(this.#equations, isUnknown).flatMap(({ cell, cells }) =>
      this.#isSmall(cell) ? cells : [],
    )
    const together = this.#equations.flatMap((equation) =>
      this.#isFewTogether([...equation].filter(([cell]) => isUnknown(cell))) ? new Set(equation.keys()) : [],
    )
    return [...alone, ...together].filter((cells) => this.#leastShown(cells) !== undefined)
  }

  /** What is left out adds up to: two cells that are 2 are 1 each. */
  #isFewTogether(terms: readonly (readonly [cell: number, factor: number])[]): boolean {
    const [first] = terms
    if (first === undefined || terms.some(([, factor]) => factor !== first[1])) return false
    const sum = terms.reduce((all, [cell]) => all + this.#value(cell), 0)
    return sum > 0 && sum < this.#least
  }

  /** Of the counts that are shown; none before ones that are nothing. */
  #leastShown(cells: ReadonlySet<number>): number | undefined {
    const shown = [...cells].filter((cell) => !this.#isUnknown(cell))
    const weight = (cell: number) => this.#value(cell) || Number.POSITIVE_INFINITY
    const isKept = (cell: number) => Number(this.#kept.has(cell % this.#width))
    return shown.toSorted((a, b) => isKept(a) - isKept(b) || weight(a) - weight(b) || a - b)[0]
  }

  hideFollowing(): void {
    for (const rule of this.#rules) {
      if (rule.kind === 'follows' || rule.kind === 'share')
        this.#eachRow((row) => {
          if (rule.of.some((column) => this.#isHidden(row, column))) this.#hide(row, rule.columns)
        })
      if (rule.kind === 'follows every') {
        const isAny = this.#result.rows.some((_, row) => this.#isHidden(row, rule.of))
        if (isAny) this.#eachRow((row) => this.#hide(row, rule.columns))
      }
      if (rule.kind === 'mean')
        this.#eachRow((row) => {
          const window = Array.from({ length: rule.rows }, (_, back) => row - back)
          if (window.some((one) => one < 0 || this.#isHidden(one, rule.of))) this.#hide(row, [rule.column])
        })
      if (rule.kind === 'follows rows') this.#hideRows(rule.rows, rule.of)
    }
  }

  /** A share tells how many it is of what it is a share of, within its last digit. */
  #tellsOfFew(row: number, share: string, of: readonly string[]): boolean {
    const percent = numberOf(this.#result.rows[row]?.[this.#places.get(share) ?? -1] ?? null)
    const [whole = 0, ...others] = of.map((column) => this.#value(this.#cell(row, column)))
    if (Number.isNaN(percent) || percent === 0) return false
    const [fewest, most] = [((percent - 0.05) * whole) / 100, ((percent + 0.05) * whole) / 100]
    const isFew = (rest: number) => rest < this.#least
    if (isFew(fewest)) return true
    if (percent < 100 && isFew(whole - most)) return true
    return others.some((other) => Math.abs(other - (percent * whole) / 100) > 0.5 && isFew(other - most))
  }

  /** Where a row of the second is left out, the first are too. */
  #hideRows(names: readonly string[], of: readonly string[]): void {
    const isAny = this.#rowsNamed(of).some((row) =>
      this.#counts.some((column) => this.#isHidden(row, column)),
    )
    if (!isAny) return
    const columns = this.#result.columns.filter(({ type }) => type !== 'text').map(({ name }) => name)
    for (const row of this.#rowsNamed(names)) this.#hide(row, columns)
  }

  /** By their first column; all where that is not said. */
  #rowsNamed(names: readonly string[] | undefined): number[] {
    return this.#result.rows.flatMap((row, index) =>
      names === undefined || names.includes(String(row[0])) ? [index] : [],
    )
  }

  #hide(row: number, columns: readonly string[]): void {
    for (const column of columns) {
      const cell = this.#cell(row, column)
      if (!Number.isNaN(this.#value(cell))) this.#hidden.add(cell)
    }
  }

  // ── cells ───────────────────────────────────────────────────────────────────────────────────────────────

  #cell(row: number, column: string): number {
    return row * this.#width + (this.#places.get(column) ?? Number.NaN)
  }

  /** Not a number where there is none. */
  #value(cell: number): number {
    const counted = this.#counted.get(cell)
    if (counted !== undefined) return counted
    const real = this.#result.rows.length * this.#width
    if (cell >= real) return this.#virtual[cell - real]?.value ?? Number.NaN
    return numberOf(this.#result.rows[Math.floor(cell / this.#width)]?.[cell % this.#width] ?? null)
  }

  #text(row: number, column: string): string {
    return String(this.#result.rows[row]?.[this.#places.get(column) ?? -1] ?? '')
  }

  #isSmall(cell: number): boolean {
    const value = this.#value(cell)
    return this.#ofFew.has(cell) || (value > 0 && value < this.#least)
  }

  #isUnknown(cell: number): boolean {
    return this.#hidden.has(cell) || cell >= this.#result.rows.length * this.#width
  }

  #isHidden(row: number, column: string): boolean {
    return this.#hidden.has(this.#cell(row, column))
  }

  #eachRow(work: (row: number) => void): void {
    for (let row = 0; row < this.#result.rows.length; row += 1) work(row)
  }
}

function numberOf(cell: Cell): number {
  return cell === null || typeof cell === 'boolean' || cell === '' ? Number.NaN : Number(cell)
}
