/** [sources.NAME] and [terms] of lpa.toml. */

import { isAbsolute, join, resolve } from 'node:path'
import { TomlDate } from 'smol-toml'
import type { SourceSettings, Term } from '../config.ts'
import { UserError } from '../errors.ts'
import { API_KEYS, isApi, readApi } from './api.ts'
import { type ConfigFile, placeOf, type Table, tableAt, wrongValue } from './file.ts'
import { isKafka, KAFKA_KEYS, readKafka } from './kafka.ts'
import type { SourcePlace } from './source-place.ts'

/** The sources of the file, each key overlaid by the profile's. Adds to `origin` where each key came from. */
export function readSources(
  file: ConfigFile,
  profile: string | undefined,
  overlay: Table,
  root: string,
  origin: Record<string, string>,
  credentials: string | undefined,
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
    const wrong = (key: string, expected: string, value = source[key]): UserError =>
      wrongValue(`sources.${name}.${key}`, value ?? null, where(key), {
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
    const place = { name, root, where, wrong, credentials }
    refuseOthersKeys(uri, source, place)
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
      ...(isApi(uri) && { api: readApi(uri, source, place) }),
      ...(isKafka(uri) && { kafka: readKafka(uri, source, place) }),
      ...(isDirectory(uri) && { directory: directoryOf(root, uri) }),
    }
  }
  return sources
}

/** @throws UserError config (78) for keys that say how another kind of source is read */
function refuseOthersKeys(uri: string, source: object, { name, where }: SourcePlace): void {
  const kinds = [
    { what: 'HTTP APIs', keys: API_KEYS, uri: 'https://…', is: isApi(uri) },
    { what: 'Kafka', keys: KAFKA_KEYS, uri: 'kafka://host:9092/topic', is: isKafka(uri) },
  ]
  const own = kinds.find(({ is }) => is)?.keys ?? []
  for (const key of Object.keys(source)) {
    const others = own.includes(key) ? [] : kinds.filter(({ keys }) => keys.includes(key))
    if (others.length === 0) continue
    throw new UserError(
      'LPA-CONFIG-SOURCE',
      `sources.${name}.${key} is of ${others.map(({ what }) => what).join(' and ')} only.`,
      {
        ...{ exit: 'config', where: where(key) },
        next: `Take it out, or set uri = ${others.map((kind) => `"${kind.uri}"`).join(' or ')}`,
      },
    )
  }
}

/** A folder in which files appear: `dir:exports`. */
export function isDirectory(uri: string): boolean {
  return uri.startsWith('dir:')
}

export function directoryOf(root: string, uri: string): string {
  return resolve(root, uri.slice('dir:'.length))
}

function resolveUri(root: string, uri: string): string {
  if (uri === '-' || /^[a-z][a-z0-9+]*:\/\//i.test(uri) || isAbsolute(uri)) return uri
  if (isDirectory(uri)) return `dir:${directoryOf(root, uri)}`
  // join, not resolve: a folder's final slash and a glob stay as written.
  return join(root, uri)
}

function resolveMapping(root: string, mapping: string): string {
  return mapping.endsWith('.sql') || mapping.includes('/') ? resolve(root, mapping) : mapping
}

/** The terms by their first day; they may not overlap. */
export function readTerms(file: ConfigFile): Term[] {
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

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}
