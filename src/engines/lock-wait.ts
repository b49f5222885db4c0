import { durationText } from '../duration.ts'
import { note } from '../words.ts'

/** Nobody asks what a run does that waits no longer than this. */
const SILENT_MS = 2000

/** Says, once, that another run is waited for, when that has gone on for a while: it should not look as if this one hung. */
export function tellOfWait(deadline: number, waitMs: number): void {
  if (Date.now() < deadline - waitMs + SILENT_MS) return
  note(`Another run is writing to the warehouse. Waiting for it, ${durationText(waitMs)} at most.`)
}
