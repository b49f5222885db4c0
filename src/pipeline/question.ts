/** From what was asked on the command line to a question, and to how its answer is drawn. */

import { readFileSync } from 'node:fs'
import { text as readText } from 'node:stream/consumers'
import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { piecesOf } from '../output/cells.ts'
import { wrapped } from '../output/width.ts'
import type { Terminal } from '../output.ts'
import { safeText } from '../safe-text.ts'
import type { Dialect, Result, ResultStream, Size } from '../types.ts'
import { type Question, reportQuestion } from './report.ts'

export interface Asked {
  readonly report?: string | undefined
  readonly sql?: string | undefined
  readonly file?: string | undefined
  readonly param?: readonly string[] | undefined
  readonly explain?: boolean | undefined
  /** Who answers, when not the warehouse itself. */
  readonly engine?: Dialect | undefined
}

/** @throws UserError usage when there is no question, or more than one. */
export async function questionOf(asked: Asked, config: Config): Promise<Question> {
  const given = [asked.report, asked.sql, asked.file].filter((part) => part !== undefined)
  if (given.length === 0) throw noQuestion('There is no question.')
  if (given.length > 1) throw noQuestion('A report, --sql and --file exclude each other.')
  const params = Object.fromEntries((asked.param ?? []).map(parseParam))
  if (asked.report !== undefined)
    return reportQuestion(asked.report, params, { dialect: asked.engine ?? config.warehouse.engine }, config)
  const sql = (asked.sql ?? (await readSqlText(asked.file ?? '-'))).trim().replace(/;\s*$/, '')
  if (sql === '') throw noQuestion('There is no question: the SQL is empty.')
  return { sql: asked.explain ? `explain ${sql}` : sql, values: params }
}

function noQuestion(what: string): UserError {
  return new UserError('LPA-QUERY-WHAT', what, {
    exit: 'usage',
    next: ['Reports: lpa query --list', 'Or your own: lpa query --sql "select … from fact_enrollment"'],
  })
}

function parseParam(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new UserError('LPA-QUERY-PARAM', `--param ${text} has no value.`, {
    exit: 'usage',
    next: 'Write --param days=14',
  })
}

async function readSqlText(file: string): Promise<string> {
  if (file === '-') return readText(process.stdin)
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new UserError('LPA-QUERY-FILE', `${file} cannot be read.`, { exit: 'noInput', cause })
  }
}

/** What a report means, in words of so many cells a line, and in SQL. */
export function explainReport({ report, sql, values }: Question, width: number) {
  const tables = tablesOf(sql)
  const words = [
    report?.title ?? '',
    '',
    `A row is: ${report?.kind === 'checks' ? 'what is against it' : report?.grain || 'not said'}`,
    `Definition: ${report?.definition || 'not said'}`,
    ...(report?.params ?? []).map(
      (param) => `Parameter ${param.name} = ${safeText(String(values[param.name]))}: ${param.text}`,
    ),
    `Tables: ${tables.join(', ')}`,
  ]
  return {
    report: report?.name,
    title: report?.title,
    definition: report?.definition,
    tables,
    sql,
    text: `${wrapped(words.join('\n'), width)}\n\n${sql}\n`,
  }
}

/** The tables and views that a report reads: what follows FROM and JOIN and is no step of its own. */
function tablesOf(sql: string): string[] {
  const code = sql.replace(/--[^\n]*/g, '')
  const steps = new Set([...code.matchAll(/(\w+) as \(/g)].map(([, name]) => name))
  const read = [...code.matchAll(/\b(?:from|join) ([a-z_]\w*(?:\.\w+)?)(?![\w.(])/g)].map(
    ([, name = '']) => name,
  )
  return [...new Set(read)].filter((name) => !steps.has(name)).sort()
}

/** What a table shows people of a report's columns, as its header names them: `-- table: course_id, enrolled`; and those `added`. */
export function tableOf(
  { report }: Question,
  rows: Result | ResultStream,
  added: readonly string[] = [],
): Result | ResultStream {
  const shown = report?.header.table?.[0]?.split(', ')
  if (shown === undefined) return rows
  const names = [...added, ...shown]
  const places = names.map((name) => rows.columns.findIndex((column) => column.name === name))
  const pick = <T>(cells: readonly T[]) => places.map((place) => cells[place] as T)
  async function* chunks() {
    for await (const piece of piecesOf(rows)) yield piece.map(pick)
  }
  return { columns: pick(rows.columns), chunks: chunks() }
}

/** Draws the answer: the chart that the report names, else one that fits its columns. */
export async function drawAnswer(
  { report }: Question,
  result: Result,
  size: Size,
  terminal: Terminal,
): Promise<string> {
  const { drawChart, frameToText, glyphsFor, guessChartSpec, parseChartSpec } = await import(
    '../charts/index.ts'
  )
  const glyphs = glyphsFor(process.env, terminal.isTerminal)
  const title = report?.title ?? ''
  const header = report?.header.chart?.[0]
  const spec = header ? parseChartSpec(header, title, glyphs) : guessChartSpec(result, title, glyphs)
  if (!spec) {
    throw new UserError('LPA-QUERY-CHART', 'This result has no numbers to draw.', {
      exit: 'usage',
      next: 'A chart needs one column of names or dates and one of numbers.',
    })
  }
  return `${frameToText(drawChart(result, spec, size), { color: terminal.color })}\n`
}
