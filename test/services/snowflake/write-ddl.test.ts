/** `lpa query --write` of what Snowflake cannot take back. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { wrongStatements } from './statements.ts'

describeLpaOnSnowflake('lpa query --write on Snowflake', () => {
  let place: LpaPlace
  beforeAll(async () => {
    place = await LpaPlace.create()
    await place.lpaOk(['schema', 'apply'])
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  test.each([
    'drop table core.dim_date',
    '-- why\nCREATE table core.mine (a number)',
    'truncate table core.dim_date',
  ])('refuses %s, and says so', async (sql) => {
    const ran = await place.lpa(['query', '--write', '--sql', sql])
    expect([ran.code, ran.stderr]).toEqual([77, expect.stringContaining('LPA-QUERY-DDL')])
  })

  test('was sent as Snowflake’s SQL', async (context) => {
    expect(await wrongStatements(place.emulated(context))).toEqual([])
  })
})
