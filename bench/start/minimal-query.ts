/** What any program must do to answer reports: open the lake and run their SQL. usage: node minimal-query.ts WAREHOUSE REPORT… */

import { DuckDBInstance } from '@duckdb/node-api'
import { ensureExtensions } from '../../src/engines/duckdb/extensions.ts'
import { expand } from '../../src/sql-expand.ts'
import { paramValues, readSql } from '../../src/sql-files.ts'

const [warehouse, ...reports] = process.argv.slice(2)
const { ducklake, sqliteScanner } = await ensureExtensions()
const instance = await DuckDBInstance.create(':memory:', { allow_unsigned_extensions: 'true' })
const connection = await instance.connect()
await connection.run(`load '${ducklake}'; load '${sqliteScanner}'`)
await connection.run(`attach 'ducklake:sqlite:${warehouse}/catalog.sqlite' as lake (read_only)`)
await connection.run('use lake.core')
for (const report of reports) {
  const file = readSql('reports', report)
  const reader = await connection.runAndReadAll(expand(file.body, 'duckdb'), {
    ...paramValues(file, {}),
  } as never)
  process.stdout.write(`${JSON.stringify(reader.getRowObjectsJson())}\n`)
}
