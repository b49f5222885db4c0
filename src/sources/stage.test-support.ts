/** Runs the real front end over a file that a test writes, and reads back what it staged. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDuckDB, quoteText, readRows } from '../duckdb.ts'
import type { PseudonymKey } from '../pseudonym.ts'
import { type ErasedPeople, NOBODY } from './erased.ts'
import { recogniseFile, type StagedFile, stageFile } from './files.ts'
import type { OnPersonal } from './stage-one.ts'

export interface StageSettings {
  readonly key?: PseudonymKey
  readonly idSpace?: string
  readonly timezone?: string
  readonly personal?: OnPersonal
  readonly parquetVersion?: 'v1' | 'v2'
  readonly erased?: ErasedPeople
}

/** The key of tests: bytes 0 to 31. */
export const testKey: PseudonymKey = {
  secret: Buffer.from(Array.from({ length: 32 }, (_, n) => n)),
  id: 'test',
}

export class StageFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'lpa-stage-'))
  #loads = 0

  write(name: string, content: string | Buffer): string {
    const path = join(this.path, name)
    writeFileSync(path, content)
    return path
  }

  /** Stages `content`; `mapping` is the text of a mapping file, or undefined: recognised. */
  async stage(
    name: string,
    content: string | Buffer,
    mapping?: string,
    settings: StageSettings = {},
  ): Promise<StagedFile> {
    const file = this.write(name, content)
    const request = {
      mappings: mapping === undefined ? [] : [this.write(`${name}.sql`, mapping)],
      source: 'test',
      idSpace: settings.idSpace ?? 'test',
      key: settings.key ?? testKey,
      erased: settings.erased ?? NOBODY,
      timezone: settings.timezone ?? 'UTC',
      memoryLimit: '300MB',
      personal: settings.personal ?? 'refuse',
      scratch: this.path,
      parquetVersion: settings.parquetVersion,
      nextLoadId: async () => ++this.#loads,
      signal: new AbortController().signal,
    }
    const [staged] = await stageFile(await recogniseFile(file, request), request)
    return staged as StagedFile
  }

  /** Rows of a staged file, in the order of their records; `table` begins its table's name. */
  async rows<T>(staged: StagedFile, columns: string, table = 'staging.'): Promise<T[]> {
    const file = staged.batch.files.find((candidate) => candidate.table.startsWith(table))
    if (!file) return []
    await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
    // Awaited here: the database closes when this function returns.
    return await readRows<T>(
      database.connection,
      `select ${columns} from read_parquet(${quoteText(file.path)}) order by position`,
    )
  }

  /** Every value of every file that was staged, as text. */
  async everything(staged: StagedFile): Promise<string> {
    await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
    const parts: string[] = []
    for (const { path } of staged.batch.files) {
      const rows = await readRows(
        database.connection,
        `select columns(*)::varchar from read_parquet(${quoteText(path)})`,
      )
      parts.push(JSON.stringify(rows))
    }
    return parts.join('\n')
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
