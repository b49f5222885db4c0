/** The client against a real server: values, parameters, streams that are taken up again, stops, failures. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer, type Server } from 'node:tls'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { addressOf } from '../../../src/engines/spark/local-server.ts'
import { SparkSession } from '../../../src/engines/spark/session.ts'
import { isFull } from '../../faults/lpa.ts'
import { makeCertificates } from '../kafka/certificates.ts'
import { describeWithSpark, openSession, sharedServer } from './shared-spark.ts'

const { signal } = new AbortController()

describeWithSpark('a session of Spark', () => {
  let session: SparkSession
  beforeAll(async () => {
    session = await openSession()
  })
  afterAll(() => session?.[Symbol.asyncDispose]())

  async function cell(expression: string) {
    const { columns, rows } = await session.query(`select ${expression} as x`)
    return [columns[0]?.type, rows[0]?.[0]]
  }

  test.each<[string, string, unknown]>([
    ['9007199254740991', 'integer', 9007199254740991],
    ['9007199254740993', 'integer', 9007199254740993n],
    ['cast(-9223372036854775808 as bigint)', 'integer', -9223372036854775808n],
    ['cast(7 as tinyint)', 'integer', 7],
    ["cast('-0.05' as decimal(9, 2))", 'decimal', '-0.05'],
    [
      "cast('12345678901234567890123456789.123456789' as decimal(38, 9))",
      'decimal',
      '12345678901234567890123456789.123456789',
    ],
    ["cast('12345678901234567890' as decimal(20, 0))", 'integer', 12345678901234567890n],
    ['cast(0.1 as double)', 'double', 0.1],
    ["cast('NaN' as double)", 'double', Number.NaN],
    ["cast('-Infinity' as double)", 'double', Number.NEGATIVE_INFINITY],
    ["timestamp '2026-01-12 08:13:22.120'", 'timestamp', '2026-01-12T08:13:22.12Z'],
    ["timestamp '2026-01-12 08:13:22.000001'", 'timestamp', '2026-01-12T08:13:22.000001Z'],
    ["timestamp '1969-12-31 23:59:59.999999'", 'timestamp', '1969-12-31T23:59:59.999999Z'],
    ["timestamp '0001-01-01 00:00:00'", 'timestamp', '0001-01-01T00:00:00Z'],
    ["timestamp '9999-12-31 23:59:59.999999'", 'timestamp', '9999-12-31T23:59:59.999999Z'],
    ["timestamp_ltz '2026-01-12 08:13:22+01:00'", 'timestamp', '2026-01-12T07:13:22Z'],
    ["date '2026-02-28'", 'date', '2026-02-28'],
    ["date '0001-01-01'", 'date', '0001-01-01'],
    ["'it''s \\\\ Ünïcode 🎓'", 'text', "it's \\ Ünïcode 🎓"],
    ['true', 'boolean', true],
    ['cast(null as bigint)', 'integer', null],
    ['cast(null as timestamp_ntz)', 'timestamp', null],
    ['null', 'text', null],
    ["x'00ff'", 'text', '00FF'],
    [
      "array(struct(9007199254740993 as a, array('x', null) as b))",
      'json',
      '[{"a":9007199254740993,"b":["x",null]}]',
    ],
    ['array(1, 2)', 'json', '[1,2]'],
  ])('%s is exact', async (expression, type, value) => {
    expect(await cell(expression)).toEqual([type, value])
  })

  test('rows of several batches come in order, nulls in their places', async () => {
    const { rows } = await session.query(
      'select id, case when id % 3 = 0 then null else timestamp_micros(id) end as t from range(0, 30000, 1, 7) order by id',
    )
    expect(rows.length).toBe(30_000)
    expect(rows.every(([id, t], row) => id === row && (t === null) === (row % 3 === 0))).toBe(true)
  })

  test('an answer without rows has its columns', async () => {
    expect(await session.query('select 1 as a, 2.5 as b where false')).toEqual({
      columns: [
        { name: 'a', type: 'integer' },
        { name: 'b', type: 'decimal' },
      ],
      rows: [],
    })
  })

  test('values are bound by name', async () => {
    const { rows } = await session.query(
      "select $text as a, $whole + 1 as b, $part as c, $large as d, $none is null as e, '$text' as f",
      { text: "x'; \\ drop -- $whole", whole: 41, part: 0.5, large: 2n ** 62n, none: null },
    )
    expect(rows).toEqual([["x'; \\ drop -- $whole", 42, 0.5, 2n ** 62n, true, '$text']])
  })

  test('a stream that the server ends is taken up again', async () => {
    const started = performance.now()
    // Of this server a stream lasts a second at most.
    const { rows } = await session.query(`select count(*) from ${slowRows(3)}`)
    expect(rows).toEqual([[3]])
    expect(performance.now() - started).toBeGreaterThan(2_000)
  })

  test('a stop ends the statement on the server too', async () => {
    const threads = 2 * availableParallelism()
    const stop = new AbortController()
    const own = await openSession(stop.signal)
    const reason = new Error('enough')
    // A thread of the server each.
    const asked = own.query(`select count(*) from ${slowRows(100 * threads, threads)}`)
    await sleep(2_000)
    stop.abort(reason)
    await expect(asked).rejects.toBe(reason)
    // While its session is open: with all threads taken by what nobody waits for, this would not come back for long.
    const asking = performance.now()
    const again = await session.query('select count(*) from range(0, 1000, 1, 8)')
    expect(again.rows).toEqual([[1000]])
    expect(performance.now() - asking).toBeLessThan(40_000)
    await own[Symbol.asyncDispose]()
  })

  describe('failures', () => {
    test.each([
      ['select nothing from range(1)', 'LPA-SPARK-REFUSED', 'UNRESOLVED_COLUMN'],
      ['selec 1', 'LPA-SPARK-REFUSED', 'PARSE_SYNTAX_ERROR'],
      ['select 1 / 0', 'LPA-SPARK-REFUSED', 'DIVIDE_BY_ZERO'],
      ['select * from parquet.`file:/nowhere/at/all`', 'LPA-SPARK-FILES', 'PATH_NOT_FOUND'],
    ])('%s', async (statement, code, named) => {
      await expect(session.query(statement)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(named),
        where: expect.stringMatching(/^sc:\/\/127\.0\.0\.1:\d+$/),
      })
    })

    describe('of files', () => {
      let folder: string
      beforeAll(() => {
        folder = mkdtempSync(join(tmpdir(), 'lpa-spark-files-'))
      })
      afterAll(() => rmSync(folder, { recursive: true, force: true }))

      test.each([0, 1, 1000])('%d written rows are counted by those who write them', async (rows) => {
        expect(
          await session.write(`select id from range(0, ${rows}, 1, 4)`, join(folder, `rows-${rows}`)),
        ).toBe(rows)
      })

      test.each([
        ['gone', (file: string) => rmSync(file)],
        ['broken', (file: string) => writeFileSync(file, 'no Parquet')],
      ])('one that is %s is told, whatever the server is set to', async (what, harm) => {
        const place = join(folder, what)
        await session.write('select id from range(0, 4, 1, 2)', place)
        const files = readdirSync(place).filter((name) => name.endsWith('.parquet'))
        expect(files.length).toBe(2)
        await session.viewOfFiles(what, { paths: [place], schema: 'id bigint' })
        harm(join(place, files[0] ?? ''))
        await expect(session.query(`select count(id) from ${what}`)).rejects.toMatchObject({
          code: 'LPA-SPARK-FILES',
        })
      })

      test.each([
        ['1 / (id - 1)', 'LPA-SPARK-REFUSED', 'DIVIDE_BY_ZERO'],
        ["cast(if(id = 1, 'x', '1') as int)", 'LPA-SPARK-REFUSED', 'CAST_INVALID_INPUT'],
      ])('%s fails as itself, not as a file', async (expression, code, named) => {
        const place = join(folder, named)
        await expect(session.write(`select ${expression} as x from range(3)`, place)).rejects.toMatchObject({
          code,
          message: expect.stringContaining(named),
        })
      })
    })

    // To mount one takes root. Spark may still hold a file of it open.
    if (isFull)
      test('a full disk', async (context) => {
        const small = mkdtempSync(join(tmpdir(), 'lpa-spark-small-'))
        const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', small])
        if (status !== 0) context.skip('no file system can be mounted here')
        try {
          const rows = 'select rand() as x, uuid() as y from range(0, 200000, 1, 1)'
          await expect(session.write(rows, join(small, 'rows'))).rejects.toMatchObject({
            ...{ code: 'LPA-SPARK-DISK', exit: 'cannotCreate' },
          })
        } finally {
          spawnSync('umount', ['--lazy', small])
          rmSync(small, { recursive: true })
        }
      })

    test('what reads clear text never quotes it', async () => {
      const { address, token } = { address: addressOf(sharedServer()), token: sharedServer().token }
      await using own = await SparkSession.open({ address, token, signal, readsClear: true })
      const asked = own.query("select cast(concat('jane', '@example.org') as int)")
      const error = await asked.then(
        () => undefined,
        (thrown: Error) => thrown,
      )
      expect([error?.message, error?.cause]).toEqual(['Spark refused (CAST_INVALID_INPUT).', undefined])
    })

    test('a session that cannot be set up is ended on the server', async () => {
      const address = { ...addressOf(sharedServer()), user: 'ended' }
      const { token } = sharedServer()
      const wrong = { 'spark.sql.files.ignoreMissingFiles': 'perhaps' }
      await expect(SparkSession.open({ address, token, signal }, wrong)).rejects.toMatchObject({
        code: 'LPA-SPARK-REFUSED',
      })
      expect(await sessionsOf('ended')).toEqual(['ended'])
    })

    test('a wrong token', async () => {
      const address = addressOf(sharedServer())
      await expect(SparkSession.open({ address, token: 'another-one', signal })).rejects.toMatchObject({
        ...{ code: 'LPA-SPARK-TOKEN', exit: 'notPermitted' },
      })
      await expect(SparkSession.open({ address, signal })).rejects.toMatchObject({ code: 'LPA-SPARK-TOKEN' })
    })

    test('nobody there', async () => {
      const server = createServer()
      const port = await new Promise<number>((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
      })
      await new Promise((resolve) => server.close(resolve))
      const address = { ...addressOf(sharedServer()), port }
      const started = performance.now()
      await expect(SparkSession.open({ address, signal })).rejects.toMatchObject({
        ...{ code: 'LPA-SPARK-NETWORK', exit: 'unavailable' },
      })
      expect(performance.now() - started).toBeLessThan(10_000)
    })

    test('a token that would leave this machine in the clear is not sent', async () => {
      const address = { ...addressOf(sharedServer()), host: 'spark.example.org' }
      await expect(SparkSession.open({ address, token: 'a-token', signal })).rejects.toMatchObject({
        ...{ code: 'LPA-SPARK-CLEAR', exit: 'notPermitted' },
      })
    })
  })

  describe('behind a proxy with TLS', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lpa-spark-tls-'))
    const server = sharedServer()
    let proxy: Server
    let ca: string
    beforeAll(async () => {
      const made = makeCertificates(folder)
      ca = readFileSync(made.ca, 'utf8')
      const pem = readFileSync(made.server)
      proxy = createTlsServer({ key: pem, cert: pem, ALPNProtocols: ['h2'] }, (client) => {
        const spark = connect(server.port, '127.0.0.1')
        for (const [one, other] of [[client, spark] as const, [spark, client] as const])
          one
            .pipe(other)
            .on('error', () => {})
            .on('close', () => one.destroy())
      })
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    })
    afterAll(() => {
      proxy?.close()
      rmSync(folder, { recursive: true, force: true })
    })

    const open = (isEncrypted: boolean, trusted?: string) =>
      SparkSession.open({
        address: { ...addressOf(server), port: (proxy.address() as AddressInfo).port, isEncrypted },
        ...{ token: server.token, ca: trusted, signal },
      })

    test('whose certificate is trusted, statements are answered', async () => {
      await using behind = await open(true, ca)
      expect((await behind.query('select 1')).rows).toEqual([[1]])
    })

    test('whose certificate nobody vouches for, it says how to', async () => {
      await expect(open(true)).rejects.toMatchObject({
        ...{ code: 'LPA-SPARK-TLS', exit: 'unavailable' },
        next: [expect.stringContaining('ca_file')],
      })
    })

    test('that is spoken to without TLS, it says so', async () => {
      await expect(open(false)).rejects.toMatchObject({
        code: 'LPA-SPARK-NETWORK',
        next: [expect.stringContaining('use_ssl=true')],
      })
    })

    test('that wants a certificate of lpa, it is not told as one without TLS', async () => {
      const pem = readFileSync(join(folder, 'server.pem'))
      const strict = createTlsServer({ key: pem, cert: pem, ALPNProtocols: ['h2'], requestCert: true, ca })
      strict.on('tlsClientError', () => {})
      await new Promise<void>((resolve) => strict.listen(0, '127.0.0.1', resolve))
      const address = {
        ...addressOf(server),
        port: (strict.address() as AddressInfo).port,
        isEncrypted: true,
      }
      await expect(SparkSession.open({ address, ca, signal })).rejects.toMatchObject({
        code: 'LPA-SPARK-TLS',
        message: expect.stringContaining('CERTIFICATE_REQUIRED'),
      })
      strict.close()
    })

    test('that is not there, TLS is not what Spark itself speaks', async () => {
      const address = { ...addressOf(server), isEncrypted: true }
      await expect(SparkSession.open({ address, signal })).rejects.toMatchObject({
        code: 'LPA-SPARK-TLS',
        message: expect.stringContaining('speaks no TLS'),
      })
    })
  })
})

/** Of a user's sessions how they are, as the server shows them: a session that has ended has the time of its end. */
async function sessionsOf(user: string): Promise<readonly ('open' | 'ended')[]> {
  const spark = inject('spark')
  const page = 'pages' in spark ? await (await fetch(`${spark.pages}/connect/`)).text() : ''
  return [...page.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)].flatMap(([, row = '']) => {
    if (!row.includes(`<td> ${user} </td>`)) return []
    const times = row.match(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/g) ?? []
    return [times.length === 2 ? 'ended' : 'open']
  })
}

/** So many rows, of which each takes a second. */
function slowRows(rows: number, partitions = 1): string {
  return `range(0, ${rows}, 1, ${partitions}) where java_method('java.lang.Thread', 'sleep', 1000L + id * 0) is not null`
}
