import type { Glyphs, Span } from '../types.ts'
import { span } from './frame.ts'
import { shortNumber } from './number-text.ts'
import type { Value } from './series.ts'

// Where more is worse.
const LESS_IS_BETTER = /risk|withdraw|reject|drop|overdue|lag|days_to|time_to/i

/** A change as an arrow with its size, `▲4.2%` (ASCII: `+4.2%`), toned by whether it is good for `name`. */
export function changeSpan(percent: Value, name: string, glyphs: Glyphs): Span {
  if (percent === null) return span('')
  const size = Math.abs(percent) < 99.95 ? Math.abs(percent).toFixed(1) : shortNumber(Math.abs(percent))
  if (size === '0.0') return span('=0.0%', 'muted')
  const up = percent > 0
  const arrow = glyphs === 'ascii' ? (up ? '+' : '-') : up ? '▲' : '▼'
  return span(`${arrow}${size}%`, up === LESS_IS_BETTER.test(name) ? 'bad' : 'good')
}
