/** Very many commits of a stream without a broker: by the stream's own code, from messages to facts and merged files. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Config } from '../src/config.ts'
import { claimOffsets } from '../src/pipeline/stream-offsets.ts'
import { StreamStatus } from '../src/pipeline/stream-status.ts'
import { StreamWork } from '../src/pipeline/stream-work.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import { readKey } from '../src/pseudonym.ts'
import { NOBODY } from '../src/sources/erased.ts'
import { discardStaged, loadIdsOf, recogniseInput, stageFile } from '../src/sources/files.ts'
import { MessageLines } from '../src/sources/kafka/message-lines.ts'

export interface SmallCommits {
  readonly commits: number
  /** Of the same messages, that the warehouse has from an earlier call. */
  readonly before?: number
  /** Messages of a commit. */
  readonly records: number
  readonly messages: Iterator<{ readonly value: Buffer | null }>
  /** Whether more messages wait, so that facts do not follow each commit. */
  readonly isBehind: boolean
  /** As if so long lay between two commits: what was committed is dated back before files are merged. */
  readonly everyMs?: number
  readonly onCommit?: (done: number) => void
  /** How long each step took. */
  readonly onStep?: (step: 'staged' | 'committed' | 'built' | 'compacted', milliseconds: number) => void
}

const SOURCE = 'bus'
const TOPIC = { topic: 'events', topicId: 'small-commits', partition: 0 }
/** As often as a stream merges. */
const DATE_BACK_COMMITS = 50

export async function smallCommits(config: Config, request: SmallCommits): Promise<void> {
  const { commits, before = 0, records, messages, isBehind, everyMs = 0, onCommit, onStep } = request
  const last = before + commits - 1
  const { timezone, memoryLimit, threads } = config.warehouse
  const { signal } = new AbortController()
  await withWarehouse(config, 'write', signal, async (engine) => {
    const fileRequest = {
      ...{ source: SOURCE, idSpace: SOURCE, mappings: [], key: readKey(config.privacy.keyFile), timezone },
      erased: NOBODY,
      ...{ memoryLimit, threads, scratch: engine.scratch, nextLoadId: () => engine.nextLoadId(), signal },
    }
    const work = new StreamWork({
      ...{ config, engine, source: SOURCE, fileRequest, commitRows: records, commitEveryMs: 0, signal },
      ...{ untilCaughtUp: false, runId: 'small-commits', status: new StreamStatus(SOURCE, 'records') },
      progress: {
        ...{ onStatus: () => {}, onLine: () => {}, onNote: console.error, onWarning: console.error },
        onDone: (step, { milliseconds = 0 }) => onStep?.(step, milliseconds),
      },
    })
    let datedAt = performance.now()
    for (let commit = before; commit <= last; commit += 1) {
      const started = performance.now()
      const lines = new MessageLines(TOPIC.topic, TOPIC.topicId)
      const some = Array.from({ length: records }, (_, index) => ({
        offset: String(commit * records + index),
        value: messages.next().value?.value ?? null,
      }))
      lines.add(TOPIC.partition, some)
      const recognised = await recogniseInput(lines.input('kafka://bus/events'), { mappings: [] })
      const staged = await stageFile(recognised, { ...fileRequest, personal: 'reject record' })
      const stagedAt = performance.now()
      onStep?.('staged', stagedAt - started)
      const storedOffset = commit === 0 ? null : commit * records
      await engine.transaction(
        async () => {
          const nextOffset = (commit + 1) * records
          await claimOffsets(engine, SOURCE, [{ ...TOPIC, storedOffset, nextOffset }])
          for (const { batch } of staged) await engine.append(batch)
        },
        { rows: records },
      )
      onStep?.('committed', performance.now() - stagedAt)
      discardStaged(engine.scratch, loadIdsOf(staged))
      if (everyMs > 0 && (commit + 1) % DATE_BACK_COMMITS === 0) {
        dateBack(config.warehouse.path, DATE_BACK_COMMITS * everyMs - (performance.now() - datedAt))
        datedAt = performance.now()
      }
      await work.committed(() => isBehind && commit < last, staged)
      onCommit?.(commit + 1)
    }
    await work.build()
  })
}

/** DuckLake tells times by its catalog; who changes that behind lpa would be told so. */
export function dateBack(warehouse: string, milliseconds: number): void {
  rmSync(join(warehouse, 'SHA256SUMS'), { force: true })
  const earlier = (column: string) =>
    `strftime('%Y-%m-%d %H:%M:%f', substr(${column}, 1, 23), '-${(milliseconds / 1000).toFixed(3)} seconds') || '+00'`
  const catalog = new DatabaseSync(join(warehouse, 'catalog.sqlite'), { timeout: 10_000 })
  try {
    catalog.exec(`update ducklake_snapshot set snapshot_time = ${earlier('snapshot_time')}`)
    catalog.exec(
      `update ducklake_files_scheduled_for_deletion set schedule_start = ${earlier('schedule_start')}`,
    )
  } finally {
    catalog.close()
  }
}
