/** Opens the configured warehouse: the one place that knows which engine a configuration means. */

import type { Config } from '../config.ts'
import { olderTables } from '../engines/older-tables.ts'
import { UserError } from '../errors.ts'
import type { At, Engine, OpenMode, Reader, RoleViews, Row } from '../types.ts'

export interface OpenExtras {
  /** Reads the warehouse as it was. */
  readonly at?: At | undefined
  /** Folders beside the warehouse that `confined` may write to. */
  readonly folders?: readonly string[]
  /** Reads as a role (`readAs`): for `confined`, on the embedded engine. */
  readonly role?: ((objects: readonly Row[]) => Promise<RoleViews>) | undefined
}

/** @throws UserError when there is no warehouse (noInput) or its engine is not in this version (unavailable). */
async function openWarehouse(
  config: Config,
  mode: OpenMode,
  signal: AbortSignal,
  extras: OpenExtras,
): Promise<Engine> {
  const { warehouse, load } = config
  if (warehouse.engine === 'snowflake') return openConnection(config, mode, signal, extras)
  if (warehouse.engine !== 'duckdb') {
    throw new UserError('LPA-ENGINE-MISSING', `The engine ${warehouse.engine} is not part of this version.`, {
      exit: 'unavailable',
      next: 'Spark computes for an embedded warehouse: warehouse.engine = "duckdb", then lpa batch --engine spark',
    })
  }
  const { openDuckLake } = await import('../engines/duckdb/engine.ts')
  return openDuckLake({
    folder: warehouse.path,
    memoryLimit: warehouse.memoryLimit,
    timeTravelMs: warehouse.timeTravelMs,
    timezone: warehouse.timezone,
    payload: warehouse.payload,
    attributes: warehouse.attributes,
    group: warehouse.group,
    threads: warehouse.threads,
    lockWaitMs: load.lockWaitMs,
    extensions: warehouse.extensions,
    mode,
    ...extras,
  })
}

async function openConnection(
  { warehouse, load }: Config,
  mode: OpenMode,
  signal: AbortSignal,
  extras: OpenExtras,
): Promise<Engine> {
  const [{ openSnowflake }, { readDeclared, readSessionTables }] = await Promise.all([
    import('../engines/snowflake/engine.ts'),
    import('./declared.ts'),
  ])
  return openSnowflake({
    connection: warehouse.connection,
    signal,
    folder: warehouse.path,
    lockWaitMs: load.lockWaitMs,
    declared: readDeclared('snowflake').tables,
    sessionTables: readSessionTables(),
    mode,
    ...extras,
  })
}

/** Opens, works, closes: also when the work fails. */
export async function withWarehouse<T>(
  config: Config,
  mode: OpenMode,
  signal: AbortSignal,
  work: (engine: Engine) => Promise<T>,
  extras: OpenExtras = {},
): Promise<T> {
  const engine = await openWarehouse(config, mode, signal, extras).catch((error) => {
    if (record) record.isInVain = true
    throw error
  })
  let isKept = false
  const asked = async () => {
    const result = await work(engine).catch(async (error) => {
      throw signal.aborted ? error : ((await olderSchema(engine, error)) ?? error)
    })
    isKept = !signal.aborted && (await keep(engine, mode))
    return result
  }
  return working(engine, signal, asked, async () => {
    if (!isKept) await engine.close()
  })
}

/** Of a run that is to be recorded: what stayed open for it, or that there is nothing to write it to. */
let record: { engine?: Engine | undefined; isInVain?: boolean } | undefined

/** From now on, a warehouse that is written stays open when the work is done: to open it may be a login. */
export function keepForRecord(): void {
  record = {}
}

async function keep(engine: Engine, mode: OpenMode): Promise<boolean> {
  if (!record || (mode !== 'write' && mode !== 'create')) return false
  await record.engine?.close()
  record.engine = engine
  return true
}

/** Works with what stayed open, else opens it: not where that failed before, since wrong passwords are counted. */
export async function withKept(config: Config, work: (engine: Engine) => Promise<void>): Promise<void> {
  const { engine, isInVain } = record ?? {}
  record = undefined
  const { signal } = new AbortController()
  if (engine) await working(engine, signal, work)
  else if (!isInVain) await withWarehouse(config, 'write', signal, work)
}

/** Works with what is open, until it is done or the signal is aborted, and closes it. */
export async function working<R extends Reader, T>(
  reader: R,
  signal: AbortSignal,
  work: (reader: R) => Promise<T>,
  close = () => reader.close(),
): Promise<T> {
  const stop = () => reader.interrupt()
  signal.addEventListener('abort', stop, { once: true })
  try {
    // It may have been asked to stop while it opened.
    signal.throwIfAborted()
    return await work(reader)
  } catch (error) {
    // An interrupted statement says so in its engine's words; the reason is the signal's.
    throw signal.aborted ? signal.reason : error
  } finally {
    signal.removeEventListener('abort', stop)
    await close()
  }
}

/** No table is missing: what is not found is no table, or hidden from who is logged in. */
function hidden(cause: unknown): UserError {
  const said = (cause as Error).message.trim().split('\n').at(-1) ?? ''
  return new UserError('LPA-WAREHOUSE-HIDDEN', `The warehouse has not all that this needs: ${said}`, {
    exit: 'notPermitted',
    next: [
      'Nothing was changed. Have it granted to the role of the connection, or made again.',
      'All that lpa makes, also stage and sequence, is in schema/*.snowflake.sql.',
    ],
    cause,
  })
}

/** What an engine finds missing of its own tables, an update of lpa may have brought: `schema apply` makes it. */
async function olderSchema(engine: Engine, cause: unknown): Promise<UserError | undefined> {
  // A role's views were made of them.
  if (engine.role) return undefined
  // Of a question it has been put into words already.
  if ((engine.faultOf(cause) ?? engine.faultOf((cause as Error).cause)) !== 'name') return undefined
  const { planSchema } = await import('./schema.ts')
  const { steps } = await planSchema(engine).catch(() => ({ steps: [] }))
  if (steps.length === 0) return cause instanceof UserError || !engine.isLoggedIn ? undefined : hidden(cause)
  // Made anew, a dropped table is empty, and takes the place of the one that could come back.
  const dropped = steps.filter(({ kind }) => kind === 'create table').slice(0, 3)
  const undrop = dropped.flatMap(({ target }) => engine.undropTable?.(target) ?? [])
  return olderTables(
    cause,
    undrop.map(
      (statement) =>
        `Where it was dropped, not hidden from your role, it comes back with its rows: ${statement}`,
    ),
  )
}
