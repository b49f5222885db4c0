import type { Glyphs, Span } from '../types.ts'
import { span } from './frame.ts'
import { shortNumber } from './number-text.ts'
import type { Value } from './series.ts'

// Where more is worse.
const LESS_IS_BETTER = /risk|withdraw|reject|drop|overdue|lag|days_to|time_to/i

/** A change as an arrow with its size, `▲4.2%` (ASCII: `+4.2%`), toned by whether it is good for `name`. */
export function changeSpan(change: Value, name: string, glyphs: Glyphs, unit: '%' | ' pp' = '%'): Span {
  if (change === null) return span('')
  const size = Math.abs(change) < 99.95 ? Math.abs(change).toFixed(1) : shortNumber(Math.abs(change))
  if (size === '0.0') return span(`=0.0${unit}`, 'muted')
  const up = change > 0
  const arrow = glyphs === 'ascii' ? (up ? '+' : '-') : up ? '▲' : '▼'
  return span(`${arrow}${size}${unit}`, up === LESS_IS_BETTER.test(name) ? 'bad' : 'good')
}
