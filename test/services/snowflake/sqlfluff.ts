/** Whether a statement is well-formed Snowflake SQL, by the grammar of sqlfluff: also what the emulator only records. */

import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { snowflakePython } from '../../../scripts/snowflake-python.ts'

export interface Parsed {
  readonly statement: string
  /** What sqlfluff did not understand, and where; null for a good statement, and for one of `FALSELY_REJECTED`. */
  readonly error: string | null
}

const PROGRAM = fileURLToPath(new URL('parse.py', import.meta.url))

/**
 * What Snowflake's documentation has and sqlfluff 4.5 does not. For the rest it is lenient too: it takes
 * `GRANT SELECT ON WAREHOUSE` and `GRANT USAGE ON TABLE`.
 */
export const FALSELY_REJECTED: Readonly<Record<string, RegExp>> = {
  'EXEMPT_OTHER_POLICIES of a masking policy':
    /^create (or replace )?masking policy .* exempt_other_policies = \w+$/is,
  'a qualified policy of a tag': /^alter tag .* (un)?set masking policy \w+(\.\w+)+/is,
  'IF EXISTS of DROP MASKING POLICY': /^drop masking policy if exists /i,
  'FORCE of a tag': /^alter .* set tag .* force$/is,
  'PROPAGATE of a tag': /^create (or replace )?tag .* propagate = /is,
  'tags of a user': /^alter user .* (un)?set tag /is,
  'COMMENT ON TAG': /^comment (if exists )?on tag /i,
  'SHOW TAGS IN SCHEMA': /^show tags .*in schema /is,
}

/**
 * All in one process: a second, and some hundredths of one for each statement.
 * @param statements without the semicolon at their end
 * @throws NoSnowflake without Python
 */
export async function parseSnowflake(statements: readonly string[]): Promise<readonly Parsed[]> {
  const errors = await rejections(statements)
  return statements.map((statement, index) => {
    const isKnown = Object.values(FALSELY_REJECTED).some((pattern) => pattern.test(statement.trim()))
    return { statement, error: isKnown ? null : (errors[index] ?? null) }
  })
}

/** What sqlfluff itself says of each, also where it is known to be wrong. */
export async function rejections(statements: readonly string[]): Promise<readonly (string | null)[]> {
  const child = spawn(await snowflakePython(), ['-B', PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'] })
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(statements))
  const [status, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)])
  if (status !== 0) throw new Error(`sqlfluff: exit ${status}\n${stderr}`)
  return JSON.parse(stdout)
}
