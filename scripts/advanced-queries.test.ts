import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeCampus, openCampus, reportResult } from '../src/report-campus.test-support.ts'
import { listSql } from '../src/sql-files.ts'
import { ADVANCED_QUERIES, advancedQueries } from './advanced-queries.ts'

test('sql/advanced_queries.sql is what the reports say (npm run golden rewrites it)', () => {
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(ADVANCED_QUERIES, advancedQueries())
  expect(
    readFileSync(ADVANCED_QUERIES, 'utf8') === advancedQueries(),
    'sql/advanced_queries.sql is stale. Run: npm run golden, or node scripts/advanced-queries.ts',
  ).toBe(true)
})

test('each of its queries runs as it stands and answers what the report answers', async () => {
  const db = await openCampus(makeCampus(7))
  const { statements, count } = await splitQueries(db)
  expect(count).toBe(listSql('reports').length)
  for (const [index, name] of listSql('reports').entries()) {
    const reader = await statements.prepare(index).then((prepared) => prepared.runAndReadAll())
    const expected = await reportResult(db, name)
    expect(reader.currentRowCount, name).toBe(expected.rows.length)
    expect(reader.columnNames(), name).toEqual(expected.columns.map((column) => column.name))
  }
})

/** The statements after `use lake.core;`, split by DuckDB itself. */
async function splitQueries(db: Awaited<ReturnType<typeof openCampus>>) {
  const queries = advancedQueries().split('use lake.core;\n')[1] ?? ''
  const statements = await db.extractStatements(queries)
  return { statements, count: statements.count }
}
