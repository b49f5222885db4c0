/** Topics into the warehouse: rows, rejects and offsets of a commit in one transaction (reliability: "exactly once"). */

import { setTimeout as sleep } from 'node:timers/promises'
import { type KafkaSettings, kafkaName } from '../config/kafka.ts'
import { UserError } from '../errors.ts'
import {
  discardStaged,
  type FileRequest,
  loadIdsOf,
  type RecognisedFile,
  recogniseInput,
  type StagedFile,
  stageFile,
} from '../sources/files.ts'
import type { Input } from '../sources/input.ts'
import {
  explained,
  type KafkaClient,
  openKafka,
  type PartitionId,
  type PartitionRange,
} from '../sources/kafka/client.ts'
import { type ConsumeHooks, consume, type Fetched, keyOf, type Member } from '../sources/kafka/consume.ts'
import { MessageLines } from '../sources/kafka/message-lines.ts'
import { packagedMappings } from '../sources/mapping.ts'
import { readTogether } from '../sources/recognise.ts'
import type { OnPersonal } from '../sources/stage-one.ts'
import { assertSameErased } from './erased.ts'
import { ledgerRows } from './ledger.ts'
import {
  assertReadable,
  CLAIMS,
  claimOffsets,
  type OffsetClaim,
  Overtaken,
  resetOffsets,
  type StoredOffset,
  storedOffsets,
  topicRecreated,
} from './stream-offsets.ts'
import type { StreamWork } from './stream-work.ts'

export interface KafkaRequest {
  readonly settings: KafkaSettings
  readonly from: 'earliest' | 'latest' | Date
  readonly resetOffsets: boolean
}

/** What is collected for one commit. */
interface Group {
  /** Of which assignment it is: it is dropped when another has begun. */
  readonly assignment: number
  readonly topics: Map<string, MessageLines>
  /** From where to where each partition moved on. */
  readonly moves: Map<string, PartitionId & { readonly storedOffset: number; readonly nextOffset: number }>
  records: number
  bytes: number
  /** When it is to be committed. */
  dueAt: number | undefined
}

/** A message that looks personal cannot be mended: were it refused, the stream would never get past it. */
const PERSONAL: OnPersonal = 'reject record'
/** Messages of a commit at most: so much is in memory up to three times, collected, staged and committed. */
const GROUP_BYTES = 12 * 1024 * 1024
/** Groups that are staged or wait for their commit while the next one is collected. */
const GROUPS_AHEAD = 2
/** Offsets that move past control and aborted records only are stored so soon: before retention takes those away. */
const OFFSETS_MS = 20_000
/** How often it is looked whether checks are due. */
const CHECK_LOOK_MS = 30_000
/** How often the ends of partitions are asked for while nothing is fetched. */
const ENDS_MS = 5000
/** How often it is looked how far the other members of the group are. */
const OTHERS_MS = 500
/** A run for cron gives up after so long without a broker; one that goes on waits. */
const PATIENCE_MS = 120_000
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [500, 15_000]
/** So often in a row another run may be ahead before this one says so and ends. */
const OVERTAKEN_AT_MOST = 5

/** Streams until `work.signal` is aborted, or until what was there at the start is committed. */
export async function streamKafka(request: KafkaRequest, work: StreamWork): Promise<void> {
  const client = await openKafka(request.settings, work.options.signal)
  try {
    const { engine, source } = work.options
    if (request.resetOffsets) await resetOffsets(engine, source, request.settings.topics)
    await new TopicStream(request, work, client, await client.ranges()).run()
  } finally {
    await client.close()
  }
}

/** A broker that is gone comes back; a warehouse that does not answer ends the run. */
function isOfBroker(error: unknown): error is UserError {
  return error instanceof UserError && error.exit === 'unavailable' && error.code.startsWith('LPA-KAFKA-')
}

/** One run over the topics; apart from `streamKafka` so that tests can hand it what no broker sends on demand. */
export class TopicStream implements ConsumeHooks {
  readonly #request: KafkaRequest
  readonly #work: StreamWork
  readonly #client: KafkaClient
  /** Where partitions end when the stream begins. */
  readonly #ends: ReadonlyMap<string, number>
  readonly #topicIds = new Map<string, string>()
  readonly #over = new AbortController()
  readonly #failed = Promise.withResolvers<never>()
  #member: Member | undefined
  #assignment = 0
  /** The partitions of this member; undefined until it is known where each begins. */
  #assigned: readonly PartitionId[] | undefined
  /** By partition: what is fetched, what the warehouse has, what the broker has. */
  readonly #fetched = new Map<string, number>()
  readonly #stored = new Map<string, number>()
  readonly #newest = new Map<string, number>()
  #group: Group
  #ahead = 0
  #isAskingForEnds = false
  /** Nothing more is taken: see `onBroken`. */
  #isEnding = false
  #timer: NodeJS.Timeout | undefined
  #wakers: (() => void)[] = []
  /** What uses the engine, one after the other. */
  #lane: Promise<void> = Promise.resolve()
  #overtaken = 0
  #hasReplaced = false
  /** By topic, where none was asked for: what is read by now, what was read by earlier runs. */
  readonly #mappings = new Map<string, readonly string[]>()
  readonly #lastMappings = new Map<string, readonly string[]>()

  constructor(
    request: KafkaRequest,
    work: StreamWork,
    client: KafkaClient,
    ranges: readonly PartitionRange[],
  ) {
    this.#request = request
    this.#work = work
    this.#client = client
    this.#ends = new Map(ranges.map((range) => [keyOf(range), range.end]))
    for (const { topic, topicId } of ranges) this.#topicIds.set(topic, topicId)
    this.#group = newGroup(0)
    this.#failed.promise.catch(() => {})
  }

  async run(): Promise<void> {
    const { signal, untilCaughtUp } = this.#work.options
    const stopped = aborted(signal)
    // Also when nothing comes any more.
    const checking = setInterval(
      () => this.#inLane(() => this.#work.checkWhenDue(() => this.#isBehind())).catch(this.#failed.reject),
      CHECK_LOOK_MS,
    )
    const asking = setInterval(() => this.#askForEnds(), ENDS_MS)
    const consuming = this.#consume()
    consuming.catch(this.#failed.reject)
    try {
      const end = untilCaughtUp ? this.#caughtUp() : stopped
      await Promise.race([this.#failed.promise, stopped, end])
      signal.throwIfAborted()
    } finally {
      clearTimeout(this.#timer)
      clearInterval(checking)
      clearInterval(asking)
      this.#over.abort()
      this.#wake()
      await consuming.catch(() => {})
      await this.#lane
    }
  }

  /** One membership after the other: a broker that is gone comes back. */
  async #consume(): Promise<void> {
    const signal = AbortSignal.any([this.#over.signal, this.#work.options.signal])
    const { settings } = this.#request
    let wait = FIRST_WAIT_MS
    let lostAt: number | undefined
    while (!signal.aborted) {
      const joinedBefore = this.#assignment
      try {
        await consume(this.#client, this, signal)
      } catch (error) {
        if (signal.aborted) return
        const known = explained(error, settings)
        if (!isOfBroker(known)) {
          // Where a topic ends tells less than that it is another one.
          if (known instanceof UserError && known.code === 'LPA-STREAM-GONE') await this.#assertSameTopics()
          throw known
        }
        if (this.#assignment > joinedBefore) lostAt = undefined
        if (lostAt === undefined) {
          this.#work.options.progress.onNote(
            `${known.message.replace(/\.$/, '')}. Trying again until it does.`,
          )
          wait = FIRST_WAIT_MS
        }
        lostAt ??= Date.now()
        if (this.#work.options.untilCaughtUp && Date.now() - lostAt > PATIENCE_MS) throw known
        this.#drop()
        this.#work.options.status.lagging(undefined)
        await sleep(wait, undefined, { signal }).catch(() => {})
        wait = Math.min(2 * wait, LONGEST_WAIT_MS)
      }
    }
  }

  // ── what the consumer tells ─────────────────────────────────────────────────────────────────────────────

  onJoined(member: Member): void {
    this.#member = member
  }

  onAssigned(
    partitions: readonly PartitionId[],
  ): Promise<readonly (PartitionId & { readonly offset: number })[]> {
    this.#drop()
    const assignment = this.#assignment
    return this.#inLane(async () => {
      const starts = await this.#starts(partitions)
      if (assignment !== this.#assignment) return []
      for (const start of starts) {
        this.#fetched.set(keyOf(start), start.offset)
        this.#stored.set(keyOf(start), start.offset)
      }
      this.#assigned = partitions
      await this.#replaceReread()
      this.#tellLag()
      this.#wake()
      return starts
    })
  }

  onFetched({ topic, partition, messages, next, end }: Fetched): void {
    const group = this.#group
    const key = keyOf({ topic, partition })
    let lines = group.topics.get(topic)
    if (!lines) {
      lines = new MessageLines(topic, this.#topicIds.get(topic) ?? '')
      group.topics.set(topic, lines)
    }
    const before = {
      groupRecords: group.records,
      records: lines.records + lines.tombstones,
      bytes: lines.bytes,
    }
    lines.add(partition, messages)
    group.records += lines.records + lines.tombstones - before.records
    group.bytes += lines.bytes - before.bytes
    const storedOffset = group.moves.get(key)?.storedOffset ?? this.#fetched.get(key) ?? 0
    group.moves.set(key, { topic, partition, storedOffset, nextOffset: next })
    this.#fetched.set(key, next)
    this.#newest.set(key, end)
    this.#tellLag()
    if (group.dueAt === undefined) this.#setDue(group, OFFSETS_MS)
    if (before.groupRecords === 0 && group.records > 0) this.#setDue(group, this.#work.options.commitEveryMs)
    if (this.#isFull()) this.#seal()
    this.#wake()
  }

  /** The run ends there, but not before what came before it is committed. */
  async onBroken(error: UserError): Promise<void> {
    this.#isEnding = true
    const assignment = this.#assignment
    // Another assignment comes to it again, here or elsewhere.
    const isOurs = () => assignment === this.#assignment && !this.#over.signal.aborted
    while (isOurs() && (this.#group.moves.size > 0 || this.#ahead > 0)) {
      this.#seal()
      await this.#woken()
    }
    if (isOurs()) this.#failed.reject(error)
  }

  async room(): Promise<void> {
    while ((this.#isFull() || this.#isEnding) && !this.#over.signal.aborted) await this.#woken()
  }

  // ── collecting ──────────────────────────────────────────────────────────────────────────────────────────

  #isFull(): boolean {
    return this.#group.records >= this.#work.options.commitRows || this.#group.bytes >= GROUP_BYTES
  }

  /** Gives up what was collected: another assignment reads it again from what is stored. */
  #drop(): void {
    this.#assignment += 1
    this.#assigned = undefined
    this.#isEnding = false
    clearTimeout(this.#timer)
    this.#group = newGroup(this.#assignment)
    this.#wake()
  }

  #setDue(group: Group, milliseconds: number): void {
    clearTimeout(this.#timer)
    if (this.#over.signal.aborted) return
    group.dueAt = Date.now() + milliseconds
    this.#timer = setTimeout(() => this.#seal(), milliseconds)
  }

  /** Hands a group on to be staged and committed, as soon as there are not too many ahead of it. */
  #seal(): void {
    const group = this.#group
    if (group.moves.size === 0 || this.#ahead >= GROUPS_AHEAD || this.#over.signal.aborted) return
    clearTimeout(this.#timer)
    this.#group = newGroup(this.#assignment)
    this.#ahead += 1
    const staging = this.#stage(group)
    staging.catch(() => {})
    this.#inLane(() => this.#commit(group, staging))
      .catch(this.#failed.reject)
      .finally(() => {
        this.#ahead -= 1
        const { dueAt } = this.#group
        if (this.#isFull() || (dueAt !== undefined && Date.now() >= dueAt)) this.#seal()
        this.#wake()
      })
  }

  /**
   * All partitions, whoever reads them: those of a member that died go to others when its session has ended. Another
   * assignment may begin meanwhile, and a commit may fail, so only what is stored counts.
   */
  async #caughtUp(): Promise<void> {
    let others = { stored: '', since: Date.now() }
    while (!this.#over.signal.aborted) {
      const own = new Set(this.#assigned?.map(keyOf))
      if (this.#isPastEnds(own, this.#stored)) {
        const theirs = await this.#storedOfOthers(own)
        if (this.#isPastEnds(new Set(theirs.keys()), theirs)) return
        const stored = JSON.stringify([...theirs])
        if (stored !== others.stored) others = { stored, since: Date.now() }
        if (Date.now() - others.since > PATIENCE_MS) throw othersStandStill(this.#request.settings)
        await Promise.race([sleep(OTHERS_MS), this.#woken()])
        continue
      }
      if (this.#isPastEnds(own, this.#fetched)) this.#seal()
      await this.#woken()
    }
  }

  #isPastEnds(partitions: ReadonlySet<string>, offsets: ReadonlyMap<string, number>): boolean {
    const isPast = (key: string) => (offsets.get(key) ?? 0) >= (this.#ends.get(key) ?? 0)
    return this.#assigned !== undefined && [...partitions].every(isPast)
  }

  /** Partitions that other members of the group have, and how far the warehouse is with them. */
  async #storedOfOthers(own: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const others = [...this.#ends.keys()].filter((key) => !own.has(key))
    if (others.length === 0) return new Map()
    const { engine, source } = this.#work.options
    const stored = await this.#inLane(() => storedOffsets(engine, source))
    return new Map(others.map((key) => [key, stored.find((one) => keyOf(one) === key)?.nextOffset ?? 0]))
  }

  #wake(): void {
    for (const wake of this.#wakers.splice(0)) wake()
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve))
  }

  #inLane<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lane.then(work)
    this.#lane = done.then(
      () => {},
      () => {},
    )
    return done
  }

  // ── committing ──────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Where partitions begin: where the last commit ended, else where `--from` says. That is stored at once, for all of a
   * topic, so that it means the same to every member of the group.
   */
  async #starts(
    partitions: readonly PartitionId[],
  ): Promise<readonly (PartitionId & { readonly offset: number })[]> {
    const { engine, source } = this.#work.options
    for (const topic of new Set(partitions.map((id) => id.topic))) await this.#findLastMapping(topic)
    for (;;) {
      const stored = await storedOffsets(engine, source)
      const ranges = await this.#readable(stored)
      for (const { topic, topicId } of ranges) this.#topicIds.set(topic, topicId)
      const claims = await this.#firstClaims(stored, ranges)
      try {
        if (claims.length > 0)
          await engine.transaction(() => claimOffsets(engine, source, claims), { uses: CLAIMS })
      } catch (error) {
        // Another member was quicker.
        if (error instanceof Overtaken) continue
        throw error
      }
      const known = [...stored, ...claims]
      return partitions.map((id) => ({
        ...id,
        offset: known.find((one) => keyOf(one) === keyOf(id))?.nextOffset ?? 0,
      }))
    }
  }

  /** Of topics that were never read all partitions, of the others those that they got since: these from their beginning. */
  async #firstClaims(
    stored: readonly StoredOffset[],
    ranges: readonly PartitionRange[],
  ): Promise<readonly OffsetClaim[]> {
    const { from } = this.#request
    const unread = ranges.filter((range) => !stored.some((one) => keyOf(one) === keyOf(range)))
    const isNew = ({ topic }: PartitionId) => !stored.some((one) => one.topic === topic)
    const times = from instanceof Date && unread.some(isNew) ? await this.#client.offsetsAt(from) : []
    return unread.map(({ topic, partition, begin, end }) => {
      const id = { topic, partition }
      const first = from === 'latest' ? end : times.find((one) => keyOf(one) === keyOf(id))?.offset
      return this.#claim({ ...id, nextOffset: isNew(id) ? (first ?? begin) : begin }, null)
    })
  }

  /** The packaged mappings by which a topic was read before. */
  async #findLastMapping(topic: string): Promise<void> {
    const { engine, source } = this.#work.options
    const [last] = await ledgerRows(engine, 'last-mapping', { source, uri: this.#uriOf(topic) })
    const known = packagedMappings().find(({ name }) => name === last?.[0])
    if (known)
      this.#lastMappings.set(
        topic,
        readTogether(known, packagedMappings()).map(({ name }) => name),
      )
  }

  #uriOf(topic: string): string {
    return kafkaName({ ...this.#request.settings, topics: [topic] })
  }

  /** After a restart, a broker may need a moment until it knows its end again. */
  async #readable(stored: readonly StoredOffset[]): Promise<readonly PartitionRange[]> {
    for (let tries = 1; ; tries += 1) {
      const ranges = await this.#client.ranges()
      try {
        assertReadable(stored, ranges)
        return ranges
      } catch (error) {
        if (tries === 3) throw error
        await sleep(1000)
      }
    }
  }

  #claim(id: PartitionId & { readonly nextOffset: number }, storedOffset: number | null): OffsetClaim {
    return { ...id, topicId: this.#topicIds.get(id.topic) ?? '', storedOffset }
  }

  async #stage(group: Group): Promise<StagedFile[]> {
    const started = performance.now()
    const staged: StagedFile[] = []
    try {
      for (const [topic, lines] of group.topics) {
        if (lines.records === 0) continue
        const files = await this.#stageTopic(topic, lines)
        staged.push(...files)
      }
      const { records, bytes } = group
      this.#work.options.progress.onDone('staged', { records, bytes, milliseconds: since(started) })
      return staged
    } catch (error) {
      this.#discard(staged)
      throw error
    }
  }

  async #stageTopic(topic: string, lines: MessageLines): Promise<StagedFile[]> {
    const request: FileRequest = { ...this.#work.options.fileRequest, personal: PERSONAL }
    const input = lines.input(this.#uriOf(topic))
    const recognised = await this.#recognise(topic, input)
    const snapshot = recognised.mappings.find((mapping) => mapping.export === 'snapshot')
    if (snapshot) {
      throw new UserError('LPA-STREAM-SNAPSHOT', 'The messages of a topic are no snapshot of everything.', {
        ...{ exit: 'config', where: snapshot.path },
        next: 'Say in the mapping: -- export: append',
      })
    }
    const staged = await stageFile(recognised, request)
    const { tombstones } = lines
    return staged.map((file) => withTombstones(file, tombstones))
  }

  /** What the first messages of a topic were, the others are: also when some of them can be read by no mapping. */
  async #recognise(topic: string, input: Input): Promise<RecognisedFile> {
    const { entity, mappings } = this.#work.options.fileRequest
    const known = this.#mappings.get(topic)
    const asked = { entity, mappings: known ?? mappings, personal: PERSONAL }
    const recognised = await recogniseInput(input, asked).catch(async (error) => {
      const last = error.code === 'LPA-LOAD-UNRECOGNISED' ? this.#lastMappings.get(topic) : undefined
      if (last === undefined) throw error
      return recogniseInput(input, { ...asked, mappings: last })
    })
    const names = recognised.mappings.map(({ name }) => name)
    if (mappings.length === 0) this.#mappings.set(topic, names)
    return recognised
  }

  /** What comes after a group that fails is dropped: nothing may be committed past it. */
  async #commit(group: Group, staging: Promise<readonly StagedFile[]>): Promise<void> {
    const { engine, source, status } = this.#work.options
    let staged: readonly StagedFile[] = []
    const started = performance.now()
    try {
      staged = await staging
      if (group.assignment !== this.#assignment) return
      this.#work.assertRejects(staged)
      this.#work.assertKey()
      await this.#assertSameTopics()
      const claims = [...group.moves.values()].map((move) => this.#claim(move, move.storedOffset))
      await engine.transaction(
        async () => {
          await assertSameErased(engine, this.#work.options.fileRequest.erased)
          await claimOffsets(engine, source, claims)
          for (const { batch } of staged) await engine.append(batch)
        },
        { uses: CLAIMS, rows: group.records },
      )
    } catch (error) {
      this.#drop()
      if (error instanceof Overtaken) this.#beOvertaken(error)
      else if (isOfBroker(error)) void this.#member?.restart()
      else throw error
      return
    } finally {
      this.#discard(staged)
    }
    this.#overtaken = 0
    for (const [key, { nextOffset }] of group.moves) this.#stored.set(key, nextOffset)
    const lone = [...group.topics.values()].filter(({ records }) => records === 0)
    const tombstones = lone.reduce((sum, lines) => sum + lines.tombstones, 0)
    status.committed([
      ...staged.map(({ batch }) => batch.load.counts),
      { read: tombstones, mapped: 0, rejected: 0, filtered: tombstones, doubled: 0 },
    ])
    this.#tellLag()
    this.#work.options.progress.onDone('committed', { records: group.records, milliseconds: since(started) })
    const reached = [...group.moves.values()].map(({ topic, partition, nextOffset }) => ({
      ...{ topic, partition },
      offset: nextOffset,
    }))
    void this.#member?.acknowledge(reached)
    await this.#replaceReread()
    await this.#work.committed(() => this.#isBehind(), staged)
  }

  /**
   * A topic is asked for by its name: where nothing was fetched while it was made anew, its messages come from the middle.
   * @throws UserError data (65)
   */
  async #assertSameTopics(): Promise<void> {
    for (const [topic, id] of await this.#client.topicIds())
      if (id !== this.#topicIds.get(topic)) throw topicRecreated(topic, this.#uriOf(topic))
  }

  /**
   * Once, when what was there at the start is committed: a topic that was read again under a new key takes the place of what
   * was read of it under the old one.
   */
  async #replaceReread(): Promise<void> {
    const own = new Set(this.#assigned?.map(keyOf))
    if (this.#hasReplaced || own.size === 0 || !this.#isPastEnds(own, this.#stored)) return
    this.#hasReplaced = true
    await this.#work.replaceReread(this.#request.resetOffsets)
  }

  #beOvertaken({ where }: Overtaken): void {
    this.#work.options.status.overtaken()
    this.#overtaken += 1
    if (this.#overtaken > OVERTAKEN_AT_MOST) {
      throw new UserError('LPA-STREAM-OVERTAKEN', 'Another run reads these partitions for the same source.', {
        ...{ exit: 'locked', where },
        next: 'Let them be of one group, which shares the partitions out, or stop one of them. Nothing is lost or doubled.',
      })
    }
    void this.#member?.restart()
  }

  #discard(staged: readonly StagedFile[]): void {
    discardStaged(this.#work.options.engine.scratch, loadIdsOf(staged))
  }

  #isBehind(): boolean {
    return this.#ahead > 1 || this.#isFull()
  }

  /** While nothing is fetched, no answer tells what comes behind. */
  async #askForEnds(): Promise<void> {
    if (!this.#isFull() || this.#isAskingForEnds) return
    this.#isAskingForEnds = true
    const ranges = await this.#client.ranges().catch(() => [])
    for (const range of ranges) {
      const key = keyOf(range)
      this.#newest.set(key, Math.max(this.#newest.get(key) ?? 0, range.end))
    }
    this.#isAskingForEnds = false
    this.#tellLag()
  }

  #tellLag(): void {
    if (!this.#assigned) return
    this.#work.options.status.lagging(
      this.#assigned.map((id) => {
        const key = keyOf(id)
        const newest = this.#newest.get(key) ?? this.#ends.get(key) ?? 0
        return { name: key, behind: Math.max(0, newest - (this.#stored.get(key) ?? 0)) }
      }),
    )
  }
}

function since(started: number): number {
  return Math.round(performance.now() - started)
}

function othersStandStill({ group, ...settings }: KafkaSettings): UserError {
  return new UserError(
    'LPA-STREAM-SHARED',
    `Other members of the group ${group} have partitions and do not get on.`,
    {
      ...{ exit: 'locked', where: kafkaName(settings) },
      next: [
        'What this run was given is committed. Look for other runs of lpa stream, or other programs in this group.',
        'To read by a group of its own: group = "NAME" of the source in lpa.toml.',
      ],
    },
  )
}

function newGroup(assignment: number): Group {
  return { assignment, topics: new Map(), moves: new Map(), records: 0, bytes: 0, dueAt: undefined }
}

/** A tombstone is read, and is no record of anything: filtered. */
function withTombstones(file: StagedFile, tombstones: number): StagedFile {
  const { batch } = file
  const { counts } = batch.load
  const more = { read: counts.read + tombstones, filtered: counts.filtered + tombstones }
  return { ...file, batch: { ...batch, load: { ...batch.load, counts: { ...counts, ...more } } } }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
