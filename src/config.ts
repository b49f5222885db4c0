import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { parse, TomlDate, TomlError } from 'smol-toml'
import { didYouMean } from './did-you-mean.ts'
import { parseDuration } from './duration.ts'
import { UserError } from './errors.ts'

/** A named source of `lpa.toml`: `lpa load NAME`. */
export interface SourceSettings {
  /** A file, glob or folder (absolute), or a URL with its scheme. */
  readonly uri: string
  /** Mapping names, or absolute paths of mapping files. */
  readonly mapping?: string | readonly string[]
  /** Whose learner and course ids these are; the source's own name unless said. */
  readonly idSpace: string
  readonly format?: string
  readonly entity?: string
}

/** A teaching term for `dim_date.term`; both days belong to it (`YYYY-MM-DD`). */
export interface Term {
  readonly name: string
  readonly from: string
  readonly to: string
}

/** What is configured, every value checked; paths are absolute. */
export interface Config {
  /** The folder of `lpa.toml`, else the working directory. */
  readonly root: string
  readonly file?: string
  readonly profile?: string
  readonly warehouse: {
    readonly engine: 'duckdb' | 'snowflake' | 'spark'
    /** IANA name: for date keys and for times without a zone. */
    readonly timezone: string
    readonly path: string
    readonly payload: 'json' | 'variant'
    /** As DuckDB takes it: `600MB`. */
    readonly memoryLimit: string
    readonly threads?: number
    /** Unix group that shares the files: 0640 and 2750 instead of 0600 and 0700. */
    readonly group?: string
    /** A folder with DuckDB's extension files. */
    readonly extensions?: string
    /** Name of a connection in Snowflake's own files. */
    readonly connection?: string
  }
  readonly privacy: { readonly keyFile: string; readonly minCell: number }
  readonly load: {
    /** A number of records (`100`) or a share of them (`1%`). */
    readonly maxRejects: string
    readonly lockWaitMs: number
  }
  readonly metrics: { readonly sessionGapMinutes: number; readonly atRiskDays: number }
  readonly sources: Readonly<Record<string, SourceSettings>>
  readonly terms: readonly Term[]
  /** Where each setting came from, by its name in the file: `warehouse.path` → `lpa.toml:4`, `LPA_WAREHOUSE_PATH`. */
  readonly origin: Readonly<Record<string, string>>
}

export interface ConfigRequest {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly flags?: {
    /** `--config FILE` */
    readonly config?: string | undefined
    /** `--profile NAME` */
    readonly profile?: string | undefined
    /** Settings given as flags, by name: `{'load.lock_wait': '30s'}` for `--lock-wait 30s`. */
    readonly settings?: Readonly<Record<string, string | undefined>>
  }
}

// ── the settings ──────────────────────────────────────────────────────────────────────────────────────────

// A hand-written table, not zod: importing zod takes 37 ms with the compile cache, more than starting Node.

interface Setting<T> {
  /** As it would be written in the file; null: not set unless said. */
  readonly default: string | number | null
  /** The checked value, or undefined when `value` is not one. Values from the environment are text. */
  readonly read: (value: unknown, place: Place) => T | undefined
  /** Completes "NAME is VALUE. It is …". */
  readonly expected: string
  readonly options?: readonly string[]
  /** The environment variable, when it is not `LPA_SECTION_KEY`. */
  readonly variable?: string
}

/** Where relative paths start. */
interface Place {
  readonly folder: string
}

function choice<const T extends string>(options: readonly T[], fallback: T): Setting<T> {
  return {
    default: fallback,
    read: (value) => options.find((option) => option === value),
    expected: `one of ${options.join(', ')}`,
    options,
  }
}

function text(fallback: string | null, expected: string, pattern = /\S/): Setting<string> {
  return {
    default: fallback,
    read: (value) => (typeof value === 'string' && pattern.test(value) ? value : undefined),
    expected,
  }
}

function whole(fallback: number | null, least: number, unit: string): Setting<number> {
  return {
    default: fallback,
    read: (value) => {
      const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
      return typeof number === 'number' && Number.isSafeInteger(number) && number >= least
        ? number
        : undefined
    },
    expected: `a whole number of ${unit}, ${least} or more`,
  }
}

function path(fallback: string | null): Setting<string> {
  return {
    default: fallback,
    read: (value, place) =>
      typeof value === 'string' && value !== '' ? resolve(place.folder, value) : undefined,
    expected: 'a path',
  }
}

const timezone: Setting<string> = {
  default: 'UTC',
  read: (value) => (typeof value === 'string' && isTimezone(value) ? value : undefined),
  expected: 'a time zone such as UTC or Europe/Berlin',
}

const duration: Setting<number> = {
  default: '0s',
  read: (value) => {
    try {
      return typeof value === 'string' ? parseDuration(value, '') : undefined
    } catch {
      return undefined
    }
  },
  expected: 'a number and a unit: 500ms, 30s, 5m, 2h, 1d',
}

const SETTINGS = {
  'warehouse.engine': choice(['duckdb', 'snowflake', 'spark'], 'duckdb'),
  'warehouse.timezone': timezone,
  'warehouse.path': path('warehouse'),
  'warehouse.payload': choice(['json', 'variant'], 'json'),
  'warehouse.memory_limit': text('600MB', 'a size such as 600MB or 2GB', /^\d+(\.\d+)?\s?[KMGT]i?B$/i),
  'warehouse.threads': whole(null, 1, 'threads'),
  'warehouse.group': text(null, 'the name of a group'),
  // The engine's own variable, also read where there is no configuration (tests, scripts).
  'warehouse.extensions': { ...path(null), variable: 'LPA_EXTENSIONS' },
  'warehouse.connection': text(null, "the name of a connection in Snowflake's own files"),
  'privacy.key_file': path('pseudonym.key'),
  'privacy.min_cell': whole(10, 1, 'learners'),
  'load.max_rejects': {
    default: '1%',
    read: (value) =>
      /^(\d+|\d{1,2}(\.\d+)?%|100%)$/.test(String(value)) && typeof value !== 'boolean'
        ? String(value)
        : undefined,
    expected: 'a number of records (100) or a share of them ("1%")',
  } satisfies Setting<string>,
  'load.lock_wait': duration,
  'metrics.session_gap_minutes': whole(30, 1, 'minutes'),
  'metrics.at_risk_days': whole(7, 1, 'days'),
} as const

type SettingName = keyof typeof SETTINGS
const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]
const SECTIONS = [...new Set(SETTING_NAMES.map((name) => name.slice(0, name.indexOf('.'))))]
const SOURCE_KEYS = ['uri', 'mapping', 'id_space', 'format', 'entity']
const TERM_KEYS = ['from', 'to']

// ── loading ───────────────────────────────────────────────────────────────────────────────────────────────

type Table = Readonly<Record<string, unknown>>

/** A parsed file with what is needed to say where in it something stands. */
interface ConfigFile {
  readonly path: string
  /** As messages name it: relative to the working directory when inside it. */
  readonly shown: string
  readonly text: string
  readonly table: Table
}

/**
 * What is configured: flags > `LPA_*` environment > profile > file > defaults.
 * Throws UserError (exit 78) for an unknown key, a wrong value or a file that cannot be read.
 */
export function loadConfig(request: ConfigRequest): Config {
  const { cwd, env, flags = {} } = request
  const file = readConfigFile(cwd, flags.config ?? env.LPA_CONFIG)
  const root = file ? dirname(file.path) : cwd
  if (file) refuseUnknownKeys(file, file.table, [], true)
  refuseUnknownVariables(env)

  const profile = flags.profile ?? env.LPA_PROFILE
  const overlay = profile === undefined ? {} : profileTable(file, profile)
  const origin: Record<string, string> = {}

  const lookUp = (name: SettingName): { value: unknown; from: string; folder: string } => {
    const [section = '', key = ''] = name.split('.')
    const flag = flags.settings?.[name]
    if (flag !== undefined) return { value: flag, from: `--${key.replaceAll('_', '-')}`, folder: cwd }
    const variable = variableOf(name)
    const fromEnv = env[variable]
    if (fromEnv !== undefined && fromEnv !== '') return { value: fromEnv, from: variable, folder: cwd }
    const fromProfile = tableAt(overlay, section)[key]
    if (fromProfile !== undefined && file) {
      const at = placeOf(file, ['profiles', profile ?? '', section, key])
      return { value: fromProfile, from: `${at} (profile ${profile})`, folder: root }
    }
    const fromFile = tableAt(file?.table ?? {}, section)[key]
    if (fromFile !== undefined && file) {
      return { value: fromFile, from: placeOf(file, [section, key]), folder: root }
    }
    // systemd hands secrets over in this folder (LoadCredential=pseudonym.key:…).
    if (name === 'privacy.key_file' && env.CREDENTIALS_DIRECTORY) {
      return { value: 'pseudonym.key', from: 'CREDENTIALS_DIRECTORY', folder: env.CREDENTIALS_DIRECTORY }
    }
    return { value: SETTINGS[name].default, from: 'default', folder: root }
  }

  const setting = <N extends SettingName>(name: N): Value<N> | undefined => {
    const { value, from, folder } = lookUp(name)
    if (value === null) return undefined
    const known: Setting<unknown> = SETTINGS[name]
    const checked = known.read(value, { folder })
    if (checked === undefined) throw wrongValue(name, value, from, known)
    origin[name] = from
    return checked as Value<N>
  }
  // A setting with a default always has a value.
  const required = <N extends SettingName>(name: N): Value<N> => setting(name) as Value<N>

  const threads = setting('warehouse.threads')
  const group = setting('warehouse.group')
  const extensions = setting('warehouse.extensions')
  const connection = setting('warehouse.connection')
  return {
    root,
    ...(file && { file: file.path }),
    ...(profile !== undefined && { profile }),
    warehouse: {
      engine: required('warehouse.engine'),
      timezone: required('warehouse.timezone'),
      path: required('warehouse.path'),
      payload: required('warehouse.payload'),
      memoryLimit: required('warehouse.memory_limit'),
      ...(threads !== undefined && { threads }),
      ...(group !== undefined && { group }),
      ...(extensions !== undefined && { extensions }),
      ...(connection !== undefined && { connection }),
    },
    privacy: { keyFile: required('privacy.key_file'), minCell: required('privacy.min_cell') },
    load: { maxRejects: required('load.max_rejects'), lockWaitMs: required('load.lock_wait') },
    metrics: {
      sessionGapMinutes: required('metrics.session_gap_minutes'),
      atRiskDays: required('metrics.at_risk_days'),
    },
    sources: file ? readSources(file, profile, overlay, root, origin) : {},
    terms: file ? readTerms(file) : [],
    origin,
  }
}

/** Profile names of a configuration file's text: for completion, so it never throws. */
export function profileNames(toml: string): string[] {
  try {
    return Object.keys(tableAt(parse(toml), 'profiles'))
  } catch {
    return []
  }
}

/** The nearest `lpa.toml` in `cwd` or above it, or undefined. */
export function findConfigFile(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const candidate = join(folder, 'lpa.toml')
    if (readIfThere(candidate) !== undefined) return candidate
    if (dirname(folder) === folder) return undefined
  }
}

type Value<N extends SettingName> = (typeof SETTINGS)[N] extends { read: (...args: never[]) => infer R }
  ? Exclude<R, undefined>
  : never

function readConfigFile(cwd: string, named: string | undefined): ConfigFile | undefined {
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

// ── checking ──────────────────────────────────────────────────────────────────────────────────────────────

function refuseUnknownKeys(file: ConfigFile, table: Table, path: readonly string[], whole: boolean): void {
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

/** A misspelt variable would silently be ignored; other `LPA_*` variables are not settings and are let be. */
function refuseUnknownVariables(env: ConfigRequest['env']): void {
  const known = new Map(SETTING_NAMES.map((name) => [variableOf(name), name]))
  for (const variable of Object.keys(env)) {
    const section = SECTIONS.find((name) => variable.startsWith(`LPA_${name.toUpperCase()}_`))
    if (section === undefined || known.has(variable)) continue
    const near = didYouMean(variable, known.keys())
    throw new UserError('LPA-CONFIG-VARIABLE', `The environment variable ${variable} is not a setting.`, {
      exit: 'config',
      next: near
        ? `Did you mean ${near}?`
        : `Known: ${keysOf(section)
            .map((key) => variableOf(`${section}.${key}`))
            .join(', ')}.`,
    })
  }
}

function wrongValue(name: string, value: unknown, from: string, setting: Setting<unknown>): UserError {
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

function profileTable(file: ConfigFile | undefined, profile: string): Table {
  const profiles = tableAt(file?.table ?? {}, 'profiles')
  const table = Object.hasOwn(profiles, profile) ? profiles[profile] : undefined
  if (file && table !== undefined) return tableOrThrow(file, table, ['profiles', profile])
  const names = Object.keys(profiles)
  const near = didYouMean(profile, names)
  throw new UserError('LPA-CONFIG-PROFILE', `There is no profile ${profile}.`, {
    exit: 'config',
    ...(file && { where: file.shown }),
    next: near
      ? `Did you mean ${near}?`
      : names.length > 0
        ? `Profiles: ${names.join(', ')}.`
        : `Add [profiles.${profile}.warehouse] to lpa.toml.`,
  })
}

function readSources(
  file: ConfigFile,
  profile: string | undefined,
  overlay: Table,
  root: string,
  origin: Record<string, string>,
): Record<string, SourceSettings> {
  const base = tableAt(file.table, 'sources')
  const over = tableAt(overlay, 'sources')
  const sources: Record<string, SourceSettings> = {}
  for (const name of new Set([...Object.keys(base), ...Object.keys(over)])) {
    const changed = tableAt(over, name)
    const source = { ...tableAt(base, name), ...changed }
    const where = (key: string): string =>
      placeOf(
        file,
        key in changed ? ['profiles', profile ?? '', 'sources', name, key] : ['sources', name, key],
      )
    const wrong = (key: string, expected: string): UserError =>
      wrongValue(`sources.${name}.${key}`, source[key] ?? null, where(key), {
        default: null,
        read: () => undefined,
        expected,
      })
    const text = (key: string): string | undefined => {
      const value = source[key]
      if (value === undefined || (typeof value === 'string' && value !== '')) return value
      throw wrong(key, 'a text')
    }

    const uri = text('uri')
    if (uri === undefined) throw wrong('uri', 'a file, a glob, a folder or a URL')
    const mapping = Array.isArray(source.mapping) ? source.mapping : text('mapping')
    if (Array.isArray(mapping) && !mapping.every((item) => typeof item === 'string' && item !== '')) {
      throw wrong('mapping', 'a name, a file, or a list of them')
    }
    const format = text('format')
    const entity = text('entity')
    for (const key of Object.keys(source)) origin[`sources.${name}.${key}`] = where(key)
    sources[name] = {
      uri: resolveUri(root, uri),
      ...(mapping !== undefined && {
        mapping: Array.isArray(mapping)
          ? mapping.map((item: string) => resolveMapping(root, item))
          : resolveMapping(root, mapping),
      }),
      idSpace: text('id_space') ?? name,
      ...(format !== undefined && { format }),
      ...(entity !== undefined && { entity }),
    }
  }
  return sources
}

function resolveUri(root: string, uri: string): string {
  if (uri === '-' || /^[a-z][a-z0-9+]*:\/\//i.test(uri) || isAbsolute(uri)) return uri
  if (uri.startsWith('dir:')) return `dir:${resolve(root, uri.slice(4))}`
  // join, not resolve: a folder's final slash and a glob stay as written.
  return join(root, uri)
}

function resolveMapping(root: string, mapping: string): string {
  return mapping.endsWith('.sql') || mapping.includes('/') ? resolve(root, mapping) : mapping
}

function readTerms(file: ConfigFile): Term[] {
  const terms = Object.entries(tableAt(file.table, 'terms')).map(([name, content]) => {
    const day = (key: 'from' | 'to'): string => {
      const value = tableAt({ content }, 'content')[key]
      const written = value instanceof TomlDate ? value.toISOString() : value
      // The parser turns 2026-02-30 into 2026-03-02: what it read must stand in the file.
      if (typeof written === 'string' && isDay(written) && file.text.includes(written)) return written
      throw wrongValue(
        `terms.${name}.${key}`,
        value instanceof TomlDate ? 'no day' : (value ?? null),
        placeOf(file, ['terms', name, key]),
        {
          default: null,
          read: () => undefined,
          expected: 'a day that exists: 2026-01-12',
        },
      )
    }
    return { name, from: day('from'), to: day('to') }
  })
  terms.sort((a, b) => (a.from < b.from ? -1 : 1))
  for (const [index, term] of terms.entries()) {
    const before = terms[index - 1]
    const problem =
      term.to < term.from
        ? `Term ${term.name} ends (${term.to}) before it starts (${term.from}).`
        : before && term.from <= before.to
          ? `Terms ${before.name} and ${term.name} overlap on ${term.from}. A day belongs to one term.`
          : undefined
    if (problem === undefined) continue
    throw new UserError('LPA-CONFIG-TERM', problem, {
      exit: 'config',
      where: placeOf(file, ['terms', term.name]),
    })
  }
  return terms
}

// ── small parts ───────────────────────────────────────────────────────────────────────────────────────────

function variableOf(name: string): string {
  const setting: Setting<unknown> | undefined = SETTINGS[name as SettingName]
  return setting?.variable ?? `LPA_${name.replace('.', '_').toUpperCase()}`
}

function keysOf(section: string): string[] {
  return SETTING_NAMES.filter((name) => name.startsWith(`${section}.`)).map((name) =>
    name.slice(section.length + 1),
  )
}

function tableAt(table: Table, key: string): Table {
  const value = Object.hasOwn(table, key) ? table[key] : undefined
  return isTable(value) ? value : {}
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

function tableOrThrow(file: ConfigFile, value: unknown, path: readonly string[]): Table {
  if (isTable(value)) return value
  throw new UserError('LPA-CONFIG-VALUE', `${path.join('.')} is a value, but should be a table.`, {
    exit: 'config',
    where: placeOf(file, path),
    next: `Write it as [${path.join('.')}] with its settings below.`,
  })
}

/** `lpa.toml:12` when the line can be found by reading headers and keys; the parser keeps no positions. */
function placeOf(file: ConfigFile, path: readonly string[]): string {
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

function isTimezone(name: string): boolean {
  if (name === 'UTC') return true
  try {
    return (
      new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '' &&
      /^[A-Z]/i.test(name)
    )
  } catch {
    return false
  }
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}
