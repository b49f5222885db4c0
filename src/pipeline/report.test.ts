import { expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { askSpark, reportQuestion } from './report.ts'

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

test('a role is not answered by what knows no roles', async () => {
  const question = reportQuestion('funnel', {}, { dialect: 'duckdb' }, config)
  const options = { role: 'lpa_analyst', write: false, exports: false }
  const answered = askSpark(config, question, options, new AbortController().signal, async () => {})
  await expect(answered).rejects.toMatchObject({ code: 'LPA-ROLE-ENGINE', exit: 'notPermitted' })
})
