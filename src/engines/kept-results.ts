/** What dashboards keep of reports' results beside a warehouse. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'

/** What dashboards were answered may hold people who are in no row any more. */
export function forgetResults(folder: string): void {
  try {
    rmSync(join(folder, 'results'), { recursive: true, force: true, maxRetries: 3 })
  } catch {
    // Another user's, or one is being written: no reason for a load to fail.
  }
}
