/** What a role is answered: reports without small counts, and why it is refused the rest. */

import { UserError } from '../errors.ts'
import type { JoinedReport } from '../policy/joined-cells.ts'
import type { Cells, JoinRule, Rule, SharedCells } from '../policy/small-cells.ts'
import { expand } from '../sql-expand.ts'
import { paramValues, readSql } from '../sql-files.ts'
import { sqlTokens } from '../sql-tokens.ts'
import type { Cell, Reader, Result, ResultStream, RoleTraits } from '../types.ts'
import type { AskOptions, Question } from './report.ts'

/** @throws UserError usage */
export function refuseForRoles({ at, write }: Pick<AskOptions, 'at' | 'write'>): void {
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
  const narrowing = narrowedBy(question)
  if (narrowing !== undefined) throw noNarrowing(role, question.report.name, narrowing)
}

/**
 * `-- narrows: country`: parameters that choose of whom a report counts. Two such answers and the whole would tell of the
 * few between them, which neither shows.
 */
function narrowedBy({ report, values }: Question): string | undefined {
  const names = report?.header.narrows?.[0]?.split(', ') ?? []
  return names.find((name) => values[name] !== null && values[name] !== undefined)
}

/** @throws UserError notPermitted (77) */
export function assertMayExport(role: RoleTraits): void {
  if (role.minCell === undefined) return
  const next = `Reports: lpa query --list, then lpa query REPORT --role ${role.role} --format csv`
  throw noFew(role, ': it gets reports, no tables.', next)
}

function noFew({ role, minCell }: RoleTraits, what: string, next: string): UserError {
  return new UserError(
    'LPA-ROLE-CELLS',
    `The role ${role} may not see fewer than ${minCell} learners at once${what}`,
    { exit: 'notPermitted', next },
  )
}

function noNarrowing(role: RoleTraits, report: string, name: string): UserError {
  const next = `Without it: lpa query ${report} --role ${role.role}`
  return noFew(role, `: it takes no --param ${name} of ${report}.`, next)
}

function noReveal({ role }: RoleTraits): UserError {
  return new UserError('LPA-ROLE-REVEAL', `The role ${role} may not see who a pseudonym is.`, {
    exit: 'notPermitted',
    next: 'may_reveal in the policy says who may.',
  })
}

function noParquet(role: RoleTraits): UserError {
  return noFew(role, ': its answers are not written as Parquet.', 'Another format: --format csv')
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

/** Tables of the role that a checked statement names, for the record: the statement itself may hold values. */
export function namedTables({ tables }: RoleTraits, { report, sql }: Question): string[] {
  if (report) return []
  const words = new Set(
    sqlTokens(sql).flatMap(({ kind, text }) =>
      kind === 'word' || kind === 'quoted' ? text.replaceAll('"', '').toLowerCase() : [],
    ),
  )
  return tables.filter((table) => words.has(table.slice(table.indexOf('.') + 1)))
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
      (attribute) =>
        `${user} has no ${attribute} in the policy: the rows that ${role} sees by it are none. Users have theirs in security/*.yaml.`,
    ),
    ...(hidden.length > 0
      ? [
          `${values} left out: they would tell of fewer than ${minCell} learners. In a table they are ${LEFT_OUT}, in JSON null, in CSV empty.`,
        ]
      : []),
  ]
}

type RoleReader = Pick<Reader, 'dialect' | 'query' | 'role'>

/** The rows of a report without what is too small for the role that asks. */
export async function answerReport(reader: RoleReader, question: Question): Promise<Result> {
  const { report, sql, values } = question
  const least = reader.role?.minCell
  if (reader.role === undefined || least === undefined) return reader.query(sql, values)
  const { readCells, withoutSmallCells } = await import('../policy/small-cells.ts')
  const rules = readCells(report?.header.cells)
  if (report === undefined || rules === undefined || rules === 'learners')
    throw noCells(question, reader.role)
  if (rules === 'nobody') return reader.query(sql, values)
  // Rows that are there for a few learners, and not for one more, would tell how many they count.
  const raised = rules.flatMap((rule) =>
    rule.kind === 'at least' ? [[rule.param, Math.max(Number(values[rule.param]), least)]] : [],
  )
  const result = await reader.query(sql, { ...values, ...Object.fromEntries(raised) })
  const join = joinOf(report.name, rules, readCells)
  if (join === undefined) return withoutSmallCells(result, rules, least)
  const { isLeftOutIn, leftOutOf, outsideParts } = await import('../policy/joined-cells.ts')
  const reports: JoinedReport[] = []
  for (const name of join.reports) {
    const rules = readCells(readSql('reports', name).header.cells)
    const result = await wholeReport(reader, name)
    if (result !== undefined && Array.isArray(rules)) reports.push({ result, rules })
  }
  const leftOut = leftOutOf(reports, join.key, least)
  const asked = { result, rules }
  const isLeftOut = isLeftOutIn(asked, leftOut, values.course ?? null)
  const paths = rules.some(({ kind }) => kind === 'below') ? await pathsOfCourses(reader) : new Map()
  return withoutSmallCells(result, rules, least, { isLeftOut, outside: outsideParts(asked, leftOut, paths) })
}

/** The reports that show the same counts, in an order of their own: what they leave out is the same whoever asks. */
function joinOf(
  name: string,
  rules: readonly Rule[],
  readCells: (lines: readonly string[] | undefined) => Cells | undefined,
): { readonly key: string; readonly reports: readonly string[] } | undefined {
  const joined = (all: Cells | undefined) =>
    Array.isArray(all) ? all.find((rule): rule is JoinRule => rule.kind === 'joined') : undefined
  const own = joined(rules)
  const other = rules.find((rule): rule is SharedCells => 'report' in rule)
  if (other === undefined) return undefined
  const first = own === undefined ? other.report : name
  const join = own ?? joined(readCells(readSql('reports', first).header.cells))
  return join && { key: join.key, reports: [first, join.report].sort() }
}

/** Of their categories, by the id of the course. */
async function pathsOfCourses({ dialect, query }: RoleReader): Promise<ReadonlyMap<Cell, string>> {
  const { rows } = await query(expand(readSql('ledger', 'course-paths', dialect).body, dialect))
  return new Map(rows.map(([course = null, path]) => [course, String(path)]))
}

/** For every course; undefined where the role may not read it. */
async function wholeReport({ dialect, query }: RoleReader, name: string): Promise<Result | undefined> {
  const report = readSql('reports', name, dialect)
  return query(expand(report.body, dialect), paramValues(report, {})).catch((error) => {
    const isRefused = error instanceof UserError && error.code === 'LPA-QUERY-REFUSED'
    if (!isRefused && missingTable(error) === undefined) throw error
    return undefined
  })
}

function noCells({ report }: Question, role: RoleTraits): UserError {
  const what = report === undefined ? 'It gets reports only' : `The rows of ${report.name} are single ones`
  return noFew(role, `. ${what}.`, 'Reports: lpa query --list')
}

/** A report that reads what the role may not: its engine says that there is no such table. */
export function deniedReport(
  cause: unknown,
  { report }: Question,
  { role }: RoleTraits,
): UserError | undefined {
  const table = missingTable(cause)
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

function missingTable(cause: unknown): string | undefined {
  return /^Catalog Error: Table with name (\S+) does not exist/.exec((cause as Error).message)?.[1]
}
