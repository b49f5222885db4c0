/** A streaming query of Spark: from records that keep coming to Parquet files in a folder. */

import type { MessageInitShape } from '@bufbuild/protobuf'
import { UserError } from '../../errors.ts'
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
    if (told?.case === 'exception' && told.value.exceptionMessage !== undefined)
      throw failureOf(told.value.exceptionMessage)
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
const NO_BROKER = /org\.apache\.kafka\.common\.errors\.TimeoutException|bootstrap/
const NO_TOPIC = /UnknownTopicOrPartition/

/** Only names of errors: what is around them may hold what was read. */
function failureOf(message: string): UserError {
  const [name] = /\[[A-Z][A-Z0-9_.]+\]/.exec(message) ?? []
  if (DATA_LOSS.test(message))
    return new UserError(
      'LPA-STREAM-GONE',
      'Messages are gone that were not read yet, or the topic was made anew.',
      {
        exit: 'data',
        next: 'What was committed stays. To begin where the topic does: --reset-offsets',
      },
    )
  if (NO_TOPIC.test(message) || NO_BROKER.test(message))
    return new UserError('LPA-KAFKA-NETWORK', 'Spark cannot reach the broker or the topic.', {
      exit: 'unavailable',
      next: 'The address must be known to the server and every executor. Nothing is lost: start it again.',
    })
  return new UserError('LPA-SPARK-STREAM', `The stream on Spark has failed${name ? ` ${name}` : ''}.`, {
    exit: 'unavailable',
    next: 'What was committed stays: start it again, and it goes on from there. Why it failed is in the log of Spark.',
  })
}
