/** The tables of a warehouse that is elsewhere, in a session of Spark: its files as they lie, under the names of sql/. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { viewBody } from '../../ddl.ts'
import type { Engine, TableDeclaration } from '../../types.ts'
import { mentions, noRows, schemaOf, viewName, withViewNames } from './names.ts'
import { type SessionOptions, SparkSession } from './session.ts'

export interface SparkTablesOptions extends SessionOptions {
  /** The warehouse, open for as long as its files are read. */
  readonly engine: Engine & Required<Pick<Engine, 'plainFiles'>>
  /** Its tables and views; the views' SELECTs are in Spark's words. */
  readonly declared: readonly TableDeclaration[]
}

export class SparkTables implements AsyncDisposable {
  readonly session: SparkSession
  readonly engine: SparkTablesOptions['engine']
  readonly declared: readonly TableDeclaration[]
  /** For what is written on the way. Named so that the next run sweeps it away when this one dies. */
  readonly folder: string
  readonly #known = new Set<string>()

  private constructor(session: SparkSession, { engine, declared }: SparkTablesOptions) {
    this.session = session
    this.engine = engine
    this.declared = declared
    this.folder = join(engine.scratch, `spark-${process.pid}`)
  }

  static async open(options: SparkTablesOptions): Promise<SparkTables> {
    return new SparkTables(await SparkSession.open(options), options)
  }

  /** Makes what a statement reads known to the session, as it is in the warehouse now. */
  async need(sql: string): Promise<void> {
    for (const table of this.declared) {
      if (this.#known.has(table.name) || !mentions(sql, table.name)) continue
      this.#known.add(table.name)
      if (table.kind === 'table') await this.#nameFiles(table)
      else await this.#nameView(table)
    }
  }

  /** From now on the session knows a table of another place under this name. */
  replaced(table: string): void {
    this.#known.add(table)
  }

  async #nameView(view: TableDeclaration): Promise<void> {
    const select = viewBody(view)
    await this.need(select)
    await this.session.view(viewName(view.name), withViewNames(select))
  }

  async #nameFiles(declared: TableDeclaration): Promise<void> {
    const table = this.engine.configured(declared)
    const name = viewName(table.name)
    const paths = await this.engine.plainFiles(table.name, join(this.folder, 'copies'))
    if (paths.length === 0) return this.session.view(name, noRows(table))
    await this.session.viewOfFiles(name, { paths, schema: schemaOf(table) })
    const variants = table.columns.filter(({ type }) => type === 'variant')
    if (variants.length === 0) return
    const columns = table.columns.map((column) =>
      column.type === 'variant' ? `to_json(${column.name}) as ${column.name}` : column.name,
    )
    await this.session.view(name, `select ${columns.join(', ')} from ${name}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
