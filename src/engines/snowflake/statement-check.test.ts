import { expect, test } from 'vitest'
import { assertOneSelect } from './statement-check.ts'

test.each([
  'select 1',
  'select 1;',
  'select 1; -- said',
  '((select 1) union (select 2))',
  'with recursive a (n) as (select 1 union all select n + 1 from a where n < 9) select * from a',
  'explain using text select * from core.course',
  'show tables in schema core',
  'describe table core.course',
  `select ';', '--', 'it''s', 'a\\'b; drop table x --' as text from course`,
  'select $$; drop table x$$ as text',
  'select 1 // of a kind; drop',
  `select system$clustering_information('core.fact_enrollment', '(course_key)')`,
  `select * from table(flatten(input => parse_json('[1]')))`,
  `select * from identifier('core.course')`,
  `select "insert", "delete" from course -- update`,
  'select course_key as call, update_time from course',
  'with a as (select course_key as call, "delete" from course) select "delete" as x from a',
])('takes %s', (sql) => {
  expect(() => assertOneSelect(sql)).not.toThrow()
})

test.each([
  ['', 'There is no statement'],
  ['-- nothing\n;', 'There is no statement'],
  ['delete from core.course', 'DELETE is not a SELECT'],
  ['(delete from core.course)', 'DELETE is not a SELECT'],
  ['insert into core.course select 1', 'INSERT'],
  ['merge into a using b on a.x = b.x when matched then delete', 'MERGE'],
  ['select 1; drop table core.course', 'more than one statement'],
  ['select 1 ->> drop table core.course', 'more than one statement'],
  ['show tables ->> select * from $1', 'more than one statement'],
  ['call drop_all()', 'CALL'],
  ['begin drop table core.course; end', 'more than one statement'],
  ['begin', 'BEGIN'],
  ['declare x int default 1', 'DECLARE'],
  [`execute immediate 'drop table core.course'`, 'EXECUTE'],
  [`execute immediate $$begin drop table core.course; end$$`, 'EXECUTE'],
  ['use role accountadmin', 'USE'],
  ['set x = 1', 'SET'],
  ['alter session set timezone = x', 'ALTER'],
  [`put 'file:///etc/passwd' @~`, 'PUT'],
  [`get @meta.staged_files 'file:///tmp/'`, 'GET'],
  ['remove @meta.staged_files', 'REMOVE'],
  ['undrop table core.course', 'UNDROP'],
  ['truncate table core.course', 'TRUNCATE'],
  ['commit', 'COMMIT'],
  ['list @~', 'LIST'],
  [`with p as procedure () returns text language sql as $$begin drop table x; end$$ call p()`, 'A procedure'],
  [`with p as /* a */ procedure /* b */ () returns text as 'x' call p()`, 'A procedure'],
  ['with a as (select 1) call core.p()', 'CALL'],
  ['with a as (select 1) call "P"()', 'CALL'],
  ['with a as (select 1 as x) insert into core.course select x from a', 'INSERT'],
  ['with a as (select 1 as x) /* a */ Delete from core.course', 'DELETE'],
  ['(with a as (select 1 as x) update core.course set y = 1)', 'UPDATE'],
  ['with a (x) as (select 1) merge into core.course using a on x = y when matched then delete', 'MERGE'],
  ['select meta.load_ids.nextval', 'A sequence'],
  ['select meta.load_ids."NEXTVAL"', 'A sequence'],
  ['select * from table(getnextval(meta.load_ids))', 'A sequence'],
  [`select system$cancel_all_queries(1)`, 'system$cancel_all_queries'],
  [`select SYSTEM$ABORT_SESSION(1)`, 'system$abort_session'],
  [`select "SYSTEM$ABORT_SESSION"(1)`, 'system$abort_session'],
  [`select identifier('system$abort_session')(1)`, 'whose name is a text'],
  [`select identifier ( $name ) (1)`, 'whose name is a text'],
])('refuses %s', (sql, what) => {
  expect(() => assertOneSelect(sql)).toThrow(what)
  expect(() => assertOneSelect(sql)).toThrow(expect.objectContaining({ code: 'LPA-QUERY-REFUSED' }))
})

// What hides a statement from a reader who reads strings and comments otherwise than Snowflake does.
test.each([
  [`select '\\'' ; drop table x --'`, 'more than one statement'],
  [`select 'a' // '\n; drop table x -- '`, 'more than one statement'],
  [`select $$'$$ ; drop table x --'`, 'more than one statement'],
  [`select '$$' ; drop table x --$$`, 'more than one statement'],
  [`select "'" ; drop table x -- '"`, 'more than one statement'],
  [`select 1 -- a\r; drop table x`, 'whose end is not clear'],
  [`select 1 /* /* */ ; drop table x -- */`, 'whose end is not clear'],
])('is not deceived by %j', (sql, what) => {
  expect(() => assertOneSelect(sql)).toThrow(what)
})

test.each([[`select 'a`], ['select "a'], ['select 1 /* a'], ['select $$a'], [`select 'a\\'`]])(
  'says of %s that it is no SQL',
  (sql) => {
    expect(() => assertOneSelect(sql)).toThrow(expect.objectContaining({ code: 'LPA-QUERY-SQL' }))
  },
)
