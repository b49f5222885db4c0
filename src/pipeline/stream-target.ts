/** What a stream reads: a source of lpa.toml, or an address. */

import { isKafka, type KafkaSettings, kafkaName, readKafka } from '../config/kafka.ts'
import type { Config } from '../config.ts'
import { didYouMean } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'

export interface StreamTarget {
  readonly source: string
  readonly idSpace: string
  readonly mappings: readonly string[]
  readonly entity: string | undefined
  readonly kafka: KafkaSettings
}

export interface TargetRequest {
  /** The name of a source, or `kafka://…`. */
  readonly target: string
  readonly mappings: readonly string[]
  readonly entity?: string | undefined
  readonly source?: string | undefined
}

/** The source of an address that belongs to none in lpa.toml. */
const UNNAMED_TOPICS = 'kafka'

/** @throws UserError usage (2) for what cannot be streamed, config (78) for an address that is none */
export function streamTarget(config: Config, request: TargetRequest): StreamTarget {
  const { target } = request
  const { sources } = config
  const named = Object.hasOwn(sources, target) ? sources[target] : undefined
  if (named?.kafka) return targetOf(request, target, named.kafka, named)
  if (isKafka(target)) {
    const settings = readAddress(target, request.source)
    const owner = Object.entries(sources).find(
      ([name, { kafka }]) =>
        kafka &&
        (request.source === undefined || request.source === name) &&
        kafkaName(kafka) === kafkaName(settings),
    )
    if (owner?.[1].kafka) return targetOf(request, owner[0], owner[1].kafka, owner[1])
    return targetOf(request, UNNAMED_TOPICS, settings)
  }
  if (named) {
    throw new UserError('LPA-STREAM-TARGET', `The source ${target} is loaded, not streamed: ${named.uri}`, {
      exit: 'usage',
      next: `lpa load ${target}`,
    })
  }
  const streams = Object.entries(sources).flatMap(([name, { kafka }]) => (kafka ? [name] : []))
  const near = didYouMean(target, streams)
  throw new UserError('LPA-STREAM-TARGET', `There is no source ${target} to stream.`, {
    exit: 'usage',
    next: near
      ? `Did you mean ${near}?`
      : [
          'Name topics: lpa stream kafka://host:9092/topic',
          'Or add [sources.NAME] with uri = "kafka://host:9092/topic" to lpa.toml, then: lpa stream NAME',
        ],
  })
}

function targetOf(
  request: TargetRequest,
  name: string,
  kafka: KafkaSettings,
  settings?: Config['sources'][string],
): StreamTarget {
  const source = request.source ?? name
  return {
    source,
    idSpace: settings?.idSpace ?? source,
    mappings: request.mappings.length > 0 ? request.mappings : [settings?.mapping ?? []].flat(),
    entity: request.entity ?? settings?.entity,
    kafka,
  }
}

function readAddress(uri: string, source: string | undefined): KafkaSettings {
  return readKafka(
    uri,
    {},
    {
      name: source ?? UNNAMED_TOPICS,
      root: process.cwd(),
      where: () => uri.replace(/\/\/[^/]*@/, '//…@'),
      wrong: () => new UserError('LPA-STREAM-TARGET', 'This is no address.', { exit: 'usage' }),
      credentials: undefined,
    },
  )
}
