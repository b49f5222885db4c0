import { setTimeout as sleep } from 'node:timers/promises'

const LIMIT_MS = 40_000

/** Waits until something holds. What it throws until then is only the reason when it never does. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  limitMs = LIMIT_MS,
): Promise<void> {
  const deadline = Date.now() + limitMs
  let cause: unknown
  while (Date.now() < deadline) {
    try {
      if (await holds()) return
      cause = undefined
    } catch (error) {
      cause = error
    }
    await sleep(100)
  }
  throw new Error(`It was waited in vain until ${what}.`, { cause })
}
