/** The settings of lpa.toml but for sources and terms: what each may be, and what it is unless said. */

import { resolve } from 'node:path'
import { parseDuration } from '../duration.ts'
import { groupId } from '../unix-group.ts'

// A hand-written table, not zod: importing zod takes 37 ms with the compile cache, more than starting Node.

export interface Setting<T> {
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

export function choice<const T extends string>(options: readonly T[], fallback: T): Setting<T> {
  return {
    default: fallback,
    read: (value) => options.find((option) => option === value),
    expected: `one of ${options.join(', ')}`,
    options,
  }
}

export function text(fallback: string | null, expected: string, pattern = /\S/): Setting<string> {
  return {
    default: fallback,
    read: (value) => (typeof value === 'string' && pattern.test(value) ? value : undefined),
    expected,
  }
}

export function whole(
  fallback: number | null,
  least: number,
  unit: string,
  most = Number.MAX_SAFE_INTEGER,
): Setting<number> {
  return {
    default: fallback,
    read: (value) => {
      const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
      return typeof number === 'number' && Number.isSafeInteger(number) && number >= least && number <= most
        ? number
        : undefined
    },
    expected: `a whole number of ${unit}, ${most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `${least} or more`}`,
  }
}

export function path(fallback: string | null): Setting<string> {
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

const group: Setting<string> = {
  default: null,
  read: (value) =>
    (typeof value === 'string' || typeof value === 'number') && groupId(String(value)) !== undefined
      ? String(value)
      : undefined,
  expected: 'the name or the number of a group of this machine',
}

export function duration(fallback: string): Setting<number> {
  return {
    default: fallback,
    read: (value) => {
      try {
        return typeof value === 'string' ? parseDuration(value, '') : undefined
      } catch {
        return undefined
      }
    },
    expected: 'a number and a unit: 500ms, 30s, 5m, 2h, 1d',
  }
}

export const yesOrNo: Setting<boolean> = {
  default: null,
  read: (value) => (typeof value === 'boolean' ? value : undefined),
  expected: 'true or false',
}

/** Also as text: flags and the environment have no other. */
const mouse: Setting<boolean> = {
  ...yesOrNo,
  default: 'false',
  read: (value) => (['true', 'false'].includes(String(value)) ? String(value) === 'true' : undefined),
}

export const SETTINGS = {
  'warehouse.engine': choice(['duckdb', 'snowflake', 'spark'], 'duckdb'),
  'warehouse.timezone': timezone,
  'warehouse.path': path('warehouse'),
  // A VARIANT takes longer to write, and refuses what it would lose (decision 0010).
  'warehouse.payload': choice(['json', 'variant'], 'json'),
  'warehouse.attributes': choice(['json', 'variant'], 'json'),
  'warehouse.memory_limit': text('600MB', 'a size such as 600MB or 2GB', /^\d+(\.\d+)?\s?[KMGT]i?B$/i),
  'warehouse.time_travel': duration('30d'),
  'warehouse.threads': whole(null, 1, 'threads'),
  'warehouse.group': group,
  // The engine's own variable, also read where there is no configuration (tests, scripts).
  'warehouse.extensions': { ...path(null), variable: 'LPA_EXTENSIONS' },
  'warehouse.connection': text(null, "the name of a connection in Snowflake's own files"),
  'spark.address': text(null, 'the address of a Spark Connect server: sc://HOST:15002', /^sc:\/\//),
  'spark.token_file': path(null),
  'spark.ca_file': path(null),
  'privacy.key_file': path('pseudonym.key'),
  'privacy.min_cell': whole(10, 1, 'learners'),
  'security.folder': path('security'),
  'security.user': text(null, "a user's name of the policy"),
  'load.max_rejects': {
    default: '1%',
    read: (value) =>
      /^(\d+|\d{1,2}(\.\d+)?%|100%)$/.test(String(value)) && typeof value !== 'boolean'
        ? String(value)
        : undefined,
    expected: 'a number of records (100) or a share of them ("1%")',
  } satisfies Setting<string>,
  'load.lock_wait': duration('0s'),
  'query.timeout': duration('10m'),
  // agg_course_day looks for the end of a gap on the next day, not further.
  'metrics.session_gap_minutes': whole(30, 1, 'minutes', 720),
  'metrics.at_risk_days': whole(7, 1, 'days'),
  'dash.theme': {
    ...choice(['ansi', 'dark', 'light', 'high-contrast', 'mono'], 'ansi'),
    variable: 'LPA_THEME',
  },
  'dash.mouse': mouse,
  'dash.refresh': {
    default: '2s',
    read: (value, place) => {
      const ms = duration('2s').read(value, place)
      return ms !== undefined && ms >= 250 ? ms : undefined
    },
    expected: 'a duration of 250ms or more: 2s, 1m',
  } satisfies Setting<number>,
} as const

export type SettingName = keyof typeof SETTINGS
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]
export const SECTIONS = [...new Set(SETTING_NAMES.map((name) => name.slice(0, name.indexOf('.'))))]

export type Value<N extends SettingName> = (typeof SETTINGS)[N] extends {
  read: (...args: never[]) => infer R
}
  ? Exclude<R, undefined>
  : never

/** `LPA_WAREHOUSE_PATH` for `warehouse.path`. */
export function variableOf(name: string): string {
  const setting: Setting<unknown> | undefined = SETTINGS[name as SettingName]
  return setting?.variable ?? `LPA_${name.replace('.', '_').toUpperCase()}`
}

/** The keys of a section: `path`, `engine`, … */
export function keysOf(section: string): string[] {
  return SETTING_NAMES.filter((name) => name.startsWith(`${section}.`)).map((name) =>
    name.slice(section.length + 1),
  )
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
