/** From values to places on an axis that starts at zero. */

import type { Value } from './series.ts'

export interface Scale {
  /** Zero, or below it when there are negative values. */
  readonly low: number
  /** At or above every value; always above `low`. */
  readonly high: number
  /** Values worth a label, lowest first: the ends, zero, and a middle that is as round as the data. */
  readonly ticks: readonly number[]
  /** Where a value lies, from 0 (low) to 1 (high). */
  fraction(value: number): number
}

// Round steps whose halves are round too, so that the middle of an axis has a short exact label.
const ROUND = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10]

/** A scale for axes: from zero to a round number. */
export function zeroScale(values: readonly Value[]): Scale {
  const { lowest, highest, whole } = range(values)
  const high = highest > 0 ? roundUp(highest, whole) : lowest < 0 ? 0 : 1
  const low = lowest < 0 ? -roundUp(-lowest, whole) : 0
  const middle = low + (high - low) / 2
  const inner = low < 0 ? (high > 0 ? [0] : []) : whole && !Number.isInteger(middle) ? [] : [middle]
  return { low, high, ticks: [low, ...inner, high], fraction: fractionOf(low, high) }
}

/** A scale for what has no axis, such as bars: from zero to the highest value itself. */
export function fullScale(values: readonly Value[]): Scale {
  const { lowest, highest } = range(values)
  const high = highest > 0 || lowest < 0 ? highest : 1
  return { low: lowest, high, ticks: [], fraction: fractionOf(lowest, high) }
}

/** Lowest and highest of the values and zero, and whether all are whole numbers. */
function range(values: readonly Value[]) {
  let highest = 0
  let lowest = 0
  let whole = true
  for (const value of values) {
    if (value === null) continue
    highest = Math.max(highest, value)
    lowest = Math.min(lowest, value)
    whole &&= Number.isInteger(value)
  }
  return { lowest, highest, whole }
}

function fractionOf(low: number, high: number): (value: number) => number {
  // Halved, since the width of a range of huge values would be infinite.
  const width = high / 2 - low / 2 || 1
  return (value) => Math.min(1, Math.max(0, (value / 2 - low / 2) / width))
}

function roundUp(value: number, whole: boolean): number {
  if (whole && value <= 2) return Math.ceil(value)
  const power = 10 ** Math.floor(Math.log10(value))
  const step = ROUND.find(
    (one) => one * power >= value * (1 - 1e-12) && !(whole && power === 1 && one % 2 !== 0),
  )
  const rounded = (step ?? 10) * power
  // The largest doubles have no round number above them; the smallest none of power.
  return Number.isFinite(rounded) && rounded >= value ? rounded : value
}
