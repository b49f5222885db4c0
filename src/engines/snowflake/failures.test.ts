import { expect, test } from 'vitest'
import { UserError } from '../../errors.ts'
import { explained, faultOf, isLocked, isUnanswered } from './failures.ts'

const failed = (code: string | number | undefined, message = 'words') =>
  Object.assign(new Error(message), { code })

test.each([
  ['000707', 'LPA-QUERY-AT', 'usage'],
  ['003001', 'LPA-SNOWFLAKE-PRIVILEGE', 'notPermitted'],
  ['000606', 'LPA-SNOWFLAKE-WAREHOUSE', 'config'],
  ['090105', 'LPA-SNOWFLAKE-DATABASE', 'config'],
  [401001, 'LPA-SNOWFLAKE-NETWORK', 'unavailable'],
  ['ECONNRESET', 'LPA-SNOWFLAKE-NETWORK', 'unavailable'],
])('%s is %s, exit %s', (code, known, exit) => {
  const cause = failed(code)
  expect(explained(cause)).toMatchObject({ code: known, exit, cause })
})

test('a time that a table keeps no state of names the table', () => {
  const message = `Time travel data is not available for table FACT_ENROLLMENT. The requested time is either beyond the
allowed time travel period or before the object creation time.`
  expect(explained(failed('000707', message))).toMatchObject({
    message: 'Snowflake keeps no state of that time of FACT_ENROLLMENT.',
    next: [expect.stringContaining('data_retention_time_in_days')],
  })
})

test('all else stays as it is', () => {
  const user = new UserError('LPA-X', 'x', { exit: 'usage' })
  expect(explained(user)).toBe(user)
  const other = failed('100038', 'Numeric value is not recognized')
  expect(explained(other)).toBe(other)
  expect(explained('a text')).toBe('a text')
})

test('what of a statement is wrong', () => {
  const faults = [
    '002003',
    '002037',
    '002043',
    '000904',
    '001003',
    '100038',
    '002140',
    '000625',
    401001,
    undefined,
  ]
  expect(faults.map((code) => faultOf(failed(code)))).toEqual([
    ...['name', 'name', 'name', 'name', 'text', 'text', 'text', undefined, undefined, undefined],
  ])
})

test('what a transaction waits for, and what nobody can say of', () => {
  expect([isLocked(failed('000625')), isLocked(failed(625)), isLocked(failed('000604'))]).toEqual([
    true,
    true,
    false,
  ])
  expect(['ECONNREFUSED', 402001, '100038'].map((code) => isUnanswered(failed(code)))).toEqual([
    true,
    true,
    false,
  ])
  expect(isUnanswered(failed(undefined, 'socket hang up'))).toBe(true)
})
