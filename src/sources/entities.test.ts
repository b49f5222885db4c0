import { afterAll, describe, expect, test } from 'vitest'
import { StageFolder } from './stage.test-support.ts'

const folder = new StageFolder()
afterAll(() => folder[Symbol.dispose]())

let files = 0
/** The value of a column as it is staged, or the code and text of why its record was rejected. */
async function staged(mapping: string, column: string, value: string): Promise<unknown> {
  files += 1
  const text = `who,day,value\nw,2026-01-01,"${value}"\n`
  const result = await folder.stage(`${files}.csv`, text, mapping)
  const [row] = await folder.rows<{ value: string }>(result, `${column}::varchar as value`)
  return row ? row.value : result.reasons.map(({ code, reason }) => `${code}: ${reason}`).join('; ')
}

describe('numbers out of range are rejected with their column, before a check of core finds them', () => {
  const quantity = 'quantity:range: quantity must lie from 0 to 1000000000000000'
  test.each([
    ['0', '0.0'],
    ['2.5', '2.5'],
    ['', '1.0'],
    ['-1', quantity],
    ['-0.001', quantity],
    ['1e16', quantity],
    ['nan', quantity],
  ])('the quantity %j', async (value, expected) => {
    const mapping = `-- entity: learning_event\n-- personal: who(learner)
select 'viewed' as event_type, who as learner_id, day as occurred_at, value as quantity from source`
    expect(await staged(mapping, 'quantity', value)).toBe(expected)
  })

  test.each([
    ['0', '0.00'],
    ['19.90', '19.90'],
    ['', null],
    ['-0.01', 'price_amount:range: price_amount is negative'],
  ])('the price %j', async (value, expected) => {
    const mapping = `-- entity: enrollment\n-- personal: who(learner)
select who as learner_id, 'CS1' as course_id, day as enrolled_at, value as price_amount from source`
    expect(await staged(mapping, 'price_amount', value)).toBe(expected)
  })
})
