/** What a chart reads from a result: labels along x, and a row of numbers for each y. */

import { UserError } from '../errors.ts'
import { safeText } from '../safe-text.ts'
import type { Cell, ChartSpec, Column, Result } from '../types.ts'

/** A number to draw, or null where there is none (null, NaN, infinite or not a number). */
export type Value = number | null

export interface Series {
  /** Column name in words: `completion rate`. */
  readonly label: string
  /** `%` for columns named so, else nothing. */
  readonly unit: '' | '%'
  readonly values: readonly Value[]
}

export interface Data {
  /** One label for each value, safe for a terminal. */
  readonly labels: readonly string[]
  /** Days between neighbours when x is a date, else undefined. */
  readonly stepDays: number | undefined
  readonly series: readonly Series[]
}

/** The index of a column. @throws UserError LPA-CHART-COLUMN when the result has none of that name. */
export function columnIndex(result: Result, name: string): number {
  const index = result.columns.findIndex((column) => column.name === name)
  if (index >= 0) return index
  const names = result.columns.map((column) => safeText(column.name)).join(', ')
  throw new UserError(
    'LPA-CHART-COLUMN',
    `The chart needs a column "${safeText(name)}", which the result lacks.`,
    {
      exit: 'usage',
      next: `Its columns are: ${names || 'none'}.`,
    },
  )
}

export function toValue(cell: Cell | undefined): Value {
  if (cell === null || cell === undefined || cell === '') return null
  const value = typeof cell === 'number' ? cell : Number(cell)
  return Number.isFinite(value) ? value : null
}

/** Column name in words: `active_learners` → `active learners`, `completion_percent` → `completion`. */
export function columnLabel(name: string): string {
  return safeText(name.replace(/_(percent|pct)$/i, '').replaceAll('_', ' ')).trim() || safeText(name)
}

export function columnUnit(name: string): '' | '%' {
  return /(^|_)(percent|pct)(_|$)/i.test(name) ? '%' : ''
}

/** With a capital first letter. */
export function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

export function cellLabel(cell: Cell | undefined): string {
  return cell === null || cell === undefined ? 'none' : safeText(String(cell))
}

/** Labels and numbers in the order of the rows; dates are sorted and days without a row become gaps. */
export function readData(result: Result, spec: ChartSpec): Data {
  const xIndex = columnIndex(result, spec.x)
  const yIndexes = spec.y.map((name) => columnIndex(result, name))
  const times = readTimes(result, xIndex)
  const slots = times === undefined ? undefined : timeSlots(times)
  const rowOf = slots?.rows ?? result.rows.map((_, row) => row)
  const seriesOf = (index: number): Series => {
    const { name } = result.columns[index] as Column
    const values = rowOf.map((row) => (row === undefined ? null : toValue(result.rows[row]?.[index])))
    return { label: columnLabel(name), unit: columnUnit(name), values }
  }
  return {
    labels: slots?.labels ?? rowLabels(result, xIndex),
    stepDays: slots?.stepDays,
    series: yIndexes.map(seriesOf),
  }
}

/** What is not named yet, such as an inferred course, goes by its id: `course_id` for `course_title`. */
function rowLabels(result: Result, xIndex: number): readonly string[] {
  const name = result.columns[xIndex]?.name ?? ''
  const idIndex = result.columns.findIndex((column) => column.name === name.replace(/_(title|name)$/, '_id'))
  return result.rows.map((row) => cellLabel(row[xIndex] ?? row[idIndex]))
}

const DAY_MS = 86_400_000
const ISO_DATE = /^\d{4}-\d{2}-\d{2}([T ].*)?$/

/** Milliseconds of every x, or undefined unless all are dates, all different. */
function readTimes(result: Result, xIndex: number): readonly number[] | undefined {
  const type = result.columns[xIndex]?.type
  if (type !== 'date' && type !== 'timestamp' && type !== 'text') return undefined
  const times: number[] = []
  for (const row of result.rows) {
    const cell = row[xIndex]
    if (typeof cell !== 'string' || !ISO_DATE.test(cell)) return undefined
    const time = Date.parse(cell)
    if (Number.isNaN(time)) return undefined
    times.push(time)
  }
  return times.length > 0 && new Set(times).size === times.length ? times : undefined
}

interface Slots {
  readonly labels: readonly string[]
  readonly stepDays: number
  /** The row of each slot; undefined is a gap. */
  readonly rows: readonly (number | undefined)[]
}

/** Equal steps from the first to the last time, so that a missing day is a gap and not a shorter line. */
function timeSlots(times: readonly number[]): Slots {
  const order = times.map((_, row) => row).sort((a, b) => (times[a] as number) - (times[b] as number))
  const sorted = order.map((row) => times[row] as number)
  const first = sorted[0] as number
  const last = sorted.at(-1) as number
  const labelOf = dateLabeller(last - first)
  let step = Number.POSITIVE_INFINITY
  for (let index = 1; index < sorted.length; index += 1) {
    step = Math.min(step, (sorted[index] as number) - (sorted[index - 1] as number))
  }
  const count = Number.isFinite(step) ? Math.round((last - first) / step) + 1 : 1
  // Uneven times (months, odd minutes, two far-off days) keep their order instead.
  const even = sorted.every(
    (time) => Math.abs((time - first) / step - Math.round((time - first) / step)) < 0.01,
  )
  if (sorted.length === 1 || !even || count > 4 * sorted.length + 31) {
    const stepDays = sorted.length > 1 ? (last - first) / (sorted.length - 1) / DAY_MS : 1
    return { labels: sorted.map(labelOf), stepDays, rows: order }
  }
  const rows: (number | undefined)[] = Array.from({ length: count }, () => undefined)
  for (const row of order) rows[Math.round(((times[row] as number) - first) / step)] = row
  return { labels: rows.map((_, slot) => labelOf(first + slot * step)), stepDays: step / DAY_MS, rows }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** A day as a reader says it: `3 Mar 2026`. */
export function dayText(time: number): string {
  const at = new Date(time)
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`
}

/** Labels as fine as the span needs: `14:05`, `3 Mar`, `Mar 2026`. UTC, like every instant of a result. */
function dateLabeller(spanMs: number): (time: number) => string {
  return (time) => {
    const at = new Date(time)
    const month = MONTHS[at.getUTCMonth()] as string
    if (spanMs > 0 && spanMs < DAY_MS) return at.toISOString().slice(11, 16)
    return spanMs > 500 * DAY_MS ? `${month} ${at.getUTCFullYear()}` : `${at.getUTCDate()} ${month}`
  }
}

export interface Condensed extends Data {
  /** How the points were thinned, for the title: `7-day mean`; nothing when they were not. */
  readonly note: string
}

/**
 * Data in at most `capacity` points: moving means, wide enough that every value counts. Days are taken by whole weeks,
 * since a mean of other lengths would show the week's rhythm as waves.
 */
export function condense(data: Data, capacity: number): Condensed {
  const count = data.labels.length
  if (count <= capacity) return { ...data, note: '' }
  const room = Math.max(1, capacity)
  const daily = data.stepDays !== undefined && Math.abs(data.stepDays - 1) < 0.01
  const weeks = Math.ceil(count / room / 7)
  const width = daily ? 7 * weeks : Math.ceil(count / room)
  // From the first whole window to the last value.
  const first = Math.min(width, count) - 1
  const ends = Array.from({ length: room }, (_, point) =>
    room === 1 ? count - 1 : Math.round(first + (point * (count - 1 - first)) / (room - 1)),
  )
  return {
    ...data,
    labels: ends.map((end) => data.labels[end] as string),
    series: data.series.map((one) => ({
      ...one,
      values: ends.map((end) => mean(one.values.slice(Math.max(0, end + 1 - width), end + 1))),
    })),
    note: !daily ? `mean of ${width}` : weeks === 1 ? '7-day mean' : `${weeks}-week mean`,
  }
}

/** The mean of the numbers among `values`, null when there are none. */
function mean(values: readonly Value[]): Value {
  const numbers = values.filter((value) => value !== null)
  if (numbers.length === 0) return null
  // Divided before it is added: the sum of huge values would be infinite.
  return numbers.reduce((sum, value) => sum + value / numbers.length, 0)
}
