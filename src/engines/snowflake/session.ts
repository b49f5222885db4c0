/** What Snowflake says of a session: as what one is in, and where. */

import type { Connection } from 'snowflake-sdk'

/** `undefined` for what is not chosen, neither by the connection nor as the user's default. */
export interface Session {
  readonly version: string | undefined
  readonly role: string | undefined
  readonly warehouse: string | undefined
  readonly database: string | undefined
}

const STATEMENT = 'select current_version(), current_role(), current_warehouse(), current_database()'

export async function askSession(connection: Connection): Promise<Session> {
  const rows = await new Promise<readonly unknown[][]>((resolve, reject) => {
    connection.execute({
      sqlText: STATEMENT,
      rowMode: 'array',
      complete: (error, _, found) => (error ? reject(error) : resolve(found ?? [])),
    })
  })
  const [version, role, warehouse, database] = (rows[0] ?? []).map((cell) =>
    typeof cell === 'string' && cell !== '' ? cell : undefined,
  )
  return { version, role, warehouse, database }
}

/** Logs out; who has got what they came for does not fail for a farewell. */
export function disconnect(connection: Connection): Promise<void> {
  return new Promise((resolve) => connection.destroy(() => resolve()))
}
