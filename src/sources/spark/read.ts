/**
 * Stage one on Spark: it reads the lines of a file where they lie and writes pseudonyms, the independent count runs here
 * meanwhile, and the embedded engine reads the records that Spark left to it. All three must have seen the same number.
 */

import { mkdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { type Database, openDuckDB, quoteName, quoteText, readRows } from '../../duckdb.ts'
import { UserError } from '../../errors.ts'
import { type PseudonymKey, pads } from '../../pseudonym.ts'
import { isJson } from '../fields.ts'
import { assertUnchanged, type Input, readInput } from '../input.ts'
import type { Measure } from '../measure.ts'
import type { Reading } from '../reading.ts'
import type { BrokenRow } from '../stage-one.ts'
import { type LinesOptions, linesSelect } from './lines.ts'
import { OddLines } from './odd-lines.ts'
import { type HowRead, knownKeys, notOnSpark } from './values.ts'
import { VIEWS } from './words.ts'

type Pads = Readonly<Record<'inner' | 'outer' | 'keys', Buffer>>

/** Spark, as stage one needs it. */
export interface LinesOnSpark {
  /** Writes what a SELECT makes of the lines of a file to Parquet files in a folder that is not there yet; answers these. */
  write(request: {
    readonly path: string
    readonly folder: string
    readonly select: string
    readonly views: typeof VIEWS
    readonly pads: Pads
  }): Promise<readonly string[]>
  /** Some of a file's records were left to the embedded engine. */
  onOdd(input: string, odd: number, records: number): void
}

export interface SparkReading {
  readonly measure: Measure
  readonly broken: readonly BrokenRow[]
  /** SELECT of the records for stage two. */
  readonly records: string
}

export interface SparkReadOptions extends LinesOptions {
  readonly key: PseudonymKey
  /** A private folder that Spark sees too. */
  readonly folder: string
  readonly memoryLimit: string
  readonly signal: AbortSignal
  readonly onBytes?: ((bytes: number, total: number | undefined) => void) | undefined
  /** Stage one of the embedded engine, over these records of the input. */
  readonly stageOdd: (input: Input, target: string) => Promise<Reading>
}

/**
 * @throws UserError config (78) for a mapping, usage (2) for an input that Spark cannot take; data (65) where it is broken, or
 *   what was read and what was counted differ
 */
export async function readOnSpark(spark: LinesOnSpark, options: SparkReadOptions): Promise<SparkReading> {
  const { input, folder, mapping, signal } = options
  refuseOnSpark(options)
  mkdirSync(folder, { recursive: true })
  const count = readInput(input, {
    ...{ hasHeader: mapping.hasHeader, signal },
    onBytes: (bytes) => options.onBytes?.(bytes, input.stats?.size),
  })
  const { inner, outer } = pads(options.key)
  const work = spark.write({
    ...{ path: resolve(input.name), folder: join(folder, 'spark'), views: VIEWS },
    select: linesSelect(options),
    pads: { inner: Buffer.from(inner, 'hex'), outer: Buffer.from(outer, 'hex'), keys: knownKeys(input.head) },
  })
  const [counted, written] = await Promise.allSettled([count, work])
  signal.throwIfAborted()
  // What the count finds wrong explains best why an engine failed.
  if (counted.status === 'rejected') throw counted.reason
  if (written.status === 'rejected') throw written.reason
  assertUnchanged(input)
  const measure = counted.value

  await using database = await openDuckDB({
    ...{ memoryLimit: options.memoryLimit, spillFolder: join(folder, 'spill'), timezone: 'UTC' },
  })
  const places = await placesOf(database, written.value, mapping.hasHeader && input.format === 'csv')
  if (places.records !== measure.records) throw otherCount(input, measure.records, places.records)
  if (places.odd.length === 0) {
    return { measure, broken: [], records: plainSql(options, written.value, places.shifts, []) }
  }
  spark.onOdd(input.name, places.odd.length, measure.records)
  const target = join(folder, 'odd.parquet')
  const { broken } = await options.stageOdd(oddInput(options, places.odd), target)
  assertUnchanged(input)
  const found = broken.map((row) => ({ ...row, record: places.odd[row.record - 1] as number }))
  const numbers = join(folder, 'odd-numbers.parquet')
  await writeNumbers(database, places.odd, found, numbers)
  return {
    measure,
    broken: found,
    records: `${plainSql(options, written.value, places.shifts, found)}
      union all ${oddSql(options, target, numbers)}`,
  }
}

/**
 * @throws UserError config (78) for a mapping, usage (2) for an input that Spark cannot take
 */
export function refuseOnSpark(options: HowRead): void {
  refuseInput(options.input)
  refuseMapping(options)
}

function refuseInput({ name, format, compression, hasBom, stats, rewrite }: Input): void {
  const what =
    format !== 'ndjson' && format !== 'csv'
      ? `It is ${format === 'json' ? 'one JSON array' : 'Parquet'}`
      : stats === undefined
        ? 'It is no file'
        : compression !== 'none'
          ? 'It is compressed, and no archive can be read in parts'
          : rewrite
            ? 'Its records lie inside larger values'
            : hasBom
              ? 'It begins with a byte order mark'
              : /^[._]/.test(basename(name))
                ? 'Its name begins as those do that Spark passes over'
                : undefined
  if (what === undefined) return
  throw new UserError('LPA-SPARK-INPUT', `${what}: Spark reads plain files of NDJSON and CSV.`, {
    ...{ exit: 'usage', where: name },
    next: 'Load it without --engine: that reads everything.',
  })
}

function refuseMapping(options: HowRead): void {
  const reason = notOnSpark(options)
  if (reason === undefined) return
  const { name, path } = options.mapping
  throw new UserError('LPA-SPARK-MAPPING', `The mapping ${name} cannot be taken to Spark: ${reason}.`, {
    ...{ exit: 'config', where: path },
    next: 'Load it without --engine: that takes every mapping.',
  })
}

function otherCount({ name, format }: Input, counted: number, read: number): UserError {
  return new UserError(
    'LPA-SPARK-INPUT',
    `It holds ${counted} records by lpa's own count, and on Spark ${read} lines.`,
    {
      ...{ exit: 'data', where: name },
      next: [
        ...(format === 'csv'
          ? ['Some of its values go over several lines, which no engine can read in parts.']
          : []),
        'Nothing was loaded. Load it without --engine.',
      ],
    },
  )
}

interface Places {
  readonly records: number
  /** By the beginning of its block in the file: what makes `lpa_id` a record's number, from 1. */
  readonly shifts: readonly { readonly block: bigint; readonly shift: bigint }[]
  /** Numbers of odd records, in order. */
  readonly odd: readonly number[]
}

async function placesOf(
  { connection }: Database,
  files: readonly string[],
  hasHeader: boolean,
): Promise<Places> {
  const parts = parquetSql(files)
  const blocks = await readRows<{ block: bigint; first: bigint; lines: bigint }>(
    connection,
    `select lpa_block as block, min(lpa_id) as "first", count(*) as lines from ${parts} group by 1 order by 1`,
  )
  let before = hasHeader ? -1n : 0n
  const shifts = blocks.map(({ block, first, lines }) => {
    const shift = before + 1n - BigInt(first)
    before += BigInt(lines)
    return { block, shift }
  })
  if (blocks.length === 0) return { records: 0, shifts, odd: [] }
  const odd = await readRows<{ record: number }>(
    connection,
    `select lpa_id + shift as record from ${parts} join ${shiftsSql(shifts)} on lpa_at = lpa_block
     where lpa_odd and lpa_id + shift > 0 order by 1`,
  )
  return { records: Number(before), shifts, odd: odd.map(({ record }) => Number(record)) }
}

/** Of a table with its header. */
function oddInput({ input, mapping }: SparkReadOptions, odd: readonly number[]): Input {
  const isCsv = input.format === 'csv'
  const wanted = isCsv && mapping.hasHeader ? [1, ...odd.map((record) => record + 1)] : odd
  return { ...input, stats: undefined, rewrite: () => new OddLines(wanted, isCsv) }
}

/** Which record each row of the embedded engine's file is: those that could not be read at all have none. */
async function writeNumbers(
  { connection }: Database,
  odd: readonly number[],
  broken: readonly BrokenRow[],
  target: string,
): Promise<void> {
  const gone = new Set(broken.map(({ record }) => record))
  await connection.run('create temp table lpa_numbers (record bigint)')
  const appender = await connection.createAppender('lpa_numbers', 'main', 'temp')
  for (const record of odd) {
    if (gone.has(record)) continue
    appender.appendBigInt(BigInt(record))
    appender.endRow()
  }
  appender.closeSync()
  await connection.run(
    `copy (select rowid as place, ${numberSql('record', broken)} as number from lpa_numbers)
     to ${quoteText(target)} (format parquet)`,
  )
}

function plainSql(
  { fields }: SparkReadOptions,
  files: readonly string[],
  shifts: Places['shifts'],
  broken: readonly BrokenRow[],
): string {
  const columns = fields.map((field) => {
    const name = quoteName(field.name)
    return isJson(field) ? `cast(${name} as json) as ${name}` : name
  })
  return `select ${columns.join(', ')}, cast(null as usmallint) as lpa_fault, cast(null as bigint) as lpa_bytes,
      cast(null as varchar) as lpa_content, cast(${numberSql('(lpa_id + shift)', broken)} as bigint) as source_row
    from ${parquetSql(files)} join ${shiftsSql(shifts)} on lpa_at = lpa_block where not lpa_odd and lpa_id + shift > 0`
}

function oddSql({ fields }: SparkReadOptions, target: string, numbers: string): string {
  const columns = fields.map(({ name }) => quoteName(name))
  return `select ${columns.join(', ')}, lpa_fault, lpa_bytes, lpa_content, number as source_row
    from read_parquet(${quoteText(target)}, file_row_number = true) r
    join read_parquet(${quoteText(numbers)}) n on n.place = r.file_row_number`
}

/** Rows that could not be read at all have no number among the records. */
function numberSql(record: string, broken: readonly BrokenRow[]): string {
  if (broken.length === 0) return record
  const gone = broken.map((row) => row.record).join(', ')
  return `${record} - len(list_filter(cast([${gone}] as bigint[]), lambda gone: gone < ${record}))`
}

function parquetSql(files: readonly string[]): string {
  return `read_parquet([${files.map(quoteText).join(', ')}])`
}

function shiftsSql(shifts: Places['shifts']): string {
  const rows = shifts.map(({ block, shift }) => `(cast(${block} as bigint), cast(${shift} as bigint))`)
  return `(values ${rows.join(', ')}) as b(lpa_at, shift)`
}
