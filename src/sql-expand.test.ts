import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { beforeAll, describe, expect, test } from 'vitest'
import { expand, PORTABLE_FUNCTIONS } from './sql-expand.ts'
import type { Dialect } from './types.ts'

const DIALECTS: readonly Dialect[] = ['duckdb', 'spark', 'snowflake']

/** What design and trial settled: a call, then its text on DuckDB, Spark and Snowflake. */
const CALLS: readonly (readonly [string, string, string, string])[] = [
  ['lpa_hash(x)', 'hash(x)', 'xxhash64(x)', 'hash(x)'],
  ['lpa_sha256(x)', 'sha256(x)', 'sha2(x, 256)', 'sha2(x, 256)'],
  [
    'lpa_date_key(x)',
    ...([0, 1, 2].map(
      () => 'cast(extract(year from x) * 10000 + extract(month from x) * 100 + extract(day from x) as int)',
    ) as [string, string, string]),
  ],
  [
    'lpa_date(k)',
    ...([0, 1, 2].map(
      () =>
        "cast(substr(lpad(cast(k as string), 8, '0'), 1, 4) || '-' || substr(lpad(cast(k as string), 8, '0'), 5, 2) || '-' || " +
        "substr(lpad(cast(k as string), 8, '0'), 7, 2) as date)",
    ) as [string, string, string]),
  ],
  [
    'lpa_days(a, b)',
    "date_diff('day', cast(a as date), cast(b as date))",
    'datediff(cast(b as date), cast(a as date))',
    'datediff(day, cast(a as date), cast(b as date))',
  ],
  ['lpa_add_days(d, -6)', '(d + cast(-6 as int))', 'date_add(d, cast(-6 as int))', 'dateadd(day, -6, d)'],
  [
    'lpa_seconds(a, b)',
    '(cast(epoch_ms(b) - epoch_ms(a) as double) / 1000)',
    '(cast(unix_millis(cast(b as timestamp_ltz)) - unix_millis(cast(a as timestamp_ltz)) as double) / 1000)',
    '(cast(datediff(millisecond, a, b) as double) / 1000)',
  ],
  [
    "lpa_text(e.v, 'a.b[0]')",
    "json_extract_string(cast(e.v as json), '$.a.b[0]')",
    "try_variant_get(try_parse_json(cast(e.v as string)), '$.a.b[0]', 'string')",
    "cast(get_path(e.v, 'a.b[0]') as varchar)",
  ],
  [
    "lpa_number(v, 'n')",
    "try_cast(json_extract_string(cast(v as json), '$.n') as double)",
    "try_variant_get(try_parse_json(cast(v as string)), '$.n', 'double')",
    "try_to_double(cast(get_path(v, 'n') as varchar))",
  ],
  [
    "lpa_boolean(v, 'ok')",
    "try_cast(json_extract_string(cast(v as json), '$.ok') as boolean)",
    "try_variant_get(try_parse_json(cast(v as string)), '$.ok', 'boolean')",
    "try_to_boolean(cast(get_path(v, 'ok') as varchar))",
  ],
  [
    "lpa_size(v, 'tags')",
    "len(try_cast(json_extract(cast(v as json), '$.tags') as json[]))",
    "size(try_variant_get(try_parse_json(cast(v as string)), '$.tags', 'array<variant>'))",
    "array_size(get_path(v, 'tags'))",
  ],
  ['lpa_variant(t)', 'cast(t as json)', 't', "parse_json(t, 'd')"],
  [
    'lpa_json(v)',
    "nullif(cast(cast(v as json) as varchar), 'null')",
    "nullif(cast(v as string), 'null')",
    'to_json(v)',
  ],
  [
    "lpa_list(x, ', ')",
    "string_agg(distinct x, ', ' order by x)",
    "array_join(array_sort(collect_set(x)), ', ')",
    "listagg(distinct x, ', ') within group (order by x)",
  ],
  ['lpa_starts_with(t, p)', 'starts_with(t, p)', 'startswith(t, p)', 'startswith(t, p)'],
  [
    'lpa_floor(x)',
    'floor(x)',
    '(case when abs(x) < 4503599627370496 then cast(floor(x) as double) else x end)',
    'floor(x)',
  ],
]

describe('expand', () => {
  test.each(CALLS)('%s', (call, duckdb, spark, snowflake) => {
    expect(DIALECTS.map((d) => expand(call, d))).toEqual([duckdb, spark, snowflake])
  })

  test('hashes several values at once, and where a NULL stands counts', () => {
    const call = 'lpa_hash(x, y)'
    expect(DIALECTS.map((dialect) => expand(call, dialect))).toEqual([
      ...['hash(x, y)', 'xxhash64(x, y is null, y)', 'hash(x, y)'],
    ])
    expect(() => expand('lpa_sha256(x, y)', 'duckdb')).toThrow('takes 1 argument(s), not 2')
  })

  test('has a text for sixteen functions, and this table names them all', () => {
    expect(CALLS.map(([call]) => call.slice(0, call.indexOf('('))).sort()).toEqual(
      [...PORTABLE_FUNCTIONS].sort(),
    )
    expect(PORTABLE_FUNCTIONS).toHaveLength(16)
  })

  test('expands calls inside calls, over several lines', () => {
    expect(expand('select lpa_days(lpa_add_days(a, (1 + 2)),\n  coalesce(b, c)) from t', 'duckdb')).toBe(
      "select date_diff('day', cast((a + cast((1 + 2) as int)) as date), cast(coalesce(b, c) as date))\n from t",
    )
  })

  test.each([
    "select 'lpa_days(a)' as x",
    'select "lpa_days(a)" from t',
    '-- lpa_days(a) is not a call\nselect 1',
    '/* lpa_days( */ select 1',
    'select my_lpa_days(1), lpa_days_column from t',
    'select \'it\'\'s lpa_text(\' || "a""lpa_text(" from t',
  ])('leaves alone: %s', (sql) => {
    for (const dialect of DIALECTS) expect(expand(sql, dialect)).toBe(sql)
  })

  test('reads commas, brackets and quotes inside strings and comments as text', () => {
    expect(expand("lpa_list(x, '), (''')", 'duckdb')).toBe("string_agg(distinct x, '), (''' order by x)")
    expect(expand('lpa_days(a /* ,) */ + c -- end)\n, b)', 'spark')).toBe(
      'datediff(cast(b as date), cast(a /* ,) */ + c as date))\n',
    )
  })

  test('what follows a call keeps its line', () => {
    const sql = 'select lpa_days(\n  a,\n  b\n) as x,\nlpa_nothing(1)'
    expect(() => expand(sql, 'duckdb')).toThrow('line 5: lpa_nothing')
    const expanded = expand(sql.replace('lpa_nothing(1)', 'y'), 'duckdb')
    expect(expanded.split('\n')[4]).toBe('y')
  })

  test('puts an expression before a path in brackets', () => {
    expect(expand("lpa_text(lpa_variant(t), 'a')", 'duckdb')).toBe(
      "json_extract_string(cast((cast(t as json)) as json), '$.a')",
    )
  })

  test.each([
    ['select 1,\n  lpa_days(a)', 'line 2: lpa_days takes 2 argument(s), not 1.'],
    ['lpa_json()', 'line 1: lpa_json takes 1 argument(s), not 0.'],
    ['lpa_days(a, )', 'line 1: lpa_days has an empty argument.'],
    ['\n\nlpa_day(a, b)', 'line 3: lpa_day is not one of lpa_date_key, '],
    ['lpa_toString(a)', 'line 1: lpa_toString is not one of '],
    ['lpa_days(a, b', 'line 1: lpa_days has no closing bracket.'],
    ["lpa_text(v, 'a b')", "line 1: lpa_text takes a path such as 'device.tags[0]'"],
    ['lpa_text(v, path)', "line 1: lpa_text takes a path such as 'device.tags[0]'"],
    ["lpa_text(v, '')", "line 1: lpa_text takes a path such as 'device.tags[0]'"],
    ["lpa_days(a, 'b)", 'line 1: A string is not closed.'],
    ['lpa_days(\n/* a, b)', 'line 2: A comment is not closed.'],
    ['lpa_days(\n"a, b)', 'line 2: A quoted name is not closed.'],
  ])('refuses %j', (sql, message) => {
    for (const dialect of DIALECTS) expect(() => expand(sql, dialect)).toThrow(message)
  })
})

describe('paths on DuckDB answer alike for JSON and VARIANT', () => {
  const VALUE = `{"s":"x","t":"true","n":12.5,"num":"7","b":false,"null":null,"o":{"p":{"q":"deep"}},"l":[1,null,{"k":"v"}],"e":[]}`
  let connection: DuckDBConnection
  beforeAll(async () => {
    connection = await (await DuckDBInstance.create(':memory:')).connect()
    await connection.run('create table kept (id int, j json, v variant)')
    const rows = [`'${VALUE}'`, "'null'", 'null', `'[1]'`, `'"text"'`]
    for (const [id, text] of rows.entries())
      await connection.run(`insert into kept select ${id}, cast(${text} as json), cast(${text} as json)`)
  })

  const answers = async (call: string) => {
    const both = ['j', 'v'].map((column) => expand(call.replaceAll('@', column), 'duckdb')).join(', ')
    return (await connection.runAndReadAll(`select ${both} from kept order by id`)).getRowsJson()
  }

  test.each<[string, unknown]>([
    ["lpa_text(@, 's')", 'x'],
    ["lpa_text(@, 'o.p.q')", 'deep'],
    ["lpa_text(@, 'o.p')", '{"q":"deep"}'],
    ["lpa_text(@, 'l[2].k')", 'v'],
    ["lpa_text(@, 'l[1]')", null],
    ["lpa_text(@, 'n')", '12.5'],
    ["lpa_text(@, 'null')", null],
    ["lpa_text(@, 'S')", null],
    ["lpa_number(@, 'n')", 12.5],
    ["lpa_number(@, 'num')", 7],
    ["lpa_number(@, 's')", null],
    ["lpa_number(@, 't')", null],
    ["lpa_number(@, 'b')", null],
    ["lpa_number(@, 'l')", null],
    ["lpa_number(@, 'o')", null],
    ["lpa_number(@, 'null')", null],
    ["lpa_number(@, 'l[0]')", 1],
    ["lpa_boolean(@, 'b')", false],
    ["lpa_boolean(@, 't')", true],
    ["lpa_boolean(@, 's')", null],
    ["lpa_boolean(@, 'n')", null],
    ["lpa_boolean(@, 'o')", null],
    ["lpa_boolean(@, 'null')", null],
    ["lpa_size(@, 'l')", '3'],
    ["lpa_size(@, 'e')", '0'],
    ["lpa_size(@, 's')", null],
    ["lpa_size(@, 'o')", null],
    ["lpa_size(@, 'null')", null],
    ["lpa_size(@, 'nothing')", null],
    ['lpa_json(@) is null', false],
    ["lpa_text(lpa_variant(lpa_json(@)), 'o.p.q')", 'deep'],
  ])('%s', async (call, expected) => {
    const [first, ...others] = await answers(call)
    expect(first).toEqual([expected, expected])
    for (const [json, variant] of others) expect(variant).toEqual(json)
    if (!call.endsWith('is null')) for (const [json] of others) expect(json).toBeNull()
  })

  test('lpa_json is NULL for NULL and for a JSON null, and JSON text else', async () => {
    const rows = await answers('lpa_json(@)')
    expect(rows.slice(1)).toEqual([
      [null, null],
      [null, null],
      ['[1]', '[1]'],
      ['"text"', '"text"'],
    ])
    const [json, variant] = (rows[0] ?? []).map((text) => JSON.parse(String(text)))
    expect(json).toEqual(JSON.parse(VALUE))
    expect(variant).toEqual(json)
  })
})
