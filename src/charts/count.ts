import type { Chart, Result, Row } from '../types.ts'
import { bar } from './bar.ts'
import { columnIndex } from './series.ts'

/** How many rows there are of each x, the most first, as bars: `count x=course_id y=learners`; y is what they are. */
export const count: Chart = {
  kind: 'count',
  draw(result, spec, size) {
    const name = spec.y[0] ?? 'rows'
    return bar.draw(countRows(result, spec.x, name), { ...spec, y: [name] }, size)
  },
}

/** How many rows there are of each value of column `x`, the most first; `name` is what they are. */
export function countRows({ columns, rows }: Result, x: string, name: string): Result {
  const index = columnIndex({ columns, rows }, x)
  const groups = [...Map.groupBy(rows, (row) => row[index] ?? null)]
  const counted = groups.map(([value, its]): Row => [value, its.length])
  return {
    columns: [...columns.slice(index, index + 1), { name, type: 'integer' }],
    rows: counted.sort((a, b) => Number(b[1]) - Number(a[1])),
  }
}
