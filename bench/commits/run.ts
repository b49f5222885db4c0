/**
 * Very many commits of a stream, without a broker: what a commit, a build and a merging cost as the warehouse grows old,
 * and to what its files, its catalog and the memory of this process grow.
 *
 * usage: npm run bench:commits -- [--commits N] [--records N] [--each N]    (default: 10000 commits of 100 events)
 * Prints a row each so many commits (default: 500): medians of that part, sizes at its end. Commits follow one another
 * without a pause, so all snapshots are of the last hour for much longer than in a stream.
 */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { claimOffsets } from '../../src/pipeline/stream-offsets.ts'
import { StreamStatus } from '../../src/pipeline/stream-status.ts'
import { StreamWork } from '../../src/pipeline/stream-work.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'
import { readKey } from '../../src/pseudonym.ts'
import { NOBODY } from '../../src/sources/erased.ts'
import { discardStaged, loadIdsOf, recogniseInput, stageFile } from '../../src/sources/files.ts'
import { MessageLines } from '../../src/sources/kafka/message-lines.ts'
import { eventMessages } from '../../test/services/kafka/events.ts'
import { TryWarehouse } from '../../test/try-warehouse.ts'

const { values } = parseArgs({
  options: {
    commits: { type: 'string', default: '10000' },
    records: { type: 'string', default: '100' },
    each: { type: 'string', default: '500' },
  },
})
const [commits, records, each] = [values.commits, values.records, values.each].map(Number) as [
  number,
  number,
  number,
]
const SOURCE = 'bench'
const TOPIC = { topic: 'events', topicId: 'bench', partition: 0 }

const median = (numbers: readonly number[]) =>
  Math.round(numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0)
const megabytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(bytes < 100e6 ? 1 : 0)

function filesIn(folder: string): { files: number; bytes: number } {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  const bytes = files.map(({ parentPath, name }) => statSync(join(parentPath, name)).size)
  return { files: bytes.length, bytes: bytes.reduce((sum, size) => sum + size, 0) }
}

using warehouse = await TryWarehouse.create()
const { config } = warehouse
const { timezone, memoryLimit, threads, path } = config.warehouse
const signal = new AbortController().signal
const times = {
  staged: [] as number[],
  committed: [] as number[],
  built: [] as number[],
  compacted: [] as number[],
}

console.log(
  '| commits | stage, ms | commit, ms | build, ms | merging, ms | files | data, MB | catalog, MB | memory, MB |',
)
console.log('|---|---|---|---|---|---|---|---|---|')

function tell(done: number): void {
  const { files, bytes } = filesIn(join(path, 'data'))
  const sizes = [bytes, statSync(join(path, 'catalog.sqlite')).size, process.memoryUsage.rss()].map(megabytes)
  const cells = [done, ...Object.values(times).map(median), files, ...sizes]
  console.log(`| ${cells.join(' | ')} |`)
  for (const list of Object.values(times)) list.length = 0
}

await withWarehouse(config, 'write', signal, async (engine) => {
  const fileRequest = {
    ...{ source: SOURCE, idSpace: SOURCE, mappings: [], key: readKey(config.privacy.keyFile), timezone },
    erased: NOBODY,
    ...{ memoryLimit, threads, scratch: engine.scratch, nextLoadId: () => engine.nextLoadId(), signal },
  }
  const work = new StreamWork({
    ...{ config, engine, source: SOURCE, fileRequest, commitRows: records, commitEveryMs: 0, signal },
    ...{ untilCaughtUp: false, runId: 'bench', status: new StreamStatus(SOURCE, 'records') },
    progress: {
      ...{ onStatus: () => {}, onLine: () => {}, onNote: console.error, onWarning: console.error },
      onDone: (step, { milliseconds = 0 }) => times[step].push(milliseconds),
    },
  })
  const messages = eventMessages({ seed: 3, count: commits * records, startAt: Date.now() })
  for (let commit = 0; commit < commits; commit += 1) {
    const started = performance.now()
    const lines = new MessageLines(TOPIC.topic, TOPIC.topicId)
    const some = Array.from({ length: records }, (_, index) => ({
      offset: String(commit * records + index),
      value: messages.next().value?.value ?? null,
    }))
    lines.add(TOPIC.partition, some)
    const recognised = await recogniseInput(lines.input('kafka://bench/events'), { mappings: [] })
    const staged = await stageFile(recognised, { ...fileRequest, personal: 'reject record' })
    const stagedAt = performance.now()
    times.staged.push(stagedAt - started)
    const storedOffset = commit === 0 ? null : commit * records
    await engine.transaction(
      async () => {
        await claimOffsets(engine, SOURCE, [{ ...TOPIC, storedOffset, nextOffset: (commit + 1) * records }])
        for (const { batch } of staged) await engine.append(batch)
      },
      { rows: records },
    )
    times.committed.push(performance.now() - stagedAt)
    discardStaged(engine.scratch, loadIdsOf(staged))
    await work.committed(() => false, staged)
    if ((commit + 1) % each === 0) tell(commit + 1)
  }
})
