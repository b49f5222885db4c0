/** What goes wrong between lpa and Snowflake, and in Snowflake: a load is there whole and once, or not at all. */

import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, type TestContext, test } from 'vitest'
import { withWarehouse } from '../../../src/pipeline/warehouse.ts'
import { CutLine } from './cut-line.ts'
import type { EmulatorDatabase, Fault } from './database.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { wrongStatements } from './statements.ts'

/** The driver tries a statement again after pauses of 1 to 16 seconds: a failure takes a minute, and here three seconds. */
const HURRY = { NODE_OPTIONS: `--import=${fileURLToPath(new URL('hurry.mjs', import.meta.url))}` }
/** One and seven more; of a statement whose rows are not streamed all of them twice. */
const TRIES = 8
const ROWS = 3

describeLpaOnSnowflake('lpa, where Snowflake fails', () => {
  let place: LpaPlace
  let database: EmulatorDatabase
  let loads = 0
  beforeAll(async () => {
    place = await LpaPlace.create()
    await place.lpaOk(['schema', 'apply', '--quiet'])
  })
  afterAll(() => place?.[Symbol.asyncDispose]())
  beforeEach(async (context) => {
    database = place.emulated(context)
    await place.sql('delete from meta.loads')
    await place.sql('delete from staging.stg_course')
    await database.forgetStatements()
  })
  afterEach(() => database?.clearFaults())

  const failing = (fault: Fault) => database.fault(fault)
  const sent = async (pattern: RegExp) =>
    (await database.statements()).filter(({ sql }) => pattern.test(sql)).map(({ outcome }) => outcome)

  /** A file that no test has loaded before. */
  function newFile(): string {
    loads += 1
    const lines = Array.from({ length: ROWS }, (_, row) => `C${loads}-${row},Course ${row}`)
    return place.write(`courses-${loads}.csv`, `course_id,course_title\n${lines.join('\n')}\n`)
  }

  /** Loads in the ledger, rows of them, and files that are left in the stage and on this machine. */
  async function state(): Promise<readonly number[]> {
    const [row = []] = (
      await place.sql('select (select count(*) from meta.loads), (select count(*) from staging.stg_course)')
    ).rows
    const staged = (await place.sql('list @meta.staged_files')).rows.length
    const folder = join(place.folder.root, 'prod', 'tmp')
    const here = existsSync(folder) ? readdirSync(folder, { recursive: true }).length : 0
    return [...row.map(Number), staged, here]
  }
  const NOTHING = [0, 0, 0, 0]
  const ONCE = [1, ROWS, 0, 0]

  test('a wrong password ends with 77 and is not shown', async () => {
    const password = 'not-the-password'
    const env = { SNOWFLAKE_CONNECTIONS_DEFAULT_PASSWORD: password }
    const log = 'run.log'
    const ran = await place.lpa(['query', 'funnel', '-vv', '--log-file', log], { env })
    expect(ran).toMatchObject({
      code: 77,
      stdout: '',
      stderr: expect.stringContaining('LPA-SNOWFLAKE-LOGIN'),
    })
    expect(`${ran.stderr}${readFileSync(join(place.folder.root, log), 'utf8')}`).not.toContain(password)
  })

  test('a run that is refused does not try again: so many wrong passwords lock a user out', async () => {
    const message = 'Incorrect username or password was specified.'
    await failing({ kind: 'answer', on: 'login', code: '390100', message })
    expect(await place.lpa(['load', newFile()])).toMatchObject({ code: 77 })
    expect(await database.statements()).toEqual([])
  })

  test('a run logs in once, as who has to confirm it on a telephone expects', async () => {
    const [ran] = await place.json<readonly object[]>(['load', newFile()])
    expect(ran).toMatchObject({ outcome: 'loaded' })
    const sessions = new Set((await database.statements()).map(({ session }) => session))
    expect(sessions.size).toBe(1)
    expect(await place.value("select count(*) from meta.runs where summary like '1 file%'")).toBeGreaterThan(
      0,
    )
  })

  test('a host that is not there ends with 69', async () => {
    const env = {
      ...HURRY,
      SNOWFLAKE_CONNECTIONS_DEFAULT_HOST: 'nowhere.invalid',
      SNOWFLAKE_CONNECTIONS_DEFAULT_PROTOCOL: 'https',
    }
    const ran = await place.lpa(['query', 'funnel'], { env })
    expect(ran).toMatchObject({
      code: 69,
      stdout: '',
      stderr: expect.stringContaining('LPA-SNOWFLAKE-UNREACHABLE'),
    })
  })

  test('a file of connections that others can read is warned of', async () => {
    const file = join(place.folder.root, 'snowflake', 'connections.toml')
    chmodSync(file, 0o644)
    const ran = await place.lpaOk(['query', '--sql', 'select 1 as one', '--json', '--quiet'])
    chmodSync(file, 0o600)
    expect(ran.stdout).toBe('[\n{"one":1}\n]\n')
    expect(ran.stderr).toMatch(
      /^Warning: .*connections\.toml can be read by others: its mode is 644\.\n {2}chmod 600 /,
    )
  })

  test('a server that is gone in the middle of a load ends it with 69; the next run loads it once', async () => {
    const file = newFile()
    await using line = await CutLine.open(database.address)
    await failing({ kind: 'slow', match: '^copy', seconds: 2 })
    const { ended } = place.start(['load', file], { env: { ...HURRY, ...line.env } })
    await expect.poll(() => sent(/^copy/), { timeout: 20_000 }).toHaveLength(1)
    line.cut()
    const ran = await ended
    expect(ran).toMatchObject({ code: 69, stderr: expect.stringContaining('LPA-SNOWFLAKE-NETWORK') })
    expect((await state()).slice(0, 2)).toEqual([0, 0])
    // What Snowflake does with a transaction whose client is gone.
    await place.endSessions()
    await place.lpaOk(['load', file])
    expect(await state()).toEqual(ONCE)
  })

  test.each(['status', 'drop'] as const)('%s: a load goes on where it passes', async (kind) => {
    await failing({ kind, match: '^(copy|put|commit)', times: 3 })
    await place.lpaOk(['load', newFile()], { env: HURRY })
    expect(await state()).toEqual(ONCE)
  })

  test('HTTP 500 for every try of a statement ends with 69', async () => {
    await failing({ kind: 'status', match: '^select 42', times: 1000 })
    const ran = await place.lpa(['query', '--sql', 'select 42 as answer'], { env: HURRY })
    expect(ran).toMatchObject({ code: 69, stderr: expect.stringContaining('LPA-SNOWFLAKE-NETWORK') })
    expect(await sent(/^select 42/)).toEqual(Array(TRIES).fill('fault'))
  })

  test('a load whose commit was done, of which the answer is lost, is found in the ledger', async () => {
    await failing({ kind: 'lose-reply', match: '^commit', times: 2 * TRIES })
    const ran = await place.lpaOk(['load', newFile(), '--json'], { env: HURRY })
    expect(JSON.parse(ran.stdout)).toMatchObject([{ outcome: 'loaded', mapped: ROWS }])
    // Its own, and that of the history of runs.
    expect(await sent(/^commit/)).toEqual(['executed', 'executed'])
    expect(await state()).toEqual(ONCE)
  })

  test('a load whose commit was never done fails, and the next run loads it once', async () => {
    const file = newFile()
    await failing({ kind: 'status', match: '^commit', times: 2 * TRIES })
    const ran = await place.lpa(['load', file], { env: HURRY })
    expect(ran).toMatchObject({ code: 69, stderr: expect.stringContaining('LPA-SNOWFLAKE-NETWORK') })
    expect(await state()).toEqual(NOTHING)
    await place.lpaOk(['load', file])
    expect(await state()).toEqual(ONCE)
  })

  test.each([
    ['load', '^copy', () => ['load', newFile()]],
    ['query', '^select 43', () => ['query', '--sql', 'select 43 as answer']],
  ])('what the role may not do ends a %s with 77', async (_, match, args) => {
    const message = `SQL access control error:\nInsufficient privileges to operate on table 'STG_COURSE'`
    await failing({ kind: 'answer', match, code: '003001', message, sqlState: '42501' })
    const ran = await place.lpa(args())
    expect(ran).toMatchObject({ code: 77, stderr: expect.stringContaining('LPA-SNOWFLAKE-PRIVILEGE') })
    expect(await state()).toEqual(NOTHING)
  })

  test('a session without a virtual warehouse says what to write', async () => {
    const message = 'No active warehouse selected in the current session.'
    await failing({ kind: 'answer', match: '^copy', code: '000606', message, sqlState: '57P03' })
    const ran = await place.lpa(['load', newFile()])
    expect(ran).toMatchObject({ code: 78, stderr: expect.stringContaining('warehouse = "…"') })
    expect(await state()).toEqual(NOTHING)
  })

  test.each([['query', 'funnel'], ['schema', 'plan'], ['batch']])(
    'a database that is not there ends %s with 78',
    async (...args) => {
      const ran = await place.lpa(args, { env: { SNOWFLAKE_CONNECTIONS_DEFAULT_DATABASE: 'NOT_THERE' } })
      expect(ran).toMatchObject({ code: 78, stderr: expect.stringContaining('LPA-SNOWFLAKE-DATABASE') })
    },
  )

  test('while another run writes, a load waits as long as it was told to, and ends with 75', async () => {
    const file = newFile()
    const waiting = async () => (await sent(/^update meta.schema_changes/)).includes('running')
    const other = await place.session()
    try {
      await other.run('begin transaction')
      await other.run('update meta.schema_changes set applied_at = applied_at where number = 0')
      const ran = await place.lpa(['load', file, '--lock-wait', '1s'])
      expect(ran).toMatchObject({ code: 75, stderr: expect.stringContaining('LPA-WAREHOUSE-LOCKED') })
      expect(ran.ms).toBeGreaterThan(1000)
      expect(await state()).toEqual(NOTHING)
      const { ended } = place.start(['load', file, '--lock-wait', '1m'])
      await expect.poll(waiting, { timeout: 20_000 }).toBe(true)
      await other.run('commit')
      expect(await ended).toMatchObject({ code: 0 })
    } finally {
      await other.close()
    }
    expect(await state()).toEqual(ONCE)
  })

  test.each([
    ['load', '^copy', () => ['load', newFile()]],
    ['query', '^select 44', () => ['query', '--sql', 'select 44 as answer']],
  ])(
    'SIGINT in the middle of a %s ends it with 130, cancels it, and leaves nothing',
    async (_, match, args) => {
      await failing({ kind: 'slow', match, seconds: 60 })
      const pattern = new RegExp(match)
      const { child, ended } = place.start(args())
      await expect.poll(() => sent(pattern), { timeout: 20_000 }).toEqual(['fault'])
      child.kill('SIGINT')
      const ran = await ended
      expect(ran).toMatchObject({ code: 130 })
      expect(await sent(pattern)).toEqual(['canceled'])
      expect(await state()).toEqual(NOTHING)
    },
  )

  test('what a killed run left in the stage goes with the next one', async () => {
    const file = newFile()
    await failing({ kind: 'slow', match: '^copy', seconds: 60 })
    const { child, ended } = place.start(['load', file])
    await expect.poll(() => sent(/^copy/), { timeout: 20_000 }).toHaveLength(1)
    child.kill('SIGKILL')
    await ended
    await place.endSessions()
    expect((await state())[2]).toBe(1)
    await place.lpaOk(['load', file])
    expect(await state()).toEqual(ONCE)
  })

  test.each([
    ['an administrator', () => place.endSessions()],
    [
      'time',
      async () => {
        await failing({ kind: 'answer', code: '390112', message: 'Session token expired.' })
        await failing({ kind: 'answer', on: 'renewal', code: '390114', message: 'Master token expired.' })
      },
    ],
  ])('a session that is at its end because of %s is opened again', async (_, end) => {
    const values = await withWarehouse(
      place.config(),
      'write',
      new AbortController().signal,
      async (engine) => {
        await end()
        const both = await Promise.all([engine.query('select 1 as n'), engine.query('select 2 as n')])
        await end()
        const rows = await engine.transaction(() => engine.query('select 3 as n'))
        await end()
        const ended = engine.transaction(async () => {
          await end()
          await engine.query('select 4 as n')
        })
        await expect(ended).rejects.toMatchObject({ code: 'LPA-SNOWFLAKE-NETWORK' })
        return [...both, rows, await engine.query('select 5 as n')].map((result) => result.rows[0]?.[0])
      },
    )
    expect(values).toEqual([1, 2, 3, 5])
  })

  test('a result that is stopped while it is read is no shorter result', async () => {
    const numbers = Array.from({ length: 100 }, (_, n) => `select ${n} as n`).join(' union all ')
    const sql = `select a.n from (${numbers}) a cross join (${numbers}) b`
    await place.engine(async (engine) => {
      const { chunks } = await engine.stream(sql)
      const read = async () => {
        for await (const _ of chunks) engine.interrupt()
      }
      await expect(read()).rejects.toThrow('stopped')
    })
  })

  test.each([
    ['query', () => ['query', 'funnel']],
    ['load', () => ['load', newFile()]],
    ['schema plan', () => ['schema', 'plan']],
    ['schema apply', () => ['schema', 'apply']],
  ])('%s in a database that is not there says what to check', async (_, args) => {
    const ran = await place.lpa(args(), { env: { SNOWFLAKE_CONNECTIONS_DEFAULT_DATABASE: 'NOWHERE' } })
    expect(ran).toMatchObject({ code: 78, stderr: expect.stringContaining('LPA-SNOWFLAKE-DATABASE') })
  })

  test.each([
    ['a stage', '^remove @', '002003', "Stage 'META.STAGED_FILES' does not exist or not authorized."],
    ['a sequence', 'nextval', '000904', "invalid identifier 'META.LOAD_IDS.NEXTVAL'"],
    ['a table', '^copy', '002003', "Object 'STAGING.STG_COURSE' does not exist or not authorized."],
  ])('%s that is hidden from the role, or gone, ends a load with 77', async (_, match, code, said) => {
    await failing({
      kind: 'answer',
      match,
      code,
      message: `SQL compilation error:\n${said}`,
      sqlState: '02000',
    })
    const ran = await place.lpa(['load', newFile()])
    expect(ran).toMatchObject({ code: 77, stderr: expect.stringContaining('LPA-WAREHOUSE-HIDDEN') })
    expect(ran.stderr).toContain(said)
    expect(await state()).toEqual(NOTHING)
  })

  test('a schema whose name was put in quotes and small letters is not the one of lpa', async () => {
    await failing({
      ...{ kind: 'rows', match: 'information_schema.schemata', columns: [['schema_name', 'VARCHAR']] },
      rows: [['raw'], ['STAGING'], ['CORE'], ['META']],
    })
    await place.lpaOk(['schema', 'apply'])
    expect(await sent(/^create schema/)).toEqual(['executed'])
  })

  test('who may see core alone can ask it, and not load', async () => {
    await using narrow = await LpaPlace.create()
    await narrow.lpaOk(['schema', 'apply', '--quiet'])
    // The emulator has no rights: what is hidden is not there.
    await narrow.sql('drop table meta.schema_changes')
    expect(await narrow.json(['query', '--sql', 'select count(*) as n from dim_course'])).toEqual([{ n: 0 }])
    const file = narrow.write('courses.csv', 'course_id,course_title\nC1,Intro\n')
    const ran = await narrow.lpa(['load', file])
    expect(ran).toMatchObject({ code: 66, stderr: expect.stringContaining('LPA-WAREHOUSE-MISSING') })
  })

  test('was sent as Snowflake’s SQL', async (context: TestContext) => {
    expect(await wrongStatements(place.emulated(context))).toEqual([])
  })
})
