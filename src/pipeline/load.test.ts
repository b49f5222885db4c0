import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { writeRows } from '../output.ts'
import type { Counts } from '../types.ts'
import {
  firstRowTables,
  type LoadedFile,
  type LoadedMapping,
  loadRows,
  loadSummary,
  loadTable,
} from './load.ts'

const counts = (read: number, rejected = 0, filtered = 0, doubled = 0): Counts => ({
  ...{ read, rejected, filtered, doubled },
  mapped: read - rejected - filtered - doubled,
})

const file = (input: string, format: string, mapping: string, of: Counts): LoadedFile => ({
  ...{ input, format, source: 'files', outcome: 'loaded', replaced: [], milliseconds: 1 },
  mappings: [
    {
      ...{ loadId: 7, mapping, entity: 'enrollment', rows: of.mapped, reasons: [], undated: 0, leftOut: [] },
      ...{ counts: of, written: [] },
    },
  ],
})

const FILES = [
  file('exports/completions.csv', 'csv', 'campus_course_completion', counts(144)),
  file('exports/events.ndjson.gz', 'ndjson.gzip', 'campus_learning_event', counts(5_009_531, 29, 0, 2)),
  file('exports/statements-of-spring-term.ndjson.zst', 'ndjson.zstd', 'xapi', counts(413, 0, 2)),
]
const BEFORE: LoadedFile = { ...file('more.csv', 'csv', '', counts(0)), outcome: 'unchanged', mappings: [] }
const PIPED = file('-', 'csv', 'campus_enrollment', counts(3))

async function tableOf(files: readonly LoadedFile[]): Promise<string> {
  let text = ''
  const to = new Writable({
    write: (chunk, _, done) => {
      text += chunk
      done()
    },
  })
  const terminal = { isTerminal: true, width: 80, height: 24, color: false, unicode: true }
  await writeRows(loadTable(files), { format: 'table', to, terminal })
  return text
}

const names = (files: readonly LoadedFile[]) => loadTable(files).columns.map(({ name }) => name)

describe('the table of a load', () => {
  const usual = ['input', 'mapping', 'read', 'mapped', 'rejected']

  it('has a column only where it says something', () => {
    expect(names(FILES)).toEqual(usual)
    expect(names([...FILES, PIPED])).toEqual(['input', 'format', ...usual.slice(1)])
    expect(names([...FILES, BEFORE])).toEqual(['input', 'mapping', 'outcome', ...usual.slice(2)])
    expect(names([file('statements.json.gz', 'ndjson.gzip', 'xapi', counts(1))])).toContain('format')
  })

  it('is a table at 80 columns, with everything that can come together', async () => {
    for (const files of [FILES, [...FILES, PIPED], [...FILES, PIPED, BEFORE]]) {
      const lines = (await tableOf(files)).trimEnd().split('\n')
      // Boxed or not, but no list of records.
      expect(lines[0]).toMatch(/^(┌─+┬|input +)/)
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
    }
  })

  it('keeps short names on one line', async () => {
    const lines = (
      await tableOf([file('exports/enrollments.csv', 'csv', 'campus_enrollment', counts(1509, 9))])
    )
      .trimEnd()
      .split('\n')
    expect(lines).toHaveLength(5)
    expect(lines[3]).toBe('│ exports/enrollments.csv │ campus_enrollment │ 1509 │   1500 │        9 │')
  })

  it('leaves programs every field, of every file', () => {
    const { columns, rows } = loadRows([...FILES, BEFORE])
    expect(columns.map(({ name }) => name)).toEqual([
      ...[
        'input',
        'format',
        'mapping',
        'outcome',
        'load',
        'read',
        'mapped',
        'rejected',
        'filtered',
        'doubled',
        'replaced',
      ],
    ])
    expect(rows[1]).toEqual([
      ...['exports/events.ndjson.gz', 'ndjson.gzip', 'campus_learning_event', 'loaded', 7],
      ...[5_009_531, 5_009_500, 29, 0, 2, '[]'],
    ])
    expect(rows[3]).toEqual(['more.csv', 'csv', null, 'unchanged', null, null, null, null, null, null, '[]'])
  })
})

it('the first rows of a dry run are a table each, and a column for programs', () => {
  const firstRows = {
    types: { status: 'varchar', price: 'double' },
    rows: [{ status: 'active', price: null }],
  }
  const [checked, ...others] = FILES.map((loaded) => ({ ...loaded, outcome: 'checked' as const }))
  const shown = {
    ...(checked as LoadedFile),
    mappings: (checked as LoadedFile).mappings.map((mapping) => ({ ...mapping, firstRows })),
  }
  const { columns, rows } = loadRows([shown, ...others, BEFORE])
  expect(columns.at(-1)).toEqual({ name: 'first_rows', type: 'json' })
  expect(rows.map((row) => row[columns.length - 1])).toEqual([JSON.stringify(firstRows), null, null, null])
  expect(names([shown])).not.toContain('first_rows')
  expect(firstRowTables([shown, ...others, BEFORE])).toEqual([
    {
      title: 'exports/completions.csv as enrollment:',
      table: {
        columns: ['column', 'type', 'row 1'].map((name) => ({ name, type: 'text' })),
        rows: [
          ['status', 'varchar', 'active'],
          ['price', 'double', null],
        ],
      },
    },
  ])
})

it('the summary line tells what the table leaves out, and only what there is', () => {
  expect(loadSummary([...FILES, BEFORE])).toBe(
    '3 files: 5,010,055 records mapped, 29 rejected, 2 filtered, 2 doubled; 1 file loaded before, nothing changed',
  )
  expect(loadSummary([PIPED])).toBe('1 file: 3 records mapped, 0 rejected')
  const [mapping] = PIPED.mappings as [LoadedMapping]
  expect(loadSummary([{ ...PIPED, mappings: [{ ...mapping, undated: 2 }] }])).toBe(
    '1 file: 3 records mapped, 0 rejected; 2 rows tell no time of change: the last load wins',
  )
})
