/** An event as a line of NDJSON or CSV, whole or with one thing wrong. */
import { type BadKind, badTimes, csvRow, cutOffLine, raggedRow } from './bad-rows.ts'
import type { EventRow } from './event-row.ts'

export interface EventFormat {
  encode(row: EventRow): string
  readonly badKinds: readonly BadKind[]
  /** The row, which is a copy, with one thing wrong; `turn` counts the bad rows. */
  encodeBad(row: EventRow, kind: BadKind, turn: number): string
}

const badValues: readonly BadKind[] = [
  'missing_learner_id',
  'bad_time',
  'missing_time',
  'bad_number',
  'score_out_of_range',
]

export const ndjson: EventFormat = {
  encode: jsonLine,
  badKinds: ['malformed_json', ...badValues],
  encodeBad: (row, kind, turn) =>
    kind === 'malformed_json' ? cutOffLine(jsonLine(row), turn) : jsonLine(withBadValue(row, kind, turn)),
}

/** For Parquet, whose columns have types: no unreadable row, time or number. */
export const typed: EventFormat = {
  ...ndjson,
  badKinds: ['missing_learner_id', 'missing_time', 'score_out_of_range'],
}

export const csv: EventFormat = {
  encode: (row) => csvRow(Object.values(row)),
  badKinds: ['ragged_row', ...badValues],
  encodeBad: (row, kind, turn) =>
    kind === 'ragged_row' ? raggedRow(Object.values(row), turn) : csv.encode(withBadValue(row, kind, turn)),
}

export function withBadValue(row: EventRow, kind: BadKind, turn: number): EventRow {
  switch (kind) {
    case 'missing_learner_id':
      return { ...row, learnerId: '' }
    case 'missing_time':
      return { ...row, occurredAt: '' }
    case 'bad_time':
      return { ...row, occurredAt: badTimes[turn % badTimes.length] as string }
    case 'bad_number':
      return { ...row, durationSeconds: 'a while' }
    default:
      return { ...row, score: '140' }
  }
}

// No field but attributes, which is JSON already, needs escaping.
function jsonLine(row: EventRow): string {
  let line = `{"event_id":"${row.eventId}","event_type":"${row.type}"`
  if (row.learnerId !== '') line += `,"learner_id":"${row.learnerId}"`
  if (row.courseId !== '') line += `,"course_id":"${row.courseId}"`
  if (row.activityId !== '')
    line += `,"activity_id":"${row.activityId}","activity_type":"${row.activityType}"`
  if (row.sessionId !== '') line += `,"session_id":"${row.sessionId}"`
  if (row.occurredAt !== '') line += `,"occurred_at":"${row.occurredAt}"`
  if (row.durationSeconds !== '') line += `,"duration_seconds":${number(row.durationSeconds)}`
  if (row.score !== '') line += `,"score":${row.score}`
  if (row.progress !== '') line += `,"progress":${row.progress}`
  if (row.quantity !== '') line += `,"quantity":${row.quantity}`
  if (row.attributes !== '') line += `,"attributes":${row.attributes}`
  if (row.ipAddress !== '') line += `,"ip_address":"${row.ipAddress}"`
  if (row.userName !== '') line += `,"user_name":"${row.userName}"`
  return `${line}}\n`
}

/** The one number that is ever bad is the duration: a text then. */
const number = (text: string) => (text.charCodeAt(0) <= 57 ? text : `"${text}"`)
