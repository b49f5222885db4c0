/** One membership in a consumer group: hands on what is fetched, in order and without gaps, from where it is told to. */

import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../errors.ts'
import { type KafkaClient, type PartitionId, withinTime } from './client.ts'
import type { Message } from './message-lines.ts'
import { brokenBatch, type RawRecord } from './record-batches.ts'

/** What a partition gave in one fetch. Aborted and control records are not among the messages. */
export interface Fetched extends PartitionId {
  readonly messages: readonly Message[]
  /** The offset behind its last record of any kind. */
  readonly next: number
  /** The offset behind the last message that the broker has. */
  readonly end: number
}

export interface ConsumeHooks {
  /**
   * The partitions of this member, whenever they are given out anew: drops what was handed over and is not committed,
   * and answers where each begins.
   */
  onAssigned(
    partitions: readonly PartitionId[],
  ): Promise<readonly (PartitionId & { readonly offset: number })[]>
  onFetched(fetched: Fetched): void
  /** A batch that cannot be read, behind what was handed over last: nothing more of its partition comes. */
  onBroken(error: UserError): Promise<void>
  /** Resolves when more can be taken. */
  room(): Promise<void>
  /** The offsets to tell the group, for tools that show lag. */
  readonly onJoined: (member: Member) => void
}

/** What can be done in the group. */
export interface Member {
  /** Begins again from where `onAssigned` says; what it throws ends the membership. */
  restart(): Promise<void>
  /** Tells the group; what fails is told again with the next commit. */
  acknowledge(offsets: readonly (PartitionId & { readonly offset: number })[]): Promise<void>
}

/** What kafkajs keeps of a batch and does not tell. */
interface KafkaBatch {
  readonly fetchedOffset: string
  readonly rawMessages: readonly RawRecord[]
}

/** How often a member that waits for room tells the group that it lives. */
const HEARTBEAT_MS = 1000

/**
 * Joins the group and consumes until `signal` is aborted.
 * @throws what ends the membership: UserError for an offset that is gone (65), KafkaJS errors for the rest
 */
export async function consume(client: KafkaClient, hooks: ConsumeHooks, signal: AbortSignal): Promise<void> {
  const consumer = client.consumer()
  /** Counts assignments: what belongs to an earlier one is dropped. */
  let assignment = 0
  let partitions: PartitionId[] = []
  /** The next offset of each partition; empty until it is known from where to begin. */
  let positions = new Map<string, number>()
  let isOver = false
  const over = Promise.withResolvers<void>()
  const stop = () => over.resolve()

  const restart = async () => {
    // Who joins again is told anew where to begin.
    if (isOver) return
    assignment += 1
    const mine = assignment
    positions = new Map()
    consumer.pause(partitions.map(({ topic, partition }) => ({ topic, partitions: [partition] })))
    const starts = await hooks.onAssigned(partitions)
    if (mine !== assignment || signal.aborted) return
    for (const { topic, partition, offset } of starts)
      consumer.seek({ topic, partition, offset: String(offset) })
    positions = new Map(starts.map(({ offset, ...id }) => [keyOf(id), offset]))
    consumer.resume(starts.map(({ topic, partition }) => ({ topic, partitions: [partition] })))
  }
  const member: Member = {
    restart: () => restart().catch(over.reject),
    async acknowledge(offsets) {
      const own = offsets.filter((one) => partitions.some((mine) => keyOf(mine) === keyOf(one)))
      if (own.length === 0 || signal.aborted) return
      await consumer
        .commitOffsets(own.map(({ offset, ...id }) => ({ ...id, offset: String(offset) })))
        .catch(() => {})
    },
  }
  consumer.on('consumer.group_join', ({ payload }) => {
    partitions = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
      (numbers as readonly number[]).map((partition) => ({ topic, partition })),
    )
    hooks.onJoined(member)
    restart().catch(over.reject)
  })
  consumer.on('consumer.crash', ({ payload }) => {
    isOver = true
    over.reject(ownError(payload.error) ?? payload.error)
  })

  const run = async () => {
    await consumer.connect()
    await consumer.subscribe({ topics: [...client.topics], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      async eachBatch({ batch, resolveOffset, heartbeat }) {
        const mine = assignment
        for (let isFull = true; isFull && !signal.aborted; ) {
          const wait = new AbortController()
          isFull = await Promise.race([
            hooks.room().then(() => false),
            sleep(HEARTBEAT_MS, true, { signal: wait.signal }),
          ])
          wait.abort()
          if (isFull) await heartbeat()
        }
        const { topic, partition } = batch
        const key = keyOf({ topic, partition })
        const { fetchedOffset, rawMessages } = batch as unknown as KafkaBatch
        // Fetched before it was told where to begin.
        if (signal.aborted || mine !== assignment || positions.get(key) !== Number(fetchedOffset)) return
        const broken = brokenBatch({ topic, partition }, rawMessages)
        // Where this member was told to begin may be in the middle of it.
        const next = broken ? Math.max(broken.offset, Number(fetchedOffset)) : Number(batch.lastOffset()) + 1
        positions.set(key, next)
        if (next > Number(fetchedOffset)) {
          resolveOffset(String(next - 1))
          const end = Number(batch.highWatermark)
          hooks.onFetched({ ...{ topic, partition, next, end }, messages: batch.messages })
        }
        if (!broken) return
        consumer.pause([{ topic, partitions: [partition] }])
        void hooks.onBroken(broken.error)
      },
    })
    await over.promise
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([run(), over.promise])
  } finally {
    signal.removeEventListener('abort', stop)
    isOver = true
    assignment += 1
    const left = consumer.disconnect().catch(() => {})
    await (signal.aborted ? withinTime(left) : left)
  }
}

export function keyOf({ topic, partition }: PartitionId): string {
  return `${topic}-${partition}`
}

/** What lpa itself threw, or marked, inside kafkajs. */
function ownError(error: unknown): UserError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof UserError) return cause
    const { outOfRange } = cause as { outOfRange?: PartitionId }
    if (outOfRange) return offsetGone(keyOf(outOfRange))
  }
  return undefined
}

/** What was not read yet is no longer there, or the topic ends before it. */
export function offsetGone(
  where: string,
  detail = 'The next offset to read is not in the topic any more',
): UserError {
  return new UserError('LPA-STREAM-GONE', `${detail}: messages are missing.`, {
    ...{ exit: 'data', where },
    next: [
      'They were deleted (retention) before lpa read them, or the topic was truncated.',
      'To go on with what is there: --reset-offsets. What was loaded before stays, and counts once.',
    ],
  })
}
