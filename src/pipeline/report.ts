/** report: reads core. Named reports of sql/reports, or a user's own SELECT on a confined connection. */

import { tmpdir } from 'node:os'
import type { Config } from '../config.ts'
import { didYouMean, nearest } from '../did-you-mean.ts'
import { durationText } from '../duration.ts'
import type { SparkReader } from '../engines/spark/reader.ts'
import { UserError } from '../errors.ts'
import { parseInstant } from '../instant.ts'
import { expand } from '../sql-expand.ts'
import { hasSql, listSql, paramValues, readSql, type SqlFile } from '../sql-files.ts'
import { isCode, sqlTokens } from '../sql-tokens.ts'
import type { At, Dialect, Engine, Fault, Reader, Result, ResultStream, Values } from '../types.ts'
import { ledgerRows } from './ledger.ts'
import {
  answerReport,
  assertMayAsk,
  deniedReport,
  namedTables,
  refuseForRoles,
  withheldFrom,
} from './role-answers.ts'
import { type OpenExtras, withWarehouse } from './warehouse.ts'

/** A question in the engine's words, with where it came from. */
export interface Question {
  /** The report, when it is a named one. */
  readonly report?: SqlFile
  readonly sql: string
  readonly values: Values
}

export interface AskOptions {
  readonly at?: string | undefined
  /** The role that asks; none: the owner. */
  readonly role?: string | undefined
  /** Whether the answer is to say who its learners are. */
  readonly reveals?: boolean
  /** The warehouse's owner may run any statement, under the writer lock. */
  readonly write: boolean
  /** Whether the answer goes to a Parquet file in the system's temporary folder. */
  readonly exports: boolean
}

export interface Answer {
  /** The rows as they come; none when they are exported. */
  readonly rows: ResultStream | Result
  /** What a parameter names and the warehouse does not have, one line each, as a warning's. */
  readonly unknown: readonly string[]
  /** What the role may not see of it, one line each. */
  readonly withheld: readonly string[]
  /** Tables that the role's SQL names. */
  readonly tables: readonly string[]
  /** Writes the rows to a Parquet file in the system's temporary folder instead, where who answers can. */
  readonly toParquet?: (file: string) => Promise<unknown>
}

/** @throws UserError usage for an unknown report or parameter, with the nearest name, and for a report of another engine. */
export function reportQuestion(
  name: string,
  params: Readonly<Record<string, string>>,
  engine: Pick<Engine, 'dialect'>,
  { metrics }: Pick<Config, 'metrics'>,
): Question {
  const report = readReport(name, engine.dialect)
  const values = paramValues(report, { ...configuredParams(report, metrics), ...params })
  const { since, until } = values
  if (typeof since === 'string' && typeof until === 'string' && since > until) {
    throw new UserError('LPA-QUERY-PARAM', `since, ${since}, is after until, ${until}.`, {
      exit: 'usage',
      next: `Turn them round: --param since=${until} --param until=${since}`,
    })
  }
  const sql = expand(report.body, engine.dialect)
  return { report, sql: report.kind === 'checks' ? ofEveryLoad(sql) : sql, values }
}

/** A batch checks the days of its loads; who asks for a check is told of all. */
function ofEveryLoad(sql: string): string {
  return sql.replaceAll('from checked_load', 'from meta.loads')
}

/** A check is asked for by its name too, unless a report has that name. */
function readReport(name: string, dialect: Dialect): SqlFile {
  if (hasSql('reports', name, dialect)) return readSql('reports', name, dialect)
  if (hasSql('checks', name)) return readSql('checks', name, dialect)
  if (!hasSql('snowflake', name)) return readSql('reports', name, dialect)
  if (dialect === 'snowflake') return readSql('snowflake', name)
  throw new UserError(
    'LPA-QUERY-ENGINE',
    `The report ${name} is of what only Snowflake has; this warehouse is not on it.`,
    { exit: 'usage', next: 'Reports of this one: lpa query --list' },
  )
}

/** `-- setting: days = metrics.at_risk_days`: what a parameter is unless it is given. */
function configuredParams({ header }: SqlFile, metrics: Config['metrics']): Record<string, string> {
  const settings: Record<string, number> = {
    'metrics.at_risk_days': metrics.atRiskDays,
    'metrics.session_gap_minutes': metrics.sessionGapMinutes,
  }
  const lines = header.setting ?? []
  return Object.fromEntries(
    lines.map((line) => {
      const [param = '', setting = ''] = line.split(' = ')
      return [param, String(settings[setting])]
    }),
  )
}

/** Every report of this engine with its title and parameters, as they are unless given; then the checks. */
export function listReports(config: Pick<Config, 'metrics' | 'warehouse'>): Result {
  const text = (name: string) => ({ name, type: 'text' as const })
  const dialect = config.warehouse.engine
  const ofDialect = dialect === 'snowflake' ? listSql('snowflake') : []
  const reports = [...listSql('reports'), ...ofDialect]
  const names = [...reports, ...listSql('checks').filter((name) => !reports.includes(name))]
  return {
    columns: [text('report'), text('title'), text('parameters')],
    rows: names.map((name) => {
      const report = readReport(name, dialect)
      const values = paramValues(report, configuredParams(report, config.metrics))
      const params = Object.entries(values).map(([param, value]) => `${param}=${value ?? ''}`)
      return [name, report.kind === 'checks' ? `Check: ${report.title}` : report.title, params.join(' ')]
    }),
  }
}

/** Runs a named report on an open engine: for the dashboard, which asks several. */
export async function runReport(
  engine: Pick<Reader, 'dialect' | 'query' | 'role'>,
  config: Config,
  name: string,
  params: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const question = reportQuestion(name, params, engine, config)
  return answerReport(engine, question).catch((error) => {
    throw engine.role ? (deniedReport(error, question, engine.role) ?? error) : error
  })
}

/**
 * Asks one question and hands the rows to `use` as they come.
 * @throws UserError notPermitted (77) for SQL that reads more than the warehouse, usage for a bad `--at`.
 */
export async function ask<T>(
  config: Config,
  question: Question,
  options: AskOptions,
  signal: AbortSignal,
  use: (answer: Answer) => Promise<T>,
): Promise<T> {
  if (options.role !== undefined) refuseForRoles(options)
  const extras: OpenExtras = {
    ...(options.role !== undefined && (await import('./role.ts')).readAs(config, options.role)),
    at: options.at === undefined ? undefined : parseAt(options.at),
    folders: options.exports ? [tmpdir()] : [],
  }
  assertRequired(question)
  if (options.at !== undefined && question.report?.kind === 'snowflake') throw ofNow(question.report)
  const mode = options.write ? 'write' : 'confined'
  return withWarehouse(
    config,
    mode,
    signal,
    async (engine) => {
      const { sql, values } = question
      const { role } = engine
      if (role) assertMayAsk(role, question, options)
      if (options.reveals && engine.can.roles === true)
        await (await import('./grant-snowflake.ts')).assertRevealer(engine)
      const answer = async () => {
        const unknown = await unknownNames(engine, question)
        const rows = role?.minCell
          ? await answerReport(engine, question)
          : options.exports
            ? { columns: [], rows: [] }
            : await engine.stream(sql, values)
        const withheld = role ? withheldFrom(role, rows) : []
        const tables = role ? namedTables(role, question) : []
        return use({
          unknown,
          rows,
          withheld,
          tables,
          toParquet: (file) => engine.exportParquet(sql, values, file),
        })
      }
      if (!question.report) assertParameters(sql, Object.keys(values), engine)
      if (!question.report && !options.write) await engine.assertReadOnly(sql)
      if (options.write && !engine.can.transactionalDdl) refuseDdl(sql, engine.dialect)
      return (options.write ? engine.transaction(answer) : answer()).catch((error) => {
        const denied = role && deniedReport(error, question, role)
        return denied ? Promise.reject(denied) : explainFailure(error, engine.faultOf(error))
      })
    },
    extras,
  ).catch((error) => (extras.at === undefined ? Promise.reject(error) : explainState(error, config, signal)))
}

/**
 * Asks Spark, over the files of the warehouse.
 * @throws UserError notPermitted (77) for SQL that names anything but tables that may be read
 */
export async function askSpark(
  config: Config,
  question: Question,
  options: AskOptions,
  signal: AbortSignal,
  use: (answer: Answer) => Promise<void>,
): Promise<void> {
  const { report, sql, values } = question
  assertRequired(question)
  if (!report) assertParameters(sql, Object.keys(values), { dialect: 'spark' })
  const { withSparkReports } = await import('./spark.ts')
  await withWarehouse(config, 'read', signal, (engine) => {
    const answer = async (reader: SparkReader) => {
      const { role } = reader
      if (role) assertMayAsk(role, question, options)
      // What there is, only the owner is told.
      const unknown = role ? [] : await unknownNames(engine, question)
      const rows = report
        ? await answerReport(reader, question)
        : await reader.ask(sql, values).catch(explainSpark)
      const withheld = role ? [ADVISORY, ...withheldFrom(role, rows)] : []
      await use({ unknown, rows, withheld, tables: role ? namedTables(role, question) : [] })
    }
    return withSparkReports(config, engine, signal, answer, options.role)
  })
}

const ADVISORY =
  "On Spark a role is advisory: who reaches the cluster or the warehouse's files can read all of it."

/** What Spark does not take of a user's SQL is the user's to mend. */
function explainSpark(cause: unknown): never {
  if (!(cause instanceof UserError) || cause.code !== 'LPA-SPARK-REFUSED') throw cause
  throw new UserError('LPA-QUERY-SQL', cause.message, { exit: 'usage', cause })
}

function ofNow({ name }: SqlFile): UserError {
  return new UserError('LPA-QUERY-AT', `${name} is of what Snowflake says now: it takes no --at.`, {
    exit: 'usage',
  })
}

/** Statements that end a transaction where the engine has no DDL in one: what came before them would stay. */
const DDL = /^(create|alter|drop|undrop|truncate|grant|revoke|comment|use)$/i

function refuseDdl(sql: string, dialect: Dialect): void {
  const first = firstWord(sql, dialect)
  if (!DDL.test(first)) return
  throw new UserError('LPA-QUERY-DDL', `${first.toUpperCase()} cannot be taken back on this engine.`, {
    exit: 'notPermitted',
    next: 'Nothing was changed. Send it by the tools of the warehouse; tables of lpa: lpa schema apply',
  })
}

function firstWord(sql: string, dialect: Dialect): string {
  try {
    return sqlTokens(sql, dialect).find(isCode)?.text ?? ''
  } catch {
    // The engine says better what is wrong.
    return ''
  }
}

function assertRequired({ report, values }: Question): void {
  const missing = report?.params.find(({ name, required }) => required && values[name] === null)
  if (!missing) return
  throw new UserError('LPA-QUERY-PARAM', `${report?.name} needs a value for ${missing.name}.`, {
    exit: 'usage',
    next: `Give it: --param ${missing.name}=… (${missing.text})`,
  })
}

/** Parameters of reports whose values name something, and the query of `sql/ledger` that lists these names. */
const NAMES: Readonly<Record<string, string>> = {
  course: 'course-ids',
  category: 'category-names',
  country: 'countries',
  cohort: 'cohorts',
}

/** An answer of nothing may mean that there is no such course. */
async function unknownNames(engine: Engine, { report, values }: Question): Promise<string[]> {
  const unknown: string[] = []
  for (const { name } of report?.params ?? []) {
    const wanted = values[name]
    const list = NAMES[name]
    if (list === undefined || typeof wanted !== 'string') continue
    // A role that may not read them is told by its answer.
    const ids = engine.role ? ledgerRows(engine, list).catch(() => undefined) : ledgerRows(engine, list)
    const known = (await ids)?.map(([id]) => String(id))
    if (known === undefined || known.includes(wanted)) continue
    const near = didYouMean(wanted, known)
    unknown.push(`There is no ${name} "${wanted}".`, ...(near === undefined ? [] : [`Did you mean ${near}?`]))
  }
  return unknown
}

/** A state before the first tables, or of none at all: says which there are. */
async function explainState(cause: unknown, config: Config, signal: AbortSignal): Promise<never> {
  if (!(cause instanceof UserError) || !['LPA-QUERY-AT', 'LPA-SCHEMA-OLD'].includes(cause.code)) throw cause
  const asked = withWarehouse(config, 'read', signal, (engine) => ledgerRows(engine, 'snapshots'))
  // Where that cannot be told, the error is still the one that was there before.
  const [row = []] = await asked.catch(() => [])
  const [, first = null, last, from = null, to] = row
  const states = first === null ? 'states' : `versions ${first} to ${last},`
  const isOfTables = cause.code === 'LPA-SCHEMA-OLD'
  throw new UserError(
    'LPA-QUERY-AT',
    isOfTables ? 'There was no such state of the warehouse, or not with these tables.' : cause.message,
    {
      exit: 'usage',
      next: [
        ...(from === null ? [] : [`There are ${states} of ${from} to ${to}.`]),
        ...(isOfTables ? [] : cause.next),
      ],
      cause,
    },
  )
}

/** What a question that takes longer than `query.timeout` is stopped with. */
export function tooLong({ query }: Pick<Config, 'query'>): UserError {
  return new UserError(
    'LPA-QUERY-TIMEOUT',
    `The question took longer than ${durationText(query.timeoutMs)}.`,
    {
      exit: 'data',
      next: [
        'Ask for less, or give it more time: --timeout 1h (or query.timeout in lpa.toml)',
        'Nothing was changed.',
      ],
    },
  )
}

/** What a question is stopped with that takes memory which the engine does not count. */
export function tooLarge(): UserError {
  return new UserError('LPA-MEMORY', 'It needs more memory than the limit allows.', {
    exit: 'data',
    next: ['Ask for less, or raise warehouse.memory_limit.', 'Nothing was changed.'],
  })
}

/** `12` is a snapshot's number, `2026-01-12T08:00:00Z` an instant, `2026-01-12` the end of that day. */
export function parseAt(text: string): At {
  if (/^\d{1,9}$/.test(text)) return { version: text }
  const time = parseInstant(text.length > 10 ? text : `${text}T23:59:59.999`)
  if (!time) {
    throw new UserError('LPA-QUERY-AT', `--at ${text} is neither a version nor a time.`, {
      exit: 'usage',
      next: 'Write a snapshot number (lpa doctor shows them) or a time: --at 2026-01-12T08:00:00Z',
    })
  }
  return { time: time.toISOString().replace('Z', '+00') }
}

/** The engine's own words about a user's SQL are what the user needs, without its picture of the place. */
function explainFailure(cause: unknown, fault: Fault | undefined): never {
  if (cause instanceof UserError || fault === undefined) throw cause
  const message = cause instanceof Error ? cause.message : String(cause)
  const said = (message.split('\n\n')[0] ?? message).trimEnd()
  if (fault === 'rows') {
    throw new UserError('LPA-QUERY-CONSTRAINT', said, {
      ...{ exit: 'data', cause },
      next: 'Nothing was changed: these rows are not what the table may hold.',
    })
  }
  throw new UserError('LPA-QUERY-SQL', said, {
    exit: 'usage',
    ...(fault === 'name' && {
      next: 'Tables: fact_enrollment, fact_learning_event, fact_course_completion, agg_course_day, course, learner, dim_date, …',
    }),
    cause,
  })
}

/** Parameters that the SQL names and nobody gave, or the other way round: an engine's own words tell of neither. */
function assertParameters(sql: string, given: readonly string[], { dialect }: Pick<Engine, 'dialect'>): void {
  const named = parameterNames(sql, dialect)
  const missing = named.filter((name) => !given.includes(name))
  const extra = given.find((name) => !named.includes(name))
  if (missing.length === 0 && extra === undefined) return
  const [what, next] =
    extra !== undefined
      ? [
          `The SQL names no parameter "${extra}".`,
          named.length === 0
            ? ['It names none: write $days for --param days=14']
            : nearest(extra, named, 'It names'),
        ]
      : [
          `The SQL names a parameter that is not given: ${missing.join(', ')}.`,
          [`Give it: --param ${missing[0]}=…`],
        ]
  throw new UserError('LPA-QUERY-PARAM', what, { exit: 'usage', next })
}

/** Of text that is no SQL there are none: the engine says so better. */
function parameterNames(sql: string, dialect: Dialect): string[] {
  try {
    // `$1` is a column of a staged file on Snowflake.
    const named = sqlTokens(sql, dialect).filter(
      ({ kind, text }) => kind === 'parameter' && !/^\$\d/.test(text),
    )
    return [...new Set(named.map(({ text }) => text.slice(1)))]
  } catch {
    return []
  }
}
