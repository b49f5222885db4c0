/**
 * Streams on Spark: it reads, pseudonymises and drops doubles, and writes what is left to Parquet files beside the warehouse,
 * batch after batch; each batch that is whole is a load of the warehouse (docs/decisions/0029-streams-on-spark.md).
 */

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
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
import type { StreamingQuery, StreamProgress } from '../engines/spark/streaming.ts'
import { UserError } from '../errors.ts'
import { pads } from '../pseudonym.ts'
import { maskEmails } from '../secrets.ts'
import { dataFilesIn, discardStaged, loadIdsOf, type StagedFile } from '../sources/files.ts'
import { type Mapping, readMapping } from '../sources/mapping.ts'
import { doublesBy, readBy, stageRecords } from '../sources/records-elsewhere.ts'
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
/** So long after it came, a record's doubles are known to Spark; later ones the warehouse finds. */
const REMEMBER = '1 hour'

/** Streams until `work.signal` is aborted, or until what was there at the start is committed. */
export async function streamSpark(request: SparkStreamRequest, work: StreamWork): Promise<void> {
  await new SparkStream(request, work).run()
}

class SparkStream {
  readonly #request: SparkStreamRequest
  readonly #work: StreamWork
  readonly #mapping: Mapping
  readonly #source: ReturnType<typeof sourceOf>
  /** For the ledger, too. */
  readonly #uri: string
  /** What the warehouse calls this stream, beside the source. */
  readonly #name: string
  readonly #place: { readonly rows: string; readonly checkpoint: string; readonly topics: string }
  /** Undefined: nothing was ever taken. */
  #next: number | undefined
  #queryId = ''
  #told = -1

  constructor(request: SparkStreamRequest, work: StreamWork) {
    const { config, target, from } = request
    this.#request = request
    this.#work = work
    this.#mapping = mappingOf(target)
    this.#source = sourceOf(target, { from, mostRecords: work.options.commitRows })
    const uri = 'kafka' in target ? kafkaName(target.kafka) : `dir:${target.directory}`
    this.#uri = maskEmails(uri)
    const name = createHash('sha256').update(`${target.source}\n${uri}`).digest('hex').slice(0, 16)
    this.#name = `spark-${name}`
    const folder = join(config.warehouse.path, 'streams', this.#name)
    this.#place = {
      rows: join(folder, 'rows'),
      checkpoint: join(folder, 'checkpoint'),
      topics: join(folder, 'topics.json'),
    }
  }

  async run(): Promise<void> {
    const { engine, fileRequest } = this.#work.options
    const { erased } = fileRequest
    if (!engine.can.files) throw noFolder()
    // What waits to be committed, and what Spark remembers of it, may be of who was erased.
    if (this.#request.resetOffsets || erased.hashes.length > 0) await this.#forget()
    assertNobodyErased(erased)
    try {
      await this.#stream()
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== 'LPA-LOAD-ERASED') throw error
      await this.#forget()
      throw erasedForSpark()
    }
  }

  async #stream(): Promise<void> {
    await this.#tellPassedOver()
    const stored = await this.#stored()
    this.#next = stored?.nextOffset
    const { rows, checkpoint } = this.#place
    // A new one would count its batches anew, and the sink take them for those that it has.
    if (!existsSync(join(checkpoint, 'metadata')) && sinkBatches(rows, 0).length > 0)
      throw anotherCheckpoint(checkpoint)
    for (const folder of [rows, checkpoint]) mkdirSync(folder, { recursive: true })
    await this.#assertSameTopics()
    await using session = await openSparkSession(
      this.#request.config,
      { ...DISCREET, ...SINK_SETTINGS },
      this.#work.options.signal,
    )
    const query = await this.#start(session)
    this.#queryId = query.id
    if (stored && stored.topicId !== query.id) throw anotherCheckpoint(checkpoint)
    this.#forgetTaken()
    await this.#follow(query)
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
      assertSameTopics(this.#place.topics, await client.topicIds(), this.#uri)
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
    const { untilCaughtUp, commitEveryMs, fileRequest } = this.#work.options
    const { key, idSpace } = fileRequest
    const source = this.#source
    const records = 'kafka' in this.#request.target ? TOPIC_RECORDS : FILE_RECORDS
    const lines = streamedLines(this.#mapping, idSpace, await session.head(headOf(source), records.value))
    const { inner, outer } = pads(key)
    await session.viewOfBytes(VIEWS.pads, {
      inner: Buffer.from(inner, 'hex'),
      outer: Buffer.from(outer, 'hex'),
      seal: sealingKey(key),
      keys: knownKeys(lines.input.head),
    })
    return session.startStream({
      ...{ source, ...STREAM_COLUMNS, remember: REMEMBER },
      select: streamSelect(
        lines,
        { ...records, view: source.name },
        readBy(this.#mapping, fileRequest),
        await doublesBy(this.#mapping),
      ),
      folder: this.#place.rows,
      checkpoint: this.#place.checkpoint,
      everyMs: untilCaughtUp ? undefined : commitEveryMs,
    })
  }

  /** A query that ends leaves batches behind, so they are taken once more after it was seen to have ended. */
  async #follow(query: StreamingQuery): Promise<void> {
    const { engine, signal, fileRequest } = this.#work.options
    for (;;) {
      const isActive = await query.isActive()
      const taken = await this.#takeAll()
      this.#tell(await query.progress())
      if (!isActive) break
      if (taken === 0) {
        await this.#work.rest()
        await sleep(LOOK_MS, undefined, { signal })
      }
    }
    // It ends, too, when its folder is taken away.
    await assertSameErased(engine, fileRequest.erased)
    await query.assertWell()
    if (!this.#work.options.untilCaughtUp) throw takenOver(this.#uri)
    sweepSink(this.#place.rows, this.#next ?? 0)
    await this.#work.replaceReread(this.#request.resetOffsets)
  }

  async #takeAll(): Promise<number> {
    const batches = sinkBatches(this.#place.rows, this.#next ?? 0)
    const [first] = batches
    if (first && first.number > (this.#next ?? 0)) throw anotherCheckpoint(this.#place.checkpoint)
    for (const batch of batches) await this.#take(batch, batch === batches.at(-1))
    return batches.length
  }

  async #take(batch: SinkBatch, isLast: boolean): Promise<void> {
    const { engine, source, status, signal, progress } = this.#work.options
    signal.throwIfAborted()
    const started = performance.now()
    const staged = batch.files.length === 0 ? [] : await this.#stage(batch)
    const counts = staged.map(({ batch: { load } }) => load.counts)
    const records = counts.reduce((sum, { read }) => sum + read, 0)
    try {
      this.#work.assertRejects(staged)
      this.#work.assertKey()
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
    progress.onDone('committed', { records, milliseconds: Math.round(performance.now() - started) })
    await this.#work.committed(() => !isLast, staged)
  }

  async #stage(batch: SinkBatch): Promise<readonly StagedFile[]> {
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
    const next = (await this.#stored())?.nextOffset ?? 0
    throw next > number ? takenOver(this.#uri) : anotherCheckpoint(this.#place.checkpoint)
  }

  #claim({ number }: SinkBatch) {
    return {
      ...{ topic: this.#name, topicId: this.#queryId, partition: 0 },
      ...{ storedOffset: this.#next ?? null, nextOffset: number + 1 },
    }
  }

  /** What of Spark's own numbers the warehouse cannot know. */
  #tell(progress: readonly StreamProgress[]): void {
    const { status } = this.#work.options
    const last = progress.at(-1)
    if (last?.behind !== undefined) status.lagging([{ name: this.#uri, behind: last.behind }])
    for (const { batch, doubled, late } of progress) {
      if (batch <= this.#told) continue
      this.#told = batch
      status.dropped(doubled)
      if (late > 0) throw tooLate(late, this.#uri)
    }
  }

  /** Begins anew: the warehouse forgets first, for a checkpoint without it would go on where nobody knows. */
  async #forget(): Promise<void> {
    const { engine, source } = this.#work.options
    await resetOffsets(engine, source, [this.#name])
    for (const folder of Object.values(this.#place))
      if (existsSync(folder)) rmSync(folder, { recursive: true })
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

function anotherCheckpoint(folder: string): UserError {
  return new UserError('LPA-STREAM-RECREATED', 'How far Spark has read is not what the warehouse knows.', {
    ...{ exit: 'data', where: folder },
    next: [
      'One of them was restored or taken away without the other.',
      'To read from the beginning: --reset-offsets. Events that are there already stay as they are.',
    ],
  })
}

function takenOver(where: string): UserError {
  return new UserError('LPA-STREAM-OVERTAKEN', 'Another run has taken this stream over.', {
    ...{ exit: 'locked', where },
    next: 'Stop one of them. Nothing is lost or doubled.',
  })
}

/** The clock of the server went back by more than keys are remembered. */
function tooLate(rows: number, where: string): UserError {
  return new UserError('LPA-SPARK-CLOCK', `Spark left ${rows} records out: its clock went back.`, {
    ...{ exit: 'data', where },
    next: 'Set its clock right, then read from the beginning: --reset-offsets. Events that are there already stay as they are.',
  })
}
