import { resolve } from 'node:path'
import { quoteText } from '../duckdb.ts'

/** A path for DuckDB's readers, which take one with these letters for a pattern of names. */
export function pathSql(path: string): string {
  return quoteText(resolve(path).replace(/[*?[]/g, '[$&]'))
}
