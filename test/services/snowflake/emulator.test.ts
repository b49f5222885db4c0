/** That the emulator is what the other tests take it for, asked through Snowflake's own driver. */

import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { EmulatorDatabase } from './database.ts'
import { DriverSession } from './driver.ts'
import { Emulator } from './emulator.ts'
import { describeWithSnowflake } from './shared-emulator.ts'

describeWithSnowflake('the Snowflake emulator', (snowflake) => {
  let database: EmulatorDatabase
  let session: DriverSession
  beforeEach(async () => {
    database = await EmulatorDatabase.create(snowflake)
    session = await DriverSession.signIn(database)
  })
  afterEach(() => session[Symbol.asyncDispose]())

  const outcomes = async () => (await database.statements()).map(({ sql, outcome }) => [sql, outcome])

  describe('signing in', () => {
    test.each([
      ['password', { password: 'wrong' }],
      ['user', { username: 'somebody' }],
      ['account', { account: 'other' }],
    ])('refuses a wrong %s', async (_, wrong) => {
      const refused = DriverSession.signIn(database, wrong)
      await expect(refused).rejects.toMatchObject({
        code: '390100',
        message: /Incorrect username or password/,
      })
    })

    test('takes the password as a programmatic token', async () => {
      const token = { authenticator: 'PROGRAMMATIC_ACCESS_TOKEN', token: snowflake.password }
      await using other = await DriverSession.signIn(database, token)
      expect(await other.query('select 1 as one')).toEqual([{ ONE: '1' }])
    })

    test('takes a key pair, and no other', async () => {
      const by = (privateKey: string) =>
        DriverSession.signIn(database, { authenticator: 'SNOWFLAKE_JWT', privateKey })
      await using other = await by(snowflake.privateKey)
      expect(await other.query('select 1 as one')).toEqual([{ ONE: '1' }])
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      const refused = by(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
      await expect(refused).rejects.toMatchObject({ code: '390100' })
    })

    test('makes no database that does not exist', async () => {
      await using other = await DriverSession.signIn(database, { database: 'NO_SUCH_DATABASE' })
      await expect(other.query('create table t (a text)')).rejects.toThrow(/does not have a current database/)
    })

    test('works with what connectionsToml() writes, which only its owner can read', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'lpa-test-'))
      const file = join(database.connectionsToml(folder, 'prod'), 'connections.toml')
      expect(readFileSync(file, 'utf8')).toContain(`[prod]\naccount = "lpa"\n`)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      rmSync(folder, { recursive: true })
    })
  })

  describe('values', () => {
    test('keeps whole numbers over 2^53, decimals, dates, times and NULL exact', async () => {
      await session.query(`create table v (n number(38,0), m number(20,5), r float, b boolean, d date,
        t timestamp_ntz, z timestamp_tz, s text)`)
      await session.query(`insert into v values
        (9007199254740993, -1.00001, 0.1, true, '1969-12-31', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56+02:00', 'ü''"'),
        (null, null, null, null, null, null, null, null)`)
      expect(await session.query('select * from v order by n')).toEqual([
        {
          N: '9007199254740993',
          M: '-1.00001',
          R: '0.1',
          B: true,
          D: '1969-12-31',
          T: '2024-02-29 12:34:56.789',
          Z: '2024-02-29 10:34:56.000 +0000',
          S: `ü'"`,
        },
        { N: null, M: null, R: null, B: null, D: null, T: null, Z: null, S: null },
      ])
    })

    test('binds scalars', async () => {
      const rows = await session.query(
        'select ?::number(38,0) as n, ? as s, ?::boolean as b, ?::float as f, ? as x',
        ['9007199254740993', "it's", true, 0.5, null as never],
      )
      expect(rows).toEqual([{ N: '9007199254740993', S: "it's", B: true, F: '0.5', X: null }])
      const [logged] = await database.statements()
      expect(logged?.binds).toEqual(['9007199254740993', "it's", 'true', '0.5', null])
    })

    test('binds arrays, of which a value may be NULL', async () => {
      await session.query('create table a (n number, s text)')
      const inserted = await session.query('insert into a values (?, ?)', [
        [1, 'x'],
        [2, null as never],
      ])
      expect(inserted).toEqual([{ 'number of rows inserted': '2' }])
      expect(await session.query('select * from a order by n')).toEqual([
        { N: '1', S: 'x' },
        { N: '2', S: null },
      ])
    })

    test('has VARIANT', async () => {
      await session.query('create table j (v variant)')
      await session.query(`insert into j select parse_json('{"a": [1, {"b": "x"}]}')`)
      expect(await session.query('select v, v:a[1].b::text as b from j')).toEqual([
        { V: { a: [1, { b: 'x' }] }, B: 'x' },
      ])
    })

    test('has years that Python does not, and numbers that are not signed', async () => {
      const far = `select '9999-12-31'::date as d, '12345-01-01'::timestamp_ntz as t, '0001-01-01 00:00:00.5'::timestamp_ntz as s,
        '23:59:59.5'::time as c, hash('x') > 0 as h, hash('x') as u`
      const [row] = await session.query(far)
      expect(row).toMatchObject({ D: '9999-12-31', T: '12345-01-01 00:00:00.000', H: true, C: '23:59:59' })
      expect(row).toMatchObject({ S: '0001-01-01 00:00:00.500', U: expect.stringMatching(/^\d{15,20}$/) })
    })

    test('says Division by zero, which DuckDB takes for infinity', async () => {
      await expect(session.query('select 1 / 0')).rejects.toMatchObject({ code: '100051' })
    })
  })

  describe('statements', () => {
    test('runs several in one request, and gives the rows of each', async () => {
      expect(
        await session.queryAll(`create table m (s text); insert into m values ('a;b'); select * from m;`),
      ).toEqual([
        [{ status: 'Table M successfully created.' }],
        [{ 'number of rows inserted': '1' }],
        [{ S: 'a;b' }],
      ])
      expect(await outcomes()).toEqual([
        ['create table m (s text)', 'executed'],
        [`insert into m values ('a;b')`, 'executed'],
        ['select * from m', 'executed'],
      ])
    })

    test('wants the number of statements that the driver said', async () => {
      const two = session.query('select 1; select 2', [], { parameters: { MULTI_STATEMENT_COUNT: 3 } })
      await expect(two).rejects.toMatchObject({ code: '000008' })
      const bound = session.query('select 1; select ?', [1], { parameters: { MULTI_STATEMENT_COUNT: 2 } })
      await expect(bound).rejects.toThrow('emulator: several statements with values for them')
    })

    test('fails at once, with Snowflake’s codes', async () => {
      await session.query('create table known (a text)')
      await expect(session.query('select * from unknown')).rejects.toMatchObject({
        code: '002003',
        sqlState: '42S02',
        message: /Object 'UNKNOWN' does not exist or not authorized/,
      })
      await expect(session.query('select b from known')).rejects.toMatchObject({ code: '000904' })
      await expect(session.query('selec 1')).rejects.toMatchObject({ code: '001003', sqlState: '42000' })
      expect((await outcomes()).map(([, outcome]) => outcome)).toEqual([
        'executed',
        'failed',
        'failed',
        'failed',
      ])
    })

    test('logs them with the tag of their session, apart from those of other databases', async () => {
      await using tagged = await DriverSession.signIn(database, { queryTag: 'lpa load' })
      const other = await EmulatorDatabase.create(snowflake)
      await using elsewhere = await DriverSession.signIn(other)
      await tagged.query('select 1')
      await elsewhere.query('select 2')
      expect(await database.statements()).toMatchObject([{ sql: 'select 1', tag: 'lpa load' }])
      await database.forgetStatements()
      expect(await database.statements()).toEqual([])
      expect(await other.statements()).toMatchObject([{ sql: 'select 2', tag: null }])
    })

    test.each([
      'create role if not exists teacher',
      'grant select on all tables in schema public to role public',
      'undrop table t',
      `alter session set query_tag = 'x'`,
      `alter session set timezone = 'UTC'`,
      'alter session unset query_tag',
      'alter table t set data_retention_time_in_days = 7',
      'alter table t add search optimization on equality(a)',
      'alter table t add primary key (a)',
      'alter schema public set data_retention_time_in_days = 7',
      'use secondary roles all',
      `-- why\n  create or replace masking policy p as (v text) returns text -> '*'`,
      `create or replace dynamic table d target_lag = '1 day' warehouse = w as select 1 as a`,
    ])('records and does not run: %s', async (sql) => {
      await session.query(sql)
      expect(await outcomes()).toEqual([[sql, 'recorded']])
    })

    test.each([
      `create transient table t (a text) cluster by (a) data_retention_time_in_days = 1 comment = 'x'`,
      'use warehouse w',
      'use role r',
      'create schema if not exists staging data_retention_time_in_days = 1',
      'create transient schema staging data_retention_time_in_days = 0',
    ])('takes without doing all of it: %s', async (sql) => {
      await session.query(sql)
      expect(await outcomes()).toEqual([[sql, 'executed']])
    })

    test('reads the present where the past was asked for', async () => {
      await session.query('create table t (a number)')
      await session.query('insert into t values (1), (2)')
      const sql = 'select a from t at (timestamp => ?::timestamp_tz) as then where a = ?'
      expect(await session.query(sql, ['2024-01-01', 2])).toEqual([{ A: '2' }])
      expect((await outcomes()).at(-1)).toEqual([sql, 'changed'])
      const before = `select count(*) as n from t before (statement => '01b'), (select 1 as at)`
      expect(await session.query(before)).toEqual([{ N: '2' }])
    })

    test('does not enforce keys, as Snowflake does not, except that a primary key is not null', async () => {
      await session.query(`create table if not exists k (a number not null, b text unique, c number references other (a),
        d number default 3, constraint k_key primary key (a, b) not enforced rely) cluster by (a)`)
      await session.query(`insert into k (a, b) values (1, 'x'), (1, 'x')`)
      expect(await session.query('select * from k')).toEqual(
        Array(2).fill({ A: '1', B: 'x', C: null, D: '3' }),
      )
      await expect(session.query('insert into k (a, b) values (1, null)')).rejects.toThrow(/NOT NULL/)
    })

    test('refuses functions that only DuckDB has', async () => {
      const refused = session.query(`select strftime(d, '%Y') from t`)
      await expect(refused).rejects.toThrow('emulator: Snowflake has no function STRFTIME')
    })
  })

  describe('transactions', () => {
    let other: DriverSession
    beforeEach(async () => {
      other = await DriverSession.signIn(database)
      await session.query('create table t (a number)')
    })
    afterEach(() => other[Symbol.asyncDispose]())
    const count = async (from: DriverSession) => (await from.query('select count(*) as n from t'))[0]?.N

    test('are seen by others when they are committed', async () => {
      await session.query('begin transaction')
      await session.query('insert into t values (1), (2)')
      expect([await count(session), await count(other)]).toEqual(['2', '0'])
      await session.query('commit')
      expect(await count(other)).toBe('2')
    })

    test('take MERGE, also with a temporary table', async () => {
      await session.query('create temporary table s (a number, b text)')
      await session.query('alter table t add column b text')
      await session.query(`insert into t values (1, 'old'), (2, 'gone')`)
      await session.query('begin')
      await session.query(`insert into s values (1, 'new'), (2, null), (3, 'x')`)
      const merged = await session.query(
        `merge into t as target using (select * from s where a < ?) as source on target.a = source.a
          when matched and source.b is null then delete
          when matched then update set target.b = source.b
          when not matched then insert (a, b) values (source.a, source.b)`,
        [9],
      )
      expect(merged).toEqual([
        { 'number of rows inserted': '1', 'number of rows updated': '1', 'number of rows deleted': '1' },
      ])
      expect(await count(other)).toBe('2')
      await session.query('commit')
      expect(await other.query('select * from t order by a')).toEqual([
        { A: '1', B: 'new' },
        { A: '3', B: 'x' },
      ])
    })

    test('leave nothing when they are rolled back, or when their session ends', async () => {
      await session.query('begin')
      await session.query('insert into t values (1)')
      await session.query('rollback')
      const third = await DriverSession.signIn(database)
      await third.query('begin')
      await third.query('insert into t values (1)')
      await third[Symbol.asyncDispose]()
      expect([await count(session), await count(other)]).toEqual(['0', '0'])
    })

    test('lock a table whose rows they change, also to what they were, until they end', async () => {
      await session.query('insert into t values (1)')
      await other.query('alter session set lock_timeout = 1')
      await session.query('begin')
      await session.query('update t set a = a where a = 1')
      await expect(other.query('delete from t')).rejects.toMatchObject({ code: '000625' })
      await other.query('insert into t values (2)')
      await other.query('begin')
      await other.query('alter session set lock_timeout = 60')
      const waiting = other.query('update public.t set a = 3 where a = 2')
      await sleep(200)
      expect((await outcomes()).at(-1)?.[1]).toBe('running')
      await session.query('commit')
      expect(await waiting).toEqual([expect.objectContaining({ 'number of rows updated': '1' })])
      await other.query('rollback')
      expect(await count(session)).toBe('2')
    })

    test('are not committed by halves after a statement of them failed', async () => {
      await session.query('create table strict (a number not null)')
      await session.query('begin')
      await session.query('insert into t values (1)')
      await expect(session.query('insert into strict values (null)')).rejects.toMatchObject({
        code: '100072',
      })
      await expect(session.query('commit')).rejects.toThrow(
        /emulator: a statement of this transaction failed/,
      )
      await session.query('rollback')
      await session.query('begin')
      await session.query('insert into t values (2)')
      await session.query('commit')
      expect(await other.query('select * from t')).toEqual([{ A: '2' }])
    })

    test('end when the sessions do, of which their clients are told', async () => {
      await session.query('begin')
      await session.query('insert into t values (1)')
      await database.endSessions()
      await expect(session.query('commit')).rejects.toThrow(/terminated connection/)
      await using third = await DriverSession.signIn(database)
      expect(await count(third)).toBe('0')
    })

    test('take no DDL, which Snowflake would commit them for', async () => {
      await session.query('begin')
      await session.query('insert into t values (1)')
      for (const ddl of ['create table u (a text)', 'truncate table t', 'grant select on t to role r'])
        await expect(session.query(ddl)).rejects.toThrow(/emulator: this is DDL inside a transaction/)
      await session.query('commit')
      await session.query('create table u (a text)')
      expect(await count(other)).toBe('1')
    })
  })

  describe('stages', () => {
    let folder: string
    let file: string
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'lpa-test-'))
      file = join(folder, 'rows.parquet')
      const duckdb = await (await DuckDBInstance.create()).connect()
      await duckdb.run(`copy (
        select 9007199254740993 as n, 'x' as s, date '2024-02-29' as d, timestamp '2024-02-29 12:34:56.789' as t,
          '{"a": [1, "ü"]}' as v
        union all select 2, null, null, null, null
      ) to '${file}' (format parquet)`)
      duckdb.closeSync()
    })
    afterAll(() => rmSync(folder, { recursive: true }))

    const ROWS = [
      { N: '9007199254740993', S: 'x', D: '2024-02-29', T: '2024-02-29 12:34:56.789', V: { a: [1, 'ü'] } },
      { N: '2', S: null, D: null, T: null, V: null },
    ]
    const put = () => `put 'file://${file}' @files/run-1/t/ auto_compress = false overwrite = true`
    const COPY = `copy into t from @files/run-1/t/ file_format = (type = parquet)
      match_by_column_name = case_insensitive on_error = abort_statement`
    const read = () => session.query('select * from t order by n desc')

    beforeEach(async () => {
      await session.query('create stage files')
      await session.query('create table t (n number(38,0), s text, d date, t timestamp_ntz, v variant)')
    })

    test('are filled by the driver, and their Parquet is copied by names', async () => {
      expect(await session.query(put())).toMatchObject([{ target: 'rows.parquet', status: 'UPLOADED' }])
      await session.query('begin')
      expect(await session.query(COPY)).toMatchObject([{ status: 'LOADED', rows_loaded: '2' }])
      await session.query('commit')
      expect(await read()).toMatchObject(ROWS.map(({ V, ...row }) => row))
      expect(await session.query(COPY)).toMatchObject([{ status: 'LOAD_SKIPPED' }])
    })

    test('are copied by a transformation, which makes a VARIANT of JSON', async () => {
      await session.query(put())
      await session.query('begin')
      const copied = await session.query(`copy into t (n, s, d, t, v) from (
        select $1:n::number(38,0), $1:s::text, $1:d::date, $1:t::timestamp_ntz, parse_json($1:v::text)
        from @files/run-1/t/
      ) file_format = (type = parquet) on_error = abort_statement`)
      expect(copied).toMatchObject([{ status: 'LOADED', rows_loaded: '2' }])
      expect(await read()).toEqual(ROWS)
      await session.query('rollback')
      expect(await read()).toEqual([])
    })

    test('are listed and emptied by the beginning of a path', async () => {
      await session.query(put())
      await session.query(put().replace('run-1', 'run-2'))
      const listed = await session.query('list @files/run')
      expect(listed.map(({ name }) => name)).toEqual([
        'files/run-1/t/rows.parquet',
        'files/run-2/t/rows.parquet',
      ])
      expect(listed[0]?.size).toBe(String(statSync(file).size))
      const removed = await session.query(`remove @${database.name}.PUBLIC.files/run-1/`)
      expect(removed).toEqual([{ name: 'files/run-1/t/rows.parquet', result: 'removed' }])
      expect(await session.query('list @files')).toHaveLength(1)
      expect(await session.query(`rm '@files/run-2/' pattern = '.*nothing'`)).toEqual([])
      expect(await session.query(COPY)).toEqual([{ status: 'Copy executed with 0 files processed.' }])
      await expect(session.query('remove @nothing/x')).rejects.toMatchObject({ code: '002003' })
    })
  })

  describe('faults', () => {
    const inserted = async () => (await session.query('select count(*) as n from t'))[0]?.N

    beforeEach(() => session.query('create table t (a number)'))

    test.each(['status', 'drop'] as const)(
      '%s: the driver asks again, and it is executed once',
      async (kind) => {
        await database.fault({ kind, match: '^insert' })
        await session.query('insert into t values (1)')
        expect((await outcomes()).slice(1)).toEqual([
          ['insert into t values (1)', 'fault'],
          ['insert into t values (1)', 'executed'],
        ])
        expect(await inserted()).toBe('1')
      },
    )

    test('lose-reply: it is executed, whether or not the driver ever knows', async () => {
      await database.fault({ kind: 'lose-reply', match: '^commit' })
      await session.query('begin')
      await session.query('insert into t values (1)')
      await session.query('commit')
      await database.fault({ kind: 'lose-reply', match: '^insert', times: 1000 })
      const lost = session.start('insert into t values (2)')
      lost.rows.catch(() => {})
      await using other = await DriverSession.signIn(database)
      await expect.poll(() => other.query('select a from t order by a')).toEqual([{ A: '1' }, { A: '2' }])
      // The driver asks for the lost one again before it is told.
      await sleep(3000)
      await database.clearFaults()
      expect(await lost.rows).toEqual([{ 'number of rows inserted': '1' }])
      expect(await inserted()).toBe('2')
      const sent = (await database.statements()).filter(({ sql }) => /^(commit|insert)/.test(sql))
      expect(sent).toHaveLength(3)
    })

    test('answer: Snowflake’s own failures', async () => {
      const suspended = { code: '000606', message: 'No active warehouse selected', sqlState: '57P03' }
      await database.fault({ kind: 'answer', ...suspended })
      await expect(session.query('select 1')).rejects.toMatchObject(suspended)
      await database.fault({ kind: 'answer', code: '390112', message: 'Session token expired' })
      // The driver gets a new token by itself, and asks again.
      expect(await session.query('select 1 as one')).toEqual([{ ONE: '1' }])
    })

    test('rows: the result of what fakesnow does not have', async () => {
      const sql = `select * from table(information_schema.query_history_by_session())`
      await database.fault({
        kind: 'rows',
        match: 'query_history',
        columns: [
          ['QUERY_ID', 'VARCHAR'],
          ['BYTES_SCANNED', 'BIGINT'],
          ['PROFILE', 'JSON'],
        ],
        rows: [['01b', '9007199254740993', '{"a": 1}']],
      })
      expect(await session.query(sql)).toEqual([
        { QUERY_ID: '01b', BYTES_SCANNED: '9007199254740993', PROFILE: { a: 1 } },
      ])
      const context = 'select current_role() as r, current_warehouse() as w, current_user() as u'
      expect(await session.query(context)).toEqual([{ R: 'LPA_ROLE', W: 'LPA_WH', U: 'LPA_TESTER' }])
    })

    test('slow: a statement that waits can be cancelled', async () => {
      await database.fault({ kind: 'slow', seconds: 60, match: '^insert' })
      const { statement, rows } = session.start('insert into t values (1)')
      const failed = expect(rows).rejects.toMatchObject({ code: '000604', sqlState: '57014' })
      await expect.poll(outcomes).toHaveLength(2)
      statement.cancel(() => {})
      await failed
      expect(await inserted()).toBe('0')
      expect((await outcomes())[1]).toEqual(['insert into t values (1)', 'canceled'])
    })

    test('a statement that works can be cancelled too', async () => {
      const endless =
        'select count(*) from table(generator(rowcount => 3000000000)) a, table(generator(rowcount => 3000000000)) b'
      const { statement, rows } = session.start(endless)
      const failed = expect(rows).rejects.toMatchObject({ code: '000604' })
      await expect.poll(outcomes).toHaveLength(2)
      statement.cancel(() => {})
      await failed
      expect(await session.query('select 1 as one')).toEqual([{ ONE: '1' }])
    })

    test('of one database do not reach another, and signing in has its own', async () => {
      const other = await EmulatorDatabase.create(snowflake)
      await other.fault({ kind: 'answer', code: '000001', message: 'x', times: 9 })
      await other.fault({ kind: 'answer', on: 'login', code: '390201', message: 'not now' })
      expect(await session.query('select 1 as one')).toEqual([{ ONE: '1' }])
      await expect(DriverSession.signIn(other)).rejects.toMatchObject({ code: '390201' })
      await using elsewhere = await DriverSession.signIn(other)
      await expect(elsewhere.query('select 1')).rejects.toMatchObject({ code: '000001' })
    })
  })
})

describeWithSnowflake('an emulator of a test of its own', () => {
  test('is gone, with its files, when who started it was killed', async () => {
    const program = `import { Emulator } from './emulator.ts'
      const { pid, folder } = await Emulator.start()
      console.log(JSON.stringify({ pid, folder }))`
    const args = ['--input-type=module', '--eval', program]
    const starter = spawn(process.execPath, args, {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(starter.stdout, 'data')
    const { pid, folder } = JSON.parse(String(line))
    expect(existsSync(folder)).toBe(true)
    starter.kill('SIGKILL')
    await expect.poll(() => existsSync(folder), { timeout: 5000 }).toBe(false)
    await expect.poll(() => isRunning(pid), { timeout: 5000 }).toBe(false)
  })

  test('is gone, with its files, after stop()', async () => {
    const emulator = await Emulator.start()
    const { pid, address } = emulator
    const { host, port } = address
    const database = await EmulatorDatabase.create(address)
    expect(await database.statements()).toEqual([])
    await emulator.stop()
    await expect(fetch(`http://${host}:${port}/`)).rejects.toThrow()
    expect(existsSync(emulator.folder)).toBe(false)
    expect(isRunning(pid)).toBe(false)
  })
})

function isRunning(pid: number | undefined): boolean {
  try {
    return process.kill(pid ?? 0, 0)
  } catch {
    return false
  }
}
