import { UserError } from './errors.ts'

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** The longest that a timer of Node's waits, 24.8 days: a longer one would be over at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * Milliseconds of a duration as users write it: `500ms`, `30s`, `1.5h`, `5m`, `2d`, or `0`.
 * `name` says whose value it is (`--lock-wait`). Throws LPA-USAGE-DURATION.
 */
export function parseDuration(text: string, name: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)$/.exec(text.trim())
  const unitMs = UNITS_MS[match?.[2] ?? '']
  if (match && unitMs !== undefined) return Math.round(Number(match[1]) * unitMs)
  if (/^0+$/.test(text.trim())) return 0
  throw new UserError('LPA-USAGE-DURATION', `${name} is ${JSON.stringify(text)}, which is not a duration.`, {
    exit: 'usage',
    next: 'Write a number and a unit: 500ms, 30s, 5m, 2h, 1d.',
  })
}

/** A duration as users write it, in the largest unit that it is a whole number of: `500ms`, `90s`, `10m`. */
export function durationText(ms: number): string {
  const [unit, unitMs] = Object.entries(UNITS_MS).findLast(
    ([name, size]) => name !== 'min' && ms % size === 0 && ms > 0,
  ) ?? ['s', 1]
  return `${ms / unitMs}${unit}`
}

/** A duration for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(ms < 1000 ? 2 : 1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}
