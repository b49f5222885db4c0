/** Which loads hold pseudonyms of another key, and the commands that load their inputs again. */

import { basename, resolve } from 'node:path'
import type { Config, SourceSettings } from '../config.ts'
import { shellWord } from '../shell-word.ts'
import { apiName } from '../sources/api/name.ts'
import { isThere } from '../sources/zip.ts'
import { listSql } from '../sql-files.ts'
import type { Engine, Result } from '../types.ts'
import { ledgerRows } from './ledger.ts'
import { filesOf, UNNAMED_SOURCE } from './load-inputs.ts'
import { isStreamed, UNNAMED_TOPICS } from './stream-target.ts'

export interface Reload {
  /** As it is typed, in the folder where the inputs were loaded from. */
  readonly command: string
  readonly source: string
  readonly loads: number
  readonly inputs: number
  /** Inputs that are not there any more: to be restored first. */
  readonly missing: readonly string[]
}

export interface EarlierLoad {
  readonly keyId: string
  readonly source: string
  readonly uri: string
  readonly format: string
  /** Of the run that loaded it, when that is known. */
  readonly arguments?: string | undefined
}

export async function readOtherLoads(engine: Engine, keyId: string): Promise<EarlierLoad[]> {
  const rows = await ledgerRows(engine, 'loads-of-other-keys', { key_id: keyId })
  return rows.map(([, key, source, uri, format, words]) => ({
    ...{ keyId: String(key), source: String(source), uri: String(uri), format: String(format) },
    arguments: words === null ? undefined : String(words),
  }))
}

/** One row a command. */
export function reloadRows(reloads: readonly Reload[]): Result {
  const text = (name: string) => ({ name, type: 'text' as const })
  const integer = (name: string) => ({ name, type: 'integer' as const })
  return {
    columns: [text('command'), text('source'), integer('loads'), integer('inputs'), integer('missing')],
    rows: reloads.map(({ command, source, loads, inputs, missing }) => [
      ...[command, source, loads, inputs],
      missing.length,
    ]),
  }
}

/** Pure but for looking which files are there. In the order of the first loads, so that the newest snapshot is last. */
export function reloadsOf(loads: readonly EarlierLoad[], config: Config, cwd: string): Reload[] {
  const folders = [config.root, cwd]
  // Standard input was another one each time.
  const inputs = Map.groupBy(loads, ({ source, uri }, index) =>
    JSON.stringify([source, uri, ...(uri === 'stdin' ? [index] : [])]),
  )
  const commands = new Map<string, Asked>()
  for (const [first, ...others] of inputs.values()) {
    if (!first) continue
    const ofInput = [first, ...others]
    const { source, uri } = first
    const settings = Object.hasOwn(config.sources, source) ? config.sources[source] : undefined
    const isDirectory = uri.startsWith('dir:')
    const isStream = isStreamed(uri)
    const isApi = settings?.api !== undefined && apiName(settings.api) === uri
    const isOfSource =
      settings !== undefined && (isStream ? isStreamOf(settings, uri) : covers(settings, ofInput, folders))
    const mappings = [...new Set(ofInput.map((load) => mappingOf(load, settings)))]
    const flags = [
      ...(source === (isStream && !isDirectory ? UNNAMED_TOPICS : UNNAMED_SOURCE) || isApi
        ? []
        : ['--source', source]),
      ...mappings.flatMap((mapping) => ['--mapping', mapping]),
    ]
    // As many bad records as then: with the usual limit it may be refused.
    const limit = ofInput.flatMap((load) => valuesOf('--max-rejects', load)).at(-1)
    const known = [
      ...(isApi ? ['--full'] : isStream ? ['--reset-offsets'] : []),
      // Without it each file is loaded by itself.
      ...(isDirectory ? ['--engine', 'spark'] : []),
      ...(isOfSource ? [] : flags),
      ...(limit === undefined ? [] : ['--max-rejects', limit]),
    ]
      .map(shellWord)
      .join(' ')
    const verb = isStream ? 'lpa stream' : 'lpa load'
    const place = `${verb}\n${source}\n${isOfSource}\n${known}${uri === 'stdin' ? `\n${commands.size}` : ''}`
    const isNamed = isOfSource || isApi
    const command = commands.get(place) ?? {
      ...{ verb, flags: known, isNamed, isRemote: isApi || isStream, source },
      ...{ loads: 0, uris: new Set<string>() },
    }
    command.loads += ofInput.length
    command.uris.add(uri)
    commands.set(place, command)
  }
  return [...commands.values()].map(({ verb, flags, isNamed, isRemote, source, loads: count, uris }) => {
    const named = isNamed ? [source] : [...uris].map(typed)
    return {
      command: [verb, ...named.map(shellWord), flags].filter(Boolean).join(' '),
      ...{ source, loads: count, inputs: uris.size },
      missing: isRemote ? [] : [...uris].filter((uri) => uri !== 'stdin' && !isInOneOf(folders, uri)),
    }
  })
}

/** One command in the making: its flags, whether its inputs are named by their source, and which they are. */
interface Asked {
  /** `lpa load`, or of topics `lpa stream`: it reads again what they still hold. */
  readonly verb: string
  readonly flags: string
  readonly isNamed: boolean
  /** Nobody here can look whether the inputs are still there. */
  readonly isRemote: boolean
  readonly source: string
  loads: number
  readonly uris: Set<string>
}

function isStreamOf({ kafka, directory }: SourceSettings, uri: string): boolean {
  return uri.startsWith('dir:') ? uri === `dir:${directory}` : kafka !== undefined
}

function typed(uri: string): string {
  return uri === 'stdin' ? '-' : uri
}

/** Whether `lpa load NAME` loads this input, as it was loaded before. */
function covers(
  settings: SourceSettings,
  loads: readonly EarlierLoad[],
  folders: readonly string[],
): boolean {
  const files = filesOf(settings)
  const mappings = [settings.mapping ?? listSql('mappings')].flat().map((name) => basename(name, '.sql'))
  return loads.every(
    ({ uri, format }) =>
      mappings.includes(format) &&
      (settings.api
        ? apiName(settings.api) === uri
        : folders.some((folder) => files.has(resolve(folder, uri)))),
  )
}

/** The ledger knows a mapping by its name only; where its file is, the run's arguments or lpa.toml tell. */
export function mappingOf(load: EarlierLoad, settings: SourceSettings | undefined): string {
  const files = [...valuesOf('--mapping', load), ...[settings?.mapping ?? []].flat()]
  const file = files.find((name) => name.endsWith('.sql') && basename(name, '.sql') === load.format)
  return file ?? (listSql('mappings').includes(load.format) ? load.format : `${load.format}.sql`)
}

/** What a flag of the run that loaded it was given, each time. */
function valuesOf(flag: string, load: EarlierLoad): string[] {
  const words = load.arguments?.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []
  const given = words.map((word) => (word.startsWith('"') ? String(JSON.parse(word)) : word))
  return given.flatMap((word, index) => {
    if (given[index - 1] === flag) return [word]
    return word.startsWith(`${flag}=`) ? [word.slice(flag.length + 1)] : []
  })
}

function isInOneOf(folders: readonly string[], uri: string): boolean {
  return folders.some((folder) => isThere(resolve(folder, uri)))
}
