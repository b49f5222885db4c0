/** What is said of a value that a mapping's SELECT cannot take. */

import type { DuckDBConnection } from '@duckdb/node-api'
import { readNumber } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import { systemFailure } from '../system-failure.ts'
import { recordNumber } from './rejects.ts'
import type { StageTwoOptions } from './stage-two-options.ts'

/** What DuckDB says of a value that a SELECT cannot take quotes the value: our error tells its place and kind only. */
export async function valueFailure(
  connection: DuckDBConnection,
  options: StageTwoOptions,
  error: unknown,
): Promise<unknown> {
  const message = error instanceof Error ? error.message : ''
  const kind = /^(Conversion|Invalid Input|Out of Range|Mismatch Type|Invalid Type) Error/.exec(message)?.[0]
  if (!kind) return systemFailure(message, error) ?? error
  const { mapping, uri, lineOf, placeOf, broken } = options
  const position = await failingRecord(connection)
  const place = position === undefined ? undefined : placeOf(lineOf(recordNumber(position, broken)))
  return new UserError(
    'LPA-MAPPING-VALUE',
    `The SELECT of ${mapping.name} fails on a value ${place ? 'of this record' : 'of this file'} (${kind}).`,
    {
      exit: 'data',
      where: place ?? uri,
      next: 'Write try_cast() or try_strptime(): a value that gives null there is judged like any other.',
    },
  )
}

/** The first record that makes the mapping fail: halves of what is left are tried, once as many records in all. */
async function failingRecord(connection: DuckDBConnection): Promise<number | undefined> {
  const fails = async (from: number, to: number) => {
    await connection.run(
      `create or replace view source as from lpa_source where source_row between ${from} and ${to}`,
    )
    return connection.run('select max(hash(c)) from lpa_checked c').then(
      () => false,
      () => true,
    )
  }
  let low = 1
  let high = await readNumber(connection, 'select count(*) from lpa_records')
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (await fails(low, middle)) high = middle
    else low = middle + 1
  }
  return (await fails(low, low)) ? low : undefined
}
