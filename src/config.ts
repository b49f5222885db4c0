import { dirname } from 'node:path'
import type { ApiSettings } from './config/api.ts'
import {
  type ConfigFile,
  placeOf,
  readConfigFile,
  refuseUnknownKeys,
  type Table,
  tableAt,
  tableOrThrow,
  wrongValue,
} from './config/file.ts'
import type { KafkaSettings } from './config/kafka.ts'
import {
  keysOf,
  SECTIONS,
  SETTING_NAMES,
  SETTINGS,
  type Setting,
  type SettingName,
  type Value,
  variableOf,
} from './config/settings.ts'
import { readSources, readTerms } from './config/sources.ts'
import { didYouMean } from './did-you-mean.ts'
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
  /** Of an HTTP API: how it is read. */
  readonly api?: ApiSettings
  /** Of topics: how they are read. */
  readonly kafka?: KafkaSettings
  /** Of `dir:…`: the folder, absolute. `lpa stream` looks at it, `lpa load` loads what is in it now. */
  readonly directory?: string
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
    /** What payloads of raw events are kept as. */
    readonly payload: 'json' | 'variant'
    /** What attributes in core are kept as. */
    readonly attributes: 'json' | 'variant'
    /** As DuckDB takes it: `600MB`. */
    readonly memoryLimit: string
    readonly threads?: number
    /** How far back `--at` reaches, where a stream thins what it leaves behind. */
    readonly timeTravelMs: number
    /** Unix group that shares the files: 0640 and 2750 instead of 0600 and 0700. */
    readonly group?: string
    /** A folder with DuckDB's extension files. */
    readonly extensions?: string
    /** Name of a connection in Snowflake's own files. */
    readonly connection?: string
  }
  readonly spark: {
    /** `sc://HOST:PORT`; none: the one of this machine. */
    readonly address?: string
    readonly tokenFile?: string
    /** Who signed the certificate of its proxy, besides those that everybody trusts. */
    readonly caFile?: string
  }
  readonly privacy: { readonly keyFile: string; readonly minCell: number }
  readonly security: {
    /** A policy's YAML files; where it is not there, the policy that lpa comes with holds. */
    readonly folder: string
    /** Whose attributes row rules ask for on the embedded engine; the user of this system unless said. */
    readonly user?: string
  }
  readonly load: {
    /** A number of records (`100`) or a share of them (`1%`). */
    readonly maxRejects: string
    readonly lockWaitMs: number
  }
  /** 0: no limit. */
  readonly query: { readonly timeoutMs: number }
  readonly metrics: { readonly sessionGapMinutes: number; readonly atRiskDays: number }
  readonly dash: {
    readonly theme: 'ansi' | 'dark' | 'light' | 'high-contrast' | 'mono'
    readonly mouse: boolean
    /** How often the live dashboard looks for a new version of the warehouse. */
    readonly refreshMs: number
  }
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
  const sparkAddress = setting('spark.address')
  const tokenFile = setting('spark.token_file')
  const caFile = setting('spark.ca_file')
  const user = setting('security.user')
  return {
    root,
    ...(file && { file: file.path }),
    ...(profile !== undefined && { profile }),
    warehouse: {
      engine: required('warehouse.engine'),
      timezone: required('warehouse.timezone'),
      path: required('warehouse.path'),
      payload: required('warehouse.payload'),
      attributes: required('warehouse.attributes'),
      memoryLimit: required('warehouse.memory_limit'),
      timeTravelMs: required('warehouse.time_travel'),
      ...(threads !== undefined && { threads }),
      ...(group !== undefined && { group }),
      ...(extensions !== undefined && { extensions }),
      ...(connection !== undefined && { connection }),
    },
    spark: {
      ...(sparkAddress !== undefined && { address: sparkAddress }),
      ...(tokenFile !== undefined && { tokenFile }),
      ...(caFile !== undefined && { caFile }),
    },
    privacy: { keyFile: required('privacy.key_file'), minCell: required('privacy.min_cell') },
    security: { folder: required('security.folder'), ...(user !== undefined && { user }) },
    load: { maxRejects: required('load.max_rejects'), lockWaitMs: required('load.lock_wait') },
    query: { timeoutMs: required('query.timeout') },
    metrics: {
      sessionGapMinutes: required('metrics.session_gap_minutes'),
      atRiskDays: required('metrics.at_risk_days'),
    },
    dash: {
      theme: required('dash.theme'),
      refreshMs: required('dash.refresh'),
      mouse: required('dash.mouse'),
    },
    sources: file ? readSources(file, profile, overlay, root, origin, env.CREDENTIALS_DIRECTORY) : {},
    terms: file ? readTerms(file) : [],
    origin,
  }
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
