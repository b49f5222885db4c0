/** From where a stream goes on: `meta.stream_offsets`, written with the rows that were read before. */

import { UserError } from '../errors.ts'
import type { PartitionId, PartitionRange } from '../sources/kafka/client.ts'
import { keyOf, offsetGone } from '../sources/kafka/consume.ts'
import type { Engine } from '../types.ts'
import { ledgerRows, writeLedger } from './ledger.ts'
import { isStreamed } from './stream-target.ts'

export interface StoredOffset extends PartitionId {
  readonly topicId: string
  readonly nextOffset: number
}

/** What a commit moves on: from where the partition is believed to be (null: it was never read) to the next offset. */
export interface OffsetClaim extends PartitionId {
  readonly topicId: string
  readonly storedOffset: number | null
  readonly nextOffset: number
}

/** Another run has moved a partition on since: what was read of it here is dropped, and read again from there. */
export class Overtaken extends Error {
  readonly where: string

  constructor(where: string) {
    super(`Overtaken at ${where}`)
    this.where = where
  }
}

export async function storedOffsets(engine: Engine, source: string): Promise<StoredOffset[]> {
  const rows = await ledgerRows(engine, 'stream-offsets', { source })
  return rows.map(([topic, topicId, partition, nextOffset]) => ({
    ...{ topic: String(topic), topicId: String(topicId) },
    ...{ partition: Number(partition), nextOffset: Number(nextOffset) },
  }))
}

/** What a transaction uses that claims offsets. */
export const CLAIMS: readonly string[] = ['stream_claim']

/**
 * Moves partitions on inside the open transaction.
 * @throws Overtaken when one is not where it was taken to be
 */
export async function claimOffsets(
  engine: Engine,
  source: string,
  claims: readonly OffsetClaim[],
): Promise<void> {
  if (claims.length === 0) return
  await engine.temporaryTable('stream_claim', {
    columns: [
      { name: 'topic', type: 'text' },
      { name: 'topic_id', type: 'text' },
      { name: 'partition', type: 'integer' },
      { name: 'stored_offset', type: 'integer' },
      { name: 'next_offset', type: 'integer' },
    ],
    rows: claims.map((claim) => [
      ...[claim.topic, claim.topicId, claim.partition],
      ...[claim.storedOffset === null ? null : BigInt(claim.storedOffset), BigInt(claim.nextOffset)],
    ]),
  })
  const read = claims.filter(({ storedOffset }) => storedOffset !== null)
  const forgotten = await writeLedger(engine, 'forget-claimed-offsets', { source })
  // To ask each time would take as long as a third of the commit. What was never read only its absence shows.
  if (forgotten < read.length || read.length < claims.length) {
    const [overtaken] = await ledgerRows(engine, 'overtaken-offsets', { source })
    if (overtaken) throw new Overtaken(`${overtaken[0]}-${overtaken[1]}`)
  }
  // Or they were reset.
  if (read[0] && forgotten < read.length) throw new Overtaken(keyOf(read[0]))
  await writeLedger(engine, 'add-claimed-offsets', { source, committed_at: new Date().toISOString() })
}

/** Forgets how far topics were read. */
export async function resetOffsets(engine: Engine, source: string, topics: readonly string[]): Promise<void> {
  await engine.transaction(async () => {
    for (const topic of topics) await writeLedger(engine, 'forget-offsets', { source, topic })
  })
}

/**
 * Takes away the loads of streams under other keys that were read again under this one.
 * @returns how many, and how many stay
 */
export async function replaceReread(
  engine: Engine,
  source: string,
  keyId: string,
): Promise<{ readonly replaced: number; readonly left: number }> {
  const others = await ledgerRows(engine, 'loads-of-other-keys', { key_id: keyId })
  const count = others.filter(([, , of, uri]) => of === source && isStreamed(String(uri))).length
  if (count === 0) return { replaced: 0, left: 0 }
  const reread = () => ledgerRows(engine, 'reread-loads', { source, key_id: keyId })
  if ((await reread()).length === 0) return { replaced: 0, left: count }
  return engine.transaction(async () => {
    const loads = await reread()
    const ids = loads.map(([load]) => Number(load))
    await engine.supersede(ids, Number(loads[0]?.[1]))
    return { replaced: ids.length, left: count - ids.length }
  })
}

/**
 * Holds what is stored against what is there.
 * @throws UserError data (65) for a topic that was made anew, and for messages that are gone
 */
export function assertReadable(stored: readonly StoredOffset[], ranges: readonly PartitionRange[]): void {
  for (const range of ranges) {
    const { topic, topicId, begin, end } = range
    const before = stored.find((one) => keyOf(one) === keyOf(range))
    if (!before) continue
    if (before.topicId !== topicId) throw topicRecreated(topic, keyOf(range))
    const where = `${keyOf(range)}-${before.nextOffset}`
    if (before.nextOffset < begin)
      throw offsetGone(where, `The next message is ${before.nextOffset}, the topic begins at ${begin}`)
    if (before.nextOffset > end)
      throw offsetGone(where, `The next message is ${before.nextOffset}, the topic ends at ${end}`)
  }
}

export function topicRecreated(topic: string, where: string): UserError {
  return new UserError('LPA-STREAM-RECREATED', `The topic ${topic} is not the one that was read before.`, {
    ...{ exit: 'data', where },
    next: [
      'It was deleted and made anew, or is of another broker: its offsets are others.',
      'To read it from its beginning: --reset-offsets. What was loaded of the old one stays.',
      'To keep both: --source NAME, another for each.',
    ],
  })
}
