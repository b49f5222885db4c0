import type { DuckDBConnection } from '@duckdb/node-api'
import { beforeAll, describe, expect, test } from 'vitest'
import type { UserError } from './errors.ts'
import { makeCampus, openCampus } from './report-campus.test-support.ts'
import { expand } from './sql-expand.ts'
import { listSql, readSql } from './sql-files.ts'
import { checkStatement } from './statement-checker.ts'
import { isFunctionAllowed, isTableFunctionAllowed } from './statement-functions.ts'

let db: DuckDBConnection

beforeAll(async () => {
  db = await openCampus(makeCampus(1))
})

const check = (sql: string) => checkStatement(db, sql, { catalog: 'memory', mayExplain: true })

/** Statements that read, write or learn what is beyond the warehouse's tables. */
const ATTACKS = [
  // files
  "select * from 'grades.csv'",
  "from 'grades.csv'",
  "select * from '/etc/passwd'",
  'select * from "/etc/passwd"',
  'from "data/x.parquet"',
  "select * from 's3://bucket/x.parquet'",
  "select * from read_csv('/etc/passwd')",
  "select * from READ_CSV_AUTO('x')",
  "select * from read_text('/etc/passwd')",
  "from read_blob('warehouse/pseudonym.key')",
  "select * from read_json('x'), fact_enrollment",
  "select * from read_parquet(['a', 'b'])",
  "select * from parquet_metadata('x.parquet')",
  "select * from parquet_scan('x.parquet')",
  "select * from sniff_csv('x.csv')",
  "select * from glob('*')",
  "select * from read_duckdb('x.db')",
  "summarize 'grades.csv'",
  "describe 'grades.csv'",
  "select (select max(content) from read_text('x')) as x from learner",
  "select 1 where exists (from read_text('x'))",
  "select 1 where 1 in (select 1 from read_text('x'))",
  "select a from range(3) t(a), lateral (select content from read_text('x')) u",
  "select 1 order by (select count(*) from read_text('x'))",
  "select 1 limit (select count(*) from read_text('x'))",
  "with a as (select * from read_text('x')) select * from a",
  "with a as materialized (from glob('*')) select 1",
  "with recursive a as (select 1 as n union all select n + 1 from a, read_text('x')) select * from a",
  "select 1 union all select size from read_blob('x')",
  "(select 1) except (select size from glob('*'))",
  "select * exclude (a) replace ((select max(file) from glob('*')) as b) from fact_enrollment",
  "select sum(1) over (order by (select count(*) from glob('*')))",
  "select 1 qualify row_number() over (partition by (select max(file) from glob('*'))) = 1",
  "select [x for x in [1] if (select true from glob('*'))]",
  "select list_transform([1], lambda x: x + (select count(*) from glob('*')))",
  "select case when true then (select max(file) from glob('*')) end",
  "from fact_enrollment pivot (sum((select count(*) from glob('*'))) for course_key in (1))",
  "values ((select max(file) from glob('*')))",
  "select unnest((select list(file) from glob('*')))",
  "select * from unnest((select list(file) from glob('*')))",
  "select * from fact_enrollment at (timestamp => (select now() from glob('*')))",
  'select * from fact_enrollment tablesample 1 rows, "x.json"',
  // the engine's inside
  'select * from duckdb_settings()',
  'from duckdb_secrets()',
  'select * from duckdb_variables()',
  'select * from duckdb_tables',
  'select * from sqlite_master',
  'select * from pg_catalog.pg_class',
  'select * from pg_class',
  'select * from information_schema.tables',
  'select * from system.main.duckdb_views',
  'select * from pragma_database_list',
  "select * from pragma_table_info('fact_enrollment')",
  "select * from pragma_storage_info('fact_enrollment')",
  'show all tables',
  'show databases',
  'describe',
  'show tables from system',
  'select * from __ducklake_metadata_lake.ducklake_data_file',
  'select * from __ducklake_metadata_lake.main.ducklake_snapshot',
  "select * from ducklake_snapshots('lake')",
  'select * from lake.core.fact_enrollment, other.core.fact_enrollment',
  'select * from main.fact_enrollment',
  'select * from temp.pads',
  // CTE names that hide an engine's view where the CTE is not in scope
  'with duckdb_views as (select * from duckdb_views) select * from duckdb_views',
  'with recursive pg_class as (select relname from pg_class union all select 1) select * from pg_class',
  'select * from (with pg_class as (select 1) select * from pg_class) a, pg_class',
  'with duckdb_tables as (select 1) select * from (select * from duckdb_tables) duckdb_tables',
  // text run as SQL, variables, settings, side effects
  "select * from query('drop table fact_enrollment')",
  "select * from query_table('duckdb_settings')",
  "select * from query_table(['fact_enrollment', 'sqlite_master'])",
  "select json_execute_serialized_sql('{}')",
  "select * from json_execute_serialized_sql('{}')",
  "select json_serialize_plan('select * from read_csv(''x'')')",
  "select getvariable('pads')",
  "select main.getvariable('pads')",
  "select a.getvariable() from (select 'pads' as a)",
  "select current_setting('home_directory')",
  "select getenv('HOME')",
  "select write_log('x')",
  "select nextval('s')",
  'select setseed(0.5)',
  'select sleep_ms(100000)',
  'select pg_sleep(1)',
  "select histogram_values('duckdb_settings', 'name')",
  "select * from histogram('duckdb_settings', 'name')",
  'select * from summary((select 1))',
  "select * from sql_auto_complete('sel')",
  "select * from core.query('select 1')",
  "select * from which_secret('s3://x', 's3')",
  "select * from seq_scan('fact_enrollment')",
  'select my_macro(1)',
  // statements that are no SELECT, or more than one
  'select 1; select 2',
  "select 1; copy fact_enrollment to 'x.csv'",
  "copy (select 1) to 'x.csv'",
  "copy fact_enrollment from 'x.csv'",
  "export database 'x'",
  "attach 'x.db' as x",
  'detach memory',
  'drop table fact_enrollment',
  'create table x as select 1',
  'create macro f() as 1',
  'insert into fact_enrollment select * from fact_enrollment',
  'delete from fact_enrollment',
  "update fact_enrollment set status = 'x'",
  'truncate fact_enrollment',
  'alter table fact_enrollment add column x int',
  'set enable_external_access = true',
  'reset lock_configuration',
  'pragma database_list',
  'call pragma_version()',
  'install httpfs',
  'load httpfs',
  'use system',
  'begin',
  'prepare p as select 1',
  'execute p',
  'vacuum',
  'checkpoint',
  'explain analyze select 1',
  'explain (analyze) select 1',
  'explain drop table fact_enrollment',
  "explain select * from read_csv('x')",
  'explain select 1; drop table fact_enrollment',
  '',
  '-- nothing',
]

/** What analysts write; each is run too. */
const ORDINARY = [
  'select count(*) from fact_enrollment',
  'from fact_enrollment limit 3',
  'table course',
  'select * from core.course;',
  'select * from memory.core.course',
  'select * from staging.stg_enrollment limit 1',
  'select * from raw.rejected_rows',
  'select load_id, uri from meta.loads order by 1',
  'SELECT Course_ID FROM Core.Course AS C WHERE C.Course_Key <> 0',
  'select c.course_title, count(*) as n from fact_enrollment e join course c using (course_key) group by all order by n desc',
  'select course_id from course where course_key not in (select course_key from fact_enrollment)',
  'select * from course c where exists (select 1 from fact_enrollment e where e.course_key = c.course_key)',
  "select date_trunc('month', enrolled_at) as month, count(*) from fact_enrollment group by month order by month",
  "select strftime(enrolled_at, '%Y-%m') as m, count(distinct learner_key) from fact_enrollment group by 1",
  'select learner_key, occurred_at, lag(occurred_at) over (partition by learner_key order by occurred_at) from fact_learning_event',
  'select learner_key, sum(1) over w from fact_learning_event window w as (partition by course_key order by date_key)',
  'select * from fact_learning_event qualify row_number() over (partition by learner_key order by occurred_at desc) = 1',
  'with a as (select course_key, count(*) as n from fact_enrollment group by 1), b as (select max(n) as n from a) select a.* from a, b where a.n = b.n',
  'with recursive n as (select 1 as i union all select i + 1 from n where i < 5) select * from n',
  `with recursive tree as (
    select category_key, category_name, 1 as depth from dim_course_category where parent_category_key is null
    union all
    select c.category_key, c.category_name, t.depth + 1 from dim_course_category c join tree t on c.parent_category_key = t.category_key)
   select * from tree`,
  'with course as (select 1 as course_key) select * from course',
  'select median(days_to_complete), quantile_cont(days_to_complete, [0.25, 0.75]) from fact_course_completion',
  'select percentile_cont(0.9) within group (order by progress) from fact_learning_event',
  'select course_key, count(*) filter (where passed) from fact_course_completion group by course_key having count(*) > 0',
  "select json_extract_string(attributes::json, '$.required_activities') from course",
  'select attributes.required_activities::int from course',
  "select attributes ->> '$.device.os', attributes -> '$.l' from course",
  "select unnest(string_split(path, '/')) from dim_course_category",
  "select d from unnest(generate_series(date '2026-01-01', date '2026-01-07', interval 1 day)) t(d)",
  'select * from range(10) t(i) cross join (values (1), (2)) v(x)',
  'select l.learner_id, e.n from learner l, lateral (select count(*) as n from fact_enrollment e where e.learner_key = l.learner_key) e',
  "pivot (select course_key, status from fact_enrollment) on status in ('active', 'completed') using count(*)",
  "select * from (select course_key, status from fact_enrollment) pivot (count(*) for status in ('active', 'withdrawn'))",
  'unpivot (select 1 as a, 2 as b) on a, b into name k value v',
  'select course_key from fact_enrollment union all by name select course_key from fact_course_completion',
  '(select course_key from fact_enrollment) intersect select course_key from fact_course_completion order by 1 limit 5 offset 1',
  "select columns('.*_key') from fact_enrollment",
  'select * exclude (attributes) replace (upper(course_title) as course_title) from course',
  'select distinct on (learner_key) learner_key, status from fact_enrollment order by learner_key, attempt desc',
  "select case when progress >= 0.5 then 'far' when progress is null then '-' else 'near' end, count(*) from fact_learning_event group by 1",
  "select coalesce(max(score), 0), nullif(min(score), 0), round(avg(score), 2), try_cast('x' as int) from fact_learning_event",
  "select course_title from course where course_title ilike '%a%' or course_title similar to 'D.*' or regexp_matches(course_title, '^B')",
  "select list(course_id order by course_id), string_agg(course_id, ','), array_agg(distinct course_key) from course",
  "select list_transform([1, 2], lambda x: x * 2), [x + 1 for x in [1, 2] if x > 1], {'a': 1}.a, map {1: 2}[1]",
  "select date_diff('day', min(enrolled_at), max(enrolled_at)), age(max(enrolled_at)), now() - interval 1 day from fact_enrollment",
  'select e.enrolled_at, c.completed_at from fact_enrollment e asof join fact_course_completion c on e.learner_key = c.learner_key and e.enrolled_at >= c.completed_at',
  'select grouping(course_key), course_key, count(*) from fact_enrollment group by rollup (course_key)',
  'select count(*) from fact_learning_event using sample 10 rows',
  'describe fact_enrollment',
  'describe select 1 as a',
  'summarize fact_course_completion',
  'show tables',
  'explain select count(*) from fact_enrollment',
  'select #1 from (select course_id from course)',
  "select current_date, -1 + 2 ** 3 // 2, 5 % 3, 'a' || 'b', 1 << 2, not true and false, 1 between 0 and 2",
]

async function refusal(sql: string): Promise<UserError> {
  try {
    await check(sql)
  } catch (error) {
    return error as UserError
  }
  throw new Error(`accepted: ${sql}`)
}

describe('checkStatement', () => {
  test.each(ATTACKS)('refuses %s', async (sql) => {
    const error = await refusal(sql)
    expect([error.code, error.exitCode]).toEqual(['LPA-QUERY-REFUSED', 77])
    expect(error.next.join(' ')).toContain('--write')
  })

  test.each(ORDINARY)('accepts and runs %s', async (sql) => {
    await check(sql)
    await db.runAndReadAll(sql)
  })

  test('there are enough of both', () => {
    expect(new Set(ATTACKS).size).toBeGreaterThanOrEqual(60)
    expect(new Set(ORDINARY).size).toBeGreaterThanOrEqual(30)
  })

  test.each([
    ["select * from read_csv('x')", 'read_csv()'],
    ['select * from other.secret', 'other.secret'],
    ["from 'grades.csv'", '"grades.csv"'],
    ["select getvariable('x')", 'getvariable()'],
    ['with pg_class as (select 1) select 1', 'pg_class'],
  ])('names what it refuses: %s', async (sql, name) => {
    expect((await refusal(sql)).message).toContain(name)
  })

  test('accepts EXPLAIN only where it may', async () => {
    await expect(
      checkStatement(db, 'explain select 1', { catalog: 'memory', mayExplain: false }),
    ).rejects.toMatchObject({
      code: 'LPA-QUERY-REFUSED',
    })
  })

  test('says of text that is no SQL that it cannot be read', async () => {
    const error = await refusal('selec 1')
    expect([error.code, error.exit]).toEqual(['LPA-QUERY-SQL', 'usage'])
    expect((await refusal('select from')).code).toBe('LPA-QUERY-SQL')
  })

  test('takes numbers that are none to JSON, and sees past them', async () => {
    await check(`select 1e400, -1e400, 'Infinity \\" -Infinity'`)
    expect((await refusal(`select 1e400, getenv('x')`)).message).toContain('getenv()')
  })

  test('accepts every report', async () => {
    for (const name of listSql('reports')) await check(expand(readSql('reports', name).body, 'duckdb'))
  })

  test('bears deep and long statements', async () => {
    await check(`select ${'('.repeat(300)}1${')'.repeat(300)}`)
    await check(`select ${Array.from({ length: 5000 }, (_, n) => n).join(', ')}`)
    await expect(check(`select ${'('.repeat(300)}getenv('x')${')'.repeat(300)}`)).rejects.toThrow('getenv()')
  })
})

describe('the functions of this DuckDB', () => {
  const functions = async (types: string) =>
    (
      await db.runAndReadAll(
        `select function_name, bool_or(coalesce(has_side_effects, false)) or bool_or(coalesce(stability = 'VOLATILE', false))
         from duckdb_functions() where function_type in (${types}) group by 1`,
      )
    ).getRows() as [string, boolean][]

  test('those that are allowed and not of the same answer each time are known', async () => {
    const names = (await functions("'scalar', 'aggregate', 'macro'"))
      .filter(([name, isVolatile]) => isVolatile && isFunctionAllowed(name))
      .map(([name]) => name)
    expect(names.sort()).toEqual(['gen_random_uuid', 'random', 'uuid', 'uuidv4', 'uuidv7'])
  })

  test('no function that reaches out is allowed', async () => {
    const names = (await functions("'scalar', 'aggregate', 'macro'")).map(([name]) => name)
    const reaching = names.filter((name) =>
      /setting|variable|secret|read_|glob|query|execute|serialize|_log$|nextval|currval|sleep|privilege|pg_|env|stats|user|schema|database|catalog/.test(
        name,
      ),
    )
    expect(reaching.length).toBeGreaterThan(40)
    expect(reaching.filter(isFunctionAllowed)).toEqual([])
    const tables = (await functions("'table', 'table_macro', 'pragma'"))
      .map(([name]) => name)
      .filter(isTableFunctionAllowed)
    expect(tables.sort()).toEqual(['generate_series', 'json_each', 'json_tree', 'range', 'unnest'])
  })

  test('no view of the engine can be named', async () => {
    const views = await db.runAndReadAll('select schema_name, view_name from duckdb_views() where internal')
    expect(views.currentRowCount).toBeGreaterThan(40)
    for (const [schema, view] of views.getRows()) {
      expect((await refusal(`from ${schema}.${view}`)).code).toBe('LPA-QUERY-REFUSED')
      // Views of information_schema are not found without their schema.
      if (schema !== 'information_schema')
        expect((await refusal(`from ${view}`)).code).toBe('LPA-QUERY-REFUSED')
      else await expect(db.run(`from ${view}`)).rejects.toThrow(/does not exist/)
    }
  })
})
