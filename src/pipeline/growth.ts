/** A file that grew takes the place of what it was (docs/decisions/0016-directories.md). */

import { type Input, prefixHashes } from '../sources/input.ts'
import type { Mapping } from '../sources/mapping.ts'
import type { Engine } from '../types.ts'
import { ledgerRows } from './ledger.ts'

interface SmallerLoad {
  readonly loadId: number
  readonly bytes: number
  readonly contentSha256: string
  readonly format: string
  readonly entity: string
  readonly isCounting: boolean
}

/** One input, held against what its source held before. */
export class Growth {
  readonly #engine: Engine
  readonly #source: string
  readonly #input: Input
  /** SHA-256 of the input's first bytes, by their number. */
  readonly #prefixes = new Map<number, string>()

  constructor(engine: Engine, source: string, input: Input) {
    this.#engine = engine
    this.#source = source
    this.#input = input
  }

  /** Loads whose whole content the input begins with, under whatever name that was; a row an entity. */
  async outgrownLoads(): Promise<readonly SmallerLoad[]> {
    const bytes = this.#input.stats?.size ?? 0
    const rows = await ledgerRows(this.#engine, 'smaller-loads', { source: this.#source, bytes })
    const loads = rows.map(([loadId, size, contentSha256, format, entity, isCounting]) => ({
      ...{ loadId: Number(loadId), bytes: Number(size), contentSha256: String(contentSha256) },
      ...{ format: String(format), entity: String(entity), isCounting: isCounting === true },
    }))
    const unknown = loads.map((load) => load.bytes).filter((size) => !this.#prefixes.has(size))
    for (const [size, sha256] of await prefixHashes(this.#input, unknown)) this.#prefixes.set(size, sha256)
    return loads.filter((load) => this.#prefixes.get(load.bytes) === load.contentSha256)
  }

  /**
   * Takes them away inside the open transaction, in favour of the load `by`. Those that went before are told of it
   * too, so that it is known of every earlier content which load holds it.
   * @returns those that counted until now
   */
  async supersede({ entity, name, export: kind }: Mapping, by: number): Promise<number[]> {
    if (kind === 'snapshot') return []
    const loads = (await this.outgrownLoads()).filter(
      (load) => load.entity === entity || load.format === name,
    )
    const counting = loads.filter(({ isCounting }) => isCounting)
    if (counting.length === 0) return []
    const ids = (some: readonly SmallerLoad[]) => [...new Set(some.map(({ loadId }) => loadId))]
    await this.#engine.supersede(ids(loads), by)
    return ids(counting)
  }
}
