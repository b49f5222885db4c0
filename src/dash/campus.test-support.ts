/** What the seven screens show of a small campus: the real reports over it, and a stream that runs. */

import { makeCampus, openCampus, reportResult } from '../report-campus.test-support.ts'
import type { Cell, Column, Result } from '../types.ts'
import { onceView } from './once.ts'
import type { PageScreen } from './page-screen.ts'
import type { Panel, Panels, ReportRequest, View } from './screen.ts'
import { SCREENS } from './screens/index.ts'

export function result(columns: Record<string, Column['type']>, rows: readonly Cell[][]): Result {
  return { columns: Object.entries(columns).map(([name, type]) => ({ name, type })), rows }
}

const STREAMS = result(
  {
    ...{ pid: 'integer', source: 'text', place: 'text', behind: 'integer', unit: 'text', rate: 'double' },
    ...{ read: 'integer', rejected: 'integer', commits: 'integer' },
  },
  [
    [4711, 'clicks', 'clicks-0', 1204, 'records', 1210.4, 12_400, 3, 14],
    [4711, 'clicks', 'clicks-1', 0, 'records', 1210.4, 12_400, 3, 14],
  ],
)

/** Every report that a screen asks for, of all courses and of CS101. */
export async function readCampus(): Promise<(screen: PageScreen, look?: Partial<View>) => Panels> {
  const db = await openCampus(makeCampus(20260105))
  const known = new Map<string, Result>([[JSON.stringify(['stream-status', {}]), STREAMS]])
  const keyOf = ({ report, params }: ReportRequest) => JSON.stringify([report, params])
  const ask = (screen: PageScreen, look: Partial<View>) => screen.reports({ ...onceView('braille'), ...look })
  for (const screen of SCREENS) {
    for (const request of [...ask(screen, {}), ...ask(screen, { opened: 'CS101' })]) {
      if (known.has(keyOf(request))) continue
      known.set(keyOf(request), await reportResult(db, request.report, request.params))
    }
  }
  return (screen, look = {}) =>
    new Map(
      ask(screen, look).map((request) => [request.report, { result: known.get(keyOf(request)) as Result }]),
    )
}

export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const STRANGE: readonly Cell[] = [
  ...[null, 0, -1, 1e308, -1e308, Number.NaN, Number.POSITIVE_INFINITY, 9007199254740993n, true, ''],
  ...[
    '\x1b[2J\n\u202eSQL',
    '線形代数入門'.repeat(9),
    'e\u0301'.repeat(60),
    '2026-02-30',
    '=1+1',
    '\ud800',
    '👩‍👩‍👧',
  ],
]

/** A panel with cells, columns or rows that no report should have. */
export function spoiled(panel: Panel, random: () => number): Panel {
  const { columns, rows } = panel.result as Result
  const pick = random()
  if (pick < 0.1) return { result: { columns: columns.slice(1), rows: rows.map((row) => row.slice(1)) } }
  if (pick < 0.2) return { result: { columns, rows: [] } }
  if (pick < 0.3) return { problem: { kind: 'failed', text: '\x1b[2J'.repeat(40) }, result: panel.result }
  const strange = (cell: Cell) =>
    random() < 0.3 ? (STRANGE[Math.floor(random() * STRANGE.length)] as Cell) : cell
  return { result: { columns, rows: rows.map((row) => row.map(strange)) } }
}
