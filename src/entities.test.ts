import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseDdl } from './ddl.ts'
import { STAGED_TABLES } from './entities.ts'
import { packageRoot } from './sql-files.ts'

test('a superseded load leaves every table of raw and staging', () => {
  const declared = ['raw', 'staging'].flatMap((area) =>
    parseDdl(readFileSync(join(packageRoot(), 'schema', `ddl_${area}.sql`), 'utf8')),
  )
  const tables = declared.filter(({ kind }) => kind === 'table').map(({ name }) => name)
  expect([...STAGED_TABLES].sort()).toEqual(tables.sort())
})
