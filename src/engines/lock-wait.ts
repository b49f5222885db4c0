import { durationText } from '../duration.ts'
import { note } from '../words.ts'

/** Nobody asks what a run does that waits no longer than this. */
const SILENT_MS = 2000

/** Another run holds the warehouse for its commit; who writes in many short steps has time. */
export const LEAST_LOCK_WAIT_MS = 600_000

/** Says, once, that another run is waited for, when that has gone on for a while: it should not look as if this one hung. */
export function tellOfWait(deadline: number, waitMs: number): void {
  if (Date.now() < deadline - waitMs + SILENT_MS) return
  note(`Another run is writing to the warehouse. Waiting for it, ${durationText(waitMs)} at most.`)
}
