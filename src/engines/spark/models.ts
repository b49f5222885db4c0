/**
 * Runs models on Spark over the files of a warehouse that is elsewhere: what it makes goes to a folder of this run, from which
 * the warehouse takes it in inside its own transaction. Nobody sees any of it before that is committed.
 */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import type { Model, ModelRunner, TableDeclaration } from '../../types.ts'
import { sweepScratch } from '../scratch.ts'
import { rowsSelect, typeOf, viewName, withText, withViewNames } from './names.ts'
import { SparkTables, type SparkTablesOptions } from './tables.ts'

export async function openSparkModels(options: SparkTablesOptions): Promise<ModelRunner & AsyncDisposable> {
  const tables = await SparkTables.open(options)
  const { session, engine, folder } = tables
  /** Folders of what temporary models wrote. */
  const temporary = new Map<string, readonly string[]>()
  let writes = 0

  async function written(name: string, select: string): Promise<Written> {
    writes += 1
    const place = join(folder, `${name}-${writes}`)
    return { place, rows: await session.write(select, place) }
  }

  /** Run again, a temporary model adds what is new. */
  async function addTemporary({ name, select }: Model): Promise<number> {
    const before = temporary.get(name)
    const rows = withViewNames(select)
    const news = before ? `select * from (${rows}) except select * from ${name}` : rows
    const added = await written(name, news)
    const { place } = added
    const places = [...(before ?? []), place]
    temporary.set(name, places)
    await session.viewOfFiles(`${name}_added`, { paths: [place] })
    await session.viewOfFiles(name, { paths: places })
    return assertWhole(added, await countRows(`${name}_added`))
  }

  async function countRows(view: string): Promise<number> {
    const { rows } = await session.query(`select count(*) from ${view}`)
    return Number(rows[0]?.[0])
  }

  /** The warehouse takes rows away by the same window. */
  async function handOver(window: string): Promise<void> {
    const files = (temporary.get(window) ?? []).flatMap(filesIn)
    await engine.takeIn(
      { name: window, columns: [], materialise: { kind: 'temporary' }, files, json: [] },
      false,
    )
  }

  async function makeTable(model: Model, table: TableDeclaration, full: boolean): Promise<number> {
    const { materialise, name } = model
    const isWhole = full || materialise.kind === 'table'
    const window = materialise.kind === 'temporary' ? undefined : materialise.window
    if (!full && window !== undefined) {
      if ((await countRows(window)) === 0) return 0
      await handOver(window)
    }
    if (!isWhole) await tables.need(table.name)
    const columns = table.columns.map(
      (column) => `cast(m.${column.name} as ${typeOf(column.type)}) as ${column.name}`,
    )
    const isNew = isWhole || window !== undefined ? '' : unlessIn(viewName(table.name), model)
    const made = await written(
      name,
      `select ${columns.join(', ')} from (${withViewNames(model.select)}) m ${isNew}`,
    )
    const { place } = made
    const json = table.columns.filter(({ type }) => type === 'json').map((column) => column.name)
    const rows = assertWhole(made, await engine.takeIn({ ...model, files: filesIn(place), json }, full))
    await rename(model, table, { place, isWhole, window })
    return rows
  }

  /** Models that come after read the table as the warehouse has it by now. */
  async function rename(
    model: Model,
    table: TableDeclaration,
    { place, isWhole, window }: { place: string; isWhole: boolean; window: string | undefined },
  ): Promise<void> {
    tables.replaced(table.name)
    const view = viewName(table.name)
    if (isWhole) return session.viewOfFiles(view, { paths: [place] })
    await session.viewOfFiles(`${view}_added`, { paths: [place] })
    const columns = table.columns.map((column) => `m.${column.name}`).join(', ')
    const kept = window === undefined ? '' : unlessIn(window, model)
    await session.view(
      view,
      `select ${columns} from ${view} m ${kept} union all select ${columns} from ${view}_added m`,
    )
  }

  return {
    dialect: 'spark',
    async temporaryTable(name, content) {
      await session.view(name, rowsSelect(content))
      // The ledger's statements read it too.
      await engine.temporaryTable(name, content)
    },
    async materialise(model, full) {
      await tables.need(model.select)
      const table = tables.declared.find(({ name }) => name === `core.${model.name}`)
      return table ? makeTable(model, withText(table), full) : addTemporary(model)
    },
    async [Symbol.asyncDispose]() {
      await tables[Symbol.asyncDispose]()
      // For a run that was killed Spark may have gone on writing, after this one swept.
      sweepScratch(engine.scratch)
    },
  }
}

/** Of a model's rows `m` those whose key another table does not have. */
function unlessIn(other: string, { materialise }: Model): string {
  const key = materialise.kind === 'incremental' ? materialise.key : []
  const same = key.map((column) => `o.${column} = m.${column}`)
  return `where not exists (select 1 from ${other} o where ${same.join(' and ')})`
}

interface Written {
  readonly place: string
  /** By Spark's own count. */
  readonly rows: number
}

/**
 * Spark's committer gathers what it sees: what an executor wrote to a disk of its own is left out without a word.
 * @throws UserError io (74) where not all that Spark wrote is here
 */
export function assertWhole({ place, rows }: Written, found: number): number {
  if (found === rows) return found
  throw notHere(`Spark has written ${rows} rows, and ${found} are here.`, place)
}

/**
 * Each by its name: a folder's may look like a pattern.
 * @throws UserError io (74) where Spark wrote elsewhere than the warehouse can see
 */
export function filesIn(place: string): string[] {
  const names = existsSync(place) ? readdirSync(place).filter((name) => name.endsWith('.parquet')) : []
  if (names.length > 0) return names.map((name) => join(place, name))
  throw notHere('What Spark has written is not here.', place)
}

function notHere(message: string, place: string): UserError {
  return new UserError('LPA-SPARK-FILES', message, {
    ...{ exit: 'io', where: place },
    next: 'The folder of the warehouse must be the same one, under the same path, for the server and every executor.',
  })
}
