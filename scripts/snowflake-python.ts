/** Python with what the Snowflake tests need. */

import { fileURLToPath } from 'node:url'
import { NoPython, pythonWith } from './python.ts'

const REQUIREMENTS = fileURLToPath(new URL('../test/services/snowflake/requirements.txt', import.meta.url))

/** The machine cannot run the emulator, and why: tests are skipped for this reason, they do not fail. */
export class NoSnowflake extends Error {}

/**
 * The Python that has fakesnow and sqlfluff.
 * @throws NoSnowflake without Python 3.11 or its venv, or when the packages cannot be fetched
 */
export async function snowflakePython(): Promise<string> {
  if (process.platform === 'win32')
    throw new NoSnowflake('the emulator for tests runs on Linux and macOS only')
  try {
    return await pythonWith(REQUIREMENTS, 'snowflake')
  } catch (error) {
    if (!(error instanceof NoPython)) throw error
    throw new NoSnowflake(error.message)
  }
}
