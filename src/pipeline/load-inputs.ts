/** Which inputs a load has, and under which source: from what was named and what lpa.toml knows. */

import { relative, resolve } from 'node:path'
import type { ApiSettings } from '../config/api.ts'
import { isKafka } from '../config/kafka.ts'
import { isDirectory } from '../config/sources.ts'
import type { Config, SourceSettings } from '../config.ts'
import { didYouMean } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'
import { shellWord } from '../shell-word.ts'
import { apiName } from '../sources/api/name.ts'
import { archivesIn, findFiles } from '../sources/files.ts'

export interface InputRequest {
  readonly inputs: readonly string[]
  readonly entity?: string | undefined
  readonly mappings: readonly string[]
  readonly source?: string | undefined
}

export interface PlannedInput {
  readonly path: string
  readonly source: string
  readonly idSpace: string
  readonly mappings: readonly string[]
  readonly entity: string | undefined
  /** Of an HTTP API, whose name `path` is then. */
  readonly api?: ApiSettings
}

/** The source of inputs that belong to none in lpa.toml. */
export const UNNAMED_SOURCE = 'files'

export function planInputs(config: Config, request: InputRequest): PlannedInput[] {
  const { sources } = config
  // Topics are streamed: who loads everything else does not mean them.
  const loadable = Object.keys(sources).filter((name) => !sources[name]?.kafka)
  const names = request.inputs.length > 0 ? request.inputs : loadable
  if (names.length === 0) {
    throw new UserError(
      'LPA-LOAD-NOTHING',
      'There is nothing to load: no input named, no source configured.',
      {
        exit: 'usage',
        next: [
          'Name files: lpa load exports/*.csv',
          'Or add [sources.NAME] with uri = "exports/*" to lpa.toml',
        ],
      },
    )
  }
  const plan = filePlanner(config, request)
  return names.flatMap((name): PlannedInput[] => {
    const settings = Object.hasOwn(sources, name) ? sources[name] : undefined
    if (settings?.api) {
      const source = request.source ?? name
      const { api, idSpace } = settings
      return [{ path: apiName(api), source, idSpace, api, ...asked(request, settings) }]
    }
    if (settings?.kafka) {
      throw new UserError('LPA-LOAD-TOPICS', `The source ${name} is topics of Kafka: they are streamed.`, {
        exit: 'usage',
        next: `lpa stream ${name} --until-caught-up`,
      })
    }
    const found = settings ? findFiles([placeOf(settings)]) : filesNamed(name, Object.keys(sources))
    return found.map((path) => plan(path, settings && name))
  })
}

/** What is not said of folders otherwise: archives in them are not loaded. */
export function passedOverNotes({ sources }: Config, { inputs }: InputRequest): string[] {
  const names = inputs.length > 0 ? inputs : Object.keys(sources)
  return names.flatMap((name) => {
    const settings = Object.hasOwn(sources, name) ? sources[name] : undefined
    const archives = archivesIn(settings ? placeOf(settings) : name)
    if (archives.length === 0) return []
    const what = archives.length === 1 ? '1 archive in it is' : `${archives.length} archives in it are`
    return [`${name}: ${what} passed over, since archives are loaded by name: ${archives[0]}`]
  })
}

/** Plans files one by one: of the source that was named, else of the one in lpa.toml that has the file. */
export function filePlanner(
  { sources }: Pick<Config, 'sources'>,
  request: Omit<InputRequest, 'inputs'>,
): (path: string, named?: string) => PlannedInput {
  const configured = Object.entries(sources).map(([name, settings]) => ({
    name,
    settings,
    files: filesOf(settings),
  }))
  return (path, named) => {
    const owner = configured.find(({ name, files }) =>
      named === undefined ? name === request.source || files.has(resolve(path)) : name === named,
    )
    const source = request.source ?? owner?.name ?? UNNAMED_SOURCE
    return {
      path: path === '-' ? path : relative(process.cwd(), resolve(path)) || path,
      source,
      idSpace: owner?.settings.idSpace ?? source,
      ...asked(request, owner?.settings),
    }
  }
}

/** What was asked for, else what the source says. */
function asked(
  { mappings, entity }: Omit<InputRequest, 'inputs'>,
  settings: SourceSettings | undefined,
): Pick<PlannedInput, 'mappings' | 'entity'> {
  return {
    mappings: mappings.length > 0 ? mappings : [settings?.mapping ?? []].flat(),
    entity: entity ?? settings?.entity,
  }
}

/** Files by their name, which may be a source's with a slip. */
function filesNamed(name: string, sources: readonly string[]): string[] {
  if (isKafka(name)) {
    throw new UserError('LPA-LOAD-TOPICS', 'Topics of Kafka are streamed.', {
      exit: 'usage',
      next: 'lpa stream kafka://host:9092/topic --until-caught-up',
    })
  }
  if (isDirectory(name)) {
    const folder = shellWord(name.slice('dir:'.length) || '.')
    throw new UserError('LPA-LOAD-DIRECTORY', 'A directory written as dir: is streamed.', {
      exit: 'usage',
      next: [`What is in it now: lpa load ${folder}`, `What appears in it: lpa stream dir:${folder}`],
    })
  }
  try {
    return findFiles([name])
  } catch (error) {
    const near = didYouMean(name, sources)
    if (near === undefined || !(error instanceof UserError)) throw error
    const { code, message, exit, where, next } = error
    throw new UserError(code, message, {
      ...{ exit, next: [`Did you mean the source ${near}?`, ...next], cause: error },
      ...(where !== undefined && { where }),
    })
  }
}

/** The files that a source has now, absolute; none for what is no file. */
export function filesOf(settings: SourceSettings): ReadonlySet<string> {
  if (/^[a-z]+:\/\//.test(settings.uri)) return new Set()
  try {
    return new Set(findFiles([placeOf(settings)]).map((path) => resolve(path)))
  } catch {
    return new Set()
  }
}

/** Where a source's files are: a directory that is streamed is loaded like any folder. */
function placeOf({ uri, directory }: SourceSettings): string {
  return directory ?? uri
}
