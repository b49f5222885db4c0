import type { Chart, Row } from '../types.ts'
import { bar } from './bar.ts'
import { columnIndex } from './series.ts'

/** How many rows there are of each x, the most first, as bars: `count x=course_id y=learners`; y is what they are. */
export const count: Chart = {
  kind: 'count',
  draw({ columns, rows }, spec, size) {
    const x = columnIndex({ columns, rows }, spec.x)
    const name = spec.y[0] ?? 'rows'
    const groups = [...Map.groupBy(rows, (row) => row[x] ?? null)]
    const counted = groups.map(([value, its]): Row => [value, its.length])
    const result = {
      columns: [...columns.slice(x, x + 1), { name, type: 'integer' as const }],
      rows: counted.sort((a, b) => Number(b[1]) - Number(a[1])),
    }
    return bar.draw(result, { ...spec, y: [name] }, size)
  },
}
