/** lpa.toml as a file: finding and reading it, refusing keys that are not known, saying where something stands. */

import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { didYouMean } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'
import { API_KEYS } from './api.ts'
import { KAFKA_KEYS } from './kafka.ts'
import { keysOf, SECTIONS, SETTING_NAMES, SETTINGS, type Setting } from './settings.ts'

export type Table = Readonly<Record<string, unknown>>

/** A parsed file with what is needed to say where in it something stands. */
export interface ConfigFile {
  readonly path: string
  /** As messages name it: relative to the working directory when inside it. */
  readonly shown: string
  readonly text: string
  readonly table: Table
}

const SOURCE_KEYS = [
  'uri',
  'mapping',
  'id_space',
  'format',
  'entity',
  ...new Set([...API_KEYS, ...KAFKA_KEYS]),
]
const TERM_KEYS = ['from', 'to']

/** The file named, or the nearest lpa.toml in `cwd` or above it. Throws UserError when it cannot be read. */
export function readConfigFile(cwd: string, named: string | undefined): ConfigFile | undefined {
  const found = named === undefined ? findConfigFile(cwd) : resolve(cwd, named)
  if (found === undefined) return undefined
  const inside = relative(cwd, found)
  const shown = inside.startsWith('..') ? found : inside
  const toml = readIfThere(found)
  if (toml === undefined) {
    throw new UserError('LPA-CONFIG-MISSING', `There is no configuration file ${shown}.`, {
      exit: 'config',
      next: 'Name a file that exists with --config, or write one with lpa init.',
    })
  }
  try {
    return { path: found, shown, text: toml, table: parse(toml) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const what = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '')
    throw new UserError('LPA-CONFIG-SYNTAX', `This is not TOML: ${what}.`, {
      exit: 'config',
      where: `${shown}:${error.line}:${error.column}`,
      cause: error,
    })
  }
}

/** The nearest `lpa.toml` in `cwd` or above it, or undefined. */
function findConfigFile(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const candidate = join(folder, 'lpa.toml')
    if (readIfThere(candidate) !== undefined) return candidate
    if (dirname(folder) === folder) return undefined
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new UserError('LPA-CONFIG-READ', `The configuration file ${file} cannot be read (${code}).`, {
      exit: code === 'EACCES' || code === 'EPERM' ? 'notPermitted' : 'config',
      next: 'Check the file and its permissions.',
      cause: error,
    })
  }
}

/** Throws UserError for the first key that is not known. A profile holds neither terms nor profiles (`whole`). */
export function refuseUnknownKeys(
  file: ConfigFile,
  table: Table,
  path: readonly string[],
  whole: boolean,
): void {
  const sections = [...SECTIONS, 'sources', ...(whole ? ['terms', 'profiles'] : [])]
  for (const [section, content] of Object.entries(table)) {
    const at = [...path, section]
    if (!sections.includes(section)) throw unknownKey(file, at, sections)
    for (const [key, value] of Object.entries(tableOrThrow(file, content, at))) {
      const below = [...at, key]
      if (section === 'profiles') refuseUnknownKeys(file, tableOrThrow(file, value, below), below, false)
      else if (section === 'sources') refuseOthers(file, value, below, SOURCE_KEYS)
      else if (section === 'terms') refuseOthers(file, value, below, TERM_KEYS)
      else if (!(`${section}.${key}` in SETTINGS)) throw unknownKey(file, below, keysOf(section))
    }
  }
}

function refuseOthers(
  file: ConfigFile,
  value: unknown,
  path: readonly string[],
  known: readonly string[],
): void {
  for (const key of Object.keys(tableOrThrow(file, value, path))) {
    if (!known.includes(key)) throw unknownKey(file, [...path, key], known)
  }
}

function unknownKey(file: ConfigFile, path: readonly string[], known: readonly string[]): UserError {
  const key = path.at(-1) ?? ''
  const near = didYouMean(key, known)
  const elsewhere = SETTING_NAMES.find((name) => name.endsWith(`.${key}`))
  const next = near
    ? `Did you mean ${[...path.slice(0, -1), near].join('.')}?`
    : elsewhere
      ? `It belongs under [${elsewhere.slice(0, elsewhere.indexOf('.'))}].`
      : `Known here: ${known.join(', ')}.`
  return new UserError('LPA-CONFIG-KEY', `${path.join('.')} is not a setting.`, {
    exit: 'config',
    where: placeOf(file, path),
    next,
  })
}

export function wrongValue(name: string, value: unknown, from: string, setting: Setting<unknown>): UserError {
  const near = typeof value === 'string' && setting.options ? didYouMean(value, setting.options) : undefined
  return new UserError(
    'LPA-CONFIG-VALUE',
    `${name} is ${JSON.stringify(value)}. It should be ${setting.expected}.`,
    {
      exit: from.startsWith('--') ? 'usage' : 'config',
      where: from,
      ...(near && { next: `Did you mean "${near}"?` }),
    },
  )
}

/** The table under a key, empty when there is none. */
export function tableAt(table: Table, key: string): Table {
  const value = Object.hasOwn(table, key) ? table[key] : undefined
  return isTable(value) ? value : {}
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

export function tableOrThrow(file: ConfigFile, value: unknown, path: readonly string[]): Table {
  if (isTable(value)) return value
  throw new UserError('LPA-CONFIG-VALUE', `${path.join('.')} is a value, but should be a table.`, {
    exit: 'config',
    where: placeOf(file, path),
    next: `Write it as [${path.join('.')}] with its settings below.`,
  })
}

/** `lpa.toml:12` when the line can be found by reading headers and keys; the parser keeps no positions. */
export function placeOf(file: ConfigFile, path: readonly string[]): string {
  const wanted = path.join('.')
  let section = ''
  let nearest: number | undefined
  for (const [index, line] of file.text.split('\n').entries()) {
    const header = /^\s*\[\[?([^\]]+)\]/.exec(line)?.[1]
    if (header !== undefined) section = bare(header)
    const key = header === undefined ? /^\s*([\w"'.\s-]+?)\s*=/.exec(line)?.[1] : undefined
    const here = key === undefined ? section : [section, bare(key)].filter(Boolean).join('.')
    if (here === wanted && (key !== undefined || header !== undefined)) return `${file.shown}:${index + 1}`
    // An inline table or a table's header: the line that holds it.
    if (wanted.startsWith(`${here}.`) && (key !== undefined || header !== undefined)) nearest = index + 1
  }
  return nearest === undefined ? file.shown : `${file.shown}:${nearest}`
}

function bare(key: string): string {
  return key
    .split('.')
    .map((part) => part.trim().replace(/^(["'])(.*)\1$/, '$2'))
    .join('.')
}
