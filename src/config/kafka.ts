/** The keys of [sources.NAME] that say how topics of Kafka are read. */

import { UserError } from '../errors.ts'
import { choice, path, type Setting, text, yesOrNo } from './settings.ts'
import { isLoopbackName, readKey, type SourcePlace, secretOf } from './source-place.ts'

/** How `lpa stream NAME` reads Kafka. */
export interface KafkaSettings {
  /** `host:port`, at least one: the others of the cluster are asked for. */
  readonly brokers: readonly string[]
  readonly topics: readonly string[]
  readonly auth?: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly user?: string
  /** The password: in this variable, else in this file. */
  readonly secretVariable: string
  readonly secretFile?: string
  readonly tls: boolean
  readonly caFile?: string
  /** The consumer group; offsets are committed to it for lag tools, and never read from it. */
  readonly group: string
}

const KEYS = {
  auth: choice(['plain', 'scram-sha-256', 'scram-sha-512'], 'scram-sha-512'),
  user: text(null, 'a text'),
  secret_file: path(null),
  tls: yesOrNo,
  ca_file: path(null),
  group: text(null, 'the name of a consumer group', /^[\w.-]{1,200}$/),
} as const satisfies Record<string, Setting<unknown>>

export const KAFKA_KEYS = Object.keys(KEYS)

export function isKafka(uri: string): boolean {
  return /^kafka:\/\//i.test(uri)
}

/**
 * The settings of topics. What a broker sends is personal: it is encrypted unless the broker is this machine, or
 * `tls = false` says otherwise.
 * @throws UserError config (78) for a wrong address or value, for keys that do not go together, and for a password that
 *   would be sent in clear
 */
export function readKafka(
  uri: string,
  source: Readonly<Record<string, unknown>>,
  place: SourcePlace,
): KafkaSettings {
  const { name, typed, where } = place
  const get = <K extends keyof typeof KEYS>(key: K) => readKey(KEYS, key, source, place)
  const refuse = (key: string, message: string, next: string) =>
    new UserError('LPA-CONFIG-KAFKA', `${typed ?? `sources.${name}.${key}`} ${message}`, {
      ...{ exit: 'config', where: where(key), next },
    })

  const { brokers, topics } = readAddress(uri, (message, next) => refuse('uri', message, next))
  const auth = get('auth')
  const user = get('user')
  const isLocal = brokers.every((broker) => isLoopbackName(broker.replace(/:\d+$/, '')))
  const tls = get('tls') ?? !isLocal
  const caFile = get('ca_file')
  for (const key of ['user', 'secret_file'] as const) {
    if (source[key] !== undefined && auth === undefined)
      throw refuse(key, 'does nothing without auth = "scram-sha-512".', 'Add that, or take this out.')
  }
  if (caFile !== undefined && !tls)
    throw refuse('ca_file', 'does nothing without tls = true.', 'Add that, or take this out.')
  if (auth !== undefined && user === undefined) throw refuse('auth', 'needs a user.', 'user = "lpa"')
  if (auth === 'plain' && !tls && !isLocal)
    throw refuse('auth', 'would send the password in clear.', 'Set tls = true, or auth = "scram-sha-512"')
  return {
    ...{ brokers, topics, tls },
    ...(auth && { auth }),
    ...(user !== undefined && { user }),
    ...secretOf(place, get('secret_file'), auth !== undefined),
    ...(caFile !== undefined && { caFile }),
    group: get('group') ?? `lpa-${name.replace(/[^\w.-]+/g, '-')}`,
  }
}

/** The address without what is no address: `kafka://b1:9092,b2:9092/clicks`. */
export function kafkaName({ brokers, topics }: Pick<KafkaSettings, 'brokers' | 'topics'>): string {
  return `kafka://${brokers.join(',')}/${topics.join(',')}`
}

const DEFAULT_PORT = 9092

function readAddress(
  uri: string,
  refuse: (message: string, next: string) => UserError,
): Pick<KafkaSettings, 'brokers' | 'topics'> {
  const example = 'Write it as kafka://host:9092/topic, several of each with commas between them.'
  const [hosts = '', ...path] = uri.slice('kafka://'.length).split('/')
  if (hosts.includes('@')) throw refuse('holds a user or a password in clear.', 'Use auth and user.')
  const brokers = hosts.split(',').map((host) => {
    const match = /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(host)
    const port = Number(match?.[2] ?? DEFAULT_PORT)
    if (!match || port < 1 || port > 65_535) throw refuse('names no broker.', example)
    return `${match[1]}:${port}`
  })
  const topics = [...new Set((path.join('/') || '').split(','))]
  const wrong = topics.find((topic) => !/^[\w.-]{1,249}$/.test(topic) || /^\.\.?$/.test(topic))
  if (wrong !== undefined) throw refuse('names no topic.', example)
  return { brokers, topics }
}
