/** Before the tests that start `bin/run.js`: dist/ is built from the sources as they are. */

import { buildWhenStale } from '../../scripts/build.ts'

export async function setup(): Promise<void> {
  await buildWhenStale()
}
