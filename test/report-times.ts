/** How long reports take of one warehouse beside another. */

import { runReport } from '../src/pipeline/report.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import { TryWarehouse } from './try-warehouse.ts'

const REPORTS = ['overview', 'daily', 'active-learners', 'time-on-task', 'course-table', 'freshness', 'loads']

export interface ReportTimes {
  readonly name: string
  /** The least of all rounds: what else runs on the machine only adds. */
  readonly ms: number
  readonly freshMs: number
}

/** A warehouse that has the messages from one file. */
export async function freshlyLoaded(
  messages: Iterable<{ readonly value: Buffer | null }>,
): Promise<TryWarehouse> {
  const fresh = await TryWarehouse.create()
  const lines = Array.from(messages, ({ value }) => `${value}\n`)
  await fresh.load(fresh.write('events.ndjson', lines.join('')), { source: 'bus' })
  await fresh.build()
  return fresh
}

/** Each round opens both anew, in turns, and asks all reports of the one, then of the other. The last row is their sum. */
export async function compareReports(
  warehouse: TryWarehouse,
  fresh: TryWarehouse,
  rounds: number,
): Promise<ReportTimes[]> {
  const least = new Map<string, ReportTimes>()
  for (let round = 0; round < rounds; round += 1) {
    const [times, freshTimes] = [await timesOf(warehouse), await timesOf(fresh)]
    for (const [name, ms] of times) {
      const before = least.get(name) ?? { ms: Infinity, freshMs: Infinity }
      const freshMs = Math.min(before.freshMs, freshTimes.get(name) ?? Infinity)
      least.set(name, { name, ms: Math.min(before.ms, ms), freshMs })
    }
  }
  return [...least.values()]
}

async function timesOf({ config }: TryWarehouse): Promise<Map<string, number>> {
  const times = new Map<string, number>()
  const opened = performance.now()
  let sum = 0
  await withWarehouse(config, 'read', new AbortController().signal, async (engine) => {
    times.set('to open it', performance.now() - opened)
    for (const name of REPORTS) {
      const started = performance.now()
      await runReport(engine, config, name)
      times.set(name, performance.now() - started)
    }
    sum = performance.now() - opened
  })
  return times.set('all', sum)
}
