/** Puts DuckDB's extension files into the cache, so that nothing later waits for a download. */

import { dirname } from 'node:path'
import { ensureExtensions } from '../src/engines/duckdb/extensions.ts'
import { UserError } from '../src/errors.ts'

try {
  const files = await ensureExtensions()
  console.error(`  in ${dirname(files.ducklake)}`)
} catch (error) {
  if (!(error instanceof UserError)) throw error
  console.error([`${error.code}: ${error.message}`, ...error.next].join('\n  '))
  process.exitCode = error.exitCode
}
