import { execFileSync, spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureExtensions } from '../src/engines/duckdb/extensions.ts'
import type { UserError } from '../src/errors.ts'
import type { LoadedFile } from '../src/pipeline/load.ts'
import { TryWarehouse } from './try-warehouse.ts'

// Every row of the zoo: what is well-formed is loaded as it stands, and what is not ends with an exit code, a place and
// a reason, and leaves the warehouse as it was. No message quotes a value of the file.

let warehouse: TryWarehouse

beforeAll(async () => {
  warehouse = await TryWarehouse.create('[load]\nmax_rejects = "90%"\n')
})
afterAll(() => warehouse[Symbol.dispose]())

/** A value that would be recognised in a message. */
const SECRET = 'Zyxwv'

let files = 0
/** A file of its own for each case, so that no content was loaded before. */
function file(extension: string, content: string | Buffer): string {
  files += 1
  return warehouse.write(`zoo/${files}/zoo.${extension}`, content)
}

const mapping = `-- entity: course
-- not-personal: id, value
select id as course_id, value as course_title from source`

/** What a file loads as, by a mapping of two columns. */
async function loaded(path: string, text = mapping) {
  // A source of its own for each: the same content is loaded once a source.
  return stored(
    await warehouse.load(path, { mappings: [warehouse.write('zoo.sql', text)], source: `zoo-${files}` }),
  )
}

/** What a load of one file left in the warehouse. */
function stored([file]: readonly LoadedFile[]) {
  const [mapped] = file?.mappings ?? []
  const mine = `load_id = ${mapped?.loadId ?? -1}`
  return warehouse.read(async (engine) => {
    const table = `staging.stg_${mapped?.entity}`
    const { rows } = await engine.query(
      `select ${mapped?.entity === 'course' ? 'course_id, course_title' : '*'} from ${table} where ${mine} order by position`,
    )
    const rejects = await engine.query(
      `select cast(regexp_extract(position, '\\d+$') as integer) as line, reason_code
       from raw.rejected_rows where ${mine} order by line, reason_code`,
    )
    return { counts: mapped?.counts, rows, rejects: rejects.rows.map(([line, code]) => `${line} ${code}`) }
  })
}

/** The error of a file that cannot be loaded; its message quotes nothing of it. */
async function refused(path: string, text = mapping): Promise<UserError> {
  const mappings = text === '' ? [] : [warehouse.write('zoo.sql', text)]
  const error = await warehouse.failure(path, { mappings })
  const said = [error.message, error.where, ...error.next, String(error.cause)].join('\n')
  expect(said).not.toContain(SECRET)
  return error
}

const rows = [
  ['1', 'one'],
  ['2', 'two'],
]

describe('CSV that is well-formed', () => {
  test.each([
    ['plain', 'id,value\n1,one\n2,two\n'],
    ['no final line end', 'id,value\n1,one\n2,two'],
    ['a byte order mark', '\ufeffid,value\n1,one\n2,two\n'],
    ['CRLF', 'id,value\r\n1,one\r\n2,two\r\n'],
    ['CR only', 'id,value\r1,one\r2,two\r'],
    ['mixed line ends', 'id,value\n1,one\r\n2,two\n'],
    ['CR and LF mixed', 'id,value\r1,one\n2,two\r'],
    ['blank lines', '\n\nid,value\n\n1,one\n\n\n2,two\n\n'],
    ['blank lines and CRLF', 'id,value\r\n\r\n1,one\r\n2,two\r\n\r\n'],
    ['semicolons', 'id;value\n1;one\n2;two\n'],
    ['tabs', 'id\tvalue\n1\tone\n2\ttwo\n'],
    ['pipes', 'id|value\n1|one\n2|two\n'],
    ['columns in another order', 'value,id\none,1\ntwo,2\n'],
    ['a column more', 'id,more,value\n1,x,one\n2,y,two\n'],
    ['quotes everywhere', '"id","value"\n"1","one"\n"2","two"\n'],
    ['a header with blanks around', ' id , value \n1,one\n2,two\n'],
    ['a header in capitals', 'ID,Value\n1,one\n2,two\n'],
    ['a column without a name', 'id,,value\n1,x,one\n2,y,two\n'],
  ])('%s', async (_, text) => {
    const result = await loaded(file('csv', text))
    expect(result.rows).toEqual(rows)
    expect(result.counts).toMatchObject({ read: 2, mapped: 2, rejected: 0 })
  })

  test('values are kept to the byte', async () => {
    const values = [
      'two\nlines',
      'cr\rlf\r\n',
      'q""q'.replaceAll('""', '"'),
      ' around ',
      'é日本😀',
      'a\u0000b',
      '\u2028',
      "it's",
      '=1+1',
      'x'.repeat(5_000_000),
    ]
    const text = values.map((value, index) => `${index},"${value.replaceAll('"', '""')}"\n`).join('')
    const result = await loaded(file('csv', `id,value\n${text}`))
    expect(result.rows).toEqual(values.map((value, index) => [String(index), value]))
  })

  test('a quote in the middle of a field is a letter', async () => {
    const result = await loaded(file('csv', 'id,value\n1,5" disk\n2,a "b" c\n'))
    expect(result.rows).toEqual([
      ['1', '5" disk'],
      ['2', 'a "b" c'],
    ])
  })

  test('a header alone is a load of nothing', async () => {
    for (const text of ['id,value\n', 'id,value']) {
      expect((await loaded(file('csv', text))).counts).toMatchObject({ read: 0, mapped: 0 })
    }
  })

  test('without a header line, columns have numbers', async () => {
    const text = `-- entity: course\n-- header: none\n-- not-personal: column0, column1
select column0 as course_id, column1 as course_title from source`
    expect((await loaded(file('csv', '1,one\n2,two\n'), text)).rows).toEqual(rows)
  })

  test('one column, with blank lines', async () => {
    const text = '-- entity: course\nselect id as course_id from source'
    const result = await loaded(file('csv', 'id\n1\n\n2\n\n'), text)
    expect(result.rows).toEqual([
      ['1', null],
      ['2', null],
    ])
    expect(result.counts).toMatchObject({ read: 2, mapped: 2 })
  })

  test('a column is never found by its place', async () => {
    const error = await refused(file('csv', `id,renamed\n1,${SECRET}\n`))
    expect(error).toMatchObject({ code: 'LPA-MAPPING-SQL', exit: 'config' })
    expect(error.next.join('\n')).toContain('renamed')
  })

  test('a column that may be absent is empty then', async () => {
    const text = `-- entity: course\n-- columns: id, value\nselect id as course_id, value as course_title from source`
    expect((await loaded(file('csv', 'id,other\n1,one\n'), text)).rows).toEqual([['1', null]])
  })
})

describe('CSV rows that cannot be read are quarantined, each with its line', () => {
  test.each([
    ['too few values', 'id,value\n1,one\n7\n2,two\n', ['3 csv:missing-columns']],
    ['too many values', 'id,value\n1,one\n7,x,y\n2,two\n', ['3 csv:too-many-columns']],
    ['a line of blanks', 'id,value\n1,one\n  \n2,two\n', ['3 csv:missing-columns']],
    ['a value that goes on after its quote', 'id,value\n1,one\n"7"x,y\n2,two\n', ['3 csv:quote']],
    [
      'bytes that are not UTF-8',
      Buffer.from('id,value\n1,one\n7,\xff\n2,two\n', 'latin1'),
      ['3 record:encoding'],
    ],
    [
      'behind quoted line feeds and blank lines',
      'id,value\n\n1,"one"\n\n7\n"8\n8",x,y\n\n2,two\n9\n',
      ['5 csv:missing-columns', '6 csv:too-many-columns', '10 csv:missing-columns'],
    ],
  ])('%s', async (_, text, rejects) => {
    const result = await loaded(file('csv', text))
    expect(result.rows).toEqual(rows)
    expect(result.rejects).toEqual(rejects)
    expect(result.counts).toMatchObject({ read: 2 + rejects.length, mapped: 2, rejected: rejects.length })
  })

  test.each([9, 40])('a record of %i MB', async (megabytes) => {
    const long = 'x'.repeat(megabytes << 20)
    const result = await loaded(file('csv', `id,value\n1,one\n7,"${long}"\n2,two\n`))
    expect(result.rows).toEqual(rows)
    expect(result.rejects).toEqual(['3 record:too-long'])
  })
})

describe('CSV that nobody can read is refused', () => {
  test.each([
    ['empty', 'csv', '', 'LPA-INPUT-UNREADABLE', 'zoo.csv', 'It is empty.'],
    ['blank lines only', 'csv', '\n\r\n  \n', 'LPA-INPUT-UNREADABLE', 'zoo.csv', 'It is empty.'],
    [
      'a quote that is never closed',
      'csv',
      `id,value\n1,one\n2,"${SECRET}\n3,x\n`,
      'LPA-INPUT-BROKEN',
      'zoo.csv:3',
      'There is a quote that is never closed.',
    ],
    [
      'a name twice in the header',
      'csv',
      `id,value,id\n1,${SECRET},2\n`,
      'LPA-INPUT-UNREADABLE',
      'zoo.csv:1',
      'Columns 1 and 3 have the same name in the header.',
    ],
    [
      'a name twice but for its case',
      'csv',
      'id,value,ID\n1,x,2\n',
      'LPA-INPUT-UNREADABLE',
      'zoo.csv:1',
      'Columns 1 and 3 have the same name in the header.',
    ],
    [
      'a NUL in the header',
      'csv',
      `id,va\0lue\n1,${SECRET}\n`,
      'LPA-INPUT-UNREADABLE',
      'zoo.csv:1',
      'The name of column 2 has a NUL byte.',
    ],
    [
      'UTF-16, little end first',
      'csv',
      Buffer.from('\ufeffid,value\n1,one\n', 'utf16le'),
      'LPA-INPUT-UNREADABLE',
      'zoo.csv',
      'It is UTF-16.',
    ],
    [
      'UTF-16, big end first',
      'csv',
      Buffer.from('\ufeffid,value\n1,one\n', 'utf16le').swap16(),
      'LPA-INPUT-UNREADABLE',
      'zoo.csv',
      'It is UTF-16.',
    ],
    [
      'UTF-16 without a mark',
      'csv',
      Buffer.from('id,value\n1,one\n', 'utf16le'),
      'LPA-INPUT-UNREADABLE',
      'zoo.csv',
      'It is UTF-16.',
    ],
    [
      'a header that is not UTF-8',
      'csv',
      Buffer.from('id,value,Gebühr\n1,one,2\n', 'latin1'),
      'LPA-INPUT-UNREADABLE',
      'zoo.csv:1',
      'Its header is not UTF-8.',
    ],
    [
      'rows that are not UTF-8 and too short',
      'csv',
      Buffer.from(`a,b,c,d,id,value,e,f,g,h\n${'1,Jürgen,Müller,ü,1,ü,3\n'.repeat(300)}`, 'latin1'),
      'LPA-INPUT-BROKEN',
      'zoo.csv',
      'Its rows are not UTF-8, or have fewer values than the header.',
    ],
    [
      'a zip archive by another name',
      'csv',
      Buffer.from('504b030414000000', 'hex'),
      'LPA-INPUT-UNREADABLE',
      'zoo.csv',
      'It is a zip archive.',
    ],
    [
      'a zip archive that is cut off',
      'zip',
      Buffer.from('504b030414000000', 'hex'),
      'LPA-INPUT-ZIP',
      'zoo.zip',
      'The archive is cut off or damaged.',
    ],
    [
      "a name that is lpa's own",
      'csv',
      'id,source_row\n1,2\n',
      'LPA-INPUT-UNREADABLE',
      'zoo.csv:1',
      "The name of column source_row is lpa's own.",
    ],
  ])('%s', async (_, extension, content, code, where, message) => {
    const error = await refused(file(extension, content))
    expect(error).toMatchObject({ code, exit: 'data', message })
    expect(error.where).toMatch(new RegExp(`${where.replace('.', '\\.')}$`))
    if (message.includes('UTF-8'))
      expect(error.next.join()).toMatch(/iconv -f WINDOWS-1252 -t UTF-8 ".*zoo\.csv" > utf8\.csv$/)
  })

  test('rejects for their encoding or for the form of their dates: what to do is said', async () => {
    const latin = await refused(file('csv', Buffer.from(`id,value\n${'1,Köln\n'.repeat(9)}`, 'latin1')))
    expect(latin.next.join('\n')).toMatch(/iconv -f WINDOWS-1252 -t UTF-8 ".*zoo\.csv" > utf8\.csv/)
    const dated = '-- entity: course\nselect id as course_id, "from" as starts_on from source'
    const german = file('csv', 'id,from\n1,31.12.2026\n2,1.2.2026\n')
    const error = await refused(german, dated)
    expect(error).toMatchObject({ code: 'LPA-LOAD-REJECTS', where: expect.stringMatching(/zoo\.csv:2$/) })
    // The place is said once, by `where`; and a limit that lets everything go would load nothing.
    expect(error.message).toMatch(/^2 of 2 records are bad/)
    expect(error.next.join('\n')).toContain("try_strptime(COLUMN, '%d.%m.%Y')")
    expect(error.next.join('\n')).not.toContain('--max-rejects')
    const read = dated.replace('"from"', `try_strptime("from", '%d.%m.%Y')`)
    expect((await loaded(german, read)).counts).toMatchObject({ mapped: 2 })
  })

  test('a required value that the mapping could not read is not said to be missing only', async () => {
    const text = `-- entity: enrollment\n-- personal: who(learner)
select who as learner_id, id as course_id, try_strptime("from", '%d.%m.%Y') as enrolled_at, 'active' as status from source`
    const error = await refused(file('csv', 'id,who,from\n1,x,31.02.2026\n'), text)
    expect(error.next[0]).toContain('enrolled_at is missing or unreadable')
  })

  test('a file that fits no mapping is told by its columns, unless they look like values', async () => {
    const named = await refused(file('csv', 'who,when\n1,2\n'), '')
    expect(named).toMatchObject({ code: 'LPA-LOAD-UNRECOGNISED', exit: 'data' })
    expect(named.next[0]).toBe('Its columns: who, when')
    const headerless = await refused(file('csv', `${SECRET},ada@example.org,2026-01-01\n`), '')
    expect(headerless.next.join('\n')).not.toMatch(/ada|2026/)
    expect(headerless.next.join('\n')).toContain('-- header: none')
  })
})

// ── JSON ──────────────────────────────────────────────────────────────────────────────────────────────────

const jsonMapping = `-- entity: course
-- columns: id, value, kept json, number number
-- personal: learner(learner), $.actor.mbox(email)
-- not-personal: id, value, number
select id as course_id, value as course_title, kept as attributes from source`

const good = (id: string) => `{"id":"${id}","value":"v${id}"}`

describe('JSON lines that are well-formed', () => {
  test.each([
    ['plain', `${good('1')}\n${good('2')}\n`],
    ['no final line end', `${good('1')}\n${good('2')}`],
    ['a byte order mark', `\ufeff${good('1')}\n${good('2')}\n`],
    ['CRLF', `${good('1')}\r\n${good('2')}\r\n`],
    ['blank lines', `\n${good('1')}\n\n \t\n\f\n${good('2')}\n\r\n`],
    ['blanks around', `  ${good('1')} \n\t${good('2')}\t\n`],
    ['an array', `[${good('1')},${good('2')}]`],
    ['an array over lines', `[\n ${good('1')}\n,\n\n${good('2')}\n]\n`],
    ['an array of one line each', `[${good('1')},\r\n${good('2')}]\r\n`],
  ])('%s', async (_, text) => {
    const result = await loaded(file('json', text), jsonMapping)
    expect(result.rows).toEqual([
      ['1', 'v1'],
      ['2', 'v2'],
    ])
    expect(result.counts).toMatchObject({ read: 2, mapped: 2, rejected: 0 })
  })

  test('an empty array is a load of nothing', async () => {
    expect((await loaded(file('json', '[]'), jsonMapping)).counts).toMatchObject({ read: 0, mapped: 0 })
  })

  test('numbers and texts are kept to the digit', async () => {
    const values: [json: string, text: string][] = [
      ['9007199254740993', '9007199254740993'],
      ['123456789012345678901234567890', '123456789012345678901234567890'],
      ['-0.5', '-0.5'],
      ['1e400', '1e400'],
      ['true', 'true'],
      [String.raw`"\ud83d\ude00 \u0041\n\u0000"`, '😀 A\n\u0000'],
      ['{"a":[1,9007199254740993]}', '{"a":[1,9007199254740993]}'],
    ]
    const text = values.map(([json], index) => `{"id":${index},"value":${json}}\n`).join('')
    const result = await loaded(file('ndjson', text), jsonMapping)
    expect(result.rows).toEqual(values.map(([, value], index) => [String(index), value]))
  })

  test('keys such as __proto__ are keys', async () => {
    const text = `-- entity: course
-- columns: id, proto = $.__proto__.constructor, last = $.constructor
select id as course_id, proto || last as course_title from source`
    const line = '{"id":"1","__proto__":{"constructor":"a"},"constructor":"b","toString":{}}\n'
    expect((await loaded(file('ndjson', line), text)).rows).toEqual([['1', 'ab']])
  })

  test('of a key that stands twice the first counts', async () => {
    const result = await loaded(file('ndjson', '{"id":"1","value":"first","value":"second"}\n'), jsonMapping)
    expect(result.rows).toEqual([['1', 'first']])
  })
})

describe('JSON records that cannot be read are quarantined, each with its line', () => {
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  test.each([
    ['cut off, behind a good one', '{"id":"7","val', 'json:malformed'],
    ['two records', `${good('7')} ${good('8')}`, 'json:malformed'],
    ['a number', '17', 'json:malformed'],
    ['a text', `"${SECRET}"`, 'json:malformed'],
    ['null', 'null', 'json:malformed'],
    ['an array', `[${good('7')}]`, 'json:malformed'],
    ['single quotes', "{'id':'7'}", 'json:malformed'],
    ['half a surrogate pair', String.raw`{"id":"7","value":"\ud800"}`, 'json:malformed'],
    [
      'half a surrogate pair in what is kept',
      String.raw`{"id":"7","kept":{"a":"\udc00x"}}`,
      'json:malformed',
    ],
    ['a zero byte', '{"id":"7\u0000"}', 'json:malformed'],
    ['no JSON', 'id=7', 'json:malformed'],
    ['10,000 levels', `{"id":"7","kept":${nested(10_000)}}`, 'json:depth'],
    ['65 levels', `{"id":"7","kept":${'['.repeat(65)}${']'.repeat(65)}}`, 'json:depth'],
    ['100,000 levels in a text', `{"id":"7","value":${JSON.stringify(nested(100_000))}}`, 'json:depth'],
    ['65 levels in a text that is kept', `{"id":"7","kept":${JSON.stringify(nested(65))}}`, 'json:depth'],
    ['NaN', '{"id":"7","kept":{"a":NaN}}', 'json:not-a-number'],
    ['NaN for an id', '{"id":NaN,"value":"v"}', 'json:not-a-number'],
    ['NaN for a person', '{"id":"7","learner":NaN}', 'json:not-a-number'],
    ['-Infinity', '{"id":"7","kept":[-Infinity]}', 'json:not-a-number'],
    ['a personal key twice', `{"id":"7","learner":"${SECRET}1","learner":"${SECRET}2"}`, 'json:double-key'],
    [
      'an object of a person twice',
      `{"id":"7","actor":{"mbox":"${SECRET}1"},"actor":{"mbox":"${SECRET}2"}}`,
      'json:double-key',
    ],
    ['bytes that are not UTF-8', Buffer.from('{"id":"7","value":"\xff"}', 'latin1'), 'record:encoding'],
    ['a record of 9 MB', `{"id":"7","value":"${'x'.repeat(9 << 20)}"}`, 'record:too-long'],
    ['a record of 64 MB', `{"id":"7","value":"${'x'.repeat(64 << 20)}"}`, 'record:too-long'],
  ])('%s', async (_, line, code) => {
    const content = Buffer.concat([
      Buffer.from(`${good('1')}\n\n`),
      Buffer.from(line),
      Buffer.from(`\n${good('2')}\n`),
    ])
    const result = await loaded(file('ndjson', content), jsonMapping)
    expect(result.rows.map(([id]) => id)).toEqual(['1', '2'])
    expect(result.rejects).toEqual([`3 ${code}`])
    expect(result.counts).toMatchObject({ read: 3, mapped: 2, rejected: 1 })
  })

  test('the last line, cut off', async () => {
    const result = await loaded(file('ndjson', `${good('1')}\n${good('2').slice(0, -2)}`), jsonMapping)
    expect(result.rejects).toEqual(['2 json:malformed'])
  })

  test('NaN as a text is one, of whomever', async () => {
    const line = '{"id":"NaN","value":"inf","learner":"nan"}\n'
    expect((await loaded(file('ndjson', line), jsonMapping)).rows).toEqual([['NaN', 'inf']])
  })

  test('64 levels, NaN in a text and braces in a text are ordinary', async () => {
    const texts = [nested(64), '{"a":": NaN, [Infinity"}', JSON.stringify(['['.repeat(300)])]
    const lines = texts.map((kept, index) => `{"id":"${index}","kept":${kept}}\n`)
    expect((await loaded(file('ndjson', lines.join('')), jsonMapping)).counts).toMatchObject({
      mapped: 3,
      rejected: 0,
    })
    await warehouse.build()
  })

  // DuckDB's json_structure and others end the whole program.
  test('JSON in texts, of which a mapping makes what it likes, is not deeper either', async () => {
    const columns = 'id, value'
    const own = `-- entity: course\n-- columns: ${columns}\n-- not-personal: ${columns}
select id as course_id, case when json_valid(value) then cast(json_structure(value) as varchar) else value end as course_title from source`
    const texts = ['{"a":1}', nested(100_000), '['.repeat(100_000), JSON.stringify('['.repeat(300))]
    const csv = texts.map((text, index) => `${index},"${text.replaceAll('"', '""')}"\n`).join('')
    const ndjson = texts.map((value, index) => `${JSON.stringify({ id: String(index), value })}\n`).join('')
    for (const path of [file('csv', `id,value\n${csv}`), file('ndjson', ndjson)]) {
      const result = await loaded(path, own)
      expect(result.rows.map(([id, title]) => [id, String(title).slice(0, 15)])).toEqual([
        ['0', '{"a":"UBIGINT"}'],
        ['2', '['.repeat(15)],
        ['3', '"VARCHAR"'],
      ])
      expect(result.rejects).toEqual([expect.stringMatching(/^[23] json:depth$/)])
    }
  })

  test('in an array', async () => {
    const text = `[\n${good('1')},\n17,\n{"id":"7","kept":[NaN]},\n${good('2')}\n]`
    const result = await loaded(file('json', text), jsonMapping)
    expect(result.rejects).toEqual(['3 json:malformed', '4 json:not-a-number'])
  })

  test('what no mapping keeps may be as odd as it likes', async () => {
    const line = `{"id":"1","value":"v1","other":[NaN,${nested(5000)}]}\n`
    expect((await loaded(file('ndjson', line), jsonMapping)).rows).toEqual([['1', 'v1']])
  })
})

describe('JSON that nobody can read is refused', () => {
  test.each([
    [
      'carriage returns as line ends',
      `${good('1')}\r${good('2')}\r`,
      'zoo.json:1',
      'There is a carriage return inside a line.',
    ],
    [
      'an array that is cut off',
      `[${good('1')},\n{"id":"${SECRET}`,
      'zoo.json:2',
      'There is an array that is not closed.',
    ],
    ['two arrays', `[${good('1')}]\n[${good('2')}]\n`, 'zoo.json:2', 'There is something behind the array.'],
    [
      'an object over lines',
      '{\n  "id": "1"\n}\n',
      'zoo.json',
      'It is JSON over several lines, not one record a line.',
    ],
    [
      'an array that is no JSON',
      `[{"id":"1"},\n{"id":${SECRET}}]`,
      'zoo.json',
      'Its text cannot be read: the JSON array is broken.',
    ],
  ])('%s', async (_, text, where, message) => {
    const error = await refused(file('json', text), jsonMapping)
    expect(error).toMatchObject({ exit: 'data', message })
    expect(error.where).toMatch(new RegExp(`${where.replace('.', '\\.')}$`))
  })

  test('more rejects than allowed, and nothing is loaded', async () => {
    const error = await refused(file('ndjson', `{"id":"1"}\n${'{"id"\n'.repeat(19)}`), jsonMapping)
    expect(error).toMatchObject({ code: 'LPA-LOAD-REJECTS', exit: 'data' })
    expect(error.next.join('\n')).toContain('zoo.ndjson:2: the record is not a JSON object (19 ×)')
  })
})

// ── archives, Parquet, files that change ──────────────────────────────────────────────────────────────────

const csv = 'id,value\n1,one\n2,two\n'

describe('archives', () => {
  test.each([
    ['gzip', 'csv.gz', gzipSync(csv)],
    ['gzip of two members', 'csv.gz', Buffer.concat([gzipSync(csv.slice(0, 12)), gzipSync(csv.slice(12))])],
    ['zstd', 'csv.zst', zstdCompressSync(csv)],
    [
      'zstd of two frames',
      'csv.zst',
      Buffer.concat([zstdCompressSync(csv.slice(0, 12)), zstdCompressSync(csv.slice(12))]),
    ],
    ['gzip without a name that says so', 'txt', gzipSync(csv)],
    ['text with the name of an archive', 'csv.gz', csv],
    ['gzip of CRLF and a byte order mark', 'csv.gz', gzipSync(`\ufeff${csv.replaceAll('\n', '\r\n')}`)],
  ])('%s', async (_, extension, content) => {
    expect((await loaded(file(extension, content))).rows).toEqual(rows)
  })

  test.each([
    ['gzip that is cut off', 'csv.gz', gzipSync(`${csv}${'x'.repeat(1000)}`).subarray(0, -9)],
    ['gzip of which only the mark is left', 'csv.gz', gzipSync(csv).subarray(0, 5)],
    ['gzip with a byte that changed', 'csv.gz', flipped(gzipSync(csv), -6)],
    ['zstd that is cut off', 'csv.zst', zstdCompressSync(csv).subarray(0, -1)],
    [
      'zstd whose second frame is cut off',
      'csv.zst',
      Buffer.concat([zstdCompressSync(csv), zstdCompressSync(csv).subarray(0, -3)]),
    ],
    ['gzip with something behind', 'csv.gz', Buffer.concat([gzipSync(csv), Buffer.from('3,three\n')])],
  ])('%s', async (_, extension, content) => {
    const error = await refused(file(extension, content))
    expect(error).toMatchObject({
      code: 'LPA-INPUT-UNREADABLE',
      exit: 'data',
      message: 'The archive is cut off or damaged.',
    })
  })

  test('a bomb is stopped before it unpacks', async () => {
    const member = gzipSync(Buffer.alloc(1 << 24, `2,${'x'.repeat(65_533)}\n`))
    const path = file('csv.gz', Buffer.concat([gzipSync(csv), ...Array<Buffer>(40).fill(member)]))
    const error = await refused(path)
    expect(error).toMatchObject({ exit: 'data', message: 'It unpacks to more than 400 times its size.' })
  })
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  const index = at < 0 ? copy.length + at : at
  copy[index] = (copy[index] as number) ^ 0x10
  return copy
}

describe('Parquet', () => {
  async function parquet(select: string): Promise<string> {
    const path = file('parquet', '')
    const instance = await DuckDBInstance.create()
    const connection = await instance.connect()
    await connection.run(`copy (${select}) to '${path}' (format parquet)`)
    connection.closeSync()
    instance.closeSync()
    return path
  }

  test('of all types, nested ones as JSON', async () => {
    const values: [sql: string, text: string][] = [
      ['9223372036854775807::bigint', '9223372036854775807'],
      ['123456789012345678.5::decimal(20,1)', '123456789012345678.5'],
      ["date '2026-01-31'", '2026-01-31'],
      ["timestamp '2026-01-31 10:00:00.123456'", '2026-01-31 10:00:00.123456'],
      ["{'a': 1, 'b': ['x', null]}", '{"a":1,"b":["x",null]}'],
      ["map {'k': {'a': true}}", '{"k":{"a":true}}'],
      ['[1, 2]', '[1,2]'],
      ['null::integer', ''],
    ]
    const select = values.map(([sql], index) => `${sql} as c${index}`).join(', ')
    const text = `-- entity: course
-- not-personal: id
select id as course_id, concat_ws('~', ${values.map((_, index) => `coalesce(c${index}, '')`).join(', ')}) as course_title from source`
    const result = await loaded(await parquet(`select 1 as id, ${select}`), text)
    expect(result.rows).toEqual([['1', values.map(([, value]) => value).join('~')]])
  })

  test.each(['a[1]', 'day=1/b', 'c*', 'd?{e,f}'])(
    'and CSV, in a place that looks like a pattern: %s',
    async (name) => {
      const bytes = readFileSync(
        await parquet("select * from (values ('1', 'one'), ('2', 'two')) t(id, value)"),
      )
      const neighbour = 'id,value\n3,three\n'
      for (const [extension, content] of [
        ['parquet', bytes],
        ['csv', csv],
      ] as const) {
        files += 1
        for (const other of ['a1', 'cx', 'dxe'])
          warehouse.write(`zoo/${files}/${other}.${extension}`, neighbour)
        expect((await loaded(warehouse.write(`zoo/${files}/${name}.${extension}`, content))).rows).toEqual(
          rows,
        )
      }
    },
  )

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, -20)],
    ['its mark alone', () => Buffer.from('PAR1')],
    [
      'with a footer of rubbish',
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -300), Buffer.alloc(200, 7), bytes.subarray(-100)]),
    ],
    ['compressed once more', (bytes: Buffer) => gzipSync(bytes)],
  ])('%s', async (_, damage) => {
    const bytes = readFileSync(await parquet("select range::varchar as id, 'x' as value from range(1000)"))
    const error = await refused(file('parquet', damage(bytes)))
    expect(error).toMatchObject({ code: 'LPA-INPUT-UNREADABLE', exit: 'data' })
  })
})

describe('which files', () => {
  test('missing ones', async () => {
    for (const path of ['nothing.csv', 'nothing/*.csv'])
      expect(await refused(join(warehouse.folder, path))).toMatchObject({
        code: 'LPA-INPUT-MISSING',
        exit: 'noInput',
      })
  })

  test('a folder without data', async () => {
    mkdirSync(join(warehouse.folder, 'empty/deep'), { recursive: true })
    warehouse.write('empty/deep/readme.md', '# nothing')
    expect(await refused(join(warehouse.folder, 'empty'))).toMatchObject({
      code: 'LPA-INPUT-MISSING',
      exit: 'noInput',
    })
  })

  test('a folder and a pattern: every file once, in order', async () => {
    for (const name of ['b.csv', 'a.csv', 'deep/c.csv.gz'])
      warehouse.write(`many/${name}`, name.endsWith('gz') ? gzipSync(`${csv}${name},\n`) : `${csv}${name},\n`)
    warehouse.write('many/readme.md', 'no data')
    const mappings = [warehouse.write('zoo.sql', mapping)]
    const folder = join(warehouse.folder, 'many')
    const results = await warehouse.load(folder, { mappings })
    expect(results.map(({ input }) => input.replace(/^.*many./, ''))).toEqual([
      'a.csv',
      'b.csv',
      'deep/c.csv.gz',
    ])
    expect(results.map(({ outcome }) => outcome)).toEqual(['loaded', 'loaded', 'loaded'])
    const again = await warehouse.load(`${folder}/**/*.csv*`, { mappings })
    expect(again.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged', 'unchanged'])
  })
})

describe('a file that changes while it is read', () => {
  // Large enough to be still in the making when it is touched for the second time.
  const line = `1,${'x'.repeat(80)}\n`

  test.each([
    ['grows', (path: string) => appendFileSync(path, '2,two\n')],
    ['is replaced', (path: string) => renameSync(warehouse.write('other.csv', csv), path)],
  ])('%s', async (_, change) => {
    const path = file('csv', `id,value\n${line.repeat(400_000)}`)
    const mappings = [warehouse.write('zoo.sql', mapping)]
    let changes = 0
    const error = await warehouse.failure(path, { mappings }, () => {
      if (changes++ === 1) change(path)
    })
    expect(changes).toBeGreaterThan(1)
    expect(error).toMatchObject({ exit: 'data', message: 'It changed while it was read.' })
  })
})

// ── through the command ───────────────────────────────────────────────────────────────────────────────────

interface Run {
  code: number | null
  stdout: string
  stderr: string
}

function lpa(
  words: readonly string[],
  stdin: 'ignore' | NodeJS.ReadableStream = 'ignore',
  as: { uid?: number; env?: Record<string, string> } = {},
): Promise<Run> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../bin/run.js'), ...words], {
    cwd: warehouse.folder,
    env: { ...process.env, NO_COLOR: '1', ...as.env },
    stdio: [stdin === 'ignore' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(as.uid === undefined ? {} : { uid: as.uid, gid: as.uid }),
  })
  if (stdin !== 'ignore' && child.stdin) stdin.pipe(child.stdin)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (part) => (stdout += part))
  child.stderr?.on('data', (part) => (stderr += part))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
}

describe('lpa load', () => {
  test.each([
    ['plain', `${good('s1')}\n${good('s2')}\n`],
    ['gzip', gzipSync(`${good('s3')}\n${good('s4')}\n`)],
    [
      'zstd of two frames',
      Buffer.concat([zstdCompressSync(`${good('s5')}\n`), zstdCompressSync(`${good('s6')}\n`)]),
    ],
  ])('reads standard input: %s', async (_, content) => {
    warehouse.write('json.sql', jsonMapping)
    const path = file('json', content)
    const result = await lpa(
      ['load', '-', '--mapping', 'json.sql', '--format', 'csv'],
      createReadStream(path, { highWaterMark: 7 }),
    )
    expect(result).toMatchObject({ code: 0 })
    expect(result.stdout).toContain('-,ndjson')
    expect(result.stdout).toMatch(/,loaded,\d+,2,2,0,0,0/)
  })

  test('reads a named pipe, more than fits into it, in order', async () => {
    warehouse.write('zoo.sql', mapping)
    const pipe = join(warehouse.folder, 'pipe.csv')
    execFileSync('mkfifo', [pipe])
    const text = `id,value\n${Array.from({ length: 30_000 }, (_, n) => `p${n},"line\n${n}"\n`).join('')}`
    const path = file('csv', text)
    const writer = spawn('cp', [path, pipe])
    const result = await lpa(['load', pipe, '--mapping', 'zoo.sql', '--format', 'csv'])
    await new Promise((resolve) =>
      writer.exitCode === null ? writer.on('close', resolve) : resolve(undefined),
    )
    expect(result.stderr).not.toContain('Error')
    expect(result.stdout).toMatch(/,loaded,\d+,30000,30000,0,0,0/)
    const odd = await warehouse.value(`select count(*) from staging.stg_course
      where course_id like 'p%' and course_title <> 'line' || chr(10) || substr(course_id, 2)`)
    expect(odd).toBe(0)
  })

  test('ends with the code of what was wrong, and says where in one place', async () => {
    warehouse.write('zoo.sql', mapping)
    const bad = file('csv', `id,value\n1,one\n2,"${SECRET}\n`).slice(warehouse.folder.length + 1)
    const result = await lpa(['load', bad, '--mapping', 'zoo.sql'])
    expect(result.code).toBe(65)
    expect(result.stderr).toContain(
      `Error: ${bad}:3: There is a quote that is never closed.\n  Mend or remove that line.\n  LPA-INPUT-BROKEN, exit 65\n`,
    )
    expect(result.stderr).not.toContain(SECRET)
    expect((await lpa(['load', 'nothing.csv'])).code).toBe(66)
  })

  test('a dry run shows what would land and all that is bad, and ends with the code that the load would', async () => {
    warehouse.write('json.sql', jsonMapping)
    const bad = file('ndjson', `${good('d1')}\n${'{"id"\n'.repeat(19)}`).slice(warehouse.folder.length + 1)
    const { code, stdout, stderr } = await lpa(['load', bad, '--mapping', 'json.sql', '--dry-run'])
    expect(code).toBe(65)
    expect(stdout).toMatch(/ 20 .* 1 .* 19 [\s\S]*course_id +│ varchar +│ [\w:]*d1 /)
    expect(stderr).toMatch(
      /:2: the record is not a JSON object \(19 ×\)\n[\s\S]*Error: .*19 of 20 records are bad, more than the limit of 90%\. Nothing was loaded\.\n[\s\S]*LPA-LOAD-REJECTS, exit 65\n/,
    )
    expect(await warehouse.value(`select count(*) from staging.stg_course where course_id like '%d1'`)).toBe(
      0,
    )
  })

  // Root may read everything: then another user tries, with extension files of its own.
  test('a file that may not be read', async () => {
    const path = file('csv', csv)
    chmodSync(path, 0o000)
    warehouse.write('zoo.sql', mapping)
    const isRoot = process.getuid?.() === 0
    const { ducklake } = await ensureExtensions()
    cpSync(dirname(ducklake), join(warehouse.folder, 'extensions'), { recursive: true })
    const env = {
      LPA_EXTENSIONS: join(warehouse.folder, 'extensions'),
      XDG_CACHE_HOME: join(warehouse.folder, 'cache'),
    }
    if (isRoot) execFileSync('chown', ['-R', '65534:65534', warehouse.folder])
    try {
      const result = await lpa(['load', path, '--mapping', 'zoo.sql'], 'ignore', {
        env,
        ...(isRoot ? { uid: 65_534 } : {}),
      })
      expect(result.stderr).toContain('is not permitted')
      expect(result.code).toBe(77)
    } finally {
      if (isRoot) execFileSync('chown', ['-R', '0:0', warehouse.folder])
    }
  })
})

test('nothing of all this is left in the scratch folder', () => {
  expect(
    readdirSync(join(warehouse.config.warehouse.path, 'tmp')).filter((name) => name.startsWith('load-')),
  ).toEqual([])
})
