import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openDuckDB, quoteText } from '../duckdb.ts'
import { readMapping } from './mapping.ts'
import { namedColumns } from './named-columns.ts'
import { StageFolder } from './stage.test-support.ts'

// Of a table only what the mapping names is read, whatever else the file holds.

const folder = new StageFolder()
afterAll(() => folder[Symbol.dispose]())

let files = 0
async function staged(mapping: string, content: string | Buffer, name = 'csv') {
  files += 1
  const result = await folder.stage(`${files}.${name}`, content, mapping)
  const everything = await folder.everything(result)
  const [row] = await folder.rows<Record<string, unknown>>(result, '*')
  const [raw] = await folder.rows<{ payload: string }>(result, 'payload', 'raw.')
  return { row, payload: JSON.parse(raw?.payload ?? 'null'), everything, leftOut: result.leftOut, result }
}

const header = ['Id', 'who', 'Grade', 'Student Name', 'q1', 'q2', 'Course_Title']
const named = async (sql: string) => {
  const text = folder.write('names.sql', `-- entity: course\n${sql}`)
  return namedColumns(readMapping(text), header)
}

describe('the SELECT names', () => {
  test.each([
    ['what it gives', 'select id as course_id, grade as difficulty from source', ['Id', 'Grade']],
    [
      'in quotes, of a table, in a function',
      'select s."student name", upper(s.ID) from source s',
      ['Id', 'Student Name'],
    ],
    [
      'in every clause',
      "select 1 from source where q1 = 'x' group by grade having max(q2) > '1' order by who",
      ['who', 'Grade', 'q1', 'q2'],
    ],
    [
      'in a window',
      'select row_number() over (partition by q1 order by q2) from source qualify id > 1',
      ['Id', 'q1', 'q2'],
    ],
    [
      'in a CTE that takes all',
      'with a as (select *, upper(q1) as u from source) select id as course_id, u from a',
      ['Id', 'q1'],
    ],
    ['in a subquery', 'select 1 from source where id in (select who from source)', ['Id', 'who']],
    ['in a join', 'select 1 from source a join source b using (id)', ['Id']],
    [
      'in a lambda and in brackets',
      "select list_filter([q1], lambda x: x <> q2), source['grade'] from source",
      ['Grade', 'q1', 'q2'],
    ],
    [
      'for an UNPIVOT',
      'from (unpivot (select source_row, q1, q2 from source) on q1, q2 into name n value v) select n',
      ['q1', 'q2'],
    ],
    [
      'by another name',
      'select * rename (id as course_id) from (select id, who from source)',
      ['Id', 'who', 'Course_Title'],
    ],
    [
      'not what it leaves out',
      'with a as (select * exclude (who) from source) select id as course_id from a',
      ['Id'],
    ],
    ['of a final * what the entity has', 'select * from source', ['Course_Title']],
    ['not its own texts', "select 'grade' as q1, count(*) from source", []],
  ])('%s', async (_, sql, columns) => {
    expect(await named(sql)).toEqual(columns)
  })

  test.each([
    ['UNPIVOT of all', 'from (unpivot source on * into name n value v) select n'],
    ['columns by a pattern', "select columns('q.*') from source"],
    ['columns in a function', 'select greatest(*columns(*)) from source'],
    ['columns by number', 'select #1 as course_id from source'],
    ['columns renamed by their places', 'select a as course_id from source t(a, b)'],
    ['a CTE that does so', 'with t(a, b) as (select * from source) select a as course_id from t'],
    ['a natural join', 'select 1 from source a natural join source b'],
  ])('refused: %s', async (_, sql) => {
    await expect(named(sql)).rejects.toMatchObject({
      code: 'LPA-MAPPING-SQL',
      exit: 'config',
      message: expect.stringMatching(/: only columns that a mapping names are read\.$/),
      next: [expect.stringContaining('-- columns: a, b, c')],
    })
  })

  test('after -- columns it may take them as it likes', async () => {
    const { row, everything } = await staged(
      "-- entity: course\n-- columns: id, q1\nselect columns('id') as course_id, coalesce(*columns('q.')) as course_title from source",
      'id,q1,q2,name\n7,x,clear,clear\n',
    )
    expect(row).toMatchObject({ course_id: '7', course_title: 'x' })
    expect(everything).not.toContain('clear')
  })
})

const event = "select id as event_id, 'viewed' as event_type, day as occurred_at, who as learner_id"
const csv =
  'id,day,who,Student Name,Nachname,Matrikelnummer,comment,email\ne1,2026-01-01,w,clear-1,clear-2,clear-3,clear-4,clear@example.org\n'

describe('what is not named is not kept', () => {
  test.each([
    ['csv', csv],
    ['tsv', csv.replaceAll(',', '\t')],
  ])('of %s, and is told as left out', async (name, text) => {
    const { payload, everything, leftOut } = await staged(
      `-- entity: learning_event\n-- personal: who(learner)\n${event} from source`,
      text,
      name,
    )
    expect(Object.keys(payload)).toEqual(['id', 'day', 'who'])
    expect(everything).not.toContain('clear')
    expect(leftOut).toEqual(['Student Name', 'Nachname', 'Matrikelnummer', 'comment', 'email'])
  })

  test('but is counted only where there may be no header', async () => {
    const { leftOut } = await staged(
      `-- entity: course\n-- columns: id = $.c1\nselect id as course_id from source`,
      'Clear Zyqwd,Mathematics,c1\n1,2,3\n',
    )
    expect(leftOut).toEqual(['2 names, not shown: some look like values'])
  })

  test('of Parquet', async () => {
    const target = join(folder.path, 'made.parquet')
    const values =
      "select 'e1' as id, '2026-01-01' as day, 'w' as who, 'clear' as \"Student Name\", {'a': 'clear'} as box"
    await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
    await database.connection.run(`copy (${values}) to ${quoteText(target)} (format parquet)`)
    const { payload, everything, leftOut } = await staged(
      `-- entity: learning_event\n-- personal: who(learner)\n${event} from source`,
      readFileSync(target),
      'parquet',
    )
    expect(Object.keys(payload)).toEqual(['id', 'day', 'who'])
    expect(everything).not.toContain('clear')
    expect(leftOut).toEqual(['Student Name', 'box'])
  })

  test('-- keep and paths of payload add to it', async () => {
    const { payload, row, leftOut } = await staged(
      `-- entity: learning_event\n-- personal: who(learner)\n-- not-personal: comment\n-- keep: $.Comment\n${event}, payload ->> '$.x.y' as "attributes.y" from source`,
      'id,day,who,comment,email,x\ne1,2026-01-01,w,kept,clear@example.org,"{""y"":5,""z"":6}"\n',
    )
    expect(payload).toMatchObject({ comment: 'kept', x: { y: '5' } })
    expect(JSON.parse(String(row?.attributes))).toEqual({ y: '5' })
    expect(leftOut).toEqual(['email'])
  })
})

test('a number beyond all doubles is a mistake of the mapping, unless it gives source_row itself', async () => {
  const given = (more: string) =>
    staged(
      `-- entity: course\nselect ${more}id as course_id, 1e400 > 1 as "attributes.large" from source`,
      'id\nc1\n',
    )
  await expect(given('')).rejects.toMatchObject({ code: 'LPA-MAPPING-SQL', exit: 'config' })
  expect((await given('source_row, ')).result.batch.load.counts).toMatchObject({ mapped: 1 })
})

test('a table of 3,000 columns is read for the three that are named', async () => {
  const names = Array.from({ length: 3000 }, (_, n) => `c${n}`)
  const rows = Array.from({ length: 300 }, (_, row) => names.map((_, n) => `${row}-${n}`).join(','))
  const began = performance.now()
  const { result, leftOut } = await staged(
    `-- entity: course\nwith a as (select * from source) select source_row, c7 as course_id, c2999 as course_title from a where c1500 <> '0-1500'`,
    `${names.join(',')}\n${rows.join('\n')}\n`,
  )
  expect(performance.now() - began).toBeLessThan(30_000)
  expect(result.batch.load.counts).toMatchObject({ read: 300, mapped: 299, filtered: 1, rejected: 0 })
  const made = await folder.rows<{ course_id: string }>(result, 'course_id, course_title')
  expect(made[0]).toEqual({ course_id: '1-7', course_title: '1-2999' })
  expect(leftOut).toHaveLength(2997)
})
