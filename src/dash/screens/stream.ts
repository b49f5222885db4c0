import type { Row } from '../../types.ts'
import { cellOf, type Figure, type Results } from '../page.ts'
import { pageScreen } from '../page-screen.ts'
import { numberFigure, plainFigure } from '../period.ts'
import { STREAM_STATUS } from '../read-panels.ts'
import { timeText } from '../table.ts'
import { loadsTable, rejectsTable } from './load-tables.ts'

export const stream = pageScreen(
  { number: 6, name: 'stream', title: 'Stream', shortTitle: 'Stream', lacks: ['range', 'compare', 'style'] },
  ({ glyphs }) => ({
    requests: [
      { report: STREAM_STATUS, params: {}, isVolatile: true },
      { report: 'stream-offsets', params: {} },
      { report: 'rejects', params: {} },
      { report: 'loads', params: {} },
    ],
    figures: { reports: [STREAM_STATUS, 'stream-offsets'], read: figuresOf },
    parts: [
      {
        ...{ kind: 'chart', report: STREAM_STATUS, title: 'Lag by partition or folder' },
        chart: (result) => ({
          result,
          spec: { kind: 'bar', title: 'Lag by partition or folder', x: 'place', y: ['behind'], glyphs },
        }),
        empty: { text: 'No stream runs now.', command: 'lpa stream SOURCE' },
      },
      loadsTable,
    ],
    side: [rejectsTable],
    table: {
      ...{ kind: 'table', report: 'stream-offsets', title: 'Offsets' },
      columns: [
        { name: 'place', heading: 'PARTITION', label: 'Partition', kind: 'text', rank: 0 },
        { name: 'next_offset', heading: 'NEXT OFFSET', label: 'Next offset', kind: 'number', rank: 0 },
        { name: 'committed_at', heading: 'COMMITTED (UTC)', label: 'Committed', kind: 'time', rank: 1 },
        { name: 'source', heading: 'SOURCE', label: 'Source', kind: 'text', rank: 2 },
      ],
      empty: { text: 'No Kafka topic was streamed yet.', command: 'lpa stream SOURCE' },
    },
  }),
)

function figuresOf(results: Results): readonly Figure[] {
  const [status, offsets] = [results(STREAM_STATUS), results('stream-offsets')]
  const commits = offsets.rows.map((row) => String(cellOf(offsets, row, 'committed_at') ?? '')).sort()
  // A row for each partition, each with the numbers of its whole stream.
  const streams = [...new Map(status.rows.map((row) => [cellOf(status, row, 'pid'), row])).values()]
  const sum = (rows: readonly Row[], column: string) =>
    rows.reduce((total, row) => total + Number(cellOf(status, row, column) ?? 0), 0)
  const live = (value: number) => (streams.length === 0 ? null : value)
  return [
    numberFigure('streams', 'Streams running', status.columns.length === 0 ? null : streams.length),
    numberFigure('lag', 'Lag', live(sum(status.rows, 'behind'))),
    numberFigure('rate', 'Records a second', live(Math.round(sum(streams, 'rate')))),
    numberFigure('rejected', 'Rejected', live(sum(streams, 'rejected'))),
    plainFigure('committed', 'Newest commit (UTC)', timeText(commits.at(-1) || null)),
  ]
}
