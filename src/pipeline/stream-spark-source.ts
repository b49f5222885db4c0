/** What Spark reads for a stream. */

import { sep } from 'node:path'
import type { KafkaSettings } from '../config/kafka.ts'
import type { StreamRequest } from '../engines/spark/streaming.ts'
import { UserError } from '../errors.ts'
import type { StreamTarget } from './stream-target.ts'

const VIEW = 'lpa_stream'
/** Files of a directory that Spark takes for records, a line each. */
const ENDINGS = ['ndjson', 'jsonl', 'ndjson.gz', 'jsonl.gz'] as const

export interface Start {
  readonly from: 'earliest' | 'latest' | Date
  readonly mostRecords: number
}

type Source = StreamRequest['source']

export function sourceOf(target: StreamTarget, start: Start): Source {
  if ('kafka' in target) return { name: VIEW, format: 'kafka', options: kafkaOptions(target.kafka, start) }
  return {
    ...{ name: VIEW, format: 'text', paths: [target.directory] },
    options: {
      recursiveFileLookup: 'true',
      pathGlobFilter: `*.{${ENDINGS.join(',')}}`,
      maxBytesPerTrigger: String(64 * 1024 * 1024),
      // Else it leaves out what is a week older than the newest.
      maxFileAge: '36500d',
    },
  }
}

/** Of a file in the directory, by its path from there; Spark never sees names that begin so. */
export function isRead(file: string): boolean {
  const isHidden = file.split(sep).some((name) => /^[_.]/.test(name))
  return !isHidden && ENDINGS.some((ending) => file.endsWith(`.${ending}`))
}

/** The same from its beginning, to look at. */
export function headOf({ name, format, options, paths }: Source): Source {
  const { startingTimestamp, startingOffsetsByTimestampStrategy, ...others } = options
  const from = format === 'kafka' ? { startingOffsets: 'earliest' } : {}
  return { name: `${name}_head`, format, options: { ...others, ...from }, ...(paths && { paths }) }
}

/** @throws UserError config (78) for a broker that wants a password: it would stand in Spark's plans */
function kafkaOptions(settings: KafkaSettings, { from, mostRecords }: Start): Source['options'] {
  const { brokers, topics, tls, caFile, auth } = settings
  if (auth !== undefined) {
    throw new UserError(
      'LPA-SPARK-KAFKA-AUTH',
      'Spark would show the password of this broker to whom it shows its plans.',
      {
        exit: 'config',
        next: 'Leave --engine out, or let Spark reach the broker by a listener without sign-in.',
      },
    )
  }
  const begins =
    from instanceof Date
      ? { startingTimestamp: String(from.getTime()), startingOffsetsByTimestampStrategy: 'latest' }
      : { startingOffsets: from }
  return {
    'kafka.bootstrap.servers': brokers.join(','),
    subscribe: topics.join(','),
    'kafka.isolation.level': 'read_committed',
    failOnDataLoss: 'true',
    maxOffsetsPerTrigger: String(mostRecords),
    ...begins,
    ...(tls && { 'kafka.security.protocol': 'SSL' }),
    ...(caFile && { 'kafka.ssl.truststore.type': 'PEM', 'kafka.ssl.truststore.location': caFile }),
  }
}
