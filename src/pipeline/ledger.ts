/** Runs the queries of `sql/ledger`: the book-keeping in `meta`, and what the warehouse knows of itself. */

import { safeText } from '../safe-text.ts'
import { expand } from '../sql-expand.ts'
import { readSql } from '../sql-files.ts'
import type { Cell, Engine, Result, Row, Values } from '../types.ts'

/** The result of `sql/ledger/NAME.sql`. */
export function queryLedger(engine: Engine, name: string, values?: Values): Promise<Result> {
  return engine.query(ledgerSql(engine, name), values)
}

/** Its text for the engine. */
export function ledgerSql({ dialect }: Pick<Engine, 'dialect'>, name: string): string {
  return expand(readSql('ledger', name, dialect).body, dialect)
}

/** Only its rows. */
export async function ledgerRows(engine: Engine, name: string, values?: Values): Promise<readonly Row[]> {
  return (await queryLedger(engine, name, values)).rows
}

/** Runs a statement of `sql/ledger` that changes rows; answers how many. */
export function writeLedger(engine: Engine, name: string, values: Values = {}): Promise<number> {
  return engine.execute(readSql('ledger', name, engine.dialect).body, values)
}

/** A result's rows as objects by column name. */
export function recordsOf({ columns, rows }: Result): Readonly<Record<string, Cell>>[] {
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])))
}

/** A result without some of its columns. */
export function withoutColumns({ columns, rows }: Result, names: readonly string[]): Result {
  const kept = <T>(cells: readonly T[]) =>
    cells.filter((_, index) => !names.includes(columns[index]?.name ?? ''))
  return { columns: kept(columns), rows: rows.map(kept) }
}

/** One such object for people: a line for each value that is there. */
export function recordText(record: Readonly<Record<string, Cell | undefined>>): string {
  const entries = Object.entries(record).filter(([, value]) => value !== null && value !== undefined)
  const width = Math.max(...entries.map(([name]) => name.length))
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${safeText(String(value))}`).join('\n')
}
