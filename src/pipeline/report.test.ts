import { expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { openCampus } from '../report-campus.test-support.ts'
import { listSql } from '../sql-files.ts'
import { listReports, reportQuestion } from './report.ts'

const config = loadConfig({ cwd: '/', env: {}, flags: {} })
const ask = (since: string, until: string) =>
  reportQuestion('enrollments', { since, until }, { dialect: 'duckdb' }, config)

test('days that are turned round are no empty answer', () => {
  expect(ask('2026-02-01', '2026-02-01').values).toMatchObject({ since: '2026-02-01' })
  expect(() => ask('2026-02-02', '2026-02-01')).toThrow(
    expect.objectContaining({
      ...{ code: 'LPA-QUERY-PARAM', exitCode: 2 },
      next: ['Turn them round: --param since=2026-02-01 --param until=2026-02-02'],
    }),
  )
})

test('a check is asked by its name, of all loads, and answers with what is against it', async () => {
  const its = await openCampus({ enrollments: [], events: [], completions: [] })
  await its.run('drop table checked_load')
  const against = async (name: string) => {
    const { report, sql } = reportQuestion(name, {}, { dialect: 'duckdb' }, config)
    expect(report?.kind).toBe('checks')
    return (await its.runAndReadAll(sql)).getRowsJson()
  }
  expect(await against('one-key')).toEqual([])
  await its.run("update meta.loads set key_id = 'other' where load_id = 3")
  expect(await against('one-key')).toEqual([
    ['', '2', '1', '2'],
    ['other', '1', '3', '3'],
  ])
  expect(await against('events-reach-facts')).toEqual([])
})

test('every report and check is listed once, with its title and what it takes unless given', () => {
  const { rows } = listReports(config)
  const names = rows.map(([name]) => name)
  expect(names.toSorted()).toEqual([...new Set([...listSql('reports'), ...listSql('checks')])].sort())
  expect(rows).toContainEqual(['one-key', 'Check: All loads are under one key', ''])
  expect(rows).toContainEqual([
    ...['time-on-task', 'Time on task by course'],
    'short_minutes=5 long_minutes=30 course= category= country= since= until=',
  ])
})
