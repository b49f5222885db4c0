/**
 * Streams on Spark: it reads, pseudonymises and drops doubles, and writes what is left to Parquet files beside the warehouse,
 * batch after batch; each batch that is whole is a load of the warehouse (docs/decisions/0029-streams-on-spark.md).
 */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaName } from '../config/kafka.ts'
import type { Config } from '../config.ts'
import { DISCREET } from '../engines/spark/lines.ts'
import type { SparkSession } from '../engines/spark/session.ts'
import {
  forgetBatch,
  SINK_SETTINGS,
  type SinkBatch,
  sinkBatches,
  sweepSink,
} from '../engines/spark/sink-log.ts'
import type { StreamingQuery } from '../engines/spark/streaming.ts'
import { UserError } from '../errors.ts'
import { pads } from '../pseudonym.ts'
import { maskEmails } from '../secrets.ts'
import { dataFilesIn, discardStaged, loadIdsOf } from '../sources/files.ts'
import { type Mapping, readMapping } from '../sources/mapping.ts'
import { doublesBy, readBy, type StagedElsewhere, stageRecords } from '../sources/records-elsewhere.ts'
import { sealingKey } from '../sources/spark/seal.ts'
import {
  FILE_RECORDS,
  STREAM_COLUMNS,
  streamedLines,
  streamSelect,
  TOPIC_RECORDS,
} from '../sources/spark/stream-select.ts'
import { knownKeys } from '../sources/spark/values.ts'
import { VIEWS } from '../sources/spark/words.ts'
import { assertNobodyErased, assertSameErased, erasedForSpark } from './erased.ts'
import { openSparkSession } from './spark.ts'
import {
  CLAIMS,
  claimOffsets,
  Overtaken,
  resetOffsets,
  type StoredOffset,
  storedOffsets,
} from './stream-offsets.ts'
import { DroppedDoubles } from './stream-spark-doubles.ts'
import {
  anotherCheckpoint,
  forgetPlaces,
  isOurs,
  lastPlanned,
  queryIdOf,
  type StreamPlace,
  streamPlace,
  takeOver,
} from './stream-spark-place.ts'
import { headOf, isRead, sourceOf } from './stream-spark-source.ts'
import { assertSameTopics } from './stream-spark-topics.ts'
import type { StreamTarget } from './stream-target.ts'
import type { StreamWork } from './stream-work.ts'

export interface SparkStreamRequest {
  readonly config: Config
  readonly target: StreamTarget
  readonly from: 'earliest' | 'latest' | Date
  readonly resetOffsets: boolean
}

const LOOK_MS = 1000
const KEY_NEXT = [
  'What was committed stays. What Spark has read besides waits, and was read under the old key.',
  'Set that back, and run the stream once with --until-caught-up: then none is left.',
  'Or read everything again under the new key: --reset-offsets',
]
const NO_HEAD =
  'Nothing is there yet that tells which keys JSON has: records with such are read here, not on Spark, until the stream is started again.'
/** So long after it came, a record's doubles are known to Spark; later ones the warehouse finds. */
const REMEMBER = '1 hour'

/** Streams until `work.signal` is aborted, or until what was there at the start is committed. */
export async function streamSpark(request: SparkStreamRequest, work: StreamWork): Promise<void> {
  const { engine, fileRequest } = work.options
  const { erased } = fileRequest
  if (!engine.can.files) throw noFolder()
  const streamed = streamedOf(request, work)
  // What waits to be committed, and what Spark remembers of it, may be of who was erased.
  if (request.resetOffsets || erased.hashes.length > 0) await forget(streamed, work)
  assertNobodyErased(erased)
  try {
    await new SparkStream(request, work, streamed).run()
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'LPA-LOAD-ERASED') throw error
    await forget(streamed, work)
    throw erasedForSpark()
  }
}

interface Streamed {
  readonly mapping: Mapping
  readonly source: ReturnType<typeof sourceOf>
  /** For the ledger, too. */
  readonly uri: string
  /** What the warehouse calls this stream, beside the source. */
  readonly name: string
  readonly folder: string
}

function streamedOf({ config, target, from }: SparkStreamRequest, { options }: StreamWork): Streamed {
  const mapping = mappingOf(target)
  const source = sourceOf(target, { from, mostRecords: options.commitRows })
  const uri = 'kafka' in target ? kafkaName(target.kafka) : `dir:${target.directory}`
  const hash = createHash('sha256').update(`${target.source}\n${uri}`).digest('hex').slice(0, 16)
  const name = `spark-${hash}`
  return { mapping, source, uri: maskEmails(uri), name, folder: join(config.warehouse.path, 'streams', name) }
}

/** Begins anew: the warehouse forgets first, for a checkpoint without it would go on where nobody knows. */
async function forget({ name, folder }: Streamed, { options }: StreamWork): Promise<void> {
  await resetOffsets(options.engine, options.source, [name])
  forgetPlaces(folder)
}

class SparkStream {
  readonly #request: SparkStreamRequest
  readonly #work: StreamWork
  readonly #mapping: Mapping
  readonly #source: Streamed['source']
  readonly #uri: string
  readonly #name: string
  readonly #place: StreamPlace
  /** Undefined: nothing was ever taken. */
  #next: number | undefined
  #queryId = ''
  readonly #dropped: DroppedDoubles
  #hasToldSealed = false

  constructor(request: SparkStreamRequest, work: StreamWork, streamed: Streamed) {
    this.#request = request
    this.#work = work
    this.#mapping = streamed.mapping
    this.#source = streamed.source
    this.#uri = streamed.uri
    this.#name = streamed.name
    this.#place = streamPlace(streamed.folder)
    this.#dropped = new DroppedDoubles(work.options.status, streamed.uri)
  }

  async run(): Promise<void> {
    await this.#tellPassedOver()
    await this.#takeWaiting(queryIdOf(this.#place.checkpoint))
    await this.#assertSameTopics()
    await using session = await openSparkSession(
      this.#request.config,
      { ...DISCREET, ...SINK_SETTINGS },
      this.#work.options.signal,
    )
    const query = await this.#start(session)
    await this.#takeWaiting(query.id)
    this.#forgetTaken()
    await this.#follow(query)
  }

  /**
   * What was read before and is not committed. Before the query starts, for a key or a mapping may have to be set back for it; and
   * after, for the run that it stopped may have committed some meanwhile.
   */
  async #takeWaiting(queryId: string | undefined): Promise<void> {
    const { checkpoint } = this.#place
    this.#queryId = queryId ?? ''
    for (;;) {
      const stored = await this.#stored()
      // Spark would read anew what the warehouse has, under numbers of batches that are taken.
      if (stored && (stored.topicId !== queryId || lastPlanned(checkpoint) < stored.nextOffset - 1))
        throw anotherCheckpoint(checkpoint)
      this.#next = stored?.nextOffset
      try {
        await this.#takeAll()
        return
      } catch (error) {
        if (!isOvertaken(error)) throw error
      }
    }
  }

  async #stored(): Promise<StoredOffset | undefined> {
    const { engine, source } = this.#work.options
    return (await storedOffsets(engine, source)).find(({ topic }) => topic === this.#name)
  }

  /** @throws UserError data (65) for a topic that was made anew: Spark would read it from the middle */
  async #assertSameTopics(): Promise<void> {
    const { target } = this.#request
    if (!('kafka' in target)) return
    const { openKafka } = await import('../sources/kafka/client.ts')
    const client = await openKafka(target.kafka, this.#work.options.signal)
    try {
      await assertSameTopics(this.#place.topics, await client.topicIds(), this.#uri)
    } finally {
      await client.close()
    }
  }

  /** What a run that was killed has committed, and not taken away. */
  #forgetTaken(): void {
    const { rows } = this.#place
    const next = this.#next ?? 0
    for (const batch of sinkBatches(rows, 0)) if (batch.number < next) forgetBatch(rows, batch)
    sweepSink(rows, next)
  }

  /** Files that would be loaded without Spark. */
  async #tellPassedOver(): Promise<void> {
    const { target } = this.#request
    if (!('directory' in target) || !existsSync(target.directory)) return
    const { directory } = target
    const { files: found } = await dataFilesIn(directory)
    const others = found.filter((file) => !isRead(relative(directory, file)))
    if (others.length === 0) return
    const files = others.length === 1 ? '1 other file is' : `${others.length} other files are`
    this.#work.options.progress.onWarning(
      `Spark reads .ndjson and .jsonl, and no name that begins with _: ${files} passed over.`,
    )
  }

  async #start(session: SparkSession): Promise<StreamingQuery> {
    const { engine, untilCaughtUp, commitEveryMs, fileRequest, runId, progress } = this.#work.options
    const { key, idSpace } = fileRequest
    const source = this.#source
    const records = 'kafka' in this.#request.target ? TOPIC_RECORDS : FILE_RECORDS
    const head = await session.head(headOf(source), records.value)
    if (head === '' && !untilCaughtUp) progress.onNote(NO_HEAD)
    const lines = streamedLines(this.#mapping, idSpace, head)
    const { inner, outer } = pads(key)
    await session.viewOfBytes(VIEWS.pads, {
      inner: Buffer.from(inner, 'hex'),
      outer: Buffer.from(outer, 'hex'),
      seal: sealingKey(key),
      keys: knownKeys(lines.input.head),
    })
    const by = await doublesBy(this.#mapping)
    await assertSameErased(engine, fileRequest.erased)
    await takeOver(this.#place, runId)
    return session.startStream({
      ...{ source, ...STREAM_COLUMNS, remember: REMEMBER },
      select: streamSelect(lines, { ...records, view: source.name }, readBy(this.#mapping, fileRequest), by),
      folder: this.#place.rows,
      checkpoint: this.#place.checkpoint,
      everyMs: untilCaughtUp ? undefined : commitEveryMs,
    })
  }

  /** A query that ends leaves batches behind, so they are taken once more after it was seen to have ended. */
  async #follow(query: StreamingQuery): Promise<void> {
    const { engine, signal, fileRequest, untilCaughtUp, runId } = this.#work.options
    for (;;) {
      const isActive = await query.isActive()
      const taken = await this.#takeAll()
      this.#dropped.tell(await query.progress())
      if (!isActive) break
      if (taken === 0) {
        await this.#work.rest()
        await sleep(LOOK_MS, undefined, { signal })
      }
    }
    // It ends, too, when its folder is taken away.
    await assertSameErased(engine, fileRequest.erased)
    await query.assertWell()
    if (!untilCaughtUp || !isOurs(this.#place, runId)) throw takenOver(this.#uri)
    sweepSink(this.#place.rows, this.#next ?? 0)
    await this.#work.replaceReread(this.#request.resetOffsets)
  }

  async #takeAll(): Promise<number> {
    const batches = sinkBatches(this.#place.rows, this.#next ?? 0)
    const [first] = batches
    if (first && first.number > (this.#next ?? 0)) throw await this.#whyGone(this.#next ?? 0)
    for (const batch of batches) await this.#take(batch, batch === batches.at(-1))
    return batches.length
  }

  async #take(batch: SinkBatch, isLast: boolean): Promise<void> {
    const { engine, source, status, signal, progress } = this.#work.options
    signal.throwIfAborted()
    const started = performance.now()
    const { staged, sealed } = batch.files.length === 0 ? { staged: [], sealed: 0 } : await this.#stage(batch)
    const counts = staged.map(({ batch: { load } }) => load.counts)
    const records = counts.reduce((sum, { read }) => sum + read, 0)
    try {
      this.#work.assertRejects(staged)
      this.#work.assertKey(KEY_NEXT)
      await engine.transaction(
        async () => {
          await assertSameErased(engine, this.#work.options.fileRequest.erased)
          await claimOffsets(engine, source, [this.#claim(batch)])
          for (const { batch: one } of staged) await engine.append(one)
        },
        { uses: CLAIMS, rows: records },
      )
    } catch (error) {
      throw error instanceof Overtaken ? takenOver(this.#uri) : error
    } finally {
      discardStaged(engine.scratch, loadIdsOf(staged))
    }
    this.#next = batch.number + 1
    forgetBatch(this.#place.rows, batch)
    if (staged.length === 0) return
    status.committed(counts)
    this.#tellSealed(sealed, records)
    progress.onDone('committed', { records, milliseconds: Math.round(performance.now() - started) })
    await this.#work.committed(() => !isLast, staged)
  }

  async #stage(batch: SinkBatch): Promise<StagedElsewhere> {
    const { number, files } = batch
    const identity = `${this.#queryId}:${number}`
    const isPlaced = 'kafka' in this.#request.target
    const records = { files, identity, isPlaced, mapping: this.#mapping, uri: this.#uri }
    try {
      return await stageRecords(records, this.#work.options.fileRequest)
    } catch (error) {
      await this.#assertThere(batch)
      throw error
    }
  }

  /** @throws UserError for a batch of which files are gone: with an erasure, into the warehouse by another run, or elsewhere */
  async #assertThere({ number, files }: SinkBatch): Promise<void> {
    if (files.every((file) => existsSync(file))) return
    const { engine, fileRequest } = this.#work.options
    await assertSameErased(engine, fileRequest.erased)
    throw await this.#whyGone(number)
  }

  async #whyGone(batch: number): Promise<UserError> {
    const next = (await this.#stored())?.nextOffset ?? 0
    return next > batch ? takenOver(this.#uri) : anotherCheckpoint(this.#place.checkpoint)
  }

  #claim({ number }: SinkBatch) {
    return {
      ...{ topic: this.#name, topicId: this.#queryId, partition: 0 },
      ...{ storedOffset: this.#next ?? null, nextOffset: number + 1 },
    }
  }

  /** Once: a stream that is mostly read here gains nothing from Spark. */
  #tellSealed(sealed: number, records: number): void {
    if (this.#hasToldSealed || sealed <= records / 2) return
    this.#hasToldSealed = true
    this.#work.options.progress.onNote(
      `${sealed} of ${records} records read here, not on Spark: not plain enough, or with keys of JSON that the first 200 have not`,
    )
  }
}

/** @throws UserError config (78) where Spark would have to look at records first to know what they are, or cannot make them */
function mappingOf({ mappings }: StreamTarget): Mapping {
  const [name, ...others] = mappings
  if (name === undefined || others.length > 0) {
    throw new UserError('LPA-SPARK-MAPPING', 'On Spark, a stream has one mapping, which is named.', {
      exit: 'config',
      next: 'For example --mapping campus_learning_event, or mapping = "NAME" of the source in lpa.toml.',
    })
  }
  const mapping = readMapping(name)
  if (mapping.entity === 'learning_event' && mapping.records === undefined) return mapping
  const what = mapping.records ? 'records inside larger values' : mapping.entity
  throw new UserError('LPA-SPARK-MAPPING', `On Spark, events are streamed, one a record: not ${what}.`, {
    ...{ exit: 'config', where: mapping.path },
    next: 'Leave --engine out.',
  })
}

function noFolder(): UserError {
  return new UserError(
    'LPA-SPARK-WAREHOUSE',
    'This warehouse has no folder in which Spark could leave records.',
    {
      exit: 'usage',
      next: 'Leave --engine out.',
    },
  )
}

const OVERTAKEN = 'LPA-STREAM-OVERTAKEN'

function takenOver(where: string): UserError {
  return new UserError(OVERTAKEN, 'Another run has taken this stream over.', {
    ...{ exit: 'locked', where },
    next: 'Stop one of them. Nothing is lost or doubled.',
  })
}

function isOvertaken(error: unknown): boolean {
  return error instanceof UserError && error.code === OVERTAKEN
}
