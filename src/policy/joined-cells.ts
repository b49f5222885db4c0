/**
 * Counts that several reports show: looked at as one table, so that each leaves the same ones out. Else the one would tell
 * what the other does not.
 */

import type { Cell, Result, Row } from '../types.ts'
import { type Cells, type OutsideParts, withoutSmallCells } from './small-cells.ts'

/** Rules of how cells hang together, as a report's header says them. */
type Rules = Exclude<Cells, string>

export interface JoinedReport {
  readonly result: Result
  readonly rules: Rules
}

/** What a table leaves out, by the key of a row and the name of a column; in its order. The row of all has no key. */
export type LeftOut = ReadonlyMap<Cell, ReadonlyMap<string, Cell>>

/** What was asked for. */
export interface Chosen {
  /** The one row. */
  readonly key: Cell
  /** The length of windows. */
  readonly days: number
  readonly least: number
}

/** Of reports that have rows of the same keys. What the first shows is left out last. */
export function leftOutOf(reports: readonly JoinedReport[], key: string, least: number): LeftOut {
  const whole = joined(
    reports.map(({ result }) => result),
    key,
  )
  const rules = reports.flatMap((report) => report.rules)
  const kept = reports[0]?.result.columns.map(({ name }) => name) ?? []
  const { columns, rows } = withoutSmallCells(whole, rules, least, { kept })
  const place = placeOf(columns, key)
  const shown = new Map(rows.map((row) => [row[place] ?? null, row]))
  return new Map(
    whole.rows.map((row) => {
      const own = row[place] ?? null
      const gone = columns.flatMap(({ name }, at): [string, Cell][] =>
        row[at] !== (shown.get(own)?.[at] ?? null) ? [[name, row[at] ?? null]] : [],
      )
      return [own, new Map(gone)]
    }),
  )
}

/** Counts that other reports leave out, by their names, and which rows each is a part of: those at the path of its key, and above it. */
export function outsideParts(
  { result, rules }: JoinedReport,
  leftOut: ReadonlyMap<string, LeftOut>,
  pathOf: ReadonlyMap<Cell, string>,
): OutsideParts[] {
  return rules.flatMap((rule) => {
    if (rule.kind !== 'below') return []
    const place = placeOf(result.columns, rule.path)
    const rowsAbove = (path: string) =>
      result.rows.flatMap((row, index) => (`${path}/`.startsWith(`${row[place]}/`) ? [index] : []))
    const parts = [...(leftOut.get(rule.report) ?? [])].flatMap(([key, cells]) => {
      const [path, value] = [pathOf.get(key), cells.get(rule.of)]
      return path === undefined || value === undefined
        ? []
        : [{ value: Number(value), rows: rowsAbove(path) }]
    })
    return [{ column: rule.column, parts }]
  })
}

/** What to leave out of a report, by its rules of what others show, whose `leftOut` is by their names. */
export function isLeftOutIn(
  { result, rules }: JoinedReport,
  leftOut: ReadonlyMap<string, LeftOut>,
  { key: chosen, days, least }: Chosen,
): (row: number, column: string) => boolean {
  const cellOf = (row: Row | undefined, column: string) => row?.[placeOf(result.columns, column)] ?? null
  const windows = windowsLeftOut(rules, leftOut, days, least)
  return (index, name) => {
    const row = result.rows[index]
    return rules.some((rule) => {
      if (!('report' in rule)) return false
      const its: LeftOut = leftOut.get(rule.report) ?? new Map()
      const has = (key: Cell, column: string) => its.get(key)?.has(column) ?? false
      switch (rule.kind) {
        case 'joined':
          return has(cellOf(row, rule.key) ?? chosen, name)
        case 'same by key':
          return rule.column === name && has(cellOf(row, rule.key) ?? chosen, rule.of)
        case 'same in row':
          return rule.columns.includes(name) && row?.[0] === rule.row && has(chosen, rule.of)
        case 'same as named':
          return rule.column === name && has(chosen, String(cellOf(row, rule.name)))
        case 'windows':
          return windows.get(rule)?.has(name) === true && (rule.row === undefined || row?.[0] === rule.row)
        default:
          return false
      }
    })
  }
}

/** Of each rule of windows, the columns that would tell of a part of what is left out of their rows. */
function windowsLeftOut(
  rules: Rules,
  leftOut: ReadonlyMap<string, LeftOut>,
  days: number,
  least: number,
): ReadonlyMap<Rules[number], ReadonlySet<string>> {
  return new Map(
    rules.flatMap((rule) => {
      if (rule.kind !== 'windows') return []
      const values = [...(leftOut.get(rule.report)?.values() ?? [])].map((cells) =>
        Number(cells.get(rule.of) ?? 0),
      )
      const told = rule.columns.filter((_, before) => {
        const to = values.length - days * before
        return isPartTold(values, least, to - days, to)
      })
      return [[rule, new Set(told)] as const]
    }),
  )
}

/**
 * Whether a sum over rows would tell of a part of what is left out of them, `values`, where 0 is nothing. Only whole groups
 * may be told, of two cells and `least` learners at the least: the same ones for every window, so that no two windows tell
 * what is between them.
 */
export function isPartTold(values: readonly number[], least: number, from: number, to: number): boolean {
  return groupsOf(values, least).some((group) => {
    const inside = group.filter((index) => index >= from && index < to)
    return inside.length > 0 && (inside.length < group.length || !isEnough(group, values, least))
  })
}

/** From the first on, so that what comes later changes the last group only. */
function groupsOf(values: readonly number[], least: number): number[][] {
  const groups: number[][] = []
  let open: number[] = []
  for (const [index, value] of values.entries()) {
    if (value > 0) open.push(index)
    if (!isEnough(open, values, least)) continue
    groups.push(open)
    open = []
  }
  const last = groups.at(-1)
  if (last === undefined) return open.length > 0 ? [open] : []
  last.push(...open)
  return groups
}

function isEnough(group: readonly number[], values: readonly number[], least: number): boolean {
  return group.length > 1 && group.reduce((sum, index) => sum + (values[index] ?? 0), 0) >= least
}

/** The columns of all, those of the same name once. */
function joined([first, ...others]: readonly Result[], key: string): Result {
  if (first === undefined) return { columns: [], rows: [] }
  return others.reduce((whole, other) => {
    const added = other.columns.filter(({ name }) => placeOf(whole.columns, name) < 0)
    const byKey = new Map(other.rows.map((row) => [row[placeOf(other.columns, key)] ?? null, row]))
    const rows = whole.rows.map((row) => {
      const its = byKey.get(row[placeOf(whole.columns, key)] ?? null)
      return [...row, ...added.map(({ name }) => its?.[placeOf(other.columns, name)] ?? null)]
    })
    return { columns: [...whole.columns, ...added], rows }
  }, first)
}

function placeOf(columns: Result['columns'], name: string): number {
  return columns.findIndex((column) => column.name === name)
}
