import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { createSchema, createTable, withSnowflakeTypes } from '../src/engines/snowflake/ddl.ts'
import { readDeclared } from '../src/pipeline/declared.ts'
import { statementsOf } from '../src/pipeline/schema-changes.ts'
import { snowflakeDdl } from './snowflake-ddl.ts'

const files = [...snowflakeDdl()]

test.each(files.map(([path, text]) => [basename(path), path, text]))(
  'schema/%s is what the declared tables say (npm run golden rewrites it)',
  (name, path, text) => {
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, text)
    const isFresh = readFileSync(path, 'utf8') === text
    expect(isFresh, `schema/${name} is stale. Run: npm run golden, or node scripts/snowflake-ddl.ts`).toBe(
      true,
    )
  },
)

test('they hold what schema apply runs, statement by statement', () => {
  const scripts = files.filter(([path]) => basename(path).startsWith('ddl_'))
  const written = scripts.flatMap(([, text]) => statementsOf(text))
  const planned = ['raw', 'staging', 'core', 'meta'].flatMap((area) => [
    createSchema(area),
    ...readDeclared('snowflake')
      .tables.filter(({ name }) => name.startsWith(`${area}.`))
      .flatMap((table) => createTable(withSnowflakeTypes(table)))
      // Comments inside a statement fall away where files are split.
      .map((sql) => statementsOf(`${sql};`)[0]),
  ])
  expect(written).toEqual(planned)
  expect(written.length).toBeGreaterThan(40)
})
