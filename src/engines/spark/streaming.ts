/** A streaming query of Spark: from records that keep coming to Parquet files in a folder. */

import { fileURLToPath } from 'node:url'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { UserError } from '../../errors.ts'
import { maskEmails } from '../../secrets.ts'
import { shortOf } from './failures.ts'
import type {
  StreamingQueryCommandResult,
  StreamingQueryCommandSchema,
  StreamingQueryInstanceId,
} from './protocol/commands_pb.js'

export interface StreamRequest {
  /** What is read, and the name of the view on it. */
  readonly source: {
    readonly name: string
    readonly format: 'kafka' | 'text'
    readonly options: Readonly<Record<string, string>>
    readonly paths?: readonly string[]
  }
  /** Over that view. */
  readonly select: string
  /** Its columns: when a row came, what doubles have in common, and by what files are apart. */
  readonly arrival: string
  readonly key: string
  readonly partitionBy: string
  /** How long keys are remembered, `1 hour`. */
  readonly remember: string
  /** Of the files, and of how far the records were read. */
  readonly folder: string
  readonly checkpoint: string
  /** Undefined: it ends when what is there now is written. */
  readonly everyMs: number | undefined
}

/** Of one batch, as Spark tells it. */
export interface StreamProgress {
  readonly batch: number
  readonly doubled: number
  /** Rows that came too late for their key to be looked up, and were left out. */
  readonly late: number
  /** Records that wait; of files nobody counts them. */
  readonly behind: number | undefined
}

export type Ask = (
  command: MessageInitShape<typeof StreamingQueryCommandSchema>,
) => Promise<StreamingQueryCommandResult['resultType'] | undefined>

export class StreamingQuery {
  readonly #queryId: StreamingQueryInstanceId
  readonly #ask: Ask

  constructor(queryId: StreamingQueryInstanceId, ask: Ask) {
    this.#queryId = queryId
    this.#ask = ask
  }

  /** The same as long as its checkpoint is. */
  get id(): string {
    return this.#queryId.id
  }

  async isActive(): Promise<boolean> {
    const told = await this.#command({ case: 'status', value: true })
    return told?.case === 'status' && told.value.isActive
  }

  /** Of the last batches. */
  async progress(): Promise<readonly StreamProgress[]> {
    const told = await this.#command({ case: 'recentProgress', value: true })
    return told?.case === 'recentProgress' ? told.value.recentProgressJson.map(progressOf) : []
  }

  /** @throws UserError with why it ended, if it did not end well */
  async assertWell(): Promise<void> {
    const told = await this.#command({ case: 'exception', value: true })
    if (told?.case !== 'exception') return
    const { exceptionMessage, stackTrace = '' } = told.value
    if (exceptionMessage !== undefined) throw failureOf(exceptionMessage, stackTrace)
  }

  #command(command: NonNullable<Parameters<Ask>[0]['command']>) {
    return this.#ask({ queryId: this.#queryId, command })
  }
}

interface TellsOfSource {
  readonly endOffset?: Offsets
  readonly latestOffset?: Offsets
}

/** By topic, then by partition. */
type Offsets = Readonly<Record<string, Readonly<Record<string, number>>>>

/** What a query has of itself: keys, in lpa's one step that keeps any. */
interface TellsOfState {
  readonly numRowsDroppedByWatermark?: number
  readonly customMetrics?: { readonly numDroppedDuplicateRows?: number }
}

function progressOf(json: string): StreamProgress {
  const told: { batchId: number; sources: TellsOfSource[]; stateOperators: TellsOfState[] } = JSON.parse(json)
  const sum = (of: (state: TellsOfState) => number | undefined) =>
    told.stateOperators.reduce((total, state) => total + (of(state) ?? 0), 0)
  return {
    batch: told.batchId,
    doubled: sum(({ customMetrics }) => customMetrics?.numDroppedDuplicateRows),
    late: sum(({ numRowsDroppedByWatermark }) => numRowsDroppedByWatermark),
    behind: behindOf(told.sources[0]),
  }
}

function behindOf(source: TellsOfSource | undefined): number | undefined {
  const { endOffset, latestOffset } = source ?? {}
  if (typeof latestOffset !== 'object' || latestOffset === null) return undefined
  const pairs = Object.entries(latestOffset).flatMap(([topic, partitions]) =>
    Object.entries(partitions).map(([partition, end]) => end - (endOffset?.[topic]?.[partition] ?? 0)),
  )
  return pairs.reduce((total, behind) => total + Math.max(0, behind), 0)
}

const DATA_LOSS = /OffsetOutOfRange|KAFKA_DATA_LOSS|failOnDataLoss|PARTITION_OFFSET_CHANGED/
const NO_BROKER =
  /org\.apache\.kafka\.common\.errors\.\w*(Timeout|Disconnect|Network)Exception|No resolvable bootstrap urls/
const NO_TOPIC = /UnknownTopicOrPartition/
/** Of a file that is cut off or no archive, in the words of Java, Hadoop and zlib. */
const BROKEN =
  /EOFException|ZipException|gzip|incorrect \w+ check|invalid (block|stored|code|bit|literal|distance|window)|too many length/
const FILE = /\[FAILED_READ_FILE[^\]]*\].*?(file:\S+?)\.?\s/

/** Only names of errors, and of a file: what is around them may hold what was read. */
function failureOf(message: string, stackTrace: string): UserError {
  // After that comes the plan, with every option by its name.
  const [said = ''] = message.split('=== Streaming Query ===')
  const all = [said, ...stackTrace.split('\n').filter((line) => line.startsWith('Caused by:'))].join('\n')
  const [name] = /\[[A-Z][A-Z0-9_.]+\]/.exec(said) ?? []
  if (DATA_LOSS.test(all))
    return new UserError(
      'LPA-STREAM-GONE',
      'Messages are gone that were not read yet, or the topic was made anew.',
      {
        exit: 'data',
        next: 'What was committed stays. To begin where the topic does: --reset-offsets',
      },
    )
  if (NO_TOPIC.test(all) || NO_BROKER.test(all))
    return new UserError('LPA-KAFKA-NETWORK', 'Spark cannot reach the broker or the topic.', {
      exit: 'unavailable',
      next: 'The address must be known to the server and every executor. Nothing is lost: start it again.',
    })
  const short = shortOf(all)
  if (short) return new UserError(short.code, short.message, { exit: short.exit, next: short.next })
  const [, file] = FILE.exec(said) ?? []
  if (file !== undefined && BROKEN.test(all)) return brokenFile(file)
  return new UserError('LPA-SPARK-STREAM', `The stream on Spark has failed${name ? ` ${name}` : ''}.`, {
    exit: 'unavailable',
    next: 'What was committed stays: start it again, and it goes on from there. Why it failed is in the log of Spark.',
  })
}

function brokenFile(url: string): UserError {
  return new UserError('LPA-STREAM-FILE', 'Spark cannot read this file: it is cut off, or no archive.', {
    ...{ exit: 'data', where: maskEmails(fileURLToPath(url)) },
    next: [
      'What was committed stays. Put it back whole under its name and start again: Spark tries it first.',
      'Or take it away, and read everything again: --reset-offsets. Events that are there already stay as they are.',
    ],
  })
}
