/** Makes sql/advanced_queries.sql: every report in one file that runs in the DuckDB command line. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expand } from '../src/sql-expand.ts'
import { listSql, packageRoot, readSql, type SqlFile } from '../src/sql-files.ts'
import { sqlTokens } from '../src/sql-tokens.ts'
import type { Cell } from '../src/types.ts'

export const ADVANCED_QUERIES = join(packageRoot(), 'sql', 'advanced_queries.sql')

const TOP = `-- All reports of lpa as plain DuckDB SQL, one after the other. Made by scripts/advanced-queries.ts from sql/reports:
-- change those, not this. Parameters have their default values.
--
-- In the folder that holds the warehouse (lpa.toml says where it is):
--   duckdb -init /dev/null < advanced_queries.sql
-- or paste the attach statement into the DuckDB shell, then any of the queries.
install ducklake;
install sqlite;
attach 'ducklake:sqlite:warehouse/catalog.sqlite' as lake
  (read_only, data_path 'warehouse/data/', override_data_path true, meta_busy_timeout 10000);
use lake.core;
`

/** The text of the file as the reports are now. */
export function advancedQueries(): string {
  const reports = listSql('reports').map((name) => section(readSql('reports', name)))
  return [TOP, ...reports].join('\n')
}

function section(report: SqlFile): string {
  const defaults = new Map(report.params.map((param) => [`$${param.name}`, literal(param.default)]))
  const sql = sqlTokens(expand(report.body, 'duckdb'))
    .map((token) => (token.kind === 'parameter' ? (defaults.get(token.text) ?? token.text) : token.text))
    .join('')
  const header = [
    `${report.name}: ${report.title}`,
    `grain: ${report.grain}`,
    ...(report.header.definition?.[0]?.split('\n') ?? []),
    ...report.params.map((param) => `parameter ${param.name} = ${literal(param.default)}: ${param.text}`),
  ]
  return `${header.map((line) => `-- ${line}`).join('\n')}\n${sql};\n`
}

function literal(value: Cell): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}

function main(): void {
  writeFileSync(ADVANCED_QUERIES, advancedQueries())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
