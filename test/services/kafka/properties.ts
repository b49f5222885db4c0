/** The settings of the broker for tests: everything on loopback, nothing replicated, nothing deleted by age. */

/** A free port for each way in. */
export interface Ports {
  readonly plaintext: number
  readonly sasl: number
  readonly ssl: number
  readonly saslSsl: number
  readonly controller: number
}

export interface User {
  readonly username: string
  readonly password: string
}

export type Mechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

/** One user for each mechanism: who signs in by another one is refused. */
export const USERS: Readonly<Record<Mechanism, User>> = {
  PLAIN: { username: 'lpa-plain', password: 'plain-secret' },
  'SCRAM-SHA-256': { username: 'lpa-256', password: 'secret-256' },
  'SCRAM-SHA-512': { username: 'lpa-512', password: 'secret-512' },
}

export const HOST = '127.0.0.1'
const SECURITY = 'org.apache.kafka.common.security'

/**
 * The text of server.properties; `certificate` is a PEM file with the server's key and certificates, `advertised` the port
 * where clients find `plaintext`.
 */
export function serverProperties(
  ports: Ports,
  data: string,
  certificate: string,
  advertised = ports.plaintext,
): string {
  const opened = (plaintext: number) => [
    `PLAINTEXT://${HOST}:${plaintext}`,
    `SASL_PLAINTEXT://${HOST}:${ports.sasl}`,
    `SSL://${HOST}:${ports.ssl}`,
    `SASL_SSL://${HOST}:${ports.saslSsl}`,
  ]
  const protocols = ['PLAINTEXT', 'SASL_PLAINTEXT', 'SSL', 'SASL_SSL'].map((name) => `${name}:${name}`)
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${HOST}:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [...opened(ports.plaintext), `CONTROLLER://${HOST}:${ports.controller}`].join(','),
    'advertised.listeners': opened(advertised).join(','),
    'listener.security.protocol.map': [...protocols, 'CONTROLLER:PLAINTEXT'].join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'sasl.enabled.mechanisms': Object.keys(USERS).join(','),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': certificate,
    'log.dirs': data,
    'auto.create.topics.enable': false,
    ...ONE_BROKER,
    ...KEEP_ALL,
    ...QUICK,
    ...SMALL,
  }
  for (const listener of ['sasl_plaintext', 'sasl_ssl'])
    for (const [mechanism, user] of Object.entries(USERS))
      settings[`listener.name.${listener}.${mechanism.toLowerCase()}.sasl.jaas.config`] = jaas(
        mechanism,
        user,
      )
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

/** SCRAM's users are in the metadata log; PLAIN's are here. */
function jaas(mechanism: string, { username, password }: User): string {
  return mechanism === 'PLAIN'
    ? `${SECURITY}.plain.PlainLoginModule required user_${username}="${password}";`
    : `${SECURITY}.scram.ScramLoginModule required;`
}

const ONE_BROKER = {
  'offsets.topic.replication.factor': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
}

/** Tests send messages of any date. */
const KEEP_ALL = {
  'log.retention.ms': -1,
  'log.message.timestamp.after.max.ms': '9223372036854775807',
}

/** After kill -9 the controller refuses the broker until the session of the one that was killed is over. */
const QUICK = {
  'broker.session.timeout.ms': 3000,
  'broker.heartbeat.interval.ms': 500,
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 1000,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
  'log.segment.delete.delay.ms': 1000,
}

const SMALL = {
  'offsets.topic.num.partitions': 2,
  'transaction.state.log.num.partitions': 2,
  'share.coordinator.state.topic.num.partitions': 1,
  'num.network.threads': 2,
  'num.io.threads': 4,
  'background.threads': 2,
  // Half of the heap otherwise.
  'log.cleaner.dedupe.buffer.size': 16_777_216,
}
