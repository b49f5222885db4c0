/** Of the statements that a test file sent: that they are Snowflake's, as far as a parser and the emulator can tell. */

import type { EmulatorDatabase } from './database.ts'
import { malformed } from './sqlfluff.ts'

/**
 * What sqlfluff's grammar does not know, and what the emulator refused: DDL inside a transaction, functions that only
 * DuckDB has. `except` finds what a user's wrong SQL was.
 */
export async function wrongStatements(
  database: EmulatorDatabase,
  except?: RegExp,
): Promise<readonly string[]> {
  const sent = (await database.statements()).filter(({ sql }) => !except?.test(sql))
  const refused = sent.filter(({ outcome }) => outcome === 'refused')
  return [
    ...refused.map(({ sql, message }) => `${message}\n${sql}`),
    ...(await malformed(sent.map(({ sql }) => sql))),
  ]
}
