/** Snowflake's Node driver as it is, for tests of the emulator itself: one session that answers rows or throws. */

import type { Binds, Connection, ConnectionOptions, RowStatement, StatementOption } from 'snowflake-sdk'
import type { EmulatorDatabase } from './database.ts'

export type Row = Readonly<Record<string, unknown>>

export interface DriverError extends Error {
  readonly code: string
  readonly sqlState?: string
}

export class DriverSession implements AsyncDisposable {
  readonly #connection: Connection

  private constructor(connection: Connection) {
    this.#connection = connection
  }

  static async signIn(
    { address, name }: EmulatorDatabase,
    options: Partial<ConnectionOptions> = {},
  ): Promise<DriverSession> {
    const { user: username, host, port, account, password } = address
    const place = { database: name, schema: 'PUBLIC', protocol: 'http' }
    // Numbers and dates as they came over the wire, in no JavaScript object.
    const exact = { fetchAsString: ['Number', 'Date'], representNullAsStringNull: false }
    const settings = {
      host,
      port,
      account,
      username,
      password,
      ...place,
      ...exact,
      ...options,
    } as ConnectionOptions
    const connection = (await driver()).createConnection(settings)
    const signedIn = Promise.withResolvers<void>()
    // connectAsync() resolves when the sign-in is refused.
    connection.connect((error) => (error ? signedIn.reject(error) : signedIn.resolve()))
    await signedIn.promise
    return new DriverSession(connection)
  }

  query(sqlText: string, binds: Binds = [], more: Partial<StatementOption> = {}): Promise<readonly Row[]> {
    return this.start(sqlText, { ...(binds.length > 0 ? { binds } : {}), ...more }).rows
  }

  /** For a statement that is to be cancelled, or of which the rows come later. */
  start(
    sqlText: string,
    more: Partial<StatementOption> = {},
  ): { statement: RowStatement; rows: Promise<readonly Row[]> } {
    const { promise: rows, resolve, reject } = Promise.withResolvers<readonly Row[]>()
    const statement = this.#connection.execute({
      sqlText,
      complete: (error, _, found) => (error ? reject(error) : resolve(found ?? [])),
      ...more,
    })
    return { statement, rows }
  }

  /** Each statement's rows, in order. */
  async queryAll(sqlText: string): Promise<readonly (readonly Row[])[]> {
    const results: (readonly Row[])[] = []
    const done = Promise.withResolvers<void>()
    this.#connection.execute({
      sqlText,
      parameters: { MULTI_STATEMENT_COUNT: 0 },
      complete: (error, statement, rows) => {
        if (error) return done.reject(error)
        results.push(rows ?? [])
        // Not in the driver's types.
        const several = statement as unknown as { hasNext(): boolean; NextResult(): void }
        if (several.hasNext()) several.NextResult()
        else done.resolve()
      },
    })
    await done.promise
    return results
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#connection.destroy(() => resolve())
    })
  }
}

async function driver(): Promise<typeof import('snowflake-sdk')> {
  // It asks addresses of clouds where it runs, and tells its maker what a connection looks like.
  process.env.SNOWFLAKE_DISABLE_PLATFORM_DETECTION = 'true'
  process.env.SF_TELEMETRY_DISABLE_CONNECTION_SHAPE = 'true'
  const { default: sdk } = await import('snowflake-sdk')
  sdk.configure({ logLevel: 'OFF', additionalLogToConsole: false, logFilePath: '/dev/null' })
  return sdk
}
