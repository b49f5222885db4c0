/** Before the tests of test/services/snowflake: one emulator for all of them. */

import type { TestProject } from 'vitest/node'
import { NoSnowflake } from '../../scripts/snowflake-python.ts'
import type { EmulatorAddress } from '../services/snowflake/database.ts'
import { Emulator } from '../services/snowflake/emulator.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Or why there is none. */
    readonly snowflake: EmulatorAddress | { readonly missing: string }
  }
}

export async function setup({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  try {
    const emulator = await Emulator.start()
    provide('snowflake', emulator.address)
    return () => emulator.stop()
  } catch (error) {
    if (!(error instanceof NoSnowflake)) throw error
    provide('snowflake', { missing: error.message })
    return undefined
  }
}
