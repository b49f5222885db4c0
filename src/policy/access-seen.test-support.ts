/** What a role sees of any engine, in the words of the table that was written by hand (fixtures/access). */

import { recordsOf } from '../pipeline/ledger.ts'
import type { Result } from '../types.ts'
import {
  type AccessRow,
  accessRows,
  type Expectation,
  expectations,
  SHOWS,
  UNLISTED,
} from './access.test-support.ts'

const ROWS = accessRows()
const EXPECTED = expectations()
/** `lpa_analyst/rui` */
export const WHO = [...new Set(EXPECTED.map(({ role, user }) => `${role}/${user}`))]

/** Tables by what names their rows. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  'core.dim_date': ['date_key'],
  'core.dim_course_category': ['category_key'],
  'core.dim_instructor': ['instructor_key'],
  'core.bridge_course_instructor': ['course_key', 'instructor_key'],
  'core.dim_course': ['course_key'],
  'core.dim_learner': ['learner_key'],
  'core.fact_enrollment': ['enrollment_id'],
  'core.fact_learning_event': ['event_id'],
  'core.course_progress': ['learner_key', 'course_key'],
  'core.fact_course_completion': ['learner_key', 'course_key'],
  'core.agg_course_day': ['course_key'],
  'staging.stg_instructor': ['instructor_key'],
  'staging.stg_course': ['course_key'],
  'staging.stg_course_category': ['category_key'],
  'staging.stg_deletion': ['entity', 'enrollment_id'],
  'staging.stg_learner': ['learner_key'],
  'staging.stg_enrollment': ['enrollment_id'],
  'staging.stg_learning_event': ['event_id'],
  'staging.stg_course_completion': ['learner_key', 'course_key'],
  'raw.raw_learning_events': ['position'],
  'raw.rejected_rows': ['reason_code'],
  'meta.built_loads': ['load_id'],
  'meta.checks': ['run_id', 'check_name'],
  'meta.erased': ['learner_id'],
  'meta.load_entities': ['load_id', 'entity'],
  'meta.load_files': ['file_name'],
  'meta.loads': ['load_id'],
  'meta.runs': ['run_id'],
  'meta.stream_offsets': ['topic'],
}

/** What `ask` is answered as a role, where it may ask: else undefined. */
export type Asked = (sql: string) => Promise<Result | undefined>

/** What a role sees, and what is expected, in lines alike. */
export async function seenAndExpected(who: string, ask: Asked): Promise<[string[], string[]]> {
  const [role = '', user = ''] = who.split('/')
  const mine = EXPECTED.filter((one) => one.role === role && one.user === user)
  const found: string[] = []
  // Each table once: on some engines a question takes seconds.
  const answers = new Map<string, Result | undefined>()
  for (const { table } of mine)
    if (!answers.has(table)) answers.set(table, await ask(`select * from ${table}`))
  for (const one of mine) found.push(`${one.table}.${one.column} ${seen(answers.get(one.table), one)}`)
  return [found, mine.map(({ table, column, seen }) => `${table}.${column} ${seen}`)]
}

function seen(answer: Result | undefined, { table, column }: Expectation): string {
  const base = SHOWS[table] ?? table
  const keys = KEYS[table] ?? KEYS[base] ?? []
  if (answer === undefined) return 'not granted'
  if (UNLISTED.includes(table)) return 'granted'
  const cells = recordsOf(answer).map((row) => {
    const known = ROWS.find(
      (one) => one.table === base && keys.every((key) => one.values.get(key)?.value === String(row[key])),
    )
    if (!known) throw new Error(`${table} shows a row that is not in rows.csv: ${Object.values(row)}`)
    return { name: known.row, how: shownAs(known, column, row[column]) }
  })
  if (cells.length === 0) return 'no row'
  const order = (name: string) => ROWS.findIndex((one) => one.table === base && one.row === name)
  const names = cells.map(({ name }) => name).sort((a, b) => order(a) - order(b))
  return `${names.join(' ')}: ${[...new Set(cells.map(({ how }) => how))].join(' and ')}`
}

function shownAs({ values }: AccessRow, column: string, cell: unknown): string {
  const { value = '', masked = '' } = values.get(column) ?? {}
  const isSame = (text: string) =>
    text === String(cell) || (text !== '' && Number(text) === Number(cell) && cell !== null)
  const how = [...(isSame(value) ? ['clear'] : []), ...(masked !== '' && isSame(masked) ? ['masked'] : [])]
  // In the fixture no mask leaves a value as it is.
  return how.length === 1 ? (how[0] ?? '') : `neither or both: ${cell}`
}
