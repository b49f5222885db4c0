/** What Snowflake's errors mean. It tells them by number; driver and network have numbers of their own. */

import { UserError } from '../../errors.ts'
import type { Fault } from '../../types.ts'

/** An error of the driver: `code` is six digits (`002003`) or a number of the driver's own (`401001`). */
interface DriverError extends Error {
  readonly code?: string | number
  readonly sqlState?: string
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as DriverError).code : undefined
  return code === undefined ? '' : String(code).padStart(6, '0')
}

const UNANSWERED = 'LPA-SNOWFLAKE-NETWORK'

/** Another transaction holds a lock, and went on holding it. */
export function isLocked(error: unknown): boolean {
  return codeOf(error) === '000625'
}

/** Whether nobody can say what became of the statement: its answer did not come. */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof UserError) return error.code === UNANSWERED
  const code = codeOf(error)
  // What the server says with a number of its own is an answer, whatever words are in it.
  if (/^\d{6}$/.test(code)) return /^40[127]/.test(code)
  return /^E[A-Z]+$/.test(code) || /network|socket|timed? ?out/i.test(messageOf(error))
}

/** Whether Snowflake has ended the session: the driver says so of every statement from then on, and runs none. */
export function isEnded(error: unknown): boolean {
  return codeOf(error) === '407002'
}

/** What of a statement Snowflake finds wrong: a name that it does not know, the text and its values, or rows. */
export function faultOf(error: unknown): Fault | undefined {
  const code = codeOf(error)
  if (NAMES.has(code)) return 'name'
  // NULL where there may be none.
  if (code === '100072') return 'rows'
  return /^(001|100|002)/.test(code) ? 'text' : undefined
}

/** Objects and columns that there are not, or that the role may not see; also inside a view. */
const NAMES: ReadonlySet<string> = new Set(['002003', '002037', '002043', '000904'])

/** The same error in words that say what to do, where it is the account's or the network's; else as it is. */
export function explained(error: unknown): unknown {
  if (error instanceof UserError) return error
  const code = codeOf(error)
  const cause = error
  const message = messageOf(error)
  if (code === '000707') {
    const [, table] = /not available for table (\S+?)\.? /.exec(message) ?? []
    return new UserError(
      'LPA-QUERY-AT',
      `Snowflake keeps no state of that time${table ? ` of ${table}` : ''}.`,
      {
        exit: 'usage',
        next: 'A table keeps its states for data_retention_time_in_days, a day unless your DBA gave it more, and none from before it was made.',
        cause,
      },
    )
  }
  if (code === '003001') {
    return new UserError('LPA-SNOWFLAKE-PRIVILEGE', `Snowflake does not permit it: ${firstLine(message)}`, {
      exit: 'notPermitted',
      next: 'Use a role that may, or have it granted: lpa grant plan',
      cause,
    })
  }
  if (code === '090105') {
    return new UserError(
      'LPA-SNOWFLAKE-DATABASE',
      'There is no database of the name in the connection, or not for its role.',
      {
        exit: 'config',
        next: [
          'Check database and role of the connection.',
          'Who may, makes it: create database …; the role needs USAGE on it.',
        ],
        cause,
      },
    )
  }
  if (code === '000606' || code === '000609') {
    return new UserError('LPA-SNOWFLAKE-WAREHOUSE', 'The session has no virtual warehouse that computes.', {
      exit: 'config',
      next: 'Name one in the connection: warehouse = "…" (and USAGE on it granted to the role)',
      cause,
    })
  }
  if (isLocked(error)) {
    return new UserError('LPA-WAREHOUSE-LOCKED', 'Somebody else is changing a table of the warehouse.', {
      exit: 'locked',
      next: 'Try again. Who it is: show locks',
      cause,
    })
  }
  if (isUnanswered(error)) {
    return new UserError(UNANSWERED, `Snowflake did not answer: ${firstLine(message)}`, {
      exit: 'unavailable',
      next: 'What was committed stays. Run it again.',
      cause,
    })
  }
  if (!/^\d{6}$/.test(code) || faultOf(error) !== undefined) return error
  return new UserError('LPA-SNOWFLAKE-REFUSED', `Snowflake refused (${code}): ${firstLine(message)}`, {
    exit: 'unavailable',
    next: 'Nothing was changed.',
    cause,
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message
}
