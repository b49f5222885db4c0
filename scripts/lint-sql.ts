/** Lints sql/models, sql/reports and sql/checks; exit code 1 with findings. Part of `npm run check`. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageRoot, type SqlKind } from '../src/sql-files.ts'
import { lintSql } from '../src/sql-lint.ts'

const KINDS: readonly SqlKind[] = ['models', 'reports', 'checks']

function main(): void {
  const files = KINDS.flatMap((kind) => {
    const folder = join(packageRoot(), 'sql', kind)
    return readdirSync(folder)
      .filter((name) => name.endsWith('.sql'))
      .map((name) => ({ kind, name, path: join(folder, name) }))
  })
  const findings = files.flatMap((file) =>
    lintSql(readFileSync(file.path, 'utf8'), { ...file, path: relative(process.cwd(), file.path) }),
  )
  for (const { path, line, rule, message } of findings) console.log(`${path}:${line}: ${message} (${rule})`)
  console.log(`sql: ${files.length} files, ${findings.length} findings`)
  if (findings.length > 0) process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
