import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { listSql, readSql } from '../sql-files.ts'
import { readDeclared } from './declared.ts'
import { questionOf } from './question.ts'
import { ask, listReports } from './report.ts'

const embedded = loadConfig({ cwd: '/', env: {} })
const snowflake = loadConfig({ cwd: '/', env: { LPA_WAREHOUSE_ENGINE: 'snowflake' } })
const NAMES = ['clustering', 'costs', 'pruning', 'query-profile', 'search-optimization', 'statements']

test.each(listSql('snowflake'))('%s says what it is, and that nobody ran it', (name) => {
  const { title, grain, definition, path, header } = readSql('snowflake', name)
  expect([title, grain, definition].every((text) => text !== '')).toBe(true)
  expect(definition).not.toContain('no account')
  expect(readFileSync(path, 'utf8')).toContain('no account was at hand to run it.')
  const shown = header.table?.[0]?.split(', ') ?? []
  for (const column of shown) expect(readSql('snowflake', name).body).toMatch(new RegExp(`\\b${column}\\b`))
})

test('only a warehouse in Snowflake has them', async () => {
  const listed = (config: typeof embedded) => listReports(config).rows.map(([name]) => name)
  const checks = listSql('checks').filter((name) => !listSql('reports').includes(name))
  expect(listed(embedded)).toEqual([...listSql('reports'), ...checks])
  expect(listed(snowflake)).toEqual([...listSql('reports'), ...NAMES, ...checks])
  expect(NAMES.filter((name) => listSql('reports').includes(name))).toEqual([])
  await expect(questionOf({ report: 'clustering' }, embedded)).rejects.toMatchObject({
    code: 'LPA-QUERY-ENGINE',
    exit: 'usage',
  })
  expect((await questionOf({ report: 'clustering' }, snowflake)).report?.title).toBe(
    'How well the facts are clustered',
  )
})

test('what has no answer without a value says so before it asks', async () => {
  const question = await questionOf({ report: 'query-profile' }, snowflake)
  const options = { write: false, exports: false }
  await expect(
    ask(snowflake, question, options, new AbortController().signal, async () => {}),
  ).rejects.toMatchObject({
    code: 'LPA-QUERY-PARAM',
    next: [expect.stringContaining('--param query=…')],
  })
  const given = await questionOf({ report: 'query-profile', param: ['query=01b7'] }, snowflake)
  expect(given.values).toEqual({ query: '01b7' })
})

test('what is of now takes no --at', async () => {
  const question = await questionOf({ report: 'clustering' }, snowflake)
  const options = { at: '2026-01-12', write: false, exports: false }
  await expect(
    ask(snowflake, question, options, new AbortController().signal, async () => {}),
  ).rejects.toMatchObject({ code: 'LPA-QUERY-AT', exit: 'usage' })
})

// Without the columns, one table that lost its key would be the end of all.
test('clustering asks of every table that is clustered, and by which columns', () => {
  const { body } = readSql('snowflake', 'clustering')
  const clustered = readDeclared('snowflake').tables.filter(({ cluster }) => cluster.length > 0)
  const asked = [...body.matchAll(/system\$clustering_information\('([^']+)', '\((.+?)\)'\)/g)]
  const keys = asked.map(([, name, columns]) => `${name}: ${columns}`)
  expect(keys.sort()).toEqual(clustered.map(({ name, cluster }) => `${name}: ${cluster.join(', ')}`).sort())
})
