/** The engine of a team's warehouse: Snowflake, over its own driver. Tables are in one database, a schema an area. */

import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../errors.ts'
import { systemFailure } from '../../system-failure.ts'
import type {
  At,
  Batch,
  Capabilities,
  Cell,
  Engine,
  ModelFiles,
  OpenMode,
  ParquetFile,
  Result,
  ResultStream,
  Row,
  TableDeclaration,
  TransactionTraits,
  Values,
} from '../../types.ts'
import { warn } from '../../words.ts'
import { countPeople, erasePeople } from '../erase-people.ts'
import { forgetResults } from '../kept-results.ts'
import { lastCursor, recordLoad, supersedeLoads } from '../load-ledger.ts'
import { tellOfWait } from '../lock-wait.ts'
import { sweepScratch } from '../scratch.ts'
import { findConnection } from './connections.ts'
import {
  alterTable,
  columnName,
  createSchema,
  createTable,
  LOAD_IDS,
  STAGE,
  sessionTable,
  withSnowflakeTypes,
} from './ddl.ts'
import { connect } from './driver.ts'
import { explained, faultOf, isEnded, isLocked, isUnanswered } from './failures.ts'
import { materialiseSql, removalSql } from './materialise.ts'
import { piecesOf } from './pieces.ts'
import { Session } from './session.ts'
import { assertOneSelect } from './statement-check.ts'
import { asOf } from './time-travel.ts'
import { joinPieces, rowsOf, unloadSql } from './unload.ts'

export interface SnowflakeOptions {
  /** A connection of Snowflake's own files; none: its default one. */
  readonly connection: string | undefined
  readonly signal: AbortSignal
  /** A folder of this machine for staged files and the state of streams. */
  readonly folder: string
  /** How long a transaction waits for another writer. */
  readonly lockWaitMs: number
  /** `create` makes missing schemas; `plan` reads, and takes it that there may be none; all others want what `create` made. */
  readonly mode: OpenMode
  /** Tables of a transaction, by `schema/ddl_session.sql`. */
  readonly sessionTables: readonly TableDeclaration[]
  /** Declared tables and views, which `at` is said of. */
  readonly declared: readonly TableDeclaration[]
  readonly at?: At | undefined
}

export const CAN: Capabilities = {
  transactions: true,
  transactionalDdl: false,
  roles: true,
  masking: true,
  tags: true,
  clustering: true,
  files: false,
  timeTravel: true,
  variant: true,
}

const SCHEMAS = ['raw', 'staging', 'core', 'meta']

/** What every session is set to: the same answers whatever the account's defaults are. */
const SESSION = [
  `timezone = 'UTC'`,
  `timestamp_type_mapping = 'TIMESTAMP_NTZ'`,
  `date_output_format = 'YYYY-MM-DD'`,
  `timestamp_ntz_output_format = 'YYYY-MM-DD HH24:MI:SS.FF9'`,
  `timestamp_ltz_output_format = 'YYYY-MM-DD HH24:MI:SS.FF9 TZHTZM'`,
  `timestamp_tz_output_format = 'YYYY-MM-DD HH24:MI:SS.FF9 TZHTZM'`,
  `timestamp_input_format = 'AUTO'`,
  `date_input_format = 'AUTO'`,
  'week_start = 1',
  'week_of_year_policy = 0',
  'strict_json_output = true',
  'autocommit = true',
  // No result is cut.
  'rows_per_resultset = 0',
  // What a killed run has running ends with it.
  'abort_detached_query = true',
  // Short, so that a signal is heard between two tries.
  'lock_timeout = 2',
].join(' ')

/** A dashboard that asked more often would keep an idle warehouse from being suspended, if the metadata did not answer. */
const LEAST_POLL_MS = 30_000

/** Of one INSERT of values. */
const MOST_VALUES = 5000

/** Snowflake ends a transaction that others wait for and that asks nothing for five minutes. */
const ALIVE_MS = 60_000

/** So long may the lock of a session last that is gone: five minutes without a statement, and what it ran then. */
const DETACHED_MS = 600_000

export async function openSnowflake(options: SnowflakeOptions): Promise<Engine> {
  const { folder, mode, at } = options
  if (at && 'version' in at) {
    throw new UserError('LPA-QUERY-AT', 'Snowflake keeps states by time, not by number.', {
      exit: 'usage',
      next: 'Write a time: --at 2026-01-12T08:00:00Z',
    })
  }
  const connection = findConnection({ name: options.connection })
  for (const { message, next } of connection.warnings) warn(message, ...next)
  const scratch = join(folder, 'tmp')
  // Of a warehouse that is still to be made.
  const mayLack = mode === 'plan' || mode === 'create'
  let session = await openSession()
  let stopped = false
  let isOpen = false
  /** Whether a transaction may be open in it that nobody wants any more: a BEGIN would go on with it. */
  let isLost = false
  /** A session on its way, which all wait for who need one. */
  let reopening: Promise<void> | undefined
  /** Loads that the open transaction appended. */
  let appended: number[] = []
  /** Where in the stage the files lie that the open transaction uploaded. */
  const uploaded: string[] = []
  let isStageSwept = false
  /** Tables that were found to have every column that is copied into them. */
  const whole = new Set<string>()
  if (mode === 'write' || mode === 'create') {
    mkdirSync(scratch, { recursive: true })
    sweepScratch(scratch)
  }

  async function openSession(): Promise<Session> {
    const opened = new Session(await connect(connection, { signal: options.signal }))
    try {
      await opened.run(`alter session set ${SESSION}`)
      if (mode === 'create') await createSchemas(opened)
      else if (mode !== 'plan') await assertWarehouse(opened, mode)
      if (mode !== 'plan') await opened.run('use schema core')
      return opened
    } catch (error) {
      await opened.close()
      throw faultOf(error) === 'name' ? missing(error) : explained(error)
    }
  }

  async function ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw explained(error)
    }
  }

  const execute = (statement: string, values?: Values) =>
    ask(async () => (await session.run(statement, values)).changed)

  const query = (statement: string, values?: Values): Promise<Result> =>
    read(async (open) => {
      const { columns, rows } = await open.run(asOf(statement, at, options.declared), values)
      return { columns, rows }
    })

  const stream = async (statement: string, values?: Values): Promise<ResultStream> => {
    const { columns, chunks } = await read((open) =>
      open.stream(asOf(statement, at, options.declared), values),
    )
    return { columns, chunks: explaining(chunks) }
  }

  async function* explaining<T>(chunks: AsyncIterable<T>): AsyncIterable<T> {
    try {
      yield* chunks
    } catch (error) {
      throw explained(error)
    }
  }

  /** What only reads is asked once more where Snowflake has ended the session: an administrator may, and time does. */
  const read = <T>(work: (open: Session) => Promise<T>): Promise<T> =>
    ask(async () => {
      const asked = session
      try {
        return await work(asked)
      } catch (error) {
        if (isOpen || stopped || !isEnded(error)) throw error
        if (session === asked) await reopen()
        return work(session)
      }
    })

  function reopen(): Promise<void> {
    reopening ??= (async () => {
      await session.close()
      session = await openSession()
      if (stopped) session.stop()
      isLost = false
    })().finally(() => {
      reopening = undefined
    })
    return reopening
  }

  async function rollback(): Promise<void> {
    isLost = !(await session.tidy('rollback'))
  }

  /**
   * Begins as the only writer. Snowflake locks a table that an UPDATE changes until its transaction ends, and reads
   * committed rows. A session that was open while another one committed may not see that yet: who had to wait begins anew.
   * Answers the transaction's id.
   */
  async function begin(uses: readonly string[], waitMs: number): Promise<string> {
    const deadline = Date.now() + waitMs
    let hasWaited = false
    let isReady = false
    for (;;) {
      // Answered by the server, so a session that it has ended is found out before anything begins.
      if (!isLost && !isReady) isLost = !(await session.tidy(autocommit(false)))
      if (isLost) {
        await reopen()
        await session.run(autocommit(false))
        isReady = false
      }
      if (!isReady) for (const name of uses) await session.run(sessionTable(declaredSessionTable(name)))
      isReady = true
      await session.run('begin transaction')
      try {
        const { changed } = await session.run(
          'update meta.schema_changes set applied_at = applied_at where number = 0',
        )
        // Without that row nothing is locked: only schema apply, which writes it, goes on.
        if (changed === 0 && mode !== 'create') throw unfinished()
        if (!hasWaited) return await currentTransaction()
      } catch (error) {
        if (isUnanswered(error)) isLost = true
        else await rollback()
        if (!isLocked(error)) throw error
        hasWaited = true
        if (stopped || Date.now() >= deadline) {
          throw new UserError('LPA-WAREHOUSE-LOCKED', 'Another run is writing to the warehouse.', {
            exit: 'locked',
            next: [
              'Try again, or wait for it: --lock-wait 10m',
              'A run that was killed holds it for some minutes: show locks; select system$abort_transaction(…)',
            ],
            cause: error,
          })
        }
        tellOfWait(deadline, waitMs)
        await sleep(200 + Math.random() * 300)
        continue
      }
      await rollback()
      isLost = true
      hasWaited = false
    }
  }

  async function transaction<T>(
    work: () => Promise<T>,
    { uses = [], lockWaitMs = options.lockWaitMs }: TransactionTraits = {},
  ): Promise<T> {
    if (isOpen) throw new Error('A transaction is already open.')
    isOpen = true
    // While files are uploaded nothing is asked.
    const alive = setInterval(() => void session.tidy('select 1'), ALIVE_MS).unref()
    try {
      const id = await begin(uses, lockWaitMs)
      try {
        const result = await work()
        if (stopped) throw new Error('The session was stopped.')
        if ((await currentTransaction()) !== id) throw aborted()
        await commit()
        // They are copies by now.
        await removeUploaded()
        return result
      } catch (error) {
        // Of a server that does not answer each try takes minutes; it ends the session by itself.
        if (isUnanswered(error)) isLost = true
        else {
          await rollback()
          await removeUploaded()
        }
        throw error
      }
    } catch (error) {
      throw explained(error)
    } finally {
      clearInterval(alive)
      if (!isLost) isLost = !(await session.tidy(autocommit(true)))
      isOpen = false
      appended = []
      uploaded.length = 0
    }
  }

  async function removeUploaded(): Promise<void> {
    for (const path of uploaded.splice(0)) await session.tidy(`remove ${path}`)
  }

  function declaredSessionTable(name: string): TableDeclaration {
    const table = options.sessionTables.find((declared) => declared.name === name)
    if (!table) throw new Error(`schema/ddl_session.sql declares no ${name}.`)
    return table
  }

  /** Where the answer to a commit does not come, the ledger tells whether it holds: once the lock is free, it is settled. */
  async function commit(): Promise<void> {
    try {
      await session.run('commit')
    } catch (error) {
      if (!isUnanswered(error) || appended.length === 0) throw error
      if (!(await isCommitted(appended))) throw error
    }
  }

  /** Nothing where it cannot be told: the lock is not let go. */
  async function isCommitted(loads: readonly number[]): Promise<boolean> {
    isLost = true
    try {
      await begin([], DETACHED_MS)
      const { rows } = await session.run(
        `select count(*) as loads from meta.loads where load_id in (${loads.join(', ')})`,
      )
      await rollback()
      await removeUploaded()
      return Number(rows[0]?.[0]) === loads.length
    } catch {
      return false
    }
  }

  async function currentTransaction(): Promise<string> {
    const { rows } = await session.run('select current_transaction() as id')
    return String(rows[0]?.[0])
  }

  function assertOpen(what: string): void {
    if (!isOpen) throw new Error(`${what} belongs inside a transaction.`)
  }

  async function supersede(loadIds: readonly number[], by: number): Promise<void> {
    assertOpen('supersede()')
    if (loadIds.length === 0) return
    await supersedeLoads({ execute }, loadIds, by)
    forgetResults(folder)
  }

  async function append(batch: Batch): Promise<void> {
    assertOpen('append()')
    const { load } = batch
    for (const file of batch.files) await copyIn(load.loadId, file)
    await recordLoad({ dialect: 'snowflake', execute }, batch)
    appended.push(load.loadId)
  }

  /** Uploads a staged file to a path of this load's own, and copies its rows. */
  async function copyIn(loadId: number, file: ParquetFile): Promise<void> {
    const path = await stagePath(`load_${loadId}/${basename(file.path, '.parquet')}`)
    for (const piece of await piecesOf(file.path)) {
      await put(piece, path)
      rmSync(piece)
    }
    await copyRows(file.table, path, file.rows)
  }

  /** A path of the stage that is emptied with the transaction. */
  async function stagePath(name: string): Promise<string> {
    await sweepStage()
    const path = `@${STAGE}/${name}/`
    uploaded.push(path)
    return path
  }

  /** Nobody else uploads under the lock: what lies there is of runs that were killed. */
  async function sweepStage(): Promise<void> {
    if (!isStageSwept) await ask(() => session.run(`remove @${STAGE}`))
    isStageSwept = true
  }

  async function put(file: string, path: string): Promise<void> {
    const told = await ask(() =>
      session.run(`put '${addressOf(file)}' ${path} auto_compress = false overwrite = true`),
    )
    const [status, message] = valuesOf(told, ['status', 'message'])[0] ?? []
    if (status !== 'UPLOADED') throw stageFailure(`PUT of ${basename(file)}`, message)
  }

  async function copyRows(table: string, path: string, rows: number): Promise<void> {
    await assertWhole(table)
    const copied = await ask(() => session.run(copySql(table, path)))
    const loaded = sumOf(copied, 'rows_loaded')
    if (loaded !== rows) throw new Error(`COPY into ${table} loaded ${loaded} of ${rows} rows.`)
  }

  async function plainFiles(table: string, folder: string): Promise<readonly string[]> {
    assertOpen('plainFiles()')
    const declared = declaredTable(table)
    const path = await stagePath(`unload_${randomUUID()}`)
    const rows = sumOf(await ask(() => session.run(unloadSql(declared, path))), 'rows_unloaded')
    if (rows === 0) return []
    const pieces = join(folder, `${table}.pieces`)
    mkdirSync(pieces, { recursive: true })
    const fetched = await withTemporaryFolder(folder, () =>
      ask(() => session.run(`get ${path} '${addressOf(pieces)}/'`)),
    )
    for (const [file, status, message] of valuesOf(fetched, ['file', 'status', 'message']))
      if (status !== 'DOWNLOADED') throw stageFailure(`GET of ${file}`, message)
    const target = join(folder, `${table}.parquet`)
    const joined = await joinPieces(pieces, declared, target)
    if (joined !== rows) throw new Error(`GET brought ${joined} of ${rows} rows of ${table}.`)
    return [target]
  }

  async function takeIn({ name, materialise, files }: ModelFiles, full: boolean): Promise<number> {
    assertOpen('takeIn()')
    const isTemporary = materialise.kind === 'temporary'
    const removal = isTemporary ? [`delete from ${name}`] : removalSql({ name, materialise }, full)
    for (const statement of removal) await execute(statement)
    const rows = await rowsOf(files)
    if (rows === 0) return 0
    const path = await stagePath(`model_${randomUUID()}`)
    for (const file of files) await put(file, path)
    await copyRows(isTemporary ? name : `core.${name}`, path, rows)
    return rows
  }

  /** A copy by names leaves out, without a word, what the table of an older lpa has no column for: a SELECT does not. */
  async function assertWhole(table: string): Promise<void> {
    if (whole.has(table)) return
    const names = columnsOf(table).map(({ name }) => columnName(name))
    await session.run(`select ${names.join(', ')} from ${table} limit 0`)
    whole.add(table)
  }

  function columnsOf(table: string): TableDeclaration['columns'] {
    return withSnowflakeTypes(declaredTable(table)).columns
  }

  function declaredTable(table: string): TableDeclaration {
    const declared = [...options.declared, ...options.sessionTables].find(({ name }) => name === table)
    if (!declared) throw new Error(`No table ${table} is declared.`)
    return declared
  }

  /** A text becomes a VARIANT by parsing only, so tables with one name their columns. */
  function copySql(table: string, from: string): string {
    const columns = columnsOf(table)
    // Else a text `\\N` would be NULL; staged texts are never empty.
    const format = `file_format = (type = parquet use_logical_type = true null_if = (''))`
    if (!columns.some(({ type }) => type === 'variant'))
      return `copy into ${table} from ${from} ${format} match_by_column_name = case_insensitive on_error = abort_statement`
    const names = columns.map(({ name }) => columnName(name)).join(', ')
    const parts = columns.map(({ name, type }) =>
      type === 'variant'
        ? `parse_json($1:${name}::varchar, 'd')`
        : `$1:${name}::${type === 'text' ? 'varchar' : type}`,
    )
    return `copy into ${table} (${names}) from (select ${parts.join(', ')} from ${from}) ${format} on_error = abort_statement`
  }

  async function temporaryTable(name: string, { columns, rows }: Result): Promise<void> {
    assertOpen('temporaryTable()')
    await execute(`delete from ${name}`)
    const most = Math.max(1, Math.floor(MOST_VALUES / columns.length))
    for (let first = 0; first < rows.length; first += most) {
      const some = rows.slice(first, first + most)
      const values: Record<string, Cell> = {}
      const holes = some.map((row, i) =>
        row.map((cell, j) => {
          values[`v${i}_${j}`] = cell
          return `$v${i}_${j}`
        }),
      )
      await execute(
        `insert into ${name} (${columns.map((column) => column.name).join(', ')}) values ${holes.map((row) => `(${row.join(', ')})`).join(', ')}`,
        values,
      )
    }
  }

  async function version(): Promise<string> {
    let rowsOf = 0
    let newest = ''
    for (const [table, column] of NEWEST) {
      // Nothing but count and max: its metadata answers that, and no warehouse need be resumed.
      const asked = query(`select count(*) as rows_of, max(${column}) as newest from ${table}`)
      const { rows } = await asked.catch((error) => {
        if (mayLack && faultOf(error) === 'name') return { rows: [[0, null]] }
        throw error
      })
      rowsOf += Number(rows[0]?.[0])
      // Instants of one length sort as texts.
      newest = [newest, String(rows[0]?.[1] ?? '').slice(0, 'YYYY-MM-DDThh:mm:ss'.length)].sort()[1] ?? ''
    }
    return rowsOf === 0 ? '0' : `${rowsOf}.${(Date.parse(`${newest}Z`) / 1000).toString(36)}`
  }

  return {
    dialect: 'snowflake',
    can: CAN,
    isLoggedIn: true,
    // Snowflake reads no other.
    parquetVersion: 'v1',
    scratch,
    leastPollMs: LEAST_POLL_MS,
    execute,
    query,
    stream,
    faultOf,
    async exportParquet(statement, values, file) {
      const { writeParquet } = await import('../parquet.ts')
      return writeParquet(await stream(statement, values), file)
    },
    async oneState(work) {
      const before = await version()
      const result = await work()
      if (options.at === undefined && (await version()) !== before) throw changedMeanwhile()
      return result
    },
    async assertReadOnly(statement) {
      assertOneSelect(statement)
    },
    transaction,
    // Snowflake's own business.
    expectRows: async () => {},
    append,
    supersede,
    countPeople: (people) => countPeople({ dialect: 'snowflake', query, execute }, people),
    async erasePeople(people) {
      await sweepStage()
      return erasePeople({ dialect: 'snowflake', query, execute }, people)
    },
    async daysOfPast() {
      const { rows } = await query(
        `select max(retention_time) as days from information_schema.tables
         where table_schema in ('RAW', 'STAGING', 'CORE', 'META')`,
      )
      return Number(rows[0]?.[0] ?? 1)
    },
    lastCursor: (source, format) => lastCursor({ dialect: 'snowflake', query }, source, format),
    configured: withSnowflakeTypes,
    createTable,
    alterTable,
    undropTable: (name) => `undrop table ${name}`,
    temporaryTable,
    async materialise(model, full) {
      let rows = 0
      for (const statement of materialiseSql(model, full)) rows = await execute(statement)
      return rows
    },
    plainFiles,
    takeIn,
    async nextLoadId() {
      const { rows } = await query(`select ${LOAD_IDS}.nextval as load_id`)
      return Number(rows[0]?.[0])
    },
    // Snowflake merges small files by itself, and forgets by its retention.
    compact: async () => 0,
    version,
    interrupt() {
      stopped = true
      session.stop()
    },
    close: () => session.close(),
  }
}

function changedMeanwhile(): UserError {
  return new UserError('LPA-SNOWFLAKE-CHANGED', 'The warehouse was changed while it was read.', {
    exit: 'unavailable',
    next: 'Run it again, or read it as it was: --at TIME',
  })
}

/** The driver decrypts what it fetches in the system's temporary folder, where nobody takes it away after a kill. */
async function withTemporaryFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const before = process.env.TMPDIR
  process.env.TMPDIR = folder
  try {
    return await work()
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
}

/** The stage may lie at another host than the account. */
function stageFailure(what: string, message: unknown): UserError {
  const told = `${what} failed: ${message ?? 'nothing tells why'}`
  return (
    systemFailure(told, undefined) ??
    new UserError('LPA-SNOWFLAKE-STAGE', told, {
      exit: 'unavailable',
      next: 'Files of a stage lie with the cloud, at another host than the account: let lpa through to it. Nothing was changed.',
    })
  )
}

/** Of a result the columns of these names. */
function valuesOf({ columns, rows }: Result, names: readonly string[]): Row[] {
  const places = names.map((name) => columns.findIndex((column) => column.name === name))
  return rows.map((row) => places.map((place) => row[place] ?? null))
}

/** @throws Error where there is no such column: what is not told is not nothing */
function sumOf(result: Result, column: string): number {
  if (!result.columns.some(({ name }) => name === column)) throw new Error(`Nothing tells ${column}.`)
  return valuesOf(result, [column]).reduce((sum, [value]) => sum + Number(value), 0)
}

/** Not a URL all the way: what is in the path is not encoded. */
function addressOf(path: string): string {
  return `file://${path.replaceAll(/['\\]/g, '\\$&')}`
}

/** Every commit adds to one of these; one that only supersedes loads, by the record of its run. */
const NEWEST = [
  ['meta.loads', 'committed_at'],
  ['meta.built_loads', 'built_at'],
  ['meta.runs', 'finished_at'],
] as const

/** Only those that are missing: who may not make one is refused also where it is there already. */
async function createSchemas(session: Session): Promise<void> {
  const { rows } = await session.run('select schema_name from information_schema.schemata')
  const there = new Set(rows.map(([name]) => name))
  for (const area of SCHEMAS) if (!there.has(area.toUpperCase())) await session.run(createSchema(area))
}

/** Off in a transaction: where somebody else ends it, what comes after is not committed, statement by statement. */
function autocommit(isOn: boolean): string {
  return `alter session set autocommit = ${isOn}`
}

/** Commits of what came after would hold, without what was before. */
function aborted(): UserError {
  return new UserError('LPA-SNOWFLAKE-ABORTED', 'Snowflake has ended the transaction by itself.', {
    exit: 'unavailable',
    next: 'Nothing was changed. Run it again.',
  })
}

/** Who writes has to see the lock; who only reads may be let see core alone. */
async function assertWarehouse(session: Session, mode: OpenMode): Promise<void> {
  const names = mode === 'write' ? ['META.SCHEMA_CHANGES'] : ['META.SCHEMA_CHANGES', 'CORE.DIM_DATE']
  const { rows } = await session.run(
    `select count(*) as tables from information_schema.tables where table_schema || '.' || table_name in ('${names.join("', '")}')`,
  )
  if (Number(rows[0]?.[0]) === 0) throw missing()
}

function missing(cause?: unknown): UserError {
  return new UserError('LPA-WAREHOUSE-MISSING', 'There is no warehouse of lpa in that database.', {
    exit: 'noInput',
    next: [
      'Make it: lpa schema apply (or all at once: lpa up)',
      'If it is there, the role has to be let see it: USAGE on its schemas, SELECT on its tables.',
    ],
    cause,
  })
}

function unfinished(): UserError {
  return new UserError('LPA-WAREHOUSE-UNFINISHED', 'The warehouse of lpa in that database is not ready.', {
    exit: 'config',
    next: 'Bring it to its end: lpa schema apply',
  })
}
