/** Before all tests: DuckDB's extension files are in the cache, so no test waits for a download. */

import { ensureExtensions } from '../../src/engines/duckdb/extensions.ts'

export async function setup(): Promise<void> {
  await ensureExtensions()
}
