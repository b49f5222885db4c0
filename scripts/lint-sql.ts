/** Lints sql/models, sql/reports and sql/checks, and what Snowflake gets of the rest; exit code 1 with findings. Part of `npm run check`. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listSql, packageRoot, readSql, type SqlKind } from '../src/sql-files.ts'
import { lintForSnowflake, lintSql, NOT_FOR_SNOWFLAKE } from '../src/sql-lint.ts'

const KINDS: readonly SqlKind[] = ['models', 'reports', 'checks']

function main(): void {
  const files = KINDS.flatMap((kind) => {
    const folder = join(packageRoot(), 'sql', kind)
    return readdirSync(folder)
      .filter((name) => name.endsWith('.sql'))
      .map((name) => ({ kind, name, path: join(folder, name) }))
  })
  const forSnowflake = (['ledger', 'snowflake'] as const).flatMap((kind) =>
    listSql(kind)
      .filter((name) => !NOT_FOR_SNOWFLAKE.has(name))
      .map((name) => readSql(kind, name, 'snowflake').path),
  )
  const findings = [
    ...files.flatMap((file) =>
      lintSql(readFileSync(file.path, 'utf8'), { ...file, path: relative(process.cwd(), file.path) }),
    ),
    ...forSnowflake.flatMap((path) =>
      lintForSnowflake(readFileSync(path, 'utf8'), relative(process.cwd(), path)),
    ),
  ]
  for (const { path, line, rule, message } of findings) console.log(`${path}:${line}: ${message} (${rule})`)
  console.log(`sql: ${files.length + forSnowflake.length} files, ${findings.length} findings`)
  if (findings.length > 0) process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
