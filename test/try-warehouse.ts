/** A warehouse of a test's own in a temporary folder, with the pipeline's real parts. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Config, loadConfig } from '../src/config.ts'
import { UserError } from '../src/errors.ts'
import { build } from '../src/pipeline/build.ts'
import { type LoadedFile, type LoadRequest, load } from '../src/pipeline/load.ts'
import { applySchema } from '../src/pipeline/schema.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import { createKey } from '../src/pseudonym.ts'
import type { Cell, Engine } from '../src/types.ts'

export class TryWarehouse implements Disposable {
  readonly folder: string
  readonly config: Config

  private constructor(folder: string, toml: string) {
    this.folder = folder
    writeFileSync(join(folder, 'lpa.toml'), toml)
    this.config = loadConfig({ cwd: folder, env: { LPA_EXTENSIONS: process.env.LPA_EXTENSIONS } })
  }

  /** A new warehouse with its schema; `toml` is the text of lpa.toml. */
  static async create(toml = ''): Promise<TryWarehouse> {
    const warehouse = new TryWarehouse(mkdtempSync(join(tmpdir(), 'lpa-warehouse-')), toml)
    createKey(warehouse.config.privacy.keyFile)
    await withWarehouse(warehouse.config, 'create', never(), (engine) => applySchema(engine))
    return warehouse
  }

  /** Writes a file in the warehouse's folder and answers its path. */
  write(name: string, content: string | Buffer): string {
    const path = join(this.folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  load(
    inputs: string | readonly string[],
    request: Partial<LoadRequest> = {},
    onBytes: () => void = () => {},
    onWarning: (...lines: readonly string[]) => void = () => {},
  ): Promise<LoadedFile[]> {
    const whole: LoadRequest = { inputs: [inputs].flat(), mappings: [], dryRun: false, ...request }
    return load(this.config, whole, never(), {
      ...{ onFile: () => {}, onBytes, onLoaded: () => {}, onNote: () => {}, onWarning },
    })
  }

  /** The error that a load ends with; fails when it ends with none, or with one that is not for users. */
  async failure(
    inputs: string | readonly string[],
    request: Partial<LoadRequest> = {},
    onBytes?: () => void,
  ): Promise<UserError> {
    const before = this.state()
    try {
      await this.load(inputs, request, onBytes)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      const after = this.state()
      if (after !== before) throw new Error(`The failed load left something behind: ${before} → ${after}`)
      return error
    }
    throw new Error('The load did not fail.')
  }

  build(full = false): Promise<unknown> {
    return build(this.config, { select: [], full, runId: 'test' }, never(), { onModel: () => {} })
  }

  /** Rows of a SELECT, each as its cells. */
  rows(sql: string): Promise<readonly (readonly Cell[])[]> {
    return this.read(async (engine) => (await engine.query(sql)).rows)
  }

  /** The first cell of a SELECT. */
  async value(sql: string): Promise<Cell> {
    return (await this.rows(sql))[0]?.[0] ?? null
  }

  /** Several questions of one connection. */
  read<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    return withWarehouse(this.config, 'read', never(), work)
  }

  /** What a load may change: the last snapshot, and every file of the warehouse but its catalog. */
  state(): string {
    const folder = this.config.warehouse.path
    using catalog = new DatabaseSync(join(folder, 'catalog.sqlite'), { readOnly: true })
    const row = catalog.prepare('select max(snapshot_id) as snapshot from ducklake_snapshot').get()
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/^(catalog|writer|sequences)/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
    return `snapshot ${row?.snapshot}: ${files.map((file) => `${file.slice(folder.length + 1)} ${statSync(file).size}`).join(', ')}`
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function never(): AbortSignal {
  return new AbortController().signal
}
