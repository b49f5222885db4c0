/** How long to wait before a request is made again. */

/** A server that asks for more is not waited for. */
export const LONGEST_WAIT_MS = 5 * 60_000
const LONGEST_BACKOFF_MS = 60_000

/** Milliseconds of a Retry-After header, which holds seconds or a date (RFC 9110); undefined when it is neither. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Only as servers write it: Date.parse takes much for a date.
  if (!/^[A-Z][a-z]{2,8}, .* GMT$/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

/** Twice as long each time (from 1), up to a minute; half of it by chance, so that many clients do not come at once. */
export function backoffMs(attempt: number, firstMs: number, chance: number): number {
  const whole = Math.min(LONGEST_BACKOFF_MS, firstMs * 2 ** (attempt - 1))
  return Math.round(whole * (0.5 + chance / 2))
}
