/** What a role is answered: reports without small counts, and why it is refused the rest. */

import { UserError } from '../errors.ts'
import type { JoinedReport, LeftOut } from '../policy/joined-cells.ts'
import type { Cells, JoinRule, Rule } from '../policy/small-cells.ts'
import { expand } from '../sql-expand.ts'
import { paramValues, readSql, type SqlFile } from '../sql-files.ts'
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
  const ofAllDays = isOfDays(report) ? { since: null, until: null } : {}
  const result = await reader.query(sql, { ...values, ...Object.fromEntries(raised), ...ofAllDays })
  const { isLeftOutIn, leftOutOf, outsideParts } = await import('../policy/joined-cells.ts')
  const leftOut = new Map<string, LeftOut>()
  for (const { key, names } of joinsOf(report.name, rules, readCells)) {
    const reports: JoinedReport[] = []
    for (const name of names) {
      const rules = readCells(readSql('reports', name).header.cells)
      const result = await wholeReport(reader, name)
      if (result !== undefined && Array.isArray(rules)) reports.push({ result, rules })
    }
    const gone = leftOutOf(reports, key, least)
    for (const name of names) leftOut.set(name, gone)
  }
  const asked = { result, rules }
  const chosen = { key: values.course ?? null, days: Number(values.days ?? 0), least }
  const isLeftOut = isLeftOutIn(asked, leftOut, chosen)
  const paths = rules.some(({ kind }) => kind === 'below') ? await pathsOfCourses(reader) : new Map()
  const outside = outsideParts(asked, leftOut, paths)
  const answer = withoutSmallCells(result, rules, least, { isLeftOut, outside })
  return isOfDays(report) ? inDays(answer, values) : answer
}

/** Its `since` and `until` choose which days are shown; each of them leaves out what it does among all days. */
function isOfDays({ params, header }: SqlFile): boolean {
  const narrows = header.narrows?.[0]?.split(', ') ?? []
  return params.some(({ name }) => name === 'since') && !narrows.includes('since')
}

/** By their first column, which is the day. */
function inDays({ columns, rows, hidden = [] }: Result, { since, until }: Question['values']): Result {
  const day = columns.findIndex(({ name }) => name === 'day')
  const shown = rows.flatMap((row, index) => {
    const text = String(row[day])
    return (since ?? text) <= text && text <= (until ?? text) ? [index] : []
  })
  const places = new Map(shown.map((row, place) => [row, place]))
  const left = hidden.flatMap(([row, column]): [number, number][] => {
    const place = places.get(row)
    return place === undefined ? [] : [[place, column]]
  })
  return {
    columns,
    rows: shown.map((row) => rows[row] ?? []),
    ...(left.length > 0 && { hidden: left }),
  }
}

interface Join {
  readonly key: string
  /** The first has the rows. */
  readonly names: readonly string[]
}

/** The reports that show the same counts, in an order of their own: what they leave out is the same whoever asks. */
function joinsOf(
  name: string,
  rules: readonly Rule[],
  readCells: (lines: readonly string[] | undefined) => Cells | undefined,
): readonly Join[] {
  const joined = (all: Cells | undefined) =>
    Array.isArray(all) ? all.find((rule): rule is JoinRule => rule.kind === 'joined') : undefined
  const joins = new Map<string, Join>()
  for (const rule of rules) {
    if (!('report' in rule)) continue
    const isFirst = rule.kind === 'joined' && rule.isFirst
    const first = isFirst ? name : rule.report
    const join = isFirst ? rule : joined(readCells(readSql('reports', first).header.cells))
    if (join) joins.set(first, { key: join.key, names: [first, join.report] })
  }
  return [...joins.values()]
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
