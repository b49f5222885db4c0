/** A database in the emulator: what one test file needs of it, apart from what others do there. */

import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the emulator answers, by HTTP, and whom it lets in. */
export interface EmulatorAddress {
  readonly host: string
  readonly port: number
  readonly account: string
  readonly user: string
  /** Also a programmatic access token, and one of OAuth. */
  readonly password: string
  /** PEM, of the user's key pair. */
  readonly privateKey: string
}

/** A statement as it came; a list of them is a golden file of what was sent. */
export interface LoggedStatement {
  readonly sql: string
  /** Sessions are counted from 1 since the emulator started. */
  readonly session: number
  readonly tag: string | null
  readonly binds: readonly unknown[]
  /**
   * `changed`: executed without what fakesnow cannot do; `recorded`: answered as executed, never done; `refused`: by the
   * emulator, for what Snowflake would do or not have; emulator/statements.py says which.
   */
  readonly outcome:
    | 'executed'
    | 'changed'
    | 'recorded'
    | 'refused'
    | 'failed'
    | 'canceled'
    | 'fault'
    | 'running'
  /** Of what was refused or failed; the kind of a fault. */
  readonly message: string | null
}

/** What goes wrong, for the next `times` (1) requests that fit; emulator/faults.py says what each kind does. */
export type Fault = (
  | { readonly kind: 'status'; readonly status?: number }
  | { readonly kind: 'drop' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'lose-reply'; readonly status?: number }
  | { readonly kind: 'slow'; readonly seconds: number }
  | {
      /** No fault: the result of what the emulator does not have. */
      readonly kind: 'rows'
      /** Name and type, as DuckDB calls it. */
      readonly columns: readonly (readonly [string, string])[]
      readonly rows: readonly (readonly (string | null)[])[]
    }
  | { readonly kind: 'answer'; readonly code: string; readonly message: string; readonly sqlState?: string }
) & {
  /** Signing in, renewing the session's token, or a statement (default) in which the regular expression `match` is found. */
  readonly on?: 'login' | 'renewal' | 'statement'
  readonly match?: string
  readonly times?: number
}

export class EmulatorDatabase {
  readonly address: EmulatorAddress
  readonly name: string

  private constructor(address: EmulatorAddress, name: string) {
    this.address = address
    this.name = name
  }

  /** A new database with an empty schema PUBLIC, under a name that no other has. */
  static async create(address: EmulatorAddress): Promise<EmulatorDatabase> {
    const database = new EmulatorDatabase(address, `LPA_${randomBytes(6).toString('hex').toUpperCase()}`)
    await database.#ask('POST', '__databases', { name: database.name })
    return database
  }

  /** All statements of sessions that signed in to this database, in the order they came. */
  async statements(): Promise<readonly LoggedStatement[]> {
    return (await this.#ask('GET', '__statements')) as readonly LoggedStatement[]
  }

  async forgetStatements(): Promise<void> {
    await this.#ask('DELETE', '__statements')
  }

  async fault(fault: Fault): Promise<void> {
    await this.#ask('POST', '__faults', { ...fault, database: this.name })
  }

  async clearFaults(): Promise<void> {
    await this.#ask('DELETE', '__faults')
  }

  /** Rolls back what clients that were killed left open, as Snowflake does some time after. */
  async endSessions(): Promise<void> {
    await this.#ask('DELETE', '__sessions')
  }

  /**
   * Writes Snowflake's `connections.toml` with this database as the connection `name`.
   * @returns `folder`, for SNOWFLAKE_HOME
   */
  connectionsToml(folder: string, name = 'default'): string {
    const { host, port, account, user, password } = this.address
    const settings = { account, user, password, host, port, protocol: 'http' }
    const lines = Object.entries({ ...settings, database: this.name, schema: 'PUBLIC' }).map(
      ([key, value]) => `${key} = ${JSON.stringify(value)}`,
    )
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'connections.toml'), [`[${name}]`, ...lines, ''].join('\n'), { mode: 0o600 })
    return folder
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const { host, port } = this.address
    const url = `http://${host}:${port}/${path}?database=${this.name}`
    const answer = await fetch(url, body ? { method, body: JSON.stringify(body) } : { method })
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`)
    return answer.json()
  }
}
