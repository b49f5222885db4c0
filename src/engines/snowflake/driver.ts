/** Snowflake's Node driver: loaded when a connection is opened, silent, and with an end to its patience. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Connection, ConnectionOptions } from 'snowflake-sdk'
import { UserError } from '../../errors.ts'
import { packageRoot } from '../../sql-files.ts'
import { opensBrowser } from './authenticators.ts'
import type { SnowflakeConnection } from './connections.ts'
import { loginFailure } from './login-failure.ts'

type Driver = typeof import('snowflake-sdk')

/**
 * The driver waits five minutes for a login, and lets nobody ask for less. Who looks at a shell has given up long before;
 * a warehouse that is woken up does not take part in a login, so that a minute is plenty.
 */
const LOGIN_MS = 60_000
/** A person has to find the window, the password and the telephone: the driver itself waits two minutes for that. */
const BROWSER_MS = 180_000
/** A failure that passes is over by the second try, a wrong name is not: about five seconds in all, where 7 take minutes. */
const LOGIN_RETRIES = 2

/**
 * What the driver does unasked when it is loaded or has connected: it asks the clouds' addresses which of them it is in,
 * runs a library that tells of the machine, and reports on the options. A variable that is set already stays.
 */
const QUIET = {
  SNOWFLAKE_DISABLE_PLATFORM_DETECTION: 'true',
  SNOWFLAKE_DISABLE_MINICORE: 'true',
  SF_TELEMETRY_DISABLE_CONNECTION_SHAPE: 'true',
}

/** @throws UserError unavailable (69) when the package is not installed: it is optional */
async function loadDriver(): Promise<Driver> {
  for (const [variable, value] of Object.entries(QUIET)) process.env[variable] ??= value
  let driver: Driver
  try {
    driver = (await import('snowflake-sdk')).default as unknown as Driver
  } catch (cause) {
    if (!/MODULE_NOT_FOUND$/.test((cause as NodeJS.ErrnoException).code ?? '')) throw cause
    throw new UserError('LPA-SNOWFLAKE-DRIVER', "Snowflake's driver is not installed, or not wholly.", {
      exit: 'unavailable',
      next: `npm install snowflake-sdk@${driverVersion()}`,
      cause,
    })
  }
  // On its own it logs to stdout and to ./snowflake.log.
  driver.configure({ logLevel: 'OFF', additionalLogToConsole: false })
  return driver
}

/**
 * The version of the driver that is there.
 * @throws UserError unavailable (69) when it is not installed
 */
export async function installedDriver(): Promise<string> {
  await loadDriver()
  return createRequire(import.meta.url)('snowflake-sdk/package.json').version
}

/** The one that lpa was tested with. */
function driverVersion(): string {
  const { peerDependencies } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'))
  return peerDependencies['snowflake-sdk']
}

export interface ConnectRequest {
  readonly signal: AbortSignal
  /** Seen beside each statement in Snowflake's query history. */
  readonly queryTag?: string
  readonly limitMs?: number
}

/**
 * Logs in. What results hold is said with each statement (`session.ts`).
 * @throws UserError notPermitted (77) when Snowflake refuses, unavailable (69) when it cannot be reached or takes too
 *   long, config (78) for what the driver will not take; the signal's reason when it is aborted
 */
export async function connect(connection: SnowflakeConnection, request: ConnectRequest): Promise<Connection> {
  const { signal, queryTag = 'lpa' } = request
  signal.throwIfAborted()
  const driver = await loadDriver()
  const isSlow = opensBrowser(connection.options.authenticator)
  const limitMs = request.limitMs ?? (isSlow ? BROWSER_MS : LOGIN_MS)
  const options: ConnectionOptions = {
    ...connection.options,
    application: 'lpa',
    queryTag,
    sfRetryMaxLoginRetries: LOGIN_RETRIES,
    // Of a topic or a dashboard that is quiet for four hours, Snowflake would end the session. This wakes no warehouse.
    clientSessionKeepAlive: true,
    fetchAsString: ['Number', 'JSON'],
    representNullAsStringNull: false,
  }
  const { promise, resolve, reject } = Promise.withResolvers<Connection>()
  let isOver = false
  const stop = () => reject(signal.reason)
  const timer = setTimeout(
    () => reject(Object.assign(new Error('The login took too long.'), { code: 'LOGIN_TIME' })),
    limitMs,
  )
  signal.addEventListener('abort', stop, { once: true })
  try {
    driver.createConnection(options).connect((error, opened) => {
      if (error) reject(error)
      // Nobody waits for it any more, and the driver cannot be told to stop trying.
      else if (isOver) opened.destroy(() => {})
      else resolve(opened)
    })
    return await promise
  } catch (error) {
    throw signal.aborted ? signal.reason : loginFailure(error, connection)
  } finally {
    isOver = true
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
