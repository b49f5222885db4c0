import type { TablePart } from '../page.ts'

export const rejectsTable: TablePart = {
  ...{ kind: 'table', report: 'rejects', title: 'Rejected records' },
  columns: [
    { name: 'reason_code', heading: 'REASON', label: 'Reason', kind: 'text', rank: 0 },
    { name: 'column_name', heading: 'COLUMN', label: 'Column', kind: 'text', rank: 2 },
    { name: 'source', heading: 'SOURCE', label: 'Source', kind: 'text', rank: 1 },
    { name: 'records', heading: 'RECORDS', label: 'Records', kind: 'number', rank: 0 },
  ],
  empty: { text: 'No record was rejected.', command: 'lpa rejects list' },
}

export const loadsTable: TablePart = {
  ...{ kind: 'table', report: 'loads', title: 'Newest loads' },
  columns: [
    { name: 'source', heading: 'SOURCE', label: 'Source', kind: 'text', rank: 0 },
    { name: 'committed_at', heading: 'COMMITTED (UTC)', label: 'Committed', kind: 'time', rank: 0 },
    { name: 'mapped', heading: 'RECORDS', label: 'Records', kind: 'number', rank: 1 },
    { name: 'rejected', heading: 'REJECTED', label: 'Rejected', kind: 'number', rank: 3 },
    { name: 'state', heading: 'STATE', label: 'State', kind: 'text', rank: 2 },
  ],
  empty: { text: 'Nothing was loaded yet.', command: 'lpa load FILE' },
}
