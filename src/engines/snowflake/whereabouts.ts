/** What Snowflake says of a session: as what one is in, and where. */

import type { Session } from './session.ts'

/** `undefined` for what is not chosen, neither by the connection nor as the user's default. */
export interface Whereabouts {
  readonly version: string | undefined
  readonly role: string | undefined
  readonly warehouse: string | undefined
  readonly database: string | undefined
}

const STATEMENT = 'select current_version(), current_role(), current_warehouse(), current_database()'

export async function askWhereabouts(session: Session): Promise<Whereabouts> {
  const { rows } = await session.run(STATEMENT)
  const [version, role, warehouse, database] = (rows[0] ?? []).map((cell) =>
    typeof cell === 'string' && cell !== '' ? cell : undefined,
  )
  return { version, role, warehouse, database }
}
