import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openDuckDB, quoteText, readNumber } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import { packageRoot } from '../sql-files.ts'
import { StageFolder, type StageSettings } from './stage.test-support.ts'

const folder = new StageFolder()
afterAll(() => folder[Symbol.dispose]())

let files = 0
async function staged(mapping: string, content: string, settings: StageSettings & { name?: string } = {}) {
  files += 1
  const result = await folder.stage(`${files}.${settings.name ?? 'csv'}`, content, mapping, settings)
  return { ...result.batch.load, reasons: result.reasons, result }
}

async function refused(mapping: string, content: string): Promise<UserError> {
  const error: unknown = await staged(mapping, content).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(UserError)
  return error as UserError
}

const course = (select: string) => `-- entity: course\n-- not-personal: id, title\n${select}`
const csv = 'id,title\n1,one\n2,two\n3,three\n'

test.each([
  ['v1', false],
  ['v2', true],
] as const)('is written as Parquet of version %s', async (parquetVersion, isNewer) => {
  const lines = Array.from({ length: 3000 }, (_, n) => `C${n},Title ${n}`)
  const select = course('select id as course_id, title as course_title from source')
  const { result } = await staged(select, `id,title\n${lines.join('\n')}\n`, { parquetVersion })
  await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
  const files = result.batch.files.map(({ path }) => quoteText(path)).join(', ')
  const newer = `select count(*) from parquet_metadata([${files}]) where encodings like '%DELTA%' or encodings like '%SPLIT%'`
  expect((await readNumber(database.connection, newer)) > 0).toBe(isNewer)
})

describe('any SELECT over source', () => {
  test.each([
    ['plain', 'select id as course_id, title as course_title from source', 3],
    [
      'with a semicolon and comments',
      '/* a */ select id as course_id, -- the key\ntitle as course_title from source; -- all',
      3,
    ],
    ['that ends in a comment', 'select id as course_id, title as course_title from source -- all', 3],
    [
      'with CTEs',
      "with a as (select * from source), b as (select * from a where id <> '2') select source_row, id as course_id from b",
      2,
    ],
    [
      'a union',
      "select id as course_id from source where id = '1' union all select title from source where id = '2'",
      2,
    ],
    [
      'with a window',
      'select id as course_id, title as course_title from source qualify row_number() over (order by id) < 3',
      2,
    ],
    [
      'with grouping',
      'select min(source_row) as source_row, min(id) as course_id from source group by length(id)',
      1,
    ],
    [
      'with odd numbers in its tree',
      'select id as course_id, coalesce(title, \'\') as course_title, 9007199254740993 as "attributes.n" from source',
      3,
    ],
    ['everything from a subquery', 'select * from (select id as course_id, source_row from source)', 3],
    ['names in capitals', 'SELECT ID AS COURSE_ID, Title AS Course_Title FROM Source', 3],
    ['that filters everything', 'select id as course_id from source where false', 0],
  ])('%s', async (_, select, mapped) => {
    const { counts } = await staged(course(select), csv)
    expect(counts).toMatchObject({ read: 3, mapped, rejected: 0, filtered: 3 - mapped })
  })

  test('integers of the SELECT are exact', async () => {
    const { result } = await staged(
      course('select id as course_id, 9007199254740993 as "attributes.n" from source'),
      csv,
    )
    const [row] = await folder.rows<{ attributes: string }>(result, 'attributes')
    expect(row?.attributes).toBe('{"n":9007199254740993}')
  })

  test("a table's own columns payload and source_file are its own", async () => {
    const { result } = await staged(
      '-- entity: course\nselect payload as course_id, source_file as course_title, source_row as "attributes.row" from source',
      'payload,source_file\n{"a":1},f\n',
    )
    expect(await folder.rows(result, 'course_id, course_title, attributes')).toEqual([
      { course_id: '{"a":1}', course_title: 'f', attributes: '{"row":1}' },
    ])
  })
})

test('the example of JSON in README: a date that is none sends its record to quarantine', async () => {
  const mapping = readFileSync(join(packageRoot(), 'docs', 'examples', 'json-events.sql'), 'utf8')
  const [, example = '{}'] = /^-- title: .*?(\{.*\})$/m.exec(mapping) ?? []
  const records = [example, example.replace('12.01.', '31.02.').replace('e1', 'e2')]
  const { result, counts } = await staged(mapping, `${records.join('\n')}\n`)
  expect(counts).toMatchObject({ read: 2, mapped: 1, rejected: 1 })
  expect(
    await folder.rows(result, 'event_id, event_type, score, cast(occurred_at as varchar) as at'),
  ).toEqual([{ event_id: 'test:e1', event_type: 'submitted', score: 0.7, at: '2026-01-12 08:13:00' }])
  expect(result.reasons).toMatchObject([{ reason: 'occurred_at is missing or unreadable', count: 1 }])
})

describe('a mapping that cannot run says why', () => {
  test.each([
    ['no SQL', 'selec id from source', /^It is not one SELECT\. syntax error/],
    [
      'two statements',
      'select id as course_id from source; select 1',
      /^It is not one SELECT\. It has 2 statements\.$/,
    ],
    ['no SELECT', 'create table x as select id from source', /^It is not one SELECT\. Only SELECT/],
    [
      'an unknown column',
      'select nr as course_id from source',
      /^Its SELECT does not run over .*\d\.csv\. Binder Error: Referenced column "nr"/,
    ],
    [
      'an unknown table',
      'select 1 as course_id from sources',
      /^Its SELECT does not run over .*\d\.csv\. Catalog Error: Table with name sources/,
    ],
    [
      'a column that the entity has not',
      'select id as course_id, title from source',
      /^course has no column "title"\. Did you mean course_title\?$/,
    ],
    ['a missing column', 'select title as course_title from source', /^Its SELECT gives no course_id\.$/],
    [
      'grouping without source_row',
      'select min(id) as course_id from source group by title',
      /^Its SELECT does not run over .*\d\.csv\. Binder Error/,
    ],
    [
      'a source_row that is none',
      'select 17 as source_row, id as course_id from source',
      /^It gives rows a source_row that no record has\.$/,
    ],
    [
      'a source_row of null',
      'select null::bigint as source_row, id as course_id from source',
      /^It gives rows a source_row that no record has\.$/,
    ],
    [
      'a source_row of null in some rows only',
      'select id as course_id from (select * from source union all by name select null as id)',
      /^It gives rows a source_row that no record has\.$/,
    ],
    [
      'a row of its own that is no bad one',
      `select id as course_id, title as course_title from (select * from source union all by name select 'x' as id, 'y' as title)`,
      /^It gives rows a source_row that no record has\.$/,
    ],
  ])('%s', async (_, select, message) => {
    const error = await refused(course(select), csv)
    expect(error).toMatchObject({
      code: 'LPA-MAPPING-SQL',
      exit: 'config',
      where: join(folder.path, `${files}.csv.sql`),
    })
    expect(error.message).toMatch(message)
    expect(error.next.length).toBeGreaterThan(0)
  })

  test('the columns that there are are named', async () => {
    const error = await refused(course('select nr as course_id from source'), csv)
    expect(error.next[0]).toBe('Columns of source: id, title')
    const json = '{"nr":"1"}\n'
    const nothing = await refused(course('select nr as course_id from source'), json)
    expect(nothing).toMatchObject({ code: 'LPA-MAPPING-SQL', exit: 'config' })
    expect(nothing.next).toEqual([expect.stringContaining('-- columns: name = $.path'), 'In the records: nr'])
    const kept = await refused(`-- keep: $.nr\n${course('select nr as course_id from source')}`, json)
    expect(kept.next[0]).toMatch(/^Columns of source: none\. .* -- columns: name = \$\.path/)
  })

  test('a first record in the place of a header is not quoted', async () => {
    for (const select of ['Janet', 's.jane', '"Jane Zyqwe"', '"Jane Zyqwd" + interval 1 day']) {
      const error = await refused(
        course(`select ${select} as course_id from source s`),
        'Jane Zyqwd,Mathematics\n1,2\n',
      )
      expect(error.code).toBe('LPA-MAPPING-SQL')
      const said = [error.message, ...error.next].join('\n').replaceAll(select, '')
      expect(said).not.toMatch(/Zyqwd|Mathematics/)
      // What --verbose shows.
      expect((error as { cause?: unknown }).cause).toBeUndefined()
    }
    const missing = await refused(
      `-- personal: who(learner)\n${course('select 1 as course_id from source')}`,
      'Jane Zyqwd,Mathematics\n1,2\n',
    )
    expect(missing.next[0]).toMatch(/^Its columns: not shown/)
  })

  test('the columns of the mapping are named whatever they are called', async () => {
    const text = `-- columns: xq = $.a, "Zed Zed" = $.b\n${course('select nr as course_id from source')}`
    expect((await refused(text, '{"a":1}\n')).next[0]).toBe('Columns of source: xq, Zed Zed')
  })

  test('a value that the SELECT cannot take is found by its line and not quoted', async () => {
    const rows = Array.from({ length: 5000 }, (_, n) => (n === 3456 ? '"SECRET\nvalue",x' : `${n},x`)).join(
      '\n',
    )
    const error = await refused(
      course('select id::integer::varchar as course_id from source'),
      `id,title\n\n${rows}\nSECRET,y\n`,
    )
    expect(error).toMatchObject({ code: 'LPA-MAPPING-VALUE', exit: 'data' })
    expect(error.where).toMatch(/:3459$/)
    expect(`${error.message} ${error.next}`).not.toContain('SECRET')
    expect(error.message).toContain('(Conversion Error)')
  })
})

describe("a mapping's SQL reaches nothing but its file", () => {
  const secret = 'TOP-SECRET'
  const secretFile = join(folder.path, 'secret.csv')
  writeFileSync(secretFile, `${secret}\n`)
  // The folder in which stage two may read, as a setting tells it, and the way out of it.
  const inside = "(select value[2:-2] from duckdb_settings() where name = 'allowed_directories')"

  test.each([
    ['a file', `select content as course_id, 1 as source_row from read_text('${secretFile}')`],
    [
      'a file as CSV',
      `select column0 as course_id, 1 as source_row from read_csv('${secretFile}', header=false)`,
    ],
    ['a file by its name alone', `select *, 1 as source_row from '${secretFile}'`],
    [
      'a path that leads out of its folder',
      `select content as course_id, 1 as source_row from read_text((select ${inside} || '../secret.csv'))`,
    ],
    ['the names of files', `select file as course_id, 1 as source_row from glob('${folder.path}/*')`],
    [
      'another warehouse',
      `select 'x' as course_id, 1 as source_row from sqlite_scan('${folder.path}/catalog.sqlite', 'x')`,
    ],
    ['the network', "select content as course_id, 1 as source_row from read_text('https://example.org/')"],
    [
      'a table function by its name as a value',
      `select * from query('select content as course_id, 1 as source_row from read_text(''${secretFile}'')')`,
    ],
    ['a write', `copy (select 1) to '${join(folder.path, 'written.csv')}'`],
    [
      'a write behind a SELECT',
      `select id as course_id from source; copy (select 1) to '${join(folder.path, 'written.csv')}'`,
    ],
    ['a setting', 'set enable_external_access = true; select id as course_id from source'],
    ['another database', `attach '${join(folder.path, 'written.db')}'`],
    ['an extension', 'install httpfs; load httpfs; select id as course_id from source'],
    ['a closing bracket', 'select id as course_id from source), x as (select 1'],
    ['its own table', 'select id as course_id from source; drop view source'],
  ])('%s', async (_, select) => {
    const error = await refused(course(select), csv)
    expect(error.exit).toMatch(/^(config|data|notPermitted)$/)
    expect(`${error.message} ${error.next.join(' ')}`).not.toContain(secret)
    expect(() => readFileSync(join(folder.path, 'written.csv'))).toThrow('ENOENT')
  })

  test('the key', async () => {
    const { result } = await staged(
      course(`select id as course_id, coalesce(getvariable('lpa_inner')::varchar, 'no key') as course_title,
        (select count(*) from duckdb_variables())::varchar as "attributes.variables" from source`),
      csv,
    )
    const [row] = await folder.rows(result, 'course_title, attributes')
    expect(row).toEqual({ course_title: 'no key', attributes: '{"variables":"0"}' })
  })
})

describe('values', () => {
  const events = (select: string, more = '') =>
    `-- entity: learning_event\n-- personal: who(learner)\n${more}select id as event_id, 'viewed' as event_type, who as learner_id, ${select} from source`

  test.each([
    ['2026-01-12T08:13:22Z', '2026-01-12 08:13:22'],
    ['2026-01-12T08:13:22.123456Z', '2026-01-12 08:13:22.123456'],
    ['2026-01-12T08:13:22+02:00', '2026-01-12 06:13:22'],
    ['2026-01-12T08:13:22-0530', '2026-01-12 13:43:22'],
    ['2026-01-12T08:13Z', '2026-01-12 08:13:00'],
    ['2026-01-12 08:13+02', '2026-01-12 06:13:00'],
    ['2026-01-12 08:13', '2026-01-12 08:13:00'],
    ['2026-01-12', '2026-01-12 00:00:00'],
    [' 2026-01-12 08:13:22 ', '2026-01-12 08:13:22'],
    ['1900-01-01T00:00:00Z', '1900-01-01 00:00:00'],
    ['2038-01-19T03:14:08Z', '2038-01-19 03:14:08'],
    ['9998-12-30T00:00:00Z', '9998-12-30 00:00:00'],
    ['2024-02-29T23:59:59Z', '2024-02-29 23:59:59'],
    ['epoch', 'occurred_at:type'],
    ['infinity', 'occurred_at:type'],
    ['now', 'occurred_at:type'],
    ['2026-02-29T00:00:00Z', 'occurred_at:type'],
    ['2026-01-12T25:00:00Z', 'occurred_at:type'],
    ['12.01.2026', 'occurred_at:type'],
    ['1768205602', 'occurred_at:type'],
    ['1899-12-31T23:59:59Z', 'occurred_at:range'],
    ['9999-12-31T00:00:00Z', 'occurred_at:range'],
    ['0001-01-01', 'occurred_at:range'],
    ['', 'occurred_at:missing'],
  ])('the time %j', async (time, expected) => {
    const { result, reasons } = await staged(events('time as occurred_at'), `id,who,time\n1,w,"${time}"\n`)
    const [row] = await folder.rows<{ time: string }>(result, 'occurred_at::varchar as time')
    expect(row?.time ?? reasons[0]?.code).toBe(expected)
  })

  test.each([
    ['2026-01-31', '2026-01-31'],
    ['2026/1/5', '2026-01-05'],
    ['2026-01-31T23:30:00Z', '2026-01-31'],
    ['2026-01-31 xyz', '2026-01-31'],
    ['2026-01-31xyz', 'starts_on:type'],
    ['2026-02-30', 'starts_on:type'],
    ['31.01.2026', 'starts_on:type'],
    ['infinity', 'starts_on:type'],
    ['0203-01-01', 'starts_on:range'],
    ['', null],
  ])('the date %j', async (date, expected) => {
    const { result, reasons } = await staged(
      course('select id as course_id, title as starts_on from source'),
      `id,title\n1,"${date}"\n`,
    )
    const [row] = await folder.rows<{ date: string | null }>(result, 'starts_on::varchar as date')
    expect(row ? row.date : reasons[0]?.code).toBe(expected)
  })

  test.each([
    ['0.5', '0.5'],
    ['1e-3', '0.001'],
    ['1', '1.0'],
    ['-0.1', 'score:range'],
    ['1.1', 'score:range'],
    ['nan', 'score:range'],
    ['inf', 'score:range'],
    ['1e400', 'score:range'],
    ['0,5', 'score:type'],
    ['half', 'score:type'],
    ['', null],
  ])('the score %j', async (score, expected) => {
    const { result, reasons } = await staged(
      events('time as occurred_at, score'),
      `id,who,time,score\n1,w,2026-01-01,"${score}"\n`,
    )
    const [row] = await folder.rows<{ score: string | null }>(result, 'score::varchar as score')
    expect(row ? row.score : reasons[0]?.code).toBe(expected)
  })

  test.each([
    ['{"a":1}', '{"a":1}'],
    ['no JSON', 'attributes:type'],
    [`${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'json:depth'],
    ['{"a":{"b":1,"":2}}', 'attributes:name'],
    ['{"a":[{ "" : 2}]}', 'attributes:name'],
    ['{"a\\u0000b":1}', 'attributes:name'],
    ['{"\\\\\\u0000":1}', 'attributes:name'],
    ['{"a":"\\u0000","b":"","c\\"":1,"\\\\u0000":[""]}', '{"a":"\\u0000","b":"","c\\"":1,"\\\\u0000":[""]}'],
    ['', null],
  ])('attributes', async (attributes, expected) => {
    for (const more of ['', ', \'x\' as "attributes.more"']) {
      const { result, reasons } = await staged(
        course(`select id as course_id, nullif(title, '') as attributes${more} from source`),
        `id,title\n1,"${attributes.replaceAll('"', '""')}"\n`,
      )
      const [row] = await folder.rows<{ attributes: string | null }>(result, 'attributes')
      const whole =
        more === ''
          ? expected
          : expected?.startsWith('{')
            ? expected.replace(/}$/, ',"more":"x"}')
            : (expected ?? '{"more":"x"}')
      expect(row ? row.attributes : reasons[0]?.code).toBe(whole)
    }
  })

  test('attributes that a mapping takes out of a text inside a text', async () => {
    const deep = JSON.stringify(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)
    const { reasons } = await staged(
      course(`select id as course_id, cast(title as json) ->> '$' as attributes from source`),
      `id,title\n1,"${deep.replaceAll('"', '""')}"\n`,
    )
    expect(reasons[0]?.code).toBe('attributes:depth')
  })

  test.each([
    ['2026-01-05T10:00:00Z', '2026-01-05', undefined],
    ['2026-01-05T10:00:00Z', '2026-01-04', 'withdrawn_at:order'],
    // In Berlin the day before.
    ['2026-01-04T23:30:00Z', '2026-01-05', undefined],
    ['2026-01-05T23:30:00Z', '2026-01-05', 'withdrawn_at:order'],
  ])('enrolled %s, withdrawn %s', async (enrolled, withdrawn, expected) => {
    const { reasons } = await staged(
      `-- entity: enrollment\n-- personal: who(learner)\nselect who as learner_id, 'c' as course_id, enrolled as enrolled_at, withdrawn as withdrawn_at from source`,
      `who,enrolled,withdrawn\nw,${enrolled},${withdrawn}\n`,
      { timezone: 'Europe/Berlin' },
    )
    expect(reasons[0]?.code).toBe(expected)
  })

  test('an xAPI statement without a verb is rejected, not passed over', async () => {
    const statement = (verb: string) =>
      `{"id":"s","actor":{"mbox":"mailto:a@b.example"}${verb},"object":{"id":"http://x/1"},"timestamp":"2026-01-05T10:00:00Z"}\n`
    const { reasons, counts } = await folder
      .stage('statements.ndjson', `${statement(',"verb":{"id":"http://v/viewed"}')}${statement(',"verb":7')}`)
      .then(({ reasons, batch }) => ({ reasons, counts: batch.load.counts }))
    expect(counts).toMatchObject({ mapped: 1, rejected: 1, filtered: 0 })
    expect(reasons[0]?.code).toBe('event_type:missing')
  })

  test('a learner id that is no pseudonym is never stored', async () => {
    const { counts, reasons } = await staged(
      '-- entity: learner\n-- not-personal: id, title\nselect id as learner_id from source',
      csv,
    )
    expect(counts).toMatchObject({ mapped: 0, rejected: 3 })
    expect(reasons[0]).toMatchObject({ code: 'learner_id:clear', count: 3 })
    expect(reasons[0]?.reason).toContain('-- personal: COLUMN(learner)')
  })

  test.each([
    ['as they are', 'id as learner_id', '-- not-personal: id\n'],
    ['changed', "coalesce(nullif(s.id, ''), 'x') as learner_id", '-- not-personal: id\n'],
    [
      'beside others that are personal',
      'id as learner_id',
      '-- not-personal: id\n-- personal: mail(email)\n',
    ],
    ['changed, beside others', 'lower(id) as learner_id', '-- not-personal: id\n-- personal: mail(email)\n'],
  ])('ids that look like pseudonyms and are another’s are not stored: %s', async (_, select, header) => {
    const id = '0123456789abcdef'.repeat(4)
    const text = `id,mail\n${id},a@b.example\n`
    const { counts, reasons } = await staged(
      `-- entity: learner\n${header}select ${select} from source s`,
      text,
    )
    expect(counts).toMatchObject({ mapped: 0, rejected: 1 })
    expect(reasons[0]?.code).toBe('learner_id:clear')
    const declared = await staged(
      `-- entity: learner\n-- personal: id(learner), mail(email)\nselect ${select} from source s`,
      text,
    )
    expect(declared.counts).toMatchObject({ mapped: 1, rejected: 0 })
    expect(await folder.everything(declared.result)).not.toContain(id)
  })

  test('nor those that a star passes on', async () => {
    const star = 'select * exclude (mail, payload, source_file) from source'
    const text = `learner_id,mail\n${'0123456789abcdef'.repeat(4)},a@b.example\n`
    const open = await staged(
      `-- entity: learner\n-- not-personal: learner_id\n-- personal: mail(email)\n${star}`,
      text,
    )
    expect(open.reasons[0]?.code).toBe('learner_id:clear')
    const declared = `-- entity: learner\n-- personal: learner_id(learner), mail(email)\n${star}`
    expect((await staged(declared, text)).counts).toMatchObject({ mapped: 1 })
  })

  test('texts that mean null', async () => {
    const { result } = await staged(
      '-- entity: course\n-- nulls: ?, NA, "a, b"\nselect id as course_id, title as course_title from source',
      'id,title\n1,?\n2,NA\n3,"a, b"\n4,N\n5,\n',
    )
    expect(await folder.rows(result, 'course_title')).toEqual(
      [null, null, null, 'N', null].map((course_title) => ({ course_title })),
    )
  })
})

describe('times without a zone, and days, are the warehouse’s', () => {
  const mapping = `-- entity: learning_event
-- personal: who(learner)
select id as event_id, 'viewed' as event_type, who as learner_id, time as occurred_at from source`

  test.each([
    ['Europe/Paris', '2026-01-12 00:30:00', '2026-01-11 23:30:00', 20260112],
    ['Europe/Paris', '2026-01-11T23:30:00Z', '2026-01-11 23:30:00', 20260112],
    ['Europe/Paris', '2026-07-01 00:30:00', '2026-06-30 22:30:00', 20260701],
    // 02:30 does not exist on this day: an hour is skipped.
    ['Europe/Paris', '2026-03-29 02:30:00', '2026-03-29 01:30:00', 20260329],
    // 02:30 exists twice on this one: the second, in winter time.
    ['Europe/Paris', '2026-10-25 02:30:00', '2026-10-25 01:30:00', 20261025],
    ['America/Los_Angeles', '2026-01-12T05:00:00Z', '2026-01-12 05:00:00', 20260111],
    ['Pacific/Kiritimati', '2026-01-12T12:00:00Z', '2026-01-12 12:00:00', 20260113],
    ['Asia/Kathmandu', '2026-01-12', '2026-01-11 18:15:00', 20260112],
    ['UTC', '2026-01-12', '2026-01-12 00:00:00', 20260112],
  ])('%s, %s', async (timezone, time, at, dateKey) => {
    const { result } = await staged(mapping, `id,who,time\n1,w,${time}\n`, { timezone })
    expect(await folder.rows(result, 'occurred_at::varchar as at, date_key')).toEqual([
      { at, date_key: dateKey },
    ])
  })
})

describe('identity', () => {
  const mapping = (id: string) => `-- entity: learning_event
-- personal: who(learner)
select ${id} as event_id, 'viewed' as event_type, who as learner_id, time as occurred_at, course as course_id from source`
  const one = 'id,who,time,course\n7,w,2026-01-01,C1\n'

  test('an id belongs to its id space, a UUID to all', async () => {
    const uuid = '0190a7c2-5a5b-7cc0-8c7e-2f5d8c1b9a10'
    const keys = async (idSpace: string, id: string) => {
      const { result } = await staged(mapping(`'${id}'`), one, { idSpace })
      return (await folder.rows<Record<string, unknown>>(result, 'event_id, learner_id, course_key'))[0]
    }
    const [moodle, again, canvas] = [
      await keys('moodle', '7'),
      await keys('moodle', '7'),
      await keys('canvas', '7'),
    ]
    expect(moodle).toEqual(again)
    expect(moodle?.event_id).toBe('moodle:7')
    expect(canvas?.event_id).toBe('canvas:7')
    expect(canvas?.learner_id).not.toBe(moodle?.learner_id)
    expect(canvas?.course_key).not.toBe(moodle?.course_key)
    expect((await keys('moodle', uuid))?.event_id).toBe(uuid)
  })

  test('events without an id are told apart by their place; equal ones all count', async () => {
    const { result, counts } = await staged(mapping('null'), `${one}7,w,2026-01-01,C1\n7,w,2026-01-01,C1\n`)
    expect(counts).toMatchObject({ mapped: 3, doubled: 0 })
    const ids = (await folder.rows<{ event_id: string }>(result, 'event_id')).map(({ event_id }) => event_id)
    expect(ids.map((id) => id.replace(/^\w+:[0-9a-f]{16}/, ''))).toEqual([':1', ':2', ':3'])
  })

  test('an id that stands again on the same day is a double, on another day it is another event', async () => {
    const { counts, result } = await staged(
      mapping('id'),
      `${one}7,w,2026-01-01,C1\n7,w,2026-01-02,C1\n8,w,2026-01-01,C1\n`,
    )
    expect(counts).toMatchObject({ read: 4, mapped: 3, doubled: 1 })
    expect(await folder.rows(result, 'position')).toEqual([1, 3, 4].map((position) => ({ position })))
  })
})

describe('several rows of one record', () => {
  const lines = [
    '{"id":"a","parts":[1,2],"who":"w"}',
    '{"id":"b","parts":[3],"who":"w"}',
    '{"id":"a","parts":[2,4],"who":"w"}',
    '{"id":"c","parts":[],"who":"w"}',
    '{"id":"a","parts":[2],"who":"w"}',
  ]
  const mapping = (id: string, score = 'null') => `-- entity: learning_event
-- columns: id, parts json, who
-- personal: who(learner)
select source_row, ${id} as event_id, 'viewed' as event_type, who as learner_id, '2026-01-01' as occurred_at, ${score} as score
from (select *, unnest(cast(parts as integer[])) as part from source)`
  const text = `${lines.join('\n')}\n`

  test('every row is an event; a double leaves the others of its record', async () => {
    const { counts, entities, result } = await staged(mapping("id || '/' || part"), text, { name: 'ndjson' })
    // a/1 a/2 | b/3 | (a/2) a/4 | nothing | (a/2)
    expect(counts).toEqual({ read: 5, mapped: 3, rejected: 0, filtered: 1, doubled: 1 })
    expect(entities).toEqual({ learning_event: 4 })
    const ids = await folder.rows<{ event_id: string }>(result, 'event_id')
    expect(ids.map(({ event_id }) => event_id).sort()).toEqual([
      'test:a/1',
      'test:a/2',
      'test:a/4',
      'test:b/3',
    ])
  })

  test('a fault in one of its rows rejects the record', async () => {
    const { counts } = await staged(mapping("id || '/' || part", 'case when part = 4 then 9 end'), text, {
      name: 'ndjson',
    })
    expect(counts).toEqual({ read: 5, mapped: 2, rejected: 1, filtered: 1, doubled: 1 })
  })

  test.each(['id', 'null'])('rows of one record need ids of their own: %s', async (id) => {
    files += 1
    const staging = folder.stage(`${files}.ndjson`, text, mapping(id))
    await expect(staging).rejects.toMatchObject({
      code: 'LPA-MAPPING-SQL',
      message: 'It makes several events of one record that have the same id.',
    })
  })
})

describe('a delta export', () => {
  const delta = (more = '') => `-- entity: enrollment
-- export: delta
-- personal: who(learner)
select id as enrollment_id, who as learner_id, course as course_id, day as enrolled_at, gone as deleted${more} from source`
  const rows = (...lines: string[]) => `id,who,course,day,gone\n${lines.join('\n')}\n`

  test('of what is deleted only its id counts; of the rest everything', async () => {
    const { counts, reasons, entities, result } = await staged(
      delta(),
      rows(
        '1,ana,CS1,2026-01-01,',
        '2,,,,true',
        ',ana,CS1,2026-01-01,true',
        '4,ana,,2026-01-01,false',
        ',,CS1,,true',
      ),
    )
    expect(counts).toMatchObject({ read: 5, mapped: 3, rejected: 2 })
    expect(entities).toEqual({ enrollment: 3 })
    expect(reasons.map(({ code }) => code).sort()).toEqual(['course_id:missing', 'enrollment_id:missing'])
    expect(result.batch.files.map(({ table, rows }) => [table, rows])).toEqual([
      ['staging.stg_enrollment', 1],
      ['staging.stg_deletion', 2],
      ['raw.rejected_rows', 2],
    ])
  })

  test('rows that tell no time of change are counted, deletions too', async () => {
    const lines = ['1,ana,CS1,2026-01-01,', '2,ben,CS1,2026-01-02,', '3,,,,true']
    const changed = "case id when '1' then '2026-02-01' end"
    expect((await staged(delta(), rows(...lines))).result.undated).toBe(3)
    expect((await staged(delta(`, ${changed} as effective_at`), rows(...lines))).result.undated).toBe(2)
    const whole = delta(', day as effective_at').replace('delta', 'snapshot').replace(', gone as deleted', '')
    expect((await staged(whole, rows(lines[0] ?? ''))).result.undated).toBe(0)
  })

  test('deleted is true, false or nothing', async () => {
    const { reasons } = await staged(delta(), rows('1,ana,CS1,2026-01-01,perhaps', '2,,,,true'))
    expect(reasons).toMatchObject([{ code: 'deleted:type', count: 1 }])
  })

  test('a file of deletions alone needs no other column', async () => {
    const { counts } = await staged(
      '-- entity: enrollment\n-- export: delta\n-- not-personal: id\nselect id as enrollment_id, true as deleted from source',
      'id\n1\n2\n',
    )
    expect(counts).toMatchObject({ read: 2, mapped: 2, rejected: 0 })
  })

  test('other exports delete nothing', async () => {
    const error = await refused(course('select id as course_id, true as deleted from source'), csv)
    expect(error.message).toBe('It says of records that they are deleted, which only a delta export can.')
  })
})

test('a time that names its zone is refused, and shifts no other', async () => {
  const times = [
    '2026-03-01 10:00:00',
    '2026-03-01 10:00:00 Europe/Berlin',
    '2026-03-01 10:00:00',
    '2026-03-01 10:00:00 Etc/GMT+2',
    '2026-03-01',
    '2026-03-01 10:00:00 NZ',
    '2026-03-01T10:00:00+05:30',
    '2026-03-01T10:00Z',
  ]
  const { result, reasons } = await staged(
    `-- entity: learning_event\n-- personal: who(learner)
select id as event_id, 'viewed' as event_type, who as learner_id, day as occurred_at from source`,
    `id,who,day\n${times.map((time, n) => `${n},ana,${time}`).join('\n')}\n`,
  )
  expect(await folder.rows(result, 'position, occurred_at::varchar as at_time')).toEqual([
    { position: 1, at_time: '2026-03-01 10:00:00' },
    { position: 3, at_time: '2026-03-01 10:00:00' },
    { position: 5, at_time: '2026-03-01 00:00:00' },
    { position: 7, at_time: '2026-03-01 04:30:00' },
    { position: 8, at_time: '2026-03-01 10:00:00' },
  ])
  expect(reasons).toMatchObject([{ code: 'occurred_at:type', count: 3 }])
})

test('a first row that is no header is not quoted', async () => {
  const error = await refused(
    '-- entity: enrollment\n-- personal: who(learner)\nselect who as learner_id from source',
    'Jane Doe,12 Main Street,555-1234,2026-01-01\n',
  )
  expect(error.code).toBe('LPA-PERSONAL-MISSING')
  expect(JSON.stringify([error.message, error.next])).not.toMatch(/Jane|Main|555/)
})

describe('ids that are no texts', () => {
  const mapping = `-- entity: learning_event
-- columns: id, who, course
-- personal: who(learner)
select id as event_id, 'viewed' as event_type, who as learner_id, course as course_id, '2026-01-01' as occurred_at from source`

  test('objects and lists are rejected, braces and whole numbers are not', async () => {
    const records = [
      { id: { a: 1 }, who: 'w' },
      { id: 'b', who: { clear: 'clear' } },
      { id: 'c', who: ['clear'] },
      { id: 'd', who: 'w', course: [1] },
      { id: '{3F2504E0-4F89}', who: '{3F2504E0}', course: '[a' },
      { id: 6, who: 17, course: 101 },
    ]
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join('')
    const { counts, result } = await staged(mapping, text, { name: 'ndjson' })
    expect(counts).toMatchObject({ read: 6, mapped: 2, rejected: 4 })
    expect(result.reasons.map(({ code }) => code).sort()).toEqual([
      'course_id:nested',
      'event_id:nested',
      'learner_id:missing',
    ])
    expect(await folder.rows(result, 'course_id')).toEqual([{ course_id: '[a' }, { course_id: '101' }])
  })
})

test('the line sep= of Excel is refused in clear words', async () => {
  for (const text of ['sep=;\nid;title\n1;x\n', 'SEP=,\r\nid,title\r\n1,x\r\n']) {
    const error = await refused(course('select id as course_id from source'), text)
    expect(error.message).toBe('Its first line, sep=, is one for Excel: no other reader takes it.')
  }
})

test('an e-mail address in the name of a file is kept nowhere', async () => {
  const result = await folder.stage(
    'jane.doe@example.org.csv',
    'id,title\n1,x\n,y\n',
    '-- entity: course\nselect id as course_id, title as course_title from source',
  )
  expect(result.batch.load.uri).toMatch(/\/\*\*\*@\*\*\*\.csv$/)
  expect(result.reasons[0]?.first).toMatch(/\/\*\*\*@\*\*\*\.csv:3$/)
  expect(await folder.everything(result)).not.toContain('jane')
})
