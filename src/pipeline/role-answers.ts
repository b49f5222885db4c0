/** What a role is answered: reports without small counts, and why it is refused the rest. */

import { UserError } from '../errors.ts'
import type { Reader, Result, ResultStream, RoleTraits } from '../types.ts'
import type { AskOptions, Question } from './report.ts'

/** @throws UserError usage */
export function refuseForRoles({ at, write }: AskOptions): void {
  const what = write
    ? 'A role reads: it takes no --write.'
    : 'A role sees the warehouse as it is now: it takes no --at.'
  if (write || at !== undefined) throw new UserError('LPA-ROLE-READS', what, { exit: 'usage' })
}

/** @throws UserError notPermitted (77) */
export function assertMayAsk(role: RoleTraits, question: Question, { reveals, exports }: AskOptions): void {
  if (reveals && !role.mayReveal) throw noReveal(role)
  if (role.minCell === undefined) return
  if (exports) throw noParquet(role)
  if (!question.report) throw noCells(question, role)
}

function noReveal({ role }: RoleTraits): UserError {
  return new UserError('LPA-ROLE-REVEAL', `The role ${role} may not see who a pseudonym is.`, {
    exit: 'notPermitted',
    next: 'may_reveal in the policy says who may.',
  })
}

function noParquet({ role, minCell }: RoleTraits): UserError {
  return new UserError(
    'LPA-ROLE-CELLS',
    `The role ${role} may not see fewer than ${minCell} learners at once: its answers are not written as Parquet.`,
    { exit: 'notPermitted', next: 'Another format: --format csv' },
  )
}

/** What people see of a value that is left out: it is there, whereas one that is missing has a dash. */
const LEFT_OUT = '*'

/** An answer for people, in which what is left out can be told from what is missing. */
export function withMarks(answer: Result | ResultStream): Result | ResultStream {
  if (!('rows' in answer) || answer.hidden === undefined) return answer
  const rows = answer.rows.map((row) => [...row])
  for (const [row, column] of answer.hidden) rows[row]?.splice(column, 1, LEFT_OUT)
  return { columns: answer.columns, rows }
}

/** What a role should know of an answer that is not whole. */
export function withheldFrom(
  { role, user, minCell, missingAttributes }: RoleTraits,
  answer: Result | ResultStream = { columns: [], rows: [] },
): string[] {
  const hidden = ('hidden' in answer && answer.hidden) || []
  const values = hidden.length === 1 ? '1 value is' : `${hidden.length} values are`
  return [
    ...missingAttributes.map(
      (attribute) => `${user} has no ${attribute} in the policy: the rows that ${role} sees by it are none.`,
    ),
    ...(hidden.length > 0
      ? [
          `${values} left out: they would tell of fewer than ${minCell} learners. In a table they are ${LEFT_OUT}, in JSON null, in CSV empty.`,
        ]
      : []),
  ]
}

/** The rows of a report without what is too small for the role that asks. */
export async function answerReport(
  { query, role }: Pick<Reader, 'query' | 'role'>,
  question: Question,
): Promise<Result> {
  const { report, sql, values } = question
  if (role?.minCell === undefined) return query(sql, values)
  const { readCells, withoutSmallCells } = await import('../policy/small-cells.ts')
  const cells = readCells(report?.header.cells)
  if (cells === undefined || cells === 'learners') throw noCells(question, role)
  const result = await query(sql, values)
  return cells === 'nobody' ? result : withoutSmallCells(result, cells, role.minCell)
}

function noCells({ report }: Question, { role, minCell }: RoleTraits): UserError {
  const what = report === undefined ? 'It gets reports only' : `The rows of ${report.name} are single ones`
  return new UserError(
    'LPA-ROLE-CELLS',
    `The role ${role} may not see fewer than ${minCell} learners at once. ${what}.`,
    { exit: 'notPermitted', next: 'Reports: lpa query --list' },
  )
}

/** A report that reads what the role may not: its engine says that there is no such table. */
export function deniedReport(
  cause: unknown,
  { report }: Question,
  { role }: RoleTraits,
): UserError | undefined {
  const [, table] =
    /^Catalog Error: Table with name (\S+) does not exist/.exec((cause as Error).message) ?? []
  if (report === undefined || table === undefined) return undefined
  return new UserError(
    'LPA-QUERY-REFUSED',
    `${report.name} reads ${table}, which the role ${role} may not.`,
    {
      exit: 'notPermitted',
      next: `What it may: lpa grant show ${role}`,
    },
  )
}
