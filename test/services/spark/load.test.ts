/** The same files, read here and on Spark, give the same rows of every table: staging, raw and rejects, pseudonyms and keys. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDuckDB, quoteText, readRows } from '../../../src/duckdb.ts'
import { parseAddress } from '../../../src/engines/spark/address.ts'
import { openSparkLines, type SparkLines } from '../../../src/engines/spark/lines.ts'
import { addressOf } from '../../../src/engines/spark/local-server.ts'
import { SparkSession } from '../../../src/engines/spark/session.ts'
import { pads } from '../../../src/pseudonym.ts'
import { NOBODY } from '../../../src/sources/erased.ts'
import { recogniseFile, type StagedFile, stageFile } from '../../../src/sources/files.ts'
import type { Mapping } from '../../../src/sources/mapping.ts'
import { linesSelect } from '../../../src/sources/spark/lines.ts'
import { knownKeys } from '../../../src/sources/spark/values.ts'
import { pseudonymSql, sparkText, VIEWS } from '../../../src/sources/spark/words.ts'
import { testKey } from '../../../src/sources/stage.test-support.ts'
import { packageRoot } from '../../../src/sql-files.ts'
import { copyPlace, initPlace, lpa, lpaOk, removePlaces } from '../../faults/lpa.ts'
import { describeWithSpark, openSession, sharedServer } from './shared-spark.ts'

const { signal } = new AbortController()

describeWithSpark('files that are read on Spark', (spark) => {
  let folder: string
  let reader: SparkLines
  let loads = 0
  /** Records of the last file that were not read on Spark. */
  let odd = 0

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lpa-spark-load-'))
    const server = sharedServer()
    reader = await openSparkLines(
      { address: addressOf(server), token: server.token, signal },
      // So that files of tests have several parts, as large ones have.
      { 'spark.sql.files.maxPartitionBytes': '100k' },
    )
  })
  afterAll(async () => {
    await reader[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
    await removePlaces()
  })

  const fixture = (name: string) => {
    const path = join(packageRoot(), 'fixtures', name)
    return existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`))
  }

  async function staged(file: string, mapping: string | undefined, onSpark: boolean): Promise<StagedFile[]> {
    const scratch = join(folder, onSpark ? 'spark' : 'here')
    mkdirSync(scratch, { recursive: true })
    const request = {
      ...{
        mappings: mapping === undefined ? [] : [mapping],
        source: 'test',
        idSpace: 'test',
        key: testKey,
        erased: NOBODY,
      },
      ...{ timezone: 'UTC', memoryLimit: '300MB', scratch, signal },
      nextLoadId: async () => ++loads,
      ...(onSpark && {
        spark: {
          write: reader.write,
          onOdd: (_: string, count: number) => {
            odd = count
          },
        },
      }),
    }
    return stageFile(await recogniseFile(file, request), request)
  }

  /** Every row of every file that was staged, but for what differs from load to load. */
  async function rowsOf(files: readonly StagedFile[]): Promise<Record<string, unknown[]>> {
    await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
    const tables: Record<string, unknown[]> = {}
    for (const { batch } of files)
      for (const { table, path } of batch.files) {
        const rows = await readRows<Record<string, unknown>>(
          database.connection,
          `select columns(c -> c not in ('load_id', 'received_at', 'effective_at'))::varchar from read_parquet(${quoteText(path)})`,
        )
        tables[table] = rows.map((row) => JSON.stringify(row)).sort()
      }
    return tables
  }

  async function expectSame(content: string | Buffer, name: string, mapping?: string): Promise<void> {
    odd = 0
    const file = join(folder, name)
    writeFileSync(file, content)
    const [here, there] = [await staged(file, mapping, false), await staged(file, mapping, true)]
    expect(await rowsOf(there)).toEqual(await rowsOf(here))
    expect(there.map(summary)).toEqual(here.map(summary))
  }

  const summary = ({ batch, reasons, leftOut }: StagedFile) => {
    const { counts, contentSha256, bytes, entities } = batch.load
    return { counts, contentSha256, bytes, entities, reasons, leftOut }
  }

  const firstOf = (name: string, count: number) =>
    fixture(name).toString().split('\n').slice(0, count).join('\n')

  test.each([
    ['events.ndjson', firstOf('campus/events.ndjson', 2000), 20],
    ['statements.ndjson', firstOf('campus/xapi-statements.ndjson', 500), 0],
    ['learners.csv', firstOf('campus/learners.csv', 500), 1],
    ['users.jsonl', fixture('canvas/users.jsonl'), 0],
    ['submissions.jsonl', fixture('canvas/submissions.jsonl'), 0],
    ['logstore.csv', fixture('moodle/logstore.csv'), 0],
  ])('%s', async (name, content, most) => {
    await expectSame(content, name)
    expect(odd).toBeLessThanOrEqual(most)
  })

  test('records that only one engine would read so, each left to the embedded one', async () => {
    const plain = '{"id":"1","who":"anna","time":"2026-01-02T03:04:05Z","n":1.50,"x":{"k": [1, 2.0]}}'
    const varied = [
      '{"id":"2","who":" Bob ","time":"2026-01-02T03:04:05Z","n":-0.25,"x":{"b":2,"a":"é/<"}}',
      '{"id":"3","who":"Zo\\u00eb","time":"2026-01-02T03:04:05Z","n":12.0,"x":{"u":"https:\\/\\/x.example"}}',
      '  {"id":"4", "who": 17, "time":"2026-01-02T03:04:05Z", "n":100000, "x":{} }  ',
      '{"id":"5","who":null,"time":"2026-01-02T03:04:05Z","n":"7","x":null}',
      '',
      ' \t ',
    ]
    const oddOnes = [
      '{"id":"a","who":"c\\"d\\ud83d\\ude00","time":"2026-01-02T03:04:05Z"}',
      '{"id":"b","who":"x","who":"y","time":"2026-01-02T03:04:05Z"}',
      '{"id":"c","who":"x","time":"2026-01-02T03:04:05Z","n":1e3}',
      '{"id":"d","who":"x","time":"2026-01-02T03:04:05Z","n":0.00001,"x":{"k":12345678901234567890.5}}',
      '{"id":"e","who":"x","time":"2026-01-02T03:04:05Z","n":NaN}',
      '{"id":"f","who":{"name":"x"},"time":"2026-01-02T03:04:05Z"}',
      '{"id":"g","who":"x","time":"2026-01-02T03:04:05Z","x":"text"}',
      '{"id":"h","who":"x","time":"2026-01-02T03:04:05Z"} {"id":"i"}',
      '{"id":"j","who":"x","time":"2026-01-02T03:04:05Z"},{"id":"k"}',
      '{"id":"l","who":"x","time":"2026-01-02T03:04:05Z"},"lpa_end":1}',
      '{"id":"m","who":"x","time":"2026-01-02T03:04:05Z"}],[{"id":"n"}',
      `{'id':'o','who':'x'}`,
      '[{"id":"p"}]',
      'a line of another kind',
      `{"id":"q","who":"x","time":"2026-01-02T03:04:05Z","x":${'['.repeat(70)}${']'.repeat(70)}}`,
      '{"id":"r","who":"x","time":"2026-01-02T03:04:05Z","n":01}',
      '{"id":"s","who":"x"',
    ]
    const mapping = join(folder, 'varied.sql')
    writeFileSync(
      mapping,
      `-- entity: learning_event
       -- columns: id, who, time, n number, x json
       -- personal: who(learner)
       select id as event_id, who as learner_id, 'viewed' as event_type, time as occurred_at, n as duration_seconds,
         x as attributes, source_row from source`.replaceAll(/^ +/gm, ''),
    )
    const all = [plain, ...varied, ...oddOnes.flatMap((line, at) => [line, plain.replace('"1"', `"1${at}"`)])]
    await expectSame(`${all.join('\n')}\n`, 'varied.ndjson', mapping)
    expect(odd).toBe(oddOnes.length)
  })

  test('values of CSV in quotes, rows that are too short, and bytes that are no text', async () => {
    const mapping = join(folder, 'rows.sql')
    writeFileSync(
      mapping,
      '-- entity: course\n-- nulls: \\N\nselect id as course_id, title as course_title from source',
    )
    const rows = [
      'id,title,rest',
      'a,"An ""odd"", one",',
      '"b","",x',
      'c,Größe,y',
      'd,\\N,z',
      'e',
      'f,x,y,z',
      'g,a"b,c',
    ]
    const bytes = [...rows.map((row) => Buffer.from(`${row}\n`)), Buffer.from('h,\xff,i\n', 'latin1')]
    await expectSame(Buffer.concat(bytes), 'rows.csv', mapping)
    await expectSame(`${rows.join('\r\n')}\r\n\r\n\n"i",\r\n`, 'windows.csv', mapping)
  })

  test.each([
    ['LPA-SPARK-MAPPING', 'openedx.ndjson', () => fixture('openedx/tracking.log.ndjson')],
    [
      'LPA-SPARK-INPUT',
      'values-over-lines.csv',
      () => 'category_id,category_name,parent_category_id\na,"b\nc",\n',
    ],
    ['LPA-SPARK-INPUT', '_events.ndjson', () => firstOf('campus/events.ndjson', 3)],
    ['LPA-SPARK-INPUT', 'packed.ndjson.gz', () => gzipSync(firstOf('campus/events.ndjson', 3))],
    [
      'LPA-PERSONAL-UNDECLARED',
      'mail.ndjson',
      () => `${firstOf('campus/events.ndjson', 2000)}\n${WITH_MAIL}\n`,
    ],
  ])('%s: %s', async (code, name, content) => {
    const file = join(folder, name)
    writeFileSync(file, content())
    await expect(staged(file, undefined, true)).rejects.toMatchObject({ code })
  })

  test('lpa load --engine spark loads once, and what lpa load would', async () => {
    const place = await initPlace('load')
    const names = ['events.ndjson', 'categories.csv']
    const broken = '{"event_id":'
    writeFileSync(join(place.root, 'events.ndjson'), `${firstOf('campus/events.ndjson', 500)}\n${broken}\n`)
    writeFileSync(join(place.root, 'categories.csv'), fixture('campus/categories.csv'))
    const other = copyPlace(place, 'here')
    const args = ['load', '--json', '--source', 'lms', ...names]
    const onSpark = () =>
      lpaOk(place, [...args, '--engine', 'spark'], { env: { XDG_STATE_HOME: spark.state } })
    const loaded = await onSpark()
    expect(loaded.stdout).toBe((await lpaOk(other, args)).stdout)
    expect(loaded.stderr).toContain('read here, not on Spark')
    expect(JSON.parse((await onSpark()).stdout).map(({ outcome }: { outcome: string }) => outcome)).toEqual(
      names.map(() => 'unchanged'),
    )
    expect(readdirSync(join(place.warehouse, 'tmp')).filter((name) => name.startsWith('load-'))).toEqual([])
    await lpaOk(place, ['doctor', '--verify', '--quiet'])
  })

  test('lpa load --engine spark loads nothing where one of several files cannot be taken', async () => {
    const place = await initPlace('refused')
    for (const name of ['categories.csv', 'courses.json'])
      writeFileSync(join(place.root, name), fixture(`campus/${name}`))
    const args = ['load', '--engine', 'spark', '--source', 'lms', 'categories.csv', 'courses.json']
    const refused = await lpa(place, args, { env: { XDG_STATE_HOME: spark.state } })
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('LPA-SPARK-INPUT') })
    const loaded = await lpaOk(place, [
      'query',
      '--json',
      '--sql',
      'select count(*) as loads from meta.loads',
    ])
    expect(JSON.parse(loaded.stdout)).toEqual([{ loads: 0 }])
  })

  test('the key does not leave this machine in the clear', async () => {
    const address = parseAddress('sc://spark.example.org')
    await expect(openSparkLines({ address, signal })).rejects.toMatchObject({ code: 'LPA-SPARK-CLEAR' })
  })

  test('pseudonyms are those of every engine', async () => {
    const file = join(packageRoot(), 'fixtures', 'golden', 'pseudonyms.json')
    const { key, vectors } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly key: string
      readonly vectors: readonly Record<'class' | 'space' | 'value' | 'pseudonym', string>[]
    }
    const { inner, outer } = pads({ secret: Buffer.from(key, 'hex'), id: '' })
    await using session = await openSession()
    await session.viewOfBytes(VIEWS.pads, {
      inner: Buffer.from(inner, 'hex'),
      outer: Buffer.from(outer, 'hex'),
    })
    const each = vectors.map((vector) =>
      pseudonymSql(vector.class, sparkText(vector.space), sparkText(vector.value)),
    )
    const { rows } = await session.query(`select ${each.join(', ')}`)
    expect(rows[0]).toEqual(vectors.map(({ pseudonym }) => pseudonym ?? null))
  })

  test('the key stands in no plan, page, log or error', async () => {
    const file = join(folder, 'shown.ndjson')
    const [event = ''] = firstOf('campus/events.ndjson', 1).split('\n')
    const record = { ...JSON.parse(event), attributes: { grades_by_student: { S0000001: 0.5 } } }
    writeFileSync(file, `${JSON.stringify(record)}\n${firstOf('campus/events.ndjson', 20)}`)
    await staged(file, undefined, true)
    const { inner, outer } = pads(testKey)
    const server = sharedServer()
    await using session = await SparkSession.open(
      { address: addressOf(server), token: server.token, signal },
      // Else the code is made only when it runs.
      { 'spark.sql.adaptive.enabled': 'false' },
    )
    const { input, mappings, outlines } = await recogniseFile(file, { mappings: [] })
    const keys = knownKeys(input.head)
    expect(String(keys)).toContain('S0000001')
    await session.viewOfBytes(VIEWS.pads, {
      ...{ inner: Buffer.from(inner, 'hex'), outer: Buffer.from(outer, 'hex'), keys },
    })
    await session.viewOfLines(VIEWS.lines, file)
    const [mapping] = mappings
    const { fields = [] } = (mapping && outlines.get(mapping)) ?? {}
    const select = linesSelect({ input, mapping: mapping as Mapping, fields, idSpace: 'planted', header: [] })
    const explained = async (kind: string, statement: string) =>
      String((await session.query(`explain ${kind} ${statement}`)).rows[0]?.[0])
    const plan = await explained('extended', select)
    // Clear text is nowhere gathered, so nothing of it can be spilled.
    expect(plan).toContain('FileScan text')
    expect(plan).not.toMatch(/Exchange|Sort|Aggregate|Join|Window/)
    const hashed = `select ${pseudonymSql('learner', "'planted'", 'cast(id as string)')} from range(2)`
    const shown = [plan, await explained('codegen', hashed)]
    const refused = session.query(`select raise_error('planted-error') from (${select})`)
    const error = await refused.catch(
      (reason: Error) => `${reason.message} ${(reason.cause as Error).message}`,
    )
    shown.push(String(error))
    shown.push((await pagesOf(spark.pages)).join('\n'), readTree(spark.events).join('\n'))
    // Each of them is looked into where the statement stands.
    for (const text of shown) expect(text).toMatch(/planted/)
    const all = shown.join('\n')
    const secrets = [inner, outer, testKey.secret.toString('hex')].map((hex) => Buffer.from(hex, 'hex'))
    const spellings = secrets.flatMap((bytes) => [
      ...[bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, ''), bytes.toString('latin1')],
      // As lists of numbers, and as protocol buffers are printed.
      ...[[...bytes].join(', '), [...bytes].join(','), [...new Int8Array(bytes)].join(', ')],
      [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
    ])
    // Nor names in records, which may be of somebody.
    expect(all).not.toMatch(/grades_by_student|S0000001/)
    // A part is enough to be found.
    for (const spelling of spellings)
      expect(all.toLowerCase()).not.toContain(spelling.slice(0, 24).toLowerCase())
  })
})

const WITH_MAIL =
  '{"event_id":"mail","event_type":"viewed","learner_id":"x","occurred_at":"2026-01-02T03:04:05Z","session_id":"a@b.example"}'

/** What Spark tells of its work over HTTP. */
async function pagesOf(pages: string): Promise<string[]> {
  const text = async (path: string) => (await fetch(`${pages}${path}`)).text()
  const [application] = JSON.parse(await text('/api/v1/applications')) as { id: string }[]
  const api = `/api/v1/applications/${application?.id}`
  const details = `${api}/sql?details=true&planDescription=true&length=100000`
  const executions = JSON.parse(await text(details)) as { id: number }[]
  const paths = [
    ...['/SQL/', '/jobs/', '/stages/', '/environment/', '/executors/', '/connect/'],
    ...['jobs', 'stages?details=true', 'environment', 'allexecutors'].map((name) => `${api}/${name}`),
    ...executions.slice(-8).map(({ id }) => `/SQL/execution/?id=${id}`),
  ]
  return Promise.all([details, ...paths].map(text))
}

function readTree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
}
