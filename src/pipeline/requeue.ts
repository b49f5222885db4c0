/**
 * requeue: files with rejected records are read again, after the mapping or the file was mended. The new load takes the
 * place of the earlier one in one transaction, so that nothing counts twice (docs/decisions/0027-requeue.md).
 */

import { existsSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { countMissingRows } from '../engines/load-ledger.ts'
import { UserError } from '../errors.ts'
import { type PseudonymKey, readKey } from '../pseudonym.ts'
import type { ErasedPeople } from '../sources/erased.ts'
import { recogniseFile } from '../sources/files.ts'
import { type Input, prefixHashes } from '../sources/input.ts'
import { fromRaw, type Mapping, readMapping } from '../sources/mapping.ts'
import { isThere } from '../sources/zip.ts'
import type { Engine, Result } from '../types.ts'
import { readDeclared } from './declared.ts'
import { readErased } from './erased.ts'
import { ledgerRows, queryLedger, recordsOf } from './ledger.ts'
import { fileRequest, type LoadedFile, loadFile } from './load.ts'
import { filePlanner } from './load-inputs.ts'
import { allowedRejects } from './reject-limit.ts'
import { type EarlierLoad, mappingOf, reloadsOf } from './reload.ts'
import { withWarehouse } from './warehouse.ts'

export interface RequeueRequest {
  readonly source?: string | undefined
  readonly loadId?: number | undefined
  /** In place of the mappings that read the files before, by their name or entity. */
  readonly mappings: readonly string[]
}

/** An earlier load of a file and what became of its rejected records. */
export interface Requeued {
  readonly input: string
  readonly mapping: string
  readonly load: number
  /** `unchanged`: neither the file nor its mapping was mended. `left`: it cannot be read again, as `why` says. */
  readonly outcome: 'requeued' | 'unchanged' | 'left'
  /** The load in its place. */
  readonly byLoad: number | undefined
  /** Records that it rejected. */
  readonly rejected: number
  readonly mended: number
  readonly stillRejected: number
  /** Records that counted before, and are rejected now. */
  readonly newlyRejected: number
  readonly why: string | undefined
  readonly next: readonly string[]
}

export interface RequeueProgress {
  onFile(input: string, index: number, total: number): void
  /** A file that was read again: what it rejects now. */
  onLoaded(file: LoadedFile): void
}

/**
 * Reads files with rejected records again, each in a transaction of its own.
 * @throws UserError usage for a load without rejected records, locked (75), …
 */
export async function requeue(
  config: Config,
  request: RequeueRequest,
  signal: AbortSignal,
  progress: RequeueProgress,
): Promise<Requeued[]> {
  const key = readKey(config.privacy.keyFile)
  const named = request.mappings.map(readMapping)
  return withWarehouse(config, 'write', signal, async (engine) => {
    const files = await readFiles(engine, request)
    const erased = await readErased(engine, config.privacy.keyFile, key)
    const all: Requeued[] = []
    for (const [index, loads] of files.entries()) {
      signal.throwIfAborted()
      progress.onFile(loads[0].uri, index, files.length)
      const file = new RejectedFile(
        { config, engine, key, erased, signal, named, paths: request.mappings },
        loads,
      )
      all.push(...(await file.requeue(progress)))
    }
    return all
  })
}

interface RejectingLoad extends EarlierLoad {
  readonly loadId: number
  readonly contentSha256: string
  readonly mappingSha256: string
  readonly bytes: number
  readonly read: number
  readonly rejected: number
  readonly startedAt: string
  readonly entity: string
}

/** The loads of a file, of one content of it. */
type LoadsOfFile = readonly [RejectingLoad, ...RejectingLoad[]]

async function readFiles(engine: Engine, { source, loadId }: RequeueRequest): Promise<LoadsOfFile[]> {
  const found = await queryLedger(engine, 'loads-with-rejects', {
    source: source ?? null,
    load: loadId ?? null,
  })
  const loads = recordsOf(found).map((row) => ({
    ...{ loadId: Number(row.load_id), source: String(row.source), uri: String(row.uri) },
    ...{ format: String(row.format), entity: String(row.entity), keyId: String(row.key_id) },
    ...{ contentSha256: String(row.content_sha256), mappingSha256: String(row.mapping_sha256) },
    ...{ bytes: Number(row.bytes), read: Number(row.records_read), rejected: Number(row.records_rejected) },
    startedAt: String(row.started_at),
    arguments: row.arguments === null ? undefined : String(row.arguments),
  }))
  if (loadId !== undefined && loads.length === 0) {
    throw new UserError('LPA-REJECTS-UNKNOWN', `Load ${loadId} has no rejected records, or counts no more.`, {
      exit: 'usage',
      next: 'See which have: lpa rejects list',
    })
  }
  // Every batch of a topic has content of its own: it is told of once.
  const files = Map.groupBy(loads, ({ source: from, uri, contentSha256 }) =>
    JSON.stringify([from, uri, isAddress(uri) ? '' : contentSha256]),
  )
  return [...files.values()] as unknown as LoadsOfFile[]
}

interface Surroundings {
  readonly config: Config
  readonly engine: Engine
  readonly key: PseudonymKey
  readonly erased: ErasedPeople
  readonly signal: AbortSignal
  /** Mappings that were named, and as what. */
  readonly named: readonly Mapping[]
  readonly paths: readonly string[]
}

class RejectedFile {
  readonly #its: Surroundings
  readonly #loads: LoadsOfFile
  /** Names of the mappings by which it was read again. */
  #again: readonly string[] = []

  constructor(surroundings: Surroundings, loads: LoadsOfFile) {
    this.#its = surroundings
    this.#loads = loads
  }

  async requeue(progress: RequeueProgress): Promise<Requeued[]> {
    const isFile = !isAddress(this.#loads[0].uri)
    const before = await this.#positions(isFile ? this.#loads.map(({ loadId }) => loadId) : [])
    try {
      const file = await this.#readAgain()
      if (file === undefined)
        return this.#told('unchanged', before, 'neither the file nor its mapping changed')
      if (file.outcome === 'unchanged')
        return this.#told('unchanged', before, 'what it is now is loaded already')
      progress.onLoaded(file)
      return await this.#compared(file, before)
    } catch (error) {
      if (!(error instanceof UserError) || ['locked', 'unavailable'].includes(error.exit)) throw error
      const where = error.where === undefined ? '' : `${error.where}: `
      return this.#told('left', before, `${where}${error.message}`, error.next)
    }
  }

  /** Undefined when there is nothing new to read. */
  async #readAgain(): Promise<LoadedFile | undefined> {
    const { config, key, engine } = this.#its
    const path = this.#path()
    const mappings = [...new Set(this.#loads.map((load) => this.#mappingFor(load)))]
    const plan = filePlanner(config, { mappings, source: this.#loads[0].source })
    const input = { ...plan(path), mappings }
    const request = fileRequest(this.#its, input)
    const recognised = await recogniseFile(input.path, request)
    const content = await this.#contentOf(recognised.input)
    const isMended = (mapping: Mapping) => this.#earlier(mapping)?.mappingSha256 !== mapping.sha256
    const mended = recognised.mappings.filter(isMended)
    if (content !== 'other' && mended.length === 0) return undefined
    // What is made of raw is by this mapping too.
    const changed = mended.filter(
      (mapping) => this.#earlier(mapping)?.mappingSha256 !== fromRaw(mapping.sha256),
    )
    if (content === 'other' && changed.length > 0) throw bothChanged(input.path, changed)
    this.#again = (content === 'other' ? recognised.mappings : mended).map(({ name }) => name)
    const most = Math.max(...this.#loads.map(({ rejected }) => rejected))
    const isAllowed = most <= allowedRejects(config.load.maxRejects, this.#loads[0].read)
    const maxRejects = isAllowed ? config.load.maxRejects : String(most)
    return loadFile(
      { ...config, load: { ...config.load, maxRejects } },
      engine,
      {
        ...{ input, recognised, index: 0, snapshots: [], dryRun: false, isWhole: false },
        // Loads of the very content are replaced by every load.
        inPlaceOf: async (mapping, by) => (content === 'same' ? [] : this.#replace(mapping, by, content)),
      },
      { ...request, key, firstLoadedAt: this.#loads[0].startedAt },
    )
  }

  /** The file, by which nobody is meant who piped it, nor a topic or an API. */
  #path(): string {
    const { config, key } = this.#its
    const { uri, keyId } = this.#loads[0]
    const found = [process.cwd(), config.root].map((folder) => resolve(folder, uri)).find(isThere)
    const [again] = reloadsOf(this.#loads, config, process.cwd())
    const next = again ? `Load it again: ${again.command}` : 'Load it again.'
    if (keyId !== key.id) {
      throw new UserError('LPA-REQUEUE-KEY', 'It was loaded under another pseudonym key.', {
        exit: 'config',
        next,
      })
    }
    if (found && uri !== 'stdin') return relative(process.cwd(), found)
    const isFile = uri !== 'stdin' && !isAddress(uri)
    throw new UserError(
      'LPA-REQUEUE-GONE',
      isFile ? 'The file is not there any more.' : 'It was no file, which could be read again at its place.',
      { exit: 'noInput', next: isFile ? 'Put it back where it was, and requeue again.' : next },
    )
  }

  #mappingFor(load: RejectingLoad): string {
    const { named, paths, config } = this.#its
    const place = [
      named.findIndex(({ name }) => name === load.format),
      named.findIndex(({ entity }) => entity === load.entity),
    ].find((index) => index >= 0)
    const settings = Object.hasOwn(config.sources, load.source) ? config.sources[load.source] : undefined
    const name = (place !== undefined && paths[place]) || mappingOf(load, settings)
    if (!name.endsWith('.sql') || existsSync(name)) return name
    const besideConfig = resolve(config.root, name)
    if (existsSync(besideConfig)) return besideConfig
    throw new UserError('LPA-MAPPING-MISSING', `Its mapping ${basename(name)} is not found.`, {
      exit: 'noInput',
      next: `Name it: lpa rejects requeue --load ${load.loadId} --mapping FILE.sql`,
    })
  }

  #earlier({ name, entity }: Mapping): RejectingLoad | undefined {
    return (
      this.#loads.find((load) => load.format === name) ?? this.#loads.find((load) => load.entity === entity)
    )
  }

  /** What the file is now: what it was, that and more behind it, or something else. */
  async #contentOf(input: Input): Promise<'same' | 'grown' | 'other'> {
    const [{ bytes, contentSha256 }] = this.#loads
    if ((await prefixHashes(input, [bytes])).get(bytes) !== contentSha256) return 'other'
    return (input.stats?.size ?? input.bytes) === bytes ? 'same' : 'grown'
  }

  /** Inside the open transaction, when the rows of both are there. */
  async #replace(mapping: Mapping, by: number, content: 'grown' | 'other'): Promise<number[]> {
    const { engine } = this.#its
    const earlier = this.#earlier(mapping)
    if (!earlier) return []
    const { loadId, source, entity, uri } = earlier
    const counting = await ledgerRows(engine, 'loads-of-entity', { source, entity })
    if (!counting.some(([id]) => Number(id) === loadId)) {
      throw new UserError('LPA-LOAD-OVERTAKEN', 'Another run replaced that load meanwhile.', {
        ...{ exit: 'locked', where: uri },
        next: 'Run it again.',
      })
    }
    const { tables } = readDeclared(engine.dialect)
    const missing = content === 'grown' ? 0 : await countMissingRows(engine, tables, loadId, by)
    if (missing > 0) {
      const rows = missing === 1 ? '1 row of it is' : `${missing} rows of it are`
      throw new UserError('LPA-REQUEUE-OTHER', `It is not what load ${loadId} read: ${rows} not there.`, {
        ...{ exit: 'data', where: uri },
        next: [
          'Mend the rejected records where they stand, and leave all others at their line.',
          `If it is another export, load it: lpa load ${uri}`,
        ],
      })
    }
    await engine.supersede([loadId], by)
    return [loadId]
  }

  async #compared(file: LoadedFile, before: Positions): Promise<Requeued[]> {
    const again = file.mappings.filter(({ mapping }) => this.#again.includes(mapping))
    const after = await this.#positions(again.map(({ loadId }) => loadId))
    return this.#loads.map((load) => {
      const by =
        again.find(({ mapping }) => mapping === load.format) ??
        again.find(({ entity }) => entity === load.entity)
      if (!by) return this.#one('unchanged', load, before, 'its mapping did not change')
      const then = before.get(load.loadId) ?? []
      const now = after.get(by.loadId) ?? []
      const still = then.filter((line) => now.includes(line)).length
      return {
        ...this.#one('requeued', load, before),
        ...{ byLoad: by.loadId, mended: then.length - still, stillRejected: still },
        newlyRejected: now.filter((line) => !then.includes(line)).length,
      }
    })
  }

  #told(outcome: Requeued['outcome'], before: Positions, why: string, next?: readonly string[]): Requeued[] {
    const [{ uri }] = this.#loads
    const rejected = this.#loads.reduce((sum, load) => sum + load.rejected, 0)
    const loads = isAddress(uri) ? [{ ...this.#loads[0], rejected }] : this.#loads
    return loads
      .filter((load) => load.rejected > 0)
      .map((load) => this.#one(outcome, load, before, why, next))
  }

  #one(
    outcome: Requeued['outcome'],
    { loadId, uri, format, rejected }: RejectingLoad,
    before: Positions,
    why?: string,
    next: readonly string[] = [],
  ): Requeued {
    const lines = before.get(loadId)?.length ?? rejected
    return {
      ...{ input: uri, mapping: format, load: loadId, outcome, byLoad: undefined, rejected: lines },
      ...{ mended: 0, stillRejected: lines, newlyRejected: 0, why, next },
    }
  }

  async #positions(loadIds: readonly number[]): Promise<Positions> {
    const positions = new Map<number, readonly string[]>()
    for (const load of loadIds) {
      const rows = await ledgerRows(this.#its.engine, 'rejects-of-load', { load })
      positions.set(load, [...new Set(rows.map(([position]) => lineOf(String(position))))])
    }
    return positions
  }
}

/** Of a topic, an API, or a directory that Spark streamed. */
function isAddress(uri: string): boolean {
  return /^([a-z]+:\/\/|dir:)/.test(uri)
}

/** By load: the lines of its rejected records. */
type Positions = ReadonlyMap<number, readonly string[]>

/** Of `exports/events.ndjson:12` and what may follow it: the file may be called from another folder. */
function lineOf(position: string): string {
  return /(?:(?:\d+:)?record-)?\d+$/.exec(position)?.[0] ?? position
}

function bothChanged(path: string, mappings: readonly Mapping[]): UserError {
  const names = mappings.map(({ name }) => name).join(', ')
  return new UserError('LPA-REQUEUE-BOTH', `The file changed, and so did ${names}.`, {
    ...{ exit: 'data', where: path },
    next: [
      'Nothing shows that it is the same file. Put one of the two back and requeue, then mend the other and requeue.',
      `If it is another export, load it: lpa load ${path}`,
    ],
  })
}

/** One row a load. */
export function requeueRows(loads: readonly Requeued[]): Result {
  const text = (name: string) => ({ name, type: 'text' as const })
  const integer = (name: string) => ({ name, type: 'integer' as const })
  return {
    columns: [
      ...[text('input'), text('mapping'), integer('load'), text('outcome'), integer('by_load')],
      ...[integer('rejected'), integer('mended'), integer('still_rejected'), integer('newly_rejected')],
      text('why'),
    ],
    rows: loads.map((load) => [
      ...[load.input, load.mapping, load.load, load.outcome, load.byLoad ?? null],
      ...[load.rejected, load.mended, load.stillRejected, load.newlyRejected],
      load.why ?? null,
    ]),
  }
}

/** `2 files: 3 records mended, 1 still rejected`. */
export function requeueSummary(loads: readonly Requeued[]): string {
  if (loads.length === 0) return 'nothing is rejected'
  const sum = (of: (load: Requeued) => number) => loads.reduce((total, load) => total + of(load), 0)
  const files = new Set(loads.map(({ input }) => input)).size
  const newly = sum(({ newlyRejected }) => newlyRejected)
  const mended = sum((load) => load.mended)
  return [
    `${files} ${files === 1 ? 'file' : 'files'}: ${mended} ${mended === 1 ? 'record' : 'records'} mended`,
    `${sum(({ stillRejected }) => stillRejected)} still rejected`,
    ...(newly > 0 ? [`${newly} newly rejected`] : []),
  ].join(', ')
}

/** What people are told of loads that were not read again. */
export function requeueNotes(loads: readonly Requeued[]): string[] {
  return loads
    .filter(({ why }) => why !== undefined)
    .flatMap(({ input, load, why, next }) => [
      `${input} (load ${load}): ${why}`,
      ...next.map((line) => `  ${line}`),
    ])
}
