/**
 * Very many commits of a stream, without a broker: what a commit, a build and a merging cost as the warehouse grows old,
 * to what its files, its catalog and the memory of this process grow, and how long reports take beside a warehouse that was
 * loaded from the same messages at once.
 *
 * usage: npm run bench:commits -- [--commits N] [--records N] [--each N] [--behind] [--every MS]
 *   (default: 10000 commits of 100 events)
 * Prints a row each so many commits (default: 500): medians of that part, sizes at its end. Commits follow one another
 * without a pause, so all snapshots are of the last hour for much longer than in a stream; with --every they are dated back
 * as if so long lay between them. With --behind facts are built as where messages wait.
 */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compareReports, freshlyLoaded } from '../../test/report-times.ts'
import { eventMessages } from '../../test/services/kafka/events.ts'
import { smallCommits } from '../../test/small-commits.ts'
import { TryWarehouse } from '../../test/try-warehouse.ts'

const { values } = parseArgs({
  options: {
    commits: { type: 'string', default: '10000' },
    records: { type: 'string', default: '100' },
    each: { type: 'string', default: '500' },
    every: { type: 'string', default: '0' },
    behind: { type: 'boolean', default: false },
  },
})
const [commits, records, each, everyMs] = [values.commits, values.records, values.each, values.every].map(
  Number,
) as [number, number, number, number]

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
const { path } = warehouse.config.warehouse
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
  if (done % each !== 0) return
  const { files, bytes } = filesIn(join(path, 'data'))
  const sizes = [bytes, statSync(join(path, 'catalog.sqlite')).size, process.memoryUsage.rss()].map(megabytes)
  const cells = [done, ...Object.values(times).map(median), files, ...sizes]
  console.log(`| ${cells.join(' | ')} |`)
  for (const list of Object.values(times)) list.length = 0
}

const events = { seed: 3, count: commits * records, startAt: Date.now() }
await smallCommits(warehouse.config, {
  ...{ commits, records, everyMs, isBehind: values.behind, messages: eventMessages(events) },
  onCommit: tell,
  onStep: (step, milliseconds) => times[step].push(milliseconds),
})

using fresh = await freshlyLoaded(eventMessages(events))
console.log('\n| report | streamed, ms | loaded, ms | ratio |\n|---|---|---|---|')
for (const { name, ms, freshMs } of await compareReports(warehouse, fresh, 9))
  console.log(`| ${name} | ${ms.toFixed(0)} | ${freshMs.toFixed(0)} | ${(ms / freshMs).toFixed(2)} |`)
