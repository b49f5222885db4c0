/** The emulator that test/setup/snowflake.ts started. Tests make databases of their own in it, and never end it. */

import { describe, inject, test } from 'vitest'
import type { EmulatorAddress } from './database.ts'

/** Tests that need Snowflake's emulator: skipped with the reason where it cannot run. */
export function describeWithSnowflake(name: string, tests: (snowflake: EmulatorAddress) => void): void {
  const snowflake = inject('snowflake')
  describe(name, () => {
    if ('missing' in snowflake) test('needs Snowflake', (context) => context.skip(snowflake.missing))
    else tests(snowflake)
  })
}
