/** doctor's look at the connection to Snowflake: where it was found, who may read it, and what a login says. */

import type { Config } from '../config.ts'
import type { SnowflakeConnection } from '../engines/snowflake/connections.ts'
import type { Whereabouts } from '../engines/snowflake/whereabouts.ts'
import { asFinding, type Diagnosis } from './diagnosis.ts'

/** Goes as far as it gets: what ends it is the last finding. Answers whether the tables can be asked. */
export async function examineSnowflake(
  { warehouse }: Config,
  signal: AbortSignal,
  diagnosis: Diagnosis,
): Promise<boolean> {
  try {
    const { findConnection } = await import('../engines/snowflake/connections.ts')
    const connection = findConnection({ name: warehouse.connection })
    tellConnection(connection, diagnosis)
    const { connect, installedDriver } = await import('../engines/snowflake/driver.ts')
    diagnosis.facts.push({ area: 'program', name: 'snowflake-sdk', value: await installedDriver() })
    const [{ Session }, { askWhereabouts }] = await Promise.all([
      import('../engines/snowflake/session.ts'),
      import('../engines/snowflake/whereabouts.ts'),
    ])
    const session = new Session(await connect(connection, { signal, queryTag: 'lpa doctor' }))
    try {
      const whereabouts = await askWhereabouts(session)
      tellWhereabouts(whereabouts, connection, diagnosis)
      return whereabouts.database !== undefined && whereabouts.warehouse !== undefined
    } finally {
      await session.close()
    }
  } catch (error) {
    if (signal.aborted) throw error
    diagnosis.findings.push(asFinding(error))
    return false
  }
}

function tellConnection(connection: SnowflakeConnection, { facts, findings }: Diagnosis): void {
  const { name, origin, options, warnings } = connection
  const area = 'warehouse'
  facts.push(
    { area, name: 'connection', value: `${name} (${origin})` },
    { area, name: 'account', value: options.account },
    { area, name: 'login', value: options.authenticator.toLowerCase() },
  )
  findings.push(...warnings)
}

function tellWhereabouts(
  session: Whereabouts,
  { database, origin }: SnowflakeConnection,
  { facts, findings }: Diagnosis,
): void {
  for (const [name, value] of Object.entries({ ...session, version: `Snowflake ${session.version}` })) {
    facts.push({ area: 'warehouse', name, value: value ?? 'none' })
  }
  if (session.database === undefined) {
    findings.push({
      code: 'LPA-DOCTOR-DATABASE',
      message: `There is no database ${database} that the role ${session.role ?? 'of this user'} may use.`,
      next: [`create database ${database}`, `Or name another one: database = "…" in ${origin}`],
    })
  }
  if (session.warehouse === undefined) {
    findings.push({
      code: 'LPA-DOCTOR-COMPUTE',
      message: 'No warehouse is chosen that could run statements.',
      next: [`Add it: warehouse = "…" in ${origin}`],
    })
  }
}
