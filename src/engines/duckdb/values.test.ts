import * as duckdb from '@duckdb/node-api'
import { expect, test } from 'vitest'
import { rowJson } from '../../output/json.ts'
import type { Row } from '../../types.ts'
import { cellConverter, columnType } from './values.ts'

/** The first row of a SELECT as `lpa query --format json` prints it. */
async function printed(sql: string): Promise<string> {
  const connection = await (await duckdb.DuckDBInstance.create(':memory:')).connect()
  const reader = await connection.runAndReadAll(sql)
  const types = reader.columnTypes()
  const columns = reader
    .columnNames()
    .map((name, index) => ({ name, type: columnType(duckdb, types[index] as duckdb.DuckDBType) }))
  const cells: Row = (reader.getRows()[0] ?? []).map((value, index) =>
    cellConverter(duckdb, columns[index] as (typeof columns)[0], types[index] as duckdb.DuckDBType)(value),
  )
  return rowJson(
    cells,
    columns,
    columns.map(({ name }) => JSON.stringify(name)),
  )
}

test.each([
  ['integers', '9007199254740993::bigint', '9007199254740993'],
  ['small integers', '12::bigint', '12'],
  [
    'huge integers',
    '170141183460469231731687303715884105727::hugeint',
    '170141183460469231731687303715884105727',
  ],
  ['decimals', '49.90::decimal(9, 2)', '49.90'],
  ['doubles', '0.1::double', '0.1'],
  ['what is no number', `'nan'::double`, '"NaN"'],
  ['booleans', 'true', 'true'],
  ['nulls', 'null::bigint', 'null'],
  ['text', `'a"b'`, '"a\\"b"'],
  ['days', `date '2026-01-12'`, '"2026-01-12"'],
  ['times', `timestamp '2026-01-12 08:13:22.12'`, '"2026-01-12T08:13:22.12Z"'],
  ['JSON', `'{"a": 1.50}'::json`, '{"a": 1.50}'],
])('%s print alike by themselves and inside others', async (_, sql, expected) => {
  expect(await printed(`select ${sql} as v`)).toBe(`{"v":${expected}}`)
  expect(await printed(`select {a: ${sql}, l: [${sql}]} as v`)).toBe(
    `{"v":{"a":${expected},"l":[${expected}]}}`,
  )
  expect(await printed(`select map {'k': ${sql}} as v`)).toBe(`{"v":[{"key":"k","value":${expected}}]}`)
  expect(await printed(`select array_value(${sql}) as v`)).toBe(`{"v":[${expected}]}`)
  expect(await printed(`select union_value(u := ${sql}) as v`)).toBe(`{"v":{"tag":"u","value":${expected}}}`)
})

test('VARIANT prints as the JSON that it holds', async () => {
  const json = '{"a":1,"b":[1.5,"x",null,true,12345678901,{"c":"d"}],"n":9223372036854775807}'
  expect(await printed(`select cast('${json}'::json as variant) as v`)).toBe(`{"v":${json}}`)
  expect(await printed(`select {v: 49.90::decimal(9, 2)}::variant as v, null::variant as n`)).toBe(
    '{"v":{"v":49.90},"n":null}',
  )
})
