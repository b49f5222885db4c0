/** The embedded engine: DuckDB in this process over a DuckLake (Parquet files, SQLite catalog). */

import { constants, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { DuckDBConnection, DuckDBResult, DuckDBValue } from '@duckdb/node-api'
import { type Database, openDuckDB, quoteText, readNumber, releaseMemory } from '../../duckdb.ts'
import { UserError } from '../../errors.ts'
import { makeFolder } from '../../new-file.ts'
import type {
  At,
  Batch,
  Capabilities,
  Engine,
  Fault,
  Model,
  OpenMode,
  ParquetFile,
  Result,
  ResultStream,
  RoleViews,
  Row,
  TransactionTraits,
  UpkeepPolicy,
  Values,
} from '../../types.ts'
import { countPeople, erasePeople } from '../erase-people.ts'
import { forgetResults } from '../kept-results.ts'
import { lastCursor, recordLoad, supersedeLoads } from '../load-ledger.ts'
import { olderTables } from '../older-tables.ts'
import { sweepScratch } from '../scratch.ts'
import { catalogFile, catalogInode, catalogLook, createCatalog, hasCatalog } from './catalog.ts'
import { recordChecksums, refuseDamagedCatalog } from './checksums.ts'
import { keepLakeSmall, type Lake } from './compaction.ts'
import { type ExtensionFiles, ensureExtensions } from './extensions.ts'
import { fillTemporaryTable, fromFiles, materialiseSql } from './materialise.ts'
import { assertPermitted, followGroup, isPermitted, type Permissions, permissionsOf } from './permissions.ts'
import { plainFiles } from './plain-files.ts'
import { keepJournal } from './shared-journal.ts'
import { alterTable, createTable, type JsonTypes, withJsonTypes } from './table-ddl.ts'
import { cellConverter, columnType } from './values.ts'
import { explainMemory, refuseLoss, variantColumns } from './variant-loss.ts'
import { nextNumber, takeWriterLock, type WriterLock } from './writer-lock.ts'

export interface DuckLakeOptions extends JsonTypes {
  /** The warehouse folder: `catalog.sqlite`, `data/`, `tmp/`. */
  readonly folder: string
  readonly memoryLimit: string
  readonly timezone: string
  readonly threads?: number | undefined
  /** A folder with DuckDB's extension files; else they are cached. */
  readonly extensions?: string | undefined
  /** A group of this machine that may read the warehouse. */
  readonly group?: string | undefined
  /** How far back states of the warehouse are kept where a stream thins them, or somebody who asked for it. */
  readonly timeTravelMs: number
  /** How long a transaction waits for another writer. */
  readonly lockWaitMs: number
  /**
   * `create` makes a missing warehouse; `read` and `plan` never write, not even the catalog; `confined` reads what a
   * user's SQL asks for: no file outside the warehouse, no setting can be changed.
   */
  readonly mode: OpenMode
  /** Reads the warehouse as it was: a snapshot's number, or an instant. */
  readonly at?: At | undefined
  /** Further folders that `confined` may use: for an export. */
  readonly folders?: readonly string[]
  /** Reads as a role: what it sees by the rows of `meta.policy_objects`. For `confined` only. */
  readonly role?: ((objects: readonly Row[]) => Promise<RoleViews>) | undefined
}

/** Two commits within one tick of the file system's clock may look the same. */
const ASK_AGAIN_MS = 30_000

/** Statements that write no more than this leave little memory behind, and are not worth a second thread. */
const FEW_ROWS = 10_000

/** Attaching, too, is many small questions. */
const ONE_THREAD = 'set threads = 1'
const allThreads = ({ threads }: DuckLakeOptions) =>
  threads === undefined ? 'reset threads' : `set threads = ${threads}`

/** What is remembered of fewer takes little memory. */
const MANY_COMMITS = 50

/** A model that takes longer does more than to be planned: agg_course_day reads whole days. */
const SLOW_MODEL_MS = 300

export const CAN: Capabilities = {
  transactions: true,
  transactionalDdl: true,
  // DuckDB has none of these three: lpa keeps them, and a role's connection sees only what they leave (decision 0022).
  roles: 'emulated',
  masking: 'emulated',
  tags: 'emulated',
  clustering: true,
  files: true,
  timeTravel: true,
  variant: true,
}

export async function openDuckLake(options: DuckLakeOptions): Promise<Engine> {
  const { folder } = options
  const isReadOnly = isReading(options.mode)
  assertPermitted(folder, isReadOnly)
  const isNew = !hasCatalog(folder)
  if (isNew && options.mode !== 'create') {
    throw new UserError('LPA-WAREHOUSE-MISSING', `There is no warehouse in ${folder}.`, {
      exit: 'noInput',
      next: 'Make it: lpa schema apply (or all at once: lpa up)',
    })
  }
  const [extensions, duckdb] = await Promise.all([
    ensureExtensions(options.extensions ? { folder: options.extensions } : {}),
    import('@duckdb/node-api'),
  ])
  const scratch = join(folder, 'tmp')
  const permissions = permissionsOf(options.group)
  // Who only reads has 0077 from the start (src/start.ts), and may be a worker thread, which can set none.
  const umask = isReadOnly ? undefined : process.umask(permissions.umask)
  if (!isReadOnly) {
    makeFolder(folder)
    followGroup(folder, permissions)
    for (const path of [join(folder, 'data'), scratch]) mkdirSync(path, { recursive: true })
  }
  // Who may only read the warehouse spills elsewhere.
  const spill = isPermitted(scratch, constants.W_OK)
    ? join(scratch, `spill-${process.pid}`)
    : mkdtempSync(join(tmpdir(), 'lpa-spill-'))
  const tidy = () => {
    if (isPermitted(dirname(spill), constants.W_OK)) rmSync(spill, { recursive: true, force: true })
    if (umask !== undefined) process.umask(umask)
  }
  const { database, journal, role } = await openLake(options, {
    isNew,
    spill,
    extensions,
    permissions,
  }).catch((error) => {
    tidy()
    throw error
  })
  const { connection } = database

  let lock: WriterLock | undefined
  let swept = false
  /** Files that the open transaction brought into the data folder, with their SHA-256. */
  let placed: (readonly [path: string, sha256: string])[] = []
  const committed = new Map<string, string>()
  let hasCommitted = isNew
  let commits = 0
  const stop = new AbortController()
  let isCommitting = false
  /** The open transaction: of `transaction()`, or of a stream whose rows are being read. */
  let open: 'work' | 'stream' | undefined
  /** Names of all temporary models that ever ran: a transaction that is rolled back brings back what it dropped. */
  const temporary = new Set<string>()

  /** Runs `work` as the only writer, with nothing left of runs that died. */
  async function locked<T>(work: () => Promise<T>, waitMs = options.lockWaitMs): Promise<T> {
    if (lock) throw new Error('A transaction is already open.')
    stop.signal.throwIfAborted()
    lock = await takeWriterLock(folder, waitMs, stop.signal)
    try {
      if (!swept) {
        await refuseDamagedCatalog(folder)
        await sweep()
      }
      await endStream()
      return await work()
    } finally {
      lock.release()
      lock = undefined
    }
  }

  let areFew = false
  let isOnOneThread = false
  /** Models that read many rows to write few. */
  const slowModels = new Set<string>()
  async function onOneThread(isSo: boolean): Promise<void> {
    if (isOnOneThread === isSo) return
    await connection.run(isSo ? ONE_THREAD : allThreads(options))
    isOnOneThread = isSo
  }

  async function expectRows(rows: number): Promise<void> {
    areFew = rows <= FEW_ROWS
    await onOneThread(areFew)
  }

  function transaction<T>(
    work: () => Promise<T>,
    { rows = Number.POSITIVE_INFINITY, lockWaitMs }: TransactionTraits = {},
  ): Promise<T> {
    const alone = async () => {
      await expectRows(rows)
      await connection.run('begin')
      open = 'work'
      try {
        // What an earlier build touched, this one does not.
        for (const name of temporary) await connection.run(`drop table if exists temp.${name}`)
        const result = await work()
        stop.signal.throwIfAborted()
        isCommitting = true
        await connection.run('commit')
        hasCommitted = true
        commits += 1
        for (const [path, sha256] of placed) committed.set(path, sha256)
        return result
      } catch (error) {
        await connection.run('rollback').catch(() => {})
        // A commit that failed may hold all the same: then only the catalog knows which files count, and sweep asks it.
        if (isCommitting) swept = false
        else for (const [path] of placed) rmSync(path, { force: true })
        throw error
      } finally {
        isCommitting = false
        open = undefined
        placed = []
      }
    }
    return locked(alone, lockWaitMs)
  }

  /**
   * Takes away what runs that died left behind: files that no snapshot knows, folders of processes that are gone.
   * Under the lock nobody else is between placing a file and committing it.
   */
  async function sweep(): Promise<void> {
    swept = true
    await connection.run(`call ducklake_delete_orphaned_files('lake', cleanup_all => true)`)
    sweepScratch(scratch)
    await sweepStreams()
  }

  /** After an erasure no stream on Spark goes on, but tasks of one that was left on the server may have written since. */
  async function sweepStreams(): Promise<void> {
    if (!existsSync(join(folder, 'streams'))) return
    if ((await readNumber(connection, 'select count(*) from lake.meta.erased')) === 0) return
    const { forgetStreams } = await import('./forget-past.ts')
    forgetStreams(folder)
  }

  const inode = catalogInode(folder)
  /** At which the role's views were found to be those of the policy. */
  let policyVersion: string | undefined
  async function snapshot(): Promise<string> {
    const now = catalogInode(folder)
    if (now !== undefined && now !== inode) {
      throw new UserError('LPA-WAREHOUSE-REPLACED', 'Another warehouse was put in its place.', {
        ...{ exit: 'unavailable', where: folder },
        next: 'Run it again.',
      })
    }
    const version = String(await readNumber(connection, 'from lake.current_snapshot()'))
    if (role && options.role && version !== policyVersion) {
      const now = await options.role(await policyRows(connection))
      // The least count and who may reveal are in no statement.
      if (JSON.stringify(now) !== JSON.stringify(role)) throw policyChanged()
      policyVersion = version
    }
    return version
  }

  async function execute(statement: string, values?: Values): Promise<number> {
    stop.signal.throwIfAborted()
    await endStream()
    const result = await connection.run(statement, bind(values))
    return result.rowsChanged
  }

  async function stream(statement: string, values?: Values): Promise<ResultStream> {
    stop.signal.throwIfAborted()
    await endStream()
    if (open === undefined) {
      await connection.run('begin')
      open = 'stream'
    }
    try {
      const result = await connection.stream(statement, bind(values))
      return { columns: columnsOf(result), chunks: wholeRowsOf(result, statement, values) }
    } catch (error) {
      await endStream()
      throw error
    }
  }

  /** After an error, a commit is a rollback. */
  async function endStream(): Promise<void> {
    if (open !== 'stream') return
    open = undefined
    await connection.run('commit')
  }

  /** The rows; throws when there should have been more. */
  async function* wholeRowsOf(
    result: DuckDBResult,
    statement: string,
    values?: Values,
  ): AsyncIterable<Row[]> {
    try {
      yield* rowsOf(result)
      await assertWhole(statement, values)
    } finally {
      await endStream()
    }
  }

  /** A stream that fails in the middle, or is interrupted, ends as if there were no more rows: only its transaction tells. */
  async function assertWhole(statement: string, values?: Values): Promise<void> {
    try {
      await connection.run('select 1')
    } catch (cause) {
      stop.signal.throwIfAborted()
      const isOwn = open === 'stream'
      await endStream()
      // Why it failed, only running it again tells.
      if (isOwn) await connection.run(`explain analyze ${statement}`, bind(values))
      throw new UserError('LPA-QUERY-CUT', 'The statement failed after some of its rows.', {
        exit: 'data',
        next: 'Nothing was changed. A SELECT without --write tells why.',
        cause,
      })
    }
  }

  /** An erasure takes files away that a reader has yet to open: of the newest state they are there. */
  async function query(statement: string, values?: Values): Promise<Result> {
    try {
      return await queryOnce(statement, values)
    } catch (error) {
      if (!isReadOnly || open === 'work' || !/No such file or directory/.test(String(error))) throw error
      return queryOnce(statement, values)
    }
  }

  async function queryOnce(statement: string, values?: Values): Promise<Result> {
    const { columns, chunks } = await stream(statement, values)
    const rows: Row[] = []
    for await (const chunk of chunks) rows.push(...chunk)
    return { columns, rows }
  }

  async function exportParquet(statement: string, values: Values, file: string): Promise<number> {
    const { rowsChanged } = await connection.run(
      `copy (${statement}) to ${quoteText(file)} (format parquet, compression zstd)`,
      bind(values),
    )
    return rowsChanged
  }

  async function oneState<T>(work: () => Promise<T>): Promise<T> {
    stop.signal.throwIfAborted()
    await endStream()
    await connection.run('begin')
    open = 'work'
    try {
      return await work()
    } finally {
      open = undefined
      await connection.run('commit').catch(() => {})
    }
  }

  function columnsOf(result: DuckDBResult) {
    return result.columnNames().map((name, index) => ({
      name,
      type: columnType(duckdb, result.columnType(index)),
    }))
  }

  async function* rowsOf(result: DuckDBResult): AsyncIterable<Row[]> {
    const converters = columnsOf(result).map((column, index) =>
      cellConverter(duckdb, column, result.columnType(index)),
    )
    for (;;) {
      const chunk = await result.fetchChunk()
      if (!chunk || chunk.rowCount === 0) return
      const columns = converters.map((convert, index) => chunk.getColumnValues(index).map(convert))
      yield Array.from({ length: chunk.rowCount }, (_, row) => columns.map((column) => column[row] ?? null))
    }
  }

  async function supersede(loadIds: readonly number[], by: number): Promise<void> {
    if (!lock) throw new Error('supersede() belongs inside a transaction.')
    if (loadIds.length === 0) return
    await supersedeLoads({ execute }, loadIds, by)
    forgetResults(folder)
  }

  async function append(batch: Batch): Promise<void> {
    if (!lock) throw new Error('append() belongs inside a transaction.')
    const { load } = batch
    for (const file of batch.files) {
      const variants = await variantColumns(connection, file.table)
      if (variants.length > 0) {
        await insertStaged(file, variants)
        continue
      }
      const [schema, table] = file.table.split('.') as [string, string]
      const target = join(folder, 'data', schema, table, basename(file.path))
      mkdirSync(join(folder, 'data', schema, table), { recursive: true })
      renameSync(file.path, target)
      placed.push([target, file.sha256])
      await connection.run(
        `call ducklake_add_data_files('lake', ${quoteText(table)}, ${quoteText(target)}, schema => ${quoteText(schema)})`,
      )
      await execute(
        'insert into meta.load_files values ($load_id, $table_name, $file_name, $bytes, $sha256)',
        {
          load_id: load.loadId,
          table_name: file.table,
          file_name: basename(target),
          bytes: statSync(target).size,
          sha256: file.sha256,
        },
      )
    }
    await recordLoad({ dialect: 'duckdb', execute }, batch)
  }

  /** DuckLake takes no file as it is into a table with VARIANT columns. */
  async function insertStaged(
    { table, path, rows: count }: ParquetFile,
    variants: readonly string[],
  ): Promise<void> {
    await onOneThread(count <= FEW_ROWS)
    const rows = `read_parquet(${quoteText(path)})`
    await insertVariants(table, variants, rows, () =>
      execute(`insert into ${table} by name select * from ${rows}`),
    )
    rmSync(path)
  }

  /** Inserts with `insert` what `rows` has, if the table's VARIANT columns can hold it. */
  async function insertVariants(
    table: string,
    variants: readonly string[],
    rows: string,
    insert: () => Promise<number>,
  ): Promise<number> {
    await refuseLoss(connection, table, variants, rows)
    return insert().catch((error) => {
      throw explainMemory(error, table, variants)
    })
  }

  async function materialise(model: Model, full: boolean): Promise<number> {
    const { materialise } = model
    if (!full && materialise.kind !== 'temporary' && materialise.window) {
      const touched = `select count(*) from (select 1 from ${materialise.window} limit 1)`
      if ((await readNumber(connection, touched)) === 0) return 0
    }
    const table = `core.${model.name}`
    const isTable = model.materialise.kind !== 'temporary'
    const variants = isTable ? await variantColumns(connection, table) : []
    const started = performance.now()
    if (areFew) await onOneThread(!slowModels.has(model.name))
    let rows = 0
    for (const statement of materialiseSql(model, full)) {
      rows = statement.startsWith('insert')
        ? await insertVariants(table, variants, `(${model.select})`, () => execute(statement))
        : await execute(statement)
    }
    if (areFew && performance.now() - started > SLOW_MODEL_MS) slowModels.add(model.name)
    if (!isTable) temporary.add(model.name)
    if (full || rows > FEW_ROWS) await releaseMemory(connection, options.memoryLimit)
    return rows
  }

  const lake: Lake = {
    ...{ connection, folder, signal: stop.signal },
    locked: (work, leastWaitMs = 0) => locked(work, Math.max(options.lockWaitMs, leastWaitMs)),
    ...{ memoryLimit: options.memoryLimit, timeTravelMs: options.timeTravelMs },
  }
  const keptLake = ({ expires }: UpkeepPolicy) => (expires ? lake : { ...lake, timeTravelMs: undefined })

  return {
    dialect: 'duckdb',
    can: CAN,
    parquetVersion: 'v2',
    scratch,
    execute,
    query,
    stream,
    exportParquet,
    oneState,
    faultOf,
    async assertReadOnly(statement) {
      const { checkStatement } = await import('../../statement-checker.ts')
      await checkStatement(connection, statement, {
        catalog: 'lake',
        mayExplain: role === undefined,
        ...(role && { role }),
      })
    },
    ...(role && { role }),
    transaction,
    expectRows,
    append,
    supersede,
    countPeople: (people) => countPeople({ dialect: 'duckdb', query, execute }, people),
    async erasePeople(people) {
      forgetResults(folder)
      return erasePeople({ dialect: 'duckdb', query, execute }, people)
    },
    async forgetPast() {
      const { forgetPast } = await import('./forget-past.ts')
      const { lockWaitMs, memoryLimit } = options
      return locked(() => forgetPast({ connection, folder, memoryLimit, waitMs: lockWaitMs }))
    },
    async searchFiles(people) {
      const { searchFiles } = await import('./search-files.ts')
      return searchFiles(connection, folder, people)
    },
    lastCursor: (source, format) => lastCursor({ dialect: 'duckdb', query }, source, format),
    configured: (table) => withJsonTypes(table, options),
    async canonicalView(select) {
      const { rows } = await query(
        'select json_deserialize_sql(json_serialize_sql(cast($select as varchar)))',
        { select },
      )
      return String(rows[0]?.[0])
    },
    createTable,
    alterTable,
    temporaryTable: (name, content) => fillTemporaryTable(connection, name, content),
    materialise,
    takeIn: (model, full) => materialise(fromFiles(model), full),
    plainFiles: (table, copies) => plainFiles(connection, table, copies),
    async planUpkeep(policy) {
      const { planUpkeep } = await import('./upkeep.ts')
      return planUpkeep(keptLake(policy))
    },
    async upkeep(policy) {
      const { keepHouse } = await import('./upkeep.ts')
      await onOneThread(true)
      hasCommitted = true
      return keepHouse(keptLake(policy))
    },
    async compact() {
      const { memoryLimit } = options
      await onOneThread(true)
      const kept = await keepLakeSmall(lake)
      if (!kept.hasChanged && commits < MANY_COMMITS) return kept.tables
      commits = 0
      // What is remembered of each commit, and of files that are gone, would be let go of at the end only.
      await connection.run('use memory; detach lake')
      await connection.run('set enable_external_file_cache = false; set enable_external_file_cache = true')
      await attachLake(connection, options)
      hasCommitted ||= kept.hasChanged
      if (kept.hasChanged) await recordChecksums(folder, committed)
      await releaseMemory(connection, memoryLimit)
      return kept.tables
    },
    nextLoadId: () => nextNumber(folder, 'load'),
    version: isReadOnly ? remembered(snapshot, () => catalogLook(folder), ASK_AGAIN_MS) : snapshot,
    interrupt() {
      stop.abort()
      // A commit is short, and interrupted in the middle nobody could say whether it holds.
      if (!isCommitting) connection.interrupt()
    },
    async close() {
      lock?.release()
      await database[Symbol.asyncDispose]()
      if (hasCommitted) await recordChecksums(folder, committed)
      await journal?.[Symbol.asyncDispose]()
      tidy()
    },
  }
}

function isReading(mode: OpenMode): boolean {
  return mode === 'read' || mode === 'plan' || mode === 'confined'
}

/** DuckDB tells by the first words of its message. */
function faultOf(error: unknown): Fault | undefined {
  const message = error instanceof Error ? error.message : ''
  if (/^(Binder|Catalog) Error/.test(message)) return 'name'
  if (message.startsWith('Constraint Error')) return 'rows'
  return /^(Parser|Conversion|Invalid Input|Out of Range|Not implemented) Error/.test(message)
    ? 'text'
    : undefined
}

/**
 * The answer given before while `look` sees the same, for a while: a dashboard asks every two seconds, and the catalog
 * takes 8 ms of CPU to answer.
 */
function remembered(ask: () => Promise<string>, look: () => string, forMs: number): () => Promise<string> {
  let known: { readonly seen: string; readonly answer: string; readonly at: number } | undefined
  return async () => {
    const seen = look()
    if (known?.seen === seen && performance.now() - known.at < forMs) return known.answer
    known = undefined
    known = { seen, answer: await ask(), at: performance.now() }
    return known.answer
  }
}

interface LakeParts {
  readonly isNew: boolean
  readonly spill: string
  readonly extensions: ExtensionFiles
  readonly permissions: Permissions
}

/** DuckDB with the lake attached as it was asked for. Leaves nothing open when it fails. */
async function openLake(
  options: DuckLakeOptions,
  { isNew, spill, extensions, permissions }: LakeParts,
): Promise<{ database: Database; journal: AsyncDisposable | undefined; role: RoleViews | undefined }> {
  const { folder } = options
  const catalog = catalogFile(folder)
  const isReadOnly = isReading(options.mode)
  const database = await openDuckDB({
    memoryLimit: options.memoryLimit,
    spillFolder: spill,
    threads: 1,
    timezone: options.timezone,
    allowUnsigned: extensions.verified,
  })
  const { connection } = database
  let journal: AsyncDisposable | undefined
  try {
    await connection.run(
      `load ${quoteText(extensions.ducklake)}; load ${quoteText(extensions.sqliteScanner)}`,
    )
    if (isNew) await createCatalog(connection, folder)
    if (permissions.group && !isReadOnly) journal = await keepJournal(catalog)
    const attached = attachLake(connection, options)
    await (options.at ? attached.catch(noSnapshot) : attached)
    const role = await options.role?.(await policyRows(connection))
    if (role) await becomeRole(connection, role)
    await connection.run(allThreads(options))
    if (options.mode === 'confined') {
      // The order matters: what is allowed first, then nothing else, then no way back.
      const allowed = [`${folder}/`, ...(options.folders ?? []).map((path) => `${path}/`)]
        .map(quoteText)
        .join(', ')
      await connection.run(`set allowed_directories = [${allowed}]`)
      await connection.run('set enable_external_access = false')
      await connection.run('set lock_configuration = true')
    }
    return { database, journal, role }
  } catch (error) {
    await database[Symbol.asyncDispose]()
    await journal?.[Symbol.asyncDispose]()
    throw error
  }
}

async function attachLake(connection: DuckDBConnection, options: DuckLakeOptions): Promise<void> {
  const { folder, mode, at } = options
  const attach = [
    `data_path ${quoteText(`${join(folder, 'data')}/`)}`,
    // The folder may have been moved since the catalog was made.
    'override_data_path true',
    ...(isReading(mode) ? ['read_only'] : [`meta_journal_mode 'WAL'`]),
    ...(at ? [atClause(at)] : []),
    'meta_busy_timeout 10000',
  ]
  await connection.run(
    `attach ${quoteText(`ducklake:sqlite:${catalogFile(folder)}`)} as lake (${attach.join(', ')})`,
  )
  await connection.run('use lake.core')
}

async function policyRows(connection: DuckDBConnection): Promise<readonly Row[]> {
  const objects = 'select kind, name, definition from lake.meta.policy_objects order by kind, name'
  const reader = await connection.runAndReadAll(objects).catch(namesMissing)
  return reader.getRows() as Row[]
}

/** From now on names mean the role's views, and what they are made of is out of reach for checked statements. */
async function becomeRole(connection: DuckDBConnection, { statements }: RoleViews): Promise<void> {
  await connection.run(statements.join(';\n')).catch(namesMissing)
}

function namesMissing(cause: Error): never {
  throw faultOf(cause) === 'name' ? olderTables(cause) : cause
}

function policyChanged(): UserError {
  return new UserError('LPA-ROLE-CHANGED', 'The policy was changed meanwhile.', {
    exit: 'unavailable',
    next: 'Run it again.',
  })
}

function noSnapshot(cause: Error): never {
  // Its first snapshots have no tables yet.
  if (!/snapshot|No catalog \+ schema/i.test(cause.message)) throw cause
  throw new UserError('LPA-QUERY-AT', 'There was no such state of the warehouse.', { exit: 'usage', cause })
}

function atClause(at: At): string {
  return 'version' in at
    ? `snapshot_version ${Number.parseInt(at.version, 10)}`
    : `snapshot_time ${quoteText(at.time)}`
}

function bind(values: Values | undefined): Record<string, DuckDBValue> | undefined {
  return values as Record<string, DuckDBValue> | undefined
}
