import { describe, expect, test } from 'vitest'
import type { SqlKind } from './sql-files.ts'
import { lintForSnowflake, lintSql, RULE_NAMES } from './sql-lint.ts'

const HEADER = '-- title: t\n-- grain: g\n-- definition: d\n'
const lint = (sql: string, kind: SqlKind = 'reports', path = 'x.sql') =>
  lintSql(sql, { kind, name: 'x', path })

/** A rule, then text that it must find. The text is bad in the design's table or was seen to differ in the trial. */
const BAD: readonly (readonly [string, string])[] = [
  ['function', "select strftime(d, '%Y') as y from t"],
  ['function', 'select dayname(d) as x from t'],
  ['function', "select date_trunc('week', d) as x from t"],
  ['function', 'select count_if(x) as n from t'],
  ['function', 'select arg_max(x, y) as x1 from t'],
  ['function', 'select any_value(x) as x1 from t'],
  ['function', "select concat_ws(', ', a, b) as x from t"],
  ['function', 'select quantile_cont(x, 0.5) as x1 from t'],
  ['function', 'select approx_count_distinct(x) as n from t'],
  ['function', 'select n from generate_series(1, 3) as t(n)'],
  ['function', 'select unnest(x) as x1 from t'],
  ['function', "select regexp_replace(x, 'a', 'b') as x1 from t"],
  ['function', 'select round(x, 2) as x1 from t'],
  ['function', 'select greatest(a, b) as x from t'],
  ['function', 'select lower(a) as x from t'],
  ['function', "select date_diff('day', a, b) as x from t"],
  ['function', 'select epoch_ms(a) as x from t'],
  ['function', "select string_agg(x, ',') as x1 from t"],
  ['function', 'select sha256(x) as x1 from t'],
  ['function', 'select nvl(a, b) as x from t'],
  ['function', 'select now() as x'],
  ['function', 'select some_new_function(a) as x from t'],
  ['calendar', 'select extract(dow from d) as x from t'],
  ['clock', 'select current_date as x'],
  ['filter', 'select count(*) filter (where a) as n from t'],
  ['distinct-over', 'select count(distinct a) over (partition by b) as n from t'],
  ['pivot', 'select a from t pivot (sum(x) for y in (1, 2))'],
  ['anti-join', 'select a from t anti join u on t.a = u.a'],
  ['anti-join', 'select a from t where a not in (select b from u)'],
  ['from-first', 'from t'],
  ['from-first', 'with u as (from t select a) select a from u'],
  ['window-clause', 'select sum(x) over w as s from t window w as (order by y nulls last)'],
  ['frame', 'select sum(x) over (partition by a order by y nulls last) as s from t'],
  ['frame', 'select last_value(x) over (order by y nulls last) as s from t'],
  ['nulls', 'select a from t order by a'],
  ['nulls', 'select a, b from t order by a nulls last, b desc'],
  ['nulls', 'select row_number() over (partition by a order by b) as n from t'],
  ['division', 'select a / b as x from t'],
  ['division', 'select cast(a as double) / b as x from t'],
  ['division', 'select a / nullif(b, 0) as x from t'],
  ['division', 'select a / 0 as x from t'],
  ['division', 'select cast(a as int) / 7 as x from t'],
  ['cast', 'select a::int as x from t'],
  ['type', 'select cast(a as varchar) as x from t'],
  ['type', 'select cast(null as text) as x from t'],
  ['double-to-int', 'select cast(avg(a) as int) as x from t'],
  ['double-to-int', "select cast(lpa_number(v, 'n') as bigint) as x from t"],
  ['star', 'select * from t'],
  ['star', 'select t.* from t'],
  ['star', 'select a, * exclude (b) from t'],
  ['by-name', 'select a from t union all by name select a from u'],
  ['join-on', 'select a from t join u using (a)'],
  ['join-on', 'select a from t natural join u'],
  ['join-on', 'select a from t asof join u on t.a = u.a'],
  ['interval', 'select d + interval 7 day as x from t'],
  ['interval', "select d + interval '7' day as x from t"],
  ['group-all', 'select a, count(*) as n from t group by all'],
  ['group-all', 'select distinct on (a) a, b from t'],
  ['ignore-nulls', 'select lag(a ignore nulls) over (order by b nulls last) as x from t'],
  ['pattern', "select a from t where a ~ 'x'"],
  ['pattern', "select a from t where a ilike 'x%'"],
  ['pattern', "select a from t where a similar to 'x'"],
  ['pattern', "select 'a\\b' as x"],
  ['literal', 'select [1, 2] as x'],
  ['literal', 'select a[1] as x from t'],
  ['literal', "select {'a': 1} as x"],
  ['literal', "select a ->> '$.b' as x from t"],
  ['path', 'select a from t where attributes.verb is null'],
  ['path', 'select attributes:verb as x from t'],
  ['quoted-name', 'select "a" from t'],
  ['name-taken', 'with open as (select a from t) select a from open'],
  ['name-taken', 'select a as trailing from t'],
  ['alias-reuse', 'select a + 1 as b, b * 2 as c from t'],
  ['alias-reuse', 'select a + 1 as b, sum(b) as c from t'],
  ['alias-reuse', 'select a + 1 as b from t where b > 2'],
  ['alias-reuse', 'select a + 1 as b, count(*) as n from t group by b'],
  ['parameter', '-- param: days integer 7 "x"\nselect a from t where b > $days'],
  ['one-statement', 'select 1 as a; select 2 as b'],
  ['header', '-- param: days integer 7 "x"\nselect 1 as a'],
  ['header', 'select cast($days as int) as a'],
  ['text', "select 'a"],
  ['text', 'select lpa_days(a) as x from t'],
  ['text', 'select lpa_week(a) as x from t'],
]

/** One text with what portable SQL is made of. */
const GOOD = `${HEADER}-- param: days integer 7 "days of silence"
-- chart: bar x=label y=share
with recursive bounds (newest) as (select max(full_date) as newest from dim_date),
steps as (
  select 1 as n, cast(null as string) as label, date '2026-01-05' as d
  union all
  select s.n + 1, 'step: it''s / a % of ' || cast(s.n as string), lpa_add_days(s.d, 1) from steps s where s.n < 10
),
counted as (
  select s.n, s.label, count(*) as all_rows, count(distinct s.d) as days, count(case when s.n % 2 = 0 then 1 end) as even,
    sum(s.n) over (partition by s.label order by s.n nulls last rows between unbounded preceding and current row) as running,
    lag(s.n, 7) over (order by s.n desc nulls last) as before,
    percentile_cont(0.25) within group (order by s.n) as q1, lpa_list(s.label, ', ') as labels,
    extract(year from s.d) as year, cast(floor(avg(s.n)) as bigint) as mean,
    1000 * cast(s.n as double) / nullif(s.n, 0) as share, floor(avg(s.n) * 10 + 0.5) / 10 as rounded,
    lpa_text(c.attributes, 'verb') is null as no_verb, 7.5 / 2 as half
  from steps s
  cross join bounds b
  left join course c on c.course_id = s.label and c.attributes is not null
  where not exists (select 1 from learner l where l.learner_key = s.n) and s.label not in ('a', 'b')
    and s.d + interval '7 day' > b.newest and s.label like 'x%' and extract(year from s.d) > 2000
    and lpa_days(s.d, b.newest) >= cast($days as int)
  group by s.n, s.label
  qualify row_number() over (partition by s.label order by s.n nulls last, s.d desc nulls first) = 1
)
select n, label, share
from counted
where share > 0.5
order by share desc nulls last, n nulls last
limit 10;
`

describe('lintSql', () => {
  test('portable text passes', () => {
    expect(lint(GOOD)).toEqual([])
  })

  test.each(BAD)('%s: %s', (rule, sql) => {
    expect(lint(HEADER + sql).map((finding) => finding.rule)).toContain(rule)
  })

  test('every rule is in the table above', () => {
    expect([...new Set(BAD.map(([rule]) => rule))].sort()).toEqual([...RULE_NAMES].sort())
  })

  test('says where, and what to write instead', () => {
    expect(lint(`${HEADER}select a,\n  lpa_days(\n    b, c) as x,\n  strftime(d) as y\nfrom t`)).toEqual([
      {
        path: 'x.sql',
        line: 7,
        rule: 'function',
        message: 'strftime() is not allowed (duckdb, spark, snowflake). Join dim_date and take its column.',
      },
    ])
  })

  test('names the engines that lack a function', () => {
    const [finding] = lint(`${HEADER}select datediff(a, b) as x from t`)
    expect(finding?.message).toMatch(/^datediff\(\) is not allowed \(duckdb\)\. Write lpa_days/)
  })

  test('reads no strings and no comments', () => {
    expect(lint(`${HEADER}select 'a / b; select *' as x -- now() / [1]\n/* a::int */ from t`)).toEqual([])
  })

  test('an override is held to its own engine only', () => {
    const sql = `${HEADER}select datediff(day, a, b) as x, c:d as y from t`
    expect(lint(sql, 'reports', 'x.snowflake.sql')).toEqual([])
    expect(lint(`${HEADER}select strftime(a) as x from t`, 'reports', 'x.spark.sql')[0]?.message).toContain(
      '(spark)',
    )
  })

  test.each([
    ['reports', 'select 1 as a', ['title', 'grain', 'definition']],
    ['models', 'select 1 as a', ['materialise']],
    ['checks', '-- title: t\nselect 1 as a', ['severity']],
    ['checks', '-- title: t\n-- severity: fatal\nselect 1 as a', ['error or warning']],
  ] as const)('%s need their headers', (kind, sql, expected) => {
    const messages = lint(sql, kind).map((finding) => finding.message)
    expect(messages).toHaveLength(expected.length)
    for (const [i, text] of expected.entries()) expect(messages[i]).toContain(text)
  })
})

describe('lintForSnowflake', () => {
  const found = (sql: string) =>
    lintForSnowflake(sql, 'x.sql').map(({ line, message }) => `${line}: ${message}`)

  test('takes what Snowflake has', () => {
    expect(
      found(`select system$clustering_information('t'), regexp_substr(a, 'x'), sum("ROWS") over (order by a rows between
        unbounded preceding and current row) from table(information_schema.query_history()) where position('a' in b) > 0`),
    ).toEqual([])
  })

  test.each([
    ["select a\nfrom t where ends_with(a, 'x')", '2: ends_with() is not'],
    ["select regexp_extract(a, 'x') from t", '1: regexp_extract() is not'],
    ['select max(e.rows) from t e', '1: rows is reserved'],
  ])('%s', (sql, message) => {
    expect(found(sql)).toEqual([expect.stringContaining(message)])
  })
})
