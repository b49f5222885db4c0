/** One session of Snowflake: statements one after the other, their rows as cells, and how they are stopped. */

import type { Connection, RowStatement } from 'snowflake-sdk'
import type { Result, ResultStream, Row, Values } from '../../types.ts'
import { cellConverter, columnOf, positional } from './values.ts'

/** Rows of one chunk of a stream. */
const CHUNK = 2048

/** What a statement did: its rows, and how many it changed in tables. */
export interface Answered extends Result {
  readonly changed: number
}

export class Session {
  readonly #connection: Connection
  /** Those that run, to be cancelled. */
  readonly #running = new Set<RowStatement>()
  #stopped = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async run(statement: string, values?: Values): Promise<Answered> {
    const { statement: done, rows } = await this.#execute(statement, values, false)
    const columns = (done.getColumns() ?? []).map(columnOf)
    return { columns, rows: cellsOf(columns, rows), changed: done.getNumUpdatedRows() ?? 0 }
  }

  /** The rows as they come from the server. */
  async stream(statement: string, values?: Values): Promise<ResultStream> {
    const { statement: done } = await this.#execute(statement, values, true)
    const columns = (done.getColumns() ?? []).map(columnOf)
    const chunks = async function* (this: Session): AsyncIterable<readonly Row[]> {
      let chunk: unknown[][] = []
      for await (const row of done.streamRows()) {
        if (this.#stopped) throw stopped()
        if (chunk.push(row as unknown[]) < CHUNK) continue
        yield cellsOf(columns, chunk)
        chunk = []
      }
      if (chunk.length > 0) yield cellsOf(columns, chunk)
    }
    return { columns, chunks: { [Symbol.asyncIterator]: () => chunks.call(this)[Symbol.asyncIterator]() } }
  }

  /**
   * Rolls back and removes files, also after stop(). What fails of it is left to the server, and to the next run: answers
   * whether it was done.
   */
  async tidy(statement: string): Promise<boolean> {
    return this.#send(statement, undefined, false).then(
      () => true,
      () => false,
    )
  }

  /** Cancels what runs; nothing but tidy() can be asked after it. */
  stop(): void {
    this.#stopped = true
    for (const statement of this.#running) statement.cancel(() => {})
  }

  /** Ends the session, and with it a transaction that is open. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#connection.destroy(() => resolve()))
  }

  #execute(
    statement: string,
    values: Values | undefined,
    streamResult: boolean,
  ): Promise<{ statement: RowStatement; rows: readonly unknown[][] }> {
    if (this.#stopped) return Promise.reject(stopped())
    return this.#send(statement, values, streamResult)
  }

  #send(
    statement: string,
    values: Values | undefined,
    streamResult: boolean,
  ): Promise<{ statement: RowStatement; rows: readonly unknown[][] }> {
    const { text, binds } = positional(statement, values)
    return new Promise((resolve, reject) => {
      const running = this.#connection.execute({
        sqlText: text,
        ...(binds.length > 0 && { binds }),
        rowMode: 'array',
        // Numbers of 64 bits are exact as texts only, and JSON as it was written.
        fetchAsString: ['Number', 'Date', 'JSON'],
        streamResult,
        complete: (error, done, rows) => {
          this.#running.delete(running)
          if (error) reject(error)
          else resolve({ statement: done, rows: (rows as unknown[][] | undefined) ?? [] })
        },
      })
      this.#running.add(running)
    })
  }
}

const stopped = () => new Error('The session was stopped.')

function cellsOf(columns: Result['columns'], rows: readonly unknown[][]): Row[] {
  const converters = columns.map(cellConverter)
  return rows.map((row) => converters.map((convert, index) => convert(row[index])))
}
