/** Maps raw again where a mapping changed since: `lpa batch --full`. The new load takes the place of the one it is made of. */

import { isAbsolute, join } from 'node:path'
import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { shasOf } from '../sources/export-by.ts'
import { discardStaged, type StagedFile } from '../sources/files.ts'
import { fromRaw, type Mapping, readMapping } from '../sources/mapping.ts'
import type { Engine, Row } from '../types.ts'
import { assertSameErased, erasedHashes } from './erased.ts'
import { ledgerRows, ledgerSql, writeLedger } from './ledger.ts'
import { allowedRejects, assertRejects } from './reject-limit.ts'
import { type EarlierLoad, mappingOf, type Reload, reloadsOf } from './reload.ts'
import { isStreamed } from './stream-target.ts'

export interface Replayed {
  /** Loads that were mapped again. */
  readonly loads: number
  readonly records: number
  /** What loads again inputs of changed mappings of which raw keeps nothing, or not enough. */
  readonly reload: readonly Reload[]
}

/** @throws UserError data (65) when a mapping rejects more than the limit now, config (78) for one that cannot be run */
export async function replayRaw(config: Config, engine: Engine, signal: AbortSignal): Promise<Replayed> {
  const mappings = new Map<string, Mapping | undefined>()
  const left: EarlierLoad[] = []
  let [loads, records] = [0, 0]
  for (const row of await ledgerRows(engine, 'replayable-loads')) {
    const load = earlierLoad(row)
    const name = mappingOf(load, config.sources[load.source])
    if (!mappings.has(name)) mappings.set(name, mappingNamed(name, config))
    const mapping = mappings.get(name)
    if (!mapping || isBy(mapping, load)) continue
    signal.throwIfAborted()
    if (!load.hasRaw || mapping.entity !== 'learning_event' || isStreamed(load.uri)) {
      left.push(load)
      continue
    }
    try {
      records += await replayLoad(config, engine, load, mapping, signal)
      loads += 1
    } catch (error) {
      if (!lacksColumns(error, mapping)) throw error
      left.push(load)
    }
  }
  return { loads, records, reload: reloadsOf(left, config, process.cwd()) }
}

/** Also of what was mapped again by it already. */
function isBy(mapping: Mapping, { mappingSha256 }: RawLoad): boolean {
  return [...shasOf(mapping), fromRaw(mapping.sha256)].includes(mappingSha256)
}

/** Of a table, raw has no column that was empty throughout, or that the earlier mapping did not name. */
function lacksColumns(error: unknown, { columns }: Mapping): boolean {
  return columns === undefined && error instanceof UserError && /Referenced column/.test(error.message)
}

interface RawLoad extends EarlierLoad {
  readonly loadId: number
  readonly contentSha256: string
  readonly bytes: number
  readonly records: number
  readonly rejected: number
  readonly mappingSha256: string
  readonly startedAt: string
  readonly cursor: string | undefined
  readonly hasRaw: boolean
}

function earlierLoad(row: Row): RawLoad {
  const [
    loadId,
    keyId,
    source,
    uri,
    format,
    words,
    content,
    bytes,
    records,
    rejected,
    mapping,
    at,
    cursor,
    raw,
  ] = row
  return {
    ...{ loadId: Number(loadId), keyId: String(keyId), source: String(source), uri: String(uri) },
    ...{ format: String(format), contentSha256: String(content), bytes: Number(bytes) },
    ...{ records: Number(records), rejected: Number(rejected), mappingSha256: String(mapping) },
    ...{ startedAt: String(at), hasRaw: raw === true },
    arguments: words === null ? undefined : String(words),
    cursor: cursor === null || cursor === undefined ? undefined : String(cursor),
  }
}

/** Undefined for one that is not there any more: what it gave stays as it is. */
function mappingNamed(name: string, config: Config): Mapping | undefined {
  const places = name.endsWith('.sql') && !isAbsolute(name) ? [name, join(config.root, name)] : [name]
  for (const place of places) {
    try {
      return readMapping(place)
    } catch (error) {
      if (!(error instanceof UserError) || error.exit !== 'noInput') throw error
    }
  }
  return undefined
}

async function replayLoad(
  config: Config,
  engine: Engine,
  load: RawLoad,
  mapping: Mapping,
  signal: AbortSignal,
): Promise<number> {
  const { stageReplay } = await import('../sources/replay.ts')
  const { timezone, memoryLimit, threads } = config.warehouse
  const { loadId: earlier, source, uri, keyId, contentSha256, bytes, startedAt } = load
  const erased = await erasedHashes(engine)
  const staged = await stageReplay({
    ...{ mapping, timezone, memoryLimit, threads, signal },
    ...{ scratch: engine.scratch, parquetVersion: engine.parquetVersion },
    idSpace: config.sources[source]?.idSpace ?? source,
    load: {
      ...{ loadId: await engine.nextLoadId(), format: mapping.name, cursor: load.cursor },
      ...{ source, uri, keyId, contentSha256, bytes, startedAt },
      ...{ records: load.records, rejected: load.rejected },
    },
    exportRaw: (file) => engine.exportParquet(ledgerSql(engine, 'raw-of-load'), { load_id: earlier }, file),
  })
  try {
    assertRejects(uri, staged.batch.load.counts, mostRejects(config, load), staged.reasons)
    await takePlace(engine, earlier, staged, erased)
  } finally {
    discardStaged(engine.scratch, [staged.batch.load.loadId])
  }
  return load.records
}

/** As many as it had are allowed, whatever limit there was then. */
function mostRejects({ load: { maxRejects } }: Config, { records, rejected }: RawLoad): string {
  return rejected <= allowedRejects(maxRejects, records) ? maxRejects : String(rejected)
}

/** Another run may have replaced the load meanwhile: then there is nothing to do. */
async function takePlace(
  engine: Engine,
  earlier: number,
  { batch }: StagedFile,
  hashes: readonly string[],
): Promise<void> {
  const { loadId: by, counts } = batch.load
  await engine.transaction(
    async () => {
      await assertSameErased(engine, { hashes })
      const [row] = await ledgerRows(engine, 'is-counting', { load_id: earlier })
      if (Number(row?.[0]) === 0) return
      await writeLedger(engine, 'hand-on-rejects', { load_id: earlier, by })
      await engine.supersede([earlier], by)
      await engine.append(batch)
    },
    { rows: counts.read },
  )
}
