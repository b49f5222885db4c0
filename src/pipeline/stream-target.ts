/** What a stream reads: a source of lpa.toml, or an address. */

import { resolve } from 'node:path'
import { isKafka, type KafkaSettings, kafkaName, readKafka } from '../config/kafka.ts'
import { directoryOf, isDirectory } from '../config/sources.ts'
import type { Config } from '../config.ts'
import { didYouMean } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'
import { UNNAMED_SOURCE } from './load-inputs.ts'

interface StreamedSource {
  readonly source: string
  readonly idSpace: string
  readonly mappings: readonly string[]
  readonly entity: string | undefined
}

export type KafkaTarget = StreamedSource & { readonly kafka: KafkaSettings }

export type DirectoryTarget = StreamedSource & {
  /** Absolute. */
  readonly directory: string
  /** The source of lpa.toml that all its files are of; else each is of the one that has it, as when they are loaded. */
  readonly named: string | undefined
}

export type StreamTarget = KafkaTarget | DirectoryTarget

export interface TargetRequest {
  /** The name of a source, `kafka://…` or `dir:…`. */
  readonly target: string
  readonly mappings: readonly string[]
  readonly entity?: string | undefined
  readonly source?: string | undefined
}

/** The source of an address that belongs to none in lpa.toml. */
export const UNNAMED_TOPICS = 'kafka'

/** Whether the ledger's name of what was loaded is of topics, or of a directory that Spark streamed. */
export function isStreamed(uri: string): boolean {
  return /^(kafka:\/\/|dir:)/.test(uri)
}

/** @throws UserError usage (2) for what cannot be streamed, config (78) for an address that is none */
export function streamTarget(config: Config, request: TargetRequest): StreamTarget {
  const { target } = request
  const { sources } = config
  const named = Object.hasOwn(sources, target) ? sources[target] : undefined
  if (named?.kafka) {
    const { source } = request
    const group = groupOf(named.kafka.group, source === target ? undefined : source)
    return { ...sourceOf(request, target, named), kafka: { ...named.kafka, group } }
  }
  if (named?.directory !== undefined) {
    return { ...sourceOf(request, target, named), directory: named.directory, named: target }
  }
  if (isDirectory(target)) return directoryTarget(config, request, directoryOf(process.cwd(), target))
  if (isKafka(target)) {
    const address = readAddress(target, request.source)
    // Members of a group that read other topics would take each other's partitions and read none of them.
    const settings = { ...address, group: groupOf(`lpa-${address.topics.join('-')}`, request.source) }
    const owner = Object.entries(sources).find(
      ([name, { kafka }]) =>
        kafka &&
        (request.source === undefined || request.source === name) &&
        kafkaName(kafka) === kafkaName(settings),
    )
    if (owner?.[1].kafka) return { ...sourceOf(request, owner[0], owner[1]), kafka: owner[1].kafka }
    return { ...sourceOf(request, UNNAMED_TOPICS), kafka: settings }
  }
  if (named) {
    throw new UserError('LPA-STREAM-TARGET', `The source ${target} is loaded, not streamed: ${named.uri}`, {
      exit: 'usage',
      next: `lpa load ${target}`,
    })
  }
  const streams = Object.entries(sources).flatMap(([name, { kafka, directory }]) =>
    (kafka ?? directory) ? [name] : [],
  )
  const near = didYouMean(target, streams)
  throw new UserError('LPA-STREAM-TARGET', `There is no source ${target} to stream.`, {
    exit: 'usage',
    next: near
      ? `Did you mean ${near}?`
      : [
          'Name topics or a directory: lpa stream kafka://host:9092/topic, lpa stream dir:exports',
          'Or add [sources.NAME] with uri = "kafka://host:9092/topic" to lpa.toml, then: lpa stream NAME',
        ],
  })
}

/** What lpa.toml says of the same folder counts, also where it is only loaded. */
function directoryTarget({ sources }: Config, request: TargetRequest, directory: string): DirectoryTarget {
  const owner = Object.entries(sources).find(
    ([name, { uri, directory: known }]) =>
      (known ?? resolve(uri)) === directory && (request.source === undefined || request.source === name),
  )
  return { ...sourceOf(request, owner?.[0] ?? UNNAMED_SOURCE, owner?.[1]), directory, named: owner?.[0] }
}

function sourceOf(
  request: TargetRequest,
  name: string,
  settings?: Config['sources'][string],
): StreamedSource {
  const source = request.source ?? name
  return {
    source,
    idSpace: settings?.idSpace ?? source,
    mappings: request.mappings.length > 0 ? request.mappings : [settings?.mapping ?? []].flat(),
    entity: request.entity ?? settings?.entity,
  }
}

/** Each source reads all of its topics: two of them in one group would share the partitions out. */
function groupOf(group: string, source: string | undefined): string {
  return source === undefined ? group : `${group}-${source.replace(/[^\w.-]+/g, '-')}`
}

function readAddress(uri: string, source: string | undefined): KafkaSettings {
  return readKafka(
    uri,
    {},
    {
      name: source ?? UNNAMED_TOPICS,
      typed: 'The address',
      root: process.cwd(),
      where: () => uri.replace(/\/\/.*@/, '//…@'),
      wrong: () => new UserError('LPA-STREAM-TARGET', 'This is no address.', { exit: 'usage' }),
      credentials: undefined,
    },
  )
}
