/** Rows that a load must reject, each of one known kind: copies of good rows with one thing wrong. */

/** What is wrong. `malformed_json` and `ragged_row` cannot be read at all, the others hold one bad value. */
export type BadKind =
  | 'malformed_json'
  | 'ragged_row'
  | 'missing_learner_id'
  | 'missing_time'
  | 'bad_time'
  | 'bad_date'
  | 'bad_number'
  | 'score_out_of_range'
  | 'unknown_status'

export type BadCounts = Partial<Record<BadKind, number>>

export const badTimes = ['2026-13-45T10:00:00Z', 'yesterday', '2026-04-31T12:00:00Z', '12 o’clock']
export const badDate = '2025-02-30'

/** A quoted CSV row, with a line feed. Quotes only where they are needed (RFC 4180). */
export function csvRow(fields: readonly string[]): string {
  let row = ''
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as string
    row += (index === 0 ? '' : ',') + (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
  }
  return `${row}\n`
}

/** The row with a field too many, or cut off in the middle of a field. */
export function raggedRow(fields: readonly string[], turn: number): string {
  return csvRow(turn % 2 === 0 ? [...fields, 'surplus'] : fields.slice(0, Math.ceil(fields.length / 2)))
}

/** A JSON line as a full disk or a killed writer leaves it. */
export function cutOffLine(line: string, turn: number): string {
  return `${line.slice(0, 40 + ((turn * 37) % (line.length - 45)))}\n`
}
