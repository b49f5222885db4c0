/** Whether a statement is well-formed Snowflake SQL, by the grammar of sqlfluff: also what the emulator only records. */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { snowflakePython } from '../../../scripts/snowflake-python.ts'
import { sqlTokens } from '../../../src/sql-tokens.ts'

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
  'SHOW ROW ACCESS POLICIES': /^show row access policies /i,
  'several parameters in one ALTER SESSION': /^alter session set( \w+ = ('[^']*'|\w+)){2,}$/i,
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

/**
 * The statements that are not well-formed, each with what sqlfluff says of it. Of those that differ in numbers, texts and
 * blanks only one is looked at, and what was found good once is not looked at again: the next tests, and the next run,
 * find it in the cache beside sqlfluff. A bind stands for a number, since sqlfluff does not know `?`.
 */
export async function malformed(statements: readonly string[]): Promise<readonly string[]> {
  const cache = join(dirname(dirname(await snowflakePython())), 'well-formed')
  const known = new Set(existsSync(cache) ? readFileSync(cache, 'utf8').split('\n') : [])
  const program = readFileSync(PROGRAM, 'utf8')
  const hashOf = (shape: string) => createHash('sha256').update(program).update(shape).digest('hex')
  const byShape = new Map(statements.map((statement) => [shapeOf(statement), withNumbers(statement)]))
  const unknown = [...byShape].flatMap(([shape, statement]) =>
    known.has(hashOf(shape)) ? [] : [{ hash: hashOf(shape), statement }],
  )
  if (unknown.length === 0) return []
  const parsed = await parseSnowflake(unknown.map(({ statement }) => statement))
  const good = unknown.filter((_, index) => parsed[index]?.error === null)
  // Lines of one write: others may add theirs at the same time.
  appendFileSync(cache, good.map(({ hash }) => `${hash}\n`).join(''))
  return parsed.flatMap(({ statement, error }) => (error === null ? [] : [`${error}\n${statement}`]))
}

function withNumbers(statement: string): string {
  return sqlTokens(statement)
    .map(({ text }) => (text === '?' ? '0' : text))
    .join('')
}

/** The same for statements that differ in values only, also in how many rows of them there are. */
function shapeOf(statement: string): string {
  const parts = sqlTokens(withNumbers(statement)).map(({ kind, text }) => {
    if (kind === 'space' || kind === 'comment') return ' '
    return kind === 'number' ? '0' : kind === 'string' ? "'…'" : text.replace(/\d+$/, '0')
  })
  return parts
    .join('')
    .replace(/ +/g, ' ')
    .replace(/(0, )+0/g, '0')
    .replace(/(\(0\), )+\(0\)/g, '(0)')
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
