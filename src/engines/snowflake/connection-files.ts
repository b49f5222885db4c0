/** Snowflake's own files of connections, looked for where the `snow` command and the Python connector do. */

import { existsSync, readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { type ConfigFile, type Table, tableAt } from '../../config/file.ts'
import { UserError } from '../../errors.ts'
import { shellWord } from '../../shell-word.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What is wrong, but does not stop a run. */
export interface ConnectionWarning {
  readonly code: string
  readonly message: string
  /** What to do, one step a line. */
  readonly next: readonly string[]
}

export interface ConnectionFiles {
  readonly folder: string
  /** The file that holds connections. */
  readonly file: ConfigFile | undefined
  /** Where in that file they are: `connections.toml` holds nothing else. */
  readonly path: readonly string[]
  readonly connections: Table
  readonly defaultName: string | undefined
  /** The paths of what was read. */
  readonly used: readonly string[]
}

/**
 * Reads the files. Connections of `connections.toml`, if it is there, take the place of all in `config.toml`.
 * @param isNamed whether the name of the connection is known: `config.toml` is then read only for connections
 * @throws UserError config (78) for a file that is not TOML, notPermitted (77) for one that may not be read
 */
export function readConnectionFiles(env: Environment, home: string, isNamed: boolean): ConnectionFiles {
  const folder = snowflakeFolder(env, home)
  const own = readToml(join(folder, 'connections.toml'), home)
  const general = own && isNamed ? undefined : readToml(join(folder, 'config.toml'), home)
  const defaultName = general?.table.default_connection_name
  return {
    folder: shownPath(folder, home),
    file: own ?? general,
    path: own ? [] : ['connections'],
    connections: own ? own.table : tableAt(general?.table ?? {}, 'connections'),
    defaultName: typeof defaultName === 'string' && defaultName !== '' ? defaultName : undefined,
    used: [own, general].flatMap((file) => (file ? [file.path] : [])),
  }
}

/** SNOWFLAKE_HOME or ~/.snowflake, where there is such a folder; else that of the platform for an application. */
function snowflakeFolder(env: Environment, home: string): string {
  const chosen = userPath(env.SNOWFLAKE_HOME || '~/.snowflake', home)
  if (existsSync(chosen)) return chosen
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'snowflake')
  if (process.platform === 'win32')
    return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'snowflake')
  const xdg = env.XDG_CONFIG_HOME
  return join(xdg && isAbsolute(xdg) ? xdg : join(home, '.config'), 'snowflake')
}

/** A path as people write it: `~` is their home, and what is relative starts in the working directory. */
export function userPath(path: string, home: string): string {
  return resolve(path.replace(/^~(?=$|[/\\])/, () => home))
}

export function shownPath(path: string, home: string): string {
  return path.startsWith(join(home, '/')) ? `~${path.slice(home.length)}` : path
}

/** Readable, as ssh has it for its own: others could take the secrets in it. Windows has no such modes. */
export function modeWarning(path: string, home: string): ConnectionWarning | undefined {
  if (process.platform === 'win32') return undefined
  const mode = statSync(path).mode & 0o777
  if ((mode & 0o066) === 0) return undefined
  const what = (mode & 0o022) === 0 ? 'read' : 'changed'
  return {
    code: 'LPA-SNOWFLAKE-MODE',
    message: `${shownPath(path, home)} can be ${what} by others: its mode is ${mode.toString(8)}.`,
    next: [`chmod 600 ${shellWord(path)}`],
  }
}

function readToml(path: string, home: string): ConfigFile | undefined {
  const shown = shownPath(path, home)
  const text = readIfThere(path, shown)
  if (text === undefined) return undefined
  try {
    return { path, shown, text, table: parse(text) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // Neither the parser's words nor its error as the cause: they quote lines, and these hold passwords.
    throw new UserError('LPA-SNOWFLAKE-FILE', 'This line is not TOML.', {
      exit: 'config',
      where: `${shown}:${error.line}:${error.column}`,
      next: 'Texts stand in quotes: account = "myorg-myaccount"',
    })
  }
}

function readIfThere(path: string, shown: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new UserError('LPA-SNOWFLAKE-FILE', `${shown} cannot be read (${code}).`, {
      exit: code === 'EACCES' || code === 'EPERM' ? 'notPermitted' : 'config',
      next: 'Check the file and its permissions.',
      cause,
    })
  }
}
