/** Numbers as people read them in a chart. Reports and exports print them exactly; pictures do not. */

const UNITS = ['', 'k', 'M', 'B', 'T']

/** At most three digits and a unit: `0.25`, `7.5`, `980`, `1.2k`, `14.2k`, `142k`, `3M`; beyond 10^15 or below 0.001 `1e+18`. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf'
  const size = Math.abs(value)
  if (size >= 999.5e12 || (size > 0 && size < 0.001)) return value.toExponential(0)
  if (size < 1) return trimZeros(value, size < 0.1 ? 3 : 2)
  let power = 0
  // 999.95 is shown as 1k, not as 1000.
  while (size / 1000 ** power >= (power === 0 ? 999.95 : 999.5) && power < UNITS.length - 1) power += 1
  const scaled = value / 1000 ** power
  return trimZeros(scaled, Math.abs(scaled) < 99.95 ? 1 : 0) + (UNITS[power] as string)
}

/** As `shortNumber`, but whole numbers below 10,000 stay exact: `1612`. */
export function valueText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 10_000 ? plainZero(String(value)) : shortNumber(value)
}

/** The values of a column: one digit after the point for all when one needs it; null is `-`. */
export function valueTexts(values: readonly (number | null)[], unit: string): readonly string[] {
  const numbers = values.filter((value) => value !== null)
  const fixed =
    numbers.every((value) => Math.abs(value) < 1000) && numbers.some((value) => !Number.isInteger(value))
  return values.map((value) => (value === null ? '-' : (fixed ? value.toFixed(1) : valueText(value)) + unit))
}

/** A share of a whole (0 to 1) as a percentage; only nothing is 0% and only all of it is 100%. */
export function percentText(fraction: number | null): string {
  if (fraction === null) return '-'
  const percent = fraction * 100
  if (percent > 0 && percent < 0.5) return '<1%'
  if (percent > 99 && percent < 100) return '99%'
  return `${shortNumber(Math.round(percent))}%`
}

function trimZeros(value: number, digits: number): string {
  const text = value.toFixed(digits)
  return plainZero(text.includes('.') ? text.replace(/\.?0+$/, '') : text)
}

function plainZero(text: string): string {
  return text === '-0' || text === '' || text === '-' ? '0' : text
}
