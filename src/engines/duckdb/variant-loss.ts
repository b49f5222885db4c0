/**
 * What a VARIANT column would lose, refused before it is written. DuckDB 1.5.5 writes every key of a VARIANT as a
 * column of its own: names know no case there, integers have 64 bits, and each column takes memory (decision 0010).
 */

import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteName, quoteText, readRows } from '../../duckdb.ts'
import { UserError } from '../../errors.ts'

/** The VARIANT columns of a live table. */
export async function variantColumns(connection: DuckDBConnection, table: string): Promise<string[]> {
  const rows = await readRows<{ column_name: string }>(
    connection,
    `select column_name from (describe ${table}) where column_type = 'VARIANT'`,
  )
  return rows.map((row) => row.column_name)
}

/**
 * Looks through what is about to be written to `columns`, JSON in `rows` (a table or a SELECT in brackets).
 * @throws UserError LPA-VARIANT-LOSS (data) that counts what would be lost and quotes none of it.
 */
export async function refuseLoss(
  connection: DuckDBConnection,
  table: string,
  columns: readonly string[],
  rows: string,
): Promise<void> {
  for (const column of columns) {
    const [found] = await readRows<Losses>(connection, lossSql(quoteName(column), rows))
    if (!found) continue
    const losses = [
      found.folded > 0 && `${found.folded} names that differ from others in the case of letters only`,
      found.doubled > 0 && `${found.doubled} records with the same name twice in an object`,
      found.large > 0 && `${found.large} integers of more than 64 bits`,
    ].filter((loss) => loss !== false)
    if (losses.length === 0) continue
    throw new UserError(
      'LPA-VARIANT-LOSS',
      `${table}.${column} is VARIANT, which cannot hold ${losses.join(', ')}. Nothing was written.`,
      { exit: 'data', next: keepAsJson(table, column) },
    )
  }
}

/** Says of an error what the VARIANT columns have to do with it. */
export function explainMemory(error: unknown, table: string, columns: readonly string[]): unknown {
  const [column] = columns
  if (column === undefined || !(error instanceof Error && /^Out of Memory Error/i.test(error.message)))
    return error
  return new UserError(
    'LPA-VARIANT-MEMORY',
    `${table} needs more memory than the limit allows: ${columns.join(', ')} is VARIANT, where every different name takes some.`,
    {
      exit: 'data',
      next: [...keepAsJson(table, column), 'Or raise warehouse.memory_limit: nothing was changed.'],
      cause: error,
    },
  )
}

interface Losses {
  readonly folded: number
  readonly doubled: number
  readonly large: number
}

/** Only A to Z and a to z are the same to DuckDB: `lower` would fold more. */
const FOLDED = `translate(place, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')`

function lossSql(column: string, rows: string): string {
  return `
    with kept as not materialized (select cast(${column} as json) as value from ${rows} r where ${column} is not null),
    paths as (
      select regexp_replace(n.fullkey, ${quoteText(String.raw`\[\d+\]`)}, '[]', 'g') as place,
        count(case
          when n.type = 'UBIGINT' then case when try_cast(n.atom as bigint) is null then 1 end
          when n.type = 'DOUBLE' and regexp_full_match(cast(n.atom as varchar), '-?[0-9]+') then 1
        end) as large
      from kept, json_tree(kept.value) n
      group by place
    )
    select count(*) - count(distinct ${FOLDED}) as folded, coalesce(sum(large), 0) as large,
      (select count(*) from kept
       where (select count(*) <> count(distinct (n.parent, n.key)) from json_tree(kept.value) n)) as doubled
    from paths`
}

function keepAsJson(table: string, column: string): string[] {
  const setting = column === 'payload' ? 'warehouse.payload' : 'warehouse.attributes'
  const build = table.startsWith('core.') ? ', then lpa batch' : ', then load again'
  return [`Keep it as JSON: ${setting} = "json", then lpa schema apply${build}.`]
}
