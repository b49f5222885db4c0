import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { beforeAll, describe, expect, test } from 'vitest'
import { quoteText } from '../../duckdb.ts'
import { explainMemory, refuseLoss, variantColumns } from './variant-loss.ts'

let connection: DuckDBConnection
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run('create table core_fact (id int, attributes variant, note json)')
})

const refuse = (values: readonly string[]) =>
  refuseLoss(
    connection,
    'core.fact',
    ['attributes'],
    `(select cast(value as json) as attributes from (values ${values.map((value) => `(${quoteText(value)})`).join(', ')}) t(value))`,
  )

test('the columns of a table that are VARIANT', async () => {
  expect(await variantColumns(connection, 'core_fact')).toEqual(['attributes'])
})

describe('refuses', () => {
  test.each<[string, readonly string[], string]>([
    ['in two rows', ['{"A":1}', '{"a":"x"}'], '1 names that differ'],
    ['in one row', ['{"a":"x","A":"y"}'], '1 names that differ'],
    ['in objects', ['{"A":{"x":1}}', '{"a":{"y":1}}', '{"X":1}'], '1 names that differ'],
    ['deep inside', ['{"o":[{"k":{"B":1}}]}', '{"o":5}', '{"o":[1,{"k":{"b":2}}]}'], '1 names that differ'],
    [
      'twice',
      ['{"a":1,"a":2}', '{"b":[{"c":1,"d":{"e":1,"e":2}}]}', '{"f":1}'],
      '2 records with the same name',
    ],
    ['large', ['{"n":18446744073709551616}', '{"n":[-9223372036854775809]}'], '2 integers'],
    ['unsigned', ['{"n":9223372036854775808}', '{"n":18446744073709551615}'], '2 integers'],
    [
      'both',
      ['{"n":9223372036854775808,"N":1}'],
      '1 names that differ from others in the case of letters only, 1 integers',
    ],
  ])('names or numbers %s', async (_, values, counted) => {
    await expect(refuse(values)).rejects.toMatchObject({
      code: 'LPA-VARIANT-LOSS',
      message: expect.stringContaining(`core.fact.attributes is VARIANT, which cannot hold ${counted}`),
    })
  })

  test('quotes nothing of what it read', async () => {
    const error = await refuse(['{"Secret":"Value"}', '{"secret":1}']).catch((thrown) => thrown)
    expect(`${error.message} ${error.next}`).not.toMatch(/secret|value"/i)
  })
})

test('lets pass what a VARIANT holds', async () => {
  await refuse([
    ...[
      '{"a":1}',
      '{"a":"x"}',
      '{"a":{"b":1}}',
      '{"c":{"B":1}}',
      '{"É":1}',
      '{"é":1}',
      'null',
      '[1,{"a":1},{"a":2}]',
    ],
    ...[
      '{"n":9223372036854775807}',
      '{"n":-9223372036854775808}',
      '{"n":1e300}',
      '{"n":0.5}',
      '{"t":"A\\"a"}',
    ],
    ...['{"A":1,"b":{"A":1}}'].map((text) => text.replace('"A":1,', '')),
  ])
  await refuse(['{}'])
})

test('says of an Out of Memory, and of nothing else, that VARIANT is why', () => {
  const full = new Error('Out of Memory Error: failed to allocate data of size 1.0 MiB')
  expect(explainMemory(full, 'core.fact', ['attributes'])).toMatchObject({
    code: 'LPA-VARIANT-MEMORY',
    exitCode: 65,
    cause: full,
  })
  expect(explainMemory(full, 'core.fact', [])).toBe(full)
  const other = new Error('IO Error: no')
  expect(explainMemory(other, 'core.fact', ['attributes'])).toBe(other)
})
