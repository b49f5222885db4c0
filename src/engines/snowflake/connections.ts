/** A connection by its name, from Snowflake's own files and variables, as the Node driver takes it. */

import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import type { ConnectionOptions } from 'snowflake-sdk'
import { placeOf, type Table, tableOrThrow } from '../../config/file.ts'
import { didYouMean, nearest } from '../../did-you-mean.ts'
import { UserError } from '../../errors.ts'
import { rememberSecret } from '../../secrets.ts'
import { AUTHENTICATORS, authenticatorOf, usesOption } from './authenticators.ts'
import {
  type ByOption,
  noConnection,
  type Options,
  prefixOf,
  readProvider,
  refuseAccount,
  refuseClear,
  refuseMissing,
  type Sought,
  sectionOf,
  unlockKey,
  type Written,
  wrong,
} from './connection-checks.ts'
import { FIELDS, fieldNamed, KINDS, OTHERS } from './connection-fields.ts'
import {
  type ConnectionWarning,
  type Environment,
  modeWarning,
  readConnectionFiles,
  shownPath,
  userPath,
} from './connection-files.ts'

export interface SnowflakeConnection {
  readonly name: string
  /** What the driver takes. Holds secrets: never to be shown. `authenticator` is always there, as the driver spells it. */
  readonly options: ConnectionOptions & { readonly account: string; readonly authenticator: string }
  /** The one that lpa keeps its schemas in. */
  readonly database: string
  /** Where it was found: a section of a file, variables. */
  readonly origin: string
  /** Files that can be read by others, fields that nobody knows. */
  readonly warnings: readonly ConnectionWarning[]
}

export interface ConnectionRequest {
  /** `warehouse.connection`; without it the default one of Snowflake's tools. */
  readonly name: string | undefined
  readonly env?: Environment
  readonly home?: string
}

/**
 * Finds a connection. `SNOWFLAKE_CONNECTIONS_<NAME>_<FIELD>` goes before the files, and may be all there is.
 * @throws UserError config (78) when there is none of that name, a field is missing or wrong, or secrets would be sent in
 *   clear; notPermitted (77) for a file that may not be read
 */
export function findConnection(request: ConnectionRequest): SnowflakeConnection {
  const { env = process.env, home = homedir() } = request
  const named = request.name ?? (env.SNOWFLAKE_DEFAULT_CONNECTION_NAME || undefined)
  const files = readConnectionFiles(env, home, named !== undefined)
  const name = named ?? files.defaultName ?? 'default'
  const sought: Sought = { name, home, files }
  const fromFile = fieldsOfFile(sought)
  const fromVariables = fieldsOfVariables(sought, env)
  const written = [...(fromFile ?? []), ...fromVariables]
  if (fromFile === undefined && !fromVariables.some(({ field }) => fieldNamed(field)))
    throw noConnection(sought)

  const used = fromFile ? files.used : []
  const warnings = written.flatMap((one) => unknownField(one) ?? [])
  // Of one option the last word counts, whichever of its names it goes by.
  const byOption = new Map<string, Written>()
  for (const one of written) {
    const option = fieldNamed(one.field)?.option
    if (option !== undefined && one.value !== '') byOption.set(option, one)
  }
  const authenticator = readAuthenticator(byOption)
  const options: Options = { authenticator }
  const opened: string[] = []
  for (const [option, one] of byOption) {
    if (option === 'authenticator' || !usesOption(authenticator, option)) continue
    options[option] = readValue(one, home, opened)
    if (fieldNamed(one.field)?.isSecret) rememberSecret(String(options[option]))
  }

  refuseMissing(sought, authenticator, options, warnings)
  refuseAccount(options, byOption)
  refuseClear(options, byOption)
  readProvider(options, byOption)
  if (options.privateKey !== undefined) unlockKey(options, byOption)
  // The driver has a place to keep the token in only when it may keep others too.
  if (options.clientRequestMFAToken === true) options.clientStoreTemporaryCredential = true

  const areModesTold = env.SF_SKIP_WARNING_FOR_READ_PERMISSIONS_ON_CONFIG_FILE?.toLowerCase() !== 'true'
  const modes = areModesTold ? [...used, ...opened].flatMap((path) => modeWarning(path, home) ?? []) : []
  return {
    name,
    // Every value was read as its field wants it, and what has to be there is.
    options: options as unknown as SnowflakeConnection['options'],
    database: String(options.database),
    origin: [...(fromFile ? [sectionOf(sought)] : []), ...fromVariables.map(({ where }) => where)].join(', '),
    warnings: [...modes, ...warnings],
  }
}

// ── what is written ───────────────────────────────────────────────────────────────────────────────────────

function fieldsOfFile({ name, files }: Sought): readonly Written[] | undefined {
  const { file, path, connections } = files
  if (!file || !Object.hasOwn(connections, name)) return undefined
  const at = [...path, name]
  const table: Table = tableOrThrow(file, connections[name], at)
  return Object.entries(table).map(([key, value]) => ({
    field: key.toLowerCase(),
    value,
    where: placeOf(file, [...at, key]),
  }))
}

/** A variable may also be one of another connection: PROD_EU has those that begin as PROD's do. */
function fieldsOfVariables({ name, files }: Sought, env: Environment): readonly Written[] {
  const longer = Object.keys(files.connections).filter((other) => other !== name)
  const isOthers = (variable: string) =>
    longer.some(
      (other) => other.length > name.length && prefixOf(other).some((start) => variable.startsWith(start)),
    )
  return Object.entries(env).flatMap(([variable, value]) => {
    const start = prefixOf(name).find((one) => variable.startsWith(one))
    if (start === undefined || value === undefined || isOthers(variable)) return []
    const field = variable.slice(start.length).toLowerCase()
    const isLongerName =
      !fieldNamed(field) && Object.keys(FIELDS).some((known) => field.endsWith(`_${known}`))
    return isLongerName ? [] : [{ field, value, where: variable }]
  })
}

function unknownField({ field, where }: Written): ConnectionWarning | undefined {
  if (fieldNamed(field) || OTHERS.has(field)) return undefined
  const near = didYouMean(field, Object.keys(FIELDS))
  return {
    code: 'LPA-SNOWFLAKE-FIELD',
    message: `${where}: ${field} is not a field of a connection that lpa knows.`,
    next: [near ? `Did you mean ${near}?` : 'It is left alone.'],
  }
}

function readAuthenticator(byOption: ByOption): string {
  const one = byOption.get('authenticator')
  const value = one && KINDS.text.read(one.value)
  if (one && value === undefined) throw wrong(one, KINDS.text.expected)
  const found = authenticatorOf(value, byOption.has('privateKey'))
  if (found !== undefined) return found
  throw new UserError('LPA-SNOWFLAKE-AUTHENTICATOR', 'This is no authenticator of the Snowflake driver.', {
    ...{ exit: 'config', where: one?.where ?? '' },
    next: nearest(value ?? '', [...AUTHENTICATORS, 'https://….okta.com']),
  })
}

function readValue(one: Written, home: string, opened: string[]): unknown {
  const kind = fieldNamed(one.field)?.kind ?? 'text'
  const { read, expected } = KINDS[kind === 'contents' ? 'text' : kind]
  const value = read(one.value)
  if (value === undefined) throw wrong(one, expected)
  if (kind !== 'contents') return value
  const path = userPath(String(value), home)
  try {
    const text = readFileSync(path, 'utf8').trim()
    opened.push(path)
    return text === '' ? undefined : text
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    const isThere = code !== 'ENOENT' && code !== 'ENOTDIR'
    const what = isThere ? `cannot be read (${code})` : 'is not there'
    throw new UserError('LPA-SNOWFLAKE-FILE', `The file of ${one.field} ${what}: ${shownPath(path, home)}.`, {
      ...{ exit: code === 'EACCES' || code === 'EPERM' ? 'notPermitted' : 'config', where: one.where, cause },
      next: 'Check the path; a relative one starts in the working directory.',
    })
  }
}
