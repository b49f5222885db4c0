import { expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { reportQuestion } from './report.ts'

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
