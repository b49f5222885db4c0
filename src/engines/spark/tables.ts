/** The tables of a warehouse that is elsewhere, in a session of Spark: its files as they lie, under the names of sql/. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { viewBody } from '../../ddl.ts'
import type { Engine, SparkRoleViews, TableDeclaration } from '../../types.ts'
import { baseName, mentions, noRows, schemaOf, viewName, withText, withViewNames } from './names.ts'
import { type SessionOptions, SparkSession } from './session.ts'

export interface SparkTablesOptions extends SessionOptions {
  /** The warehouse, open for as long as its files are read. */
  readonly engine: Engine
  /** Its tables and views; the views' SELECTs are in Spark's words. */
  readonly declared: readonly TableDeclaration[]
  /** As which role they are read; none: the owner. */
  readonly role?: SparkRoleViews | undefined
}

export class SparkTables implements AsyncDisposable {
  readonly session: SparkSession
  readonly engine: Engine
  readonly declared: readonly TableDeclaration[]
  /** For what is written on the way. Named so that the next run sweeps it away when this one dies. */
  readonly folder: string
  readonly #role: SparkRoleViews | undefined
  readonly #known = new Set<string>()
  readonly #bases = new Set<string>()

  private constructor(session: SparkSession, { engine, declared, role }: SparkTablesOptions) {
    this.session = session
    this.#role = role
    this.engine = engine
    this.declared = declared
    this.folder = join(engine.scratch, `spark-${process.pid}`)
  }

  static async open(options: SparkTablesOptions): Promise<SparkTables> {
    const tables = new SparkTables(await SparkSession.open(options), options)
    // In containers, where every run has the same process id, one that was killed is never seen to be gone.
    rmSync(tables.folder, { recursive: true, force: true })
    return tables
  }

  /** Makes what a statement reads known to the session, as it is in the warehouse now. */
  async need(sql: string): Promise<void> {
    for (const table of this.declared) {
      if (this.#known.has(table.name) || !mentions(sql, table.name)) continue
      this.#known.add(table.name)
      if (this.#role) await this.#nameMasked(table, this.#role)
      else if (table.kind === 'table') await this.#nameFiles(table, viewName(table.name))
      else await this.#nameView(table, viewBody(table))
    }
  }

  /** Takes from the session all names but those that the role may use: views keep what they were made of. */
  async hide(): Promise<void> {
    if (!this.#role) return
    const granted = this.#role.tables
    const hidden = [...this.#known].filter((name) => !granted.includes(name))
    const names = [...this.#bases, ...hidden.map(viewName)]
    for (const name of names) await this.session.query(`drop view if exists ${name}`)
    for (const name of hidden) this.#known.delete(name)
    this.#bases.clear()
  }

  /** From now on the session knows a table of another place under this name. */
  replaced(table: string): void {
    this.#known.add(table)
  }

  async #nameView({ name }: TableDeclaration, select: string): Promise<void> {
    await this.need(select)
    await this.session.view(viewName(name), withViewNames(select))
  }

  /** What is not the role's is not named at all. */
  async #nameMasked(table: TableDeclaration, { views }: SparkRoleViews): Promise<void> {
    const select = views.get(table.name)
    if (select === undefined) return
    for (const one of this.declared) {
      const name = baseName(one.name)
      if (this.#bases.has(name) || !mentions(select, name)) continue
      this.#bases.add(name)
      await this.#nameFiles(one, name)
    }
    await this.#nameView(table, select)
  }

  async #nameFiles(declared: TableDeclaration, name: string): Promise<void> {
    const table = this.engine.can.files ? this.engine.configured(declared) : withText(declared)
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
