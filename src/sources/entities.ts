/**
 * What the front end makes of a mapping's output for each entity: which staging columns a mapping may give,
 * which are derived, and what makes a record bad. Types come from schema/ddl_staging.sql.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDdl } from '../ddl.ts'
import type { Entity } from '../entities.ts'
import { packageRoot } from '../sql-files.ts'

const EVENT_TYPES = [
  ...[
    'registered',
    'unregistered',
    'launched',
    'viewed',
    'played',
    'paused',
    'seeked',
    'attempted',
    'answered',
  ],
  ...[
    'submitted',
    'scored',
    'progressed',
    'completed',
    'passed',
    'failed',
    'waived',
    'abandoned',
    'commented',
  ],
  ...['downloaded', 'searched', 'earned', 'logged_in', 'logged_out', 'other'],
] as const

export interface EntityColumn {
  readonly name: string
  readonly type: string
  /** Required of the staging table. */
  readonly required: boolean
}

export interface EntityRules {
  readonly table: string
  /** The staging table's columns, in its order. */
  readonly columns: readonly EntityColumn[]
  /** Columns that a mapping's SELECT may give. */
  readonly inputs: readonly EntityColumn[]
  /** SQL of the derived columns, over the cast inputs. */
  readonly derived: Readonly<Record<string, string>>
  /** Columns that a deletion needs too; a mapping of a delta export, or of events, says of a record that it is `deleted`. */
  readonly identity: readonly string[]
  /** Columns of staging.stg_deletion that name a deleted record, by the same names as in the staging table. */
  readonly deletionKeys: readonly string[]
  /** `[code, column, text, SQL condition]` that make a record bad, after missing values and failed casts. */
  readonly faults: readonly (readonly [code: string, column: string, text: string, condition: string])[]
}

export interface DerivationContext {
  /** The id space as an SQL literal. */
  readonly idSpace: string
  /** The zone of date keys, as an SQL literal; undefined for UTC. */
  readonly timezone: string | undefined
  /** What an event without an id is named by, as SQL: where its record stands in its source. */
  readonly recordId: string
  /** effective_at of records that have none, as an SQL literal. */
  readonly loadedAt: string
  /** Whether each event needs an id of its own. */
  readonly mayComeAgain: boolean
}

/** Pseudonyms are 64 hex digits: anything else means that the mapping did not declare the column; see also `isClear`. */
const isPseudonym = (column: string) => `length(${column}) = 64`

const PSEUDONYM_FAULT = (column: string) =>
  [
    `${column}:clear`,
    column,
    `${column} is not a pseudonym; declare its source column: -- personal: COLUMN(${column.replace('_id', '')})`,
    `${column} is not null and not ${isPseudonym(column)}`,
  ] as const

const RANGE_FAULT = (column: string, low: number, high: number) =>
  [
    `${column}:range`,
    column,
    `${column} must lie from ${low} to ${high}`,
    `not (${column} between ${low} and ${high})`,
  ] as const

const DELETION_KEYS: Record<Entity, readonly string[]> = {
  learner: ['learner_key'],
  course: ['course_key'],
  course_category: ['category_key'],
  instructor: ['instructor_key'],
  enrollment: ['enrollment_id'],
  course_completion: ['learner_key', 'course_key'],
  learning_event: ['event_id'],
}

const IDENTITY: Record<Entity, readonly string[]> = {
  learner: ['learner_id'],
  course: ['course_id'],
  course_category: ['category_id'],
  instructor: ['instructor_id'],
  // Its own id, or what stands in for it: a fault of its own.
  enrollment: [],
  course_completion: ['learner_id', 'course_id'],
  learning_event: [],
}

export function entityRules(entity: Entity, context: DerivationContext): EntityRules {
  const { idSpace, timezone, recordId, loadedAt, mayComeAgain } = context
  const personKey = (id: string) => `cast('0x' || substr(${id}, 1, 15) as bigint)`
  const key = (kind: string, id: string) => `lpa_key('${kind}', ${idSpace} || ':' || ${id})`
  const local = (at: string) => (timezone ? `((${at} at time zone 'UTC') at time zone ${timezone})` : at)
  const dateKey = (at: string) =>
    `cast(year(${local(at)}) * 10000 + month(${local(at)}) * 100 + day(${local(at)}) as integer)`
  const hash = (columns: readonly string[]) =>
    `md5(${columns.map((column) => `coalesce(cast(${column} as varchar), chr(0))`).join(` || chr(1) || `)})`
  // UUIDs are global. Their shape is judged by length and dashes: a regular expression a row costs more than the rest.
  const isUuid = (id: string) => `${id} like '________-____-____-____-____________'`
  const prefixed = (id: string) => `case when ${isUuid(id)} then ${id} else ${idSpace} || ':' || ${id} end`
  const learner = { learner_key: personKey('learner_id') }
  const course = { course_key: `coalesce(${key('course', 'course_id')}, 0)` }
  const history = { effective_at: `coalesce(effective_at, timestamp ${loadedAt})` }

  const instructors = `list_concat([instructor_id], string_split(coalesce(instructor_ids, ''), ','))`

  const derived: Record<Entity, Record<string, string>> = {
    learner: {
      ...learner,
      ...history,
      content_hash: hash(['country', 'region', 'age_band', 'gender', 'education_level', 'signed_up_on']),
    },
    course: {
      ...course,
      ...history,
      category_key: key('category', 'category_id'),
      instructor_key: personKey('instructor_id'),
      // list_distinct would lose the order; the lead comes first.
      instructor_keys: `nullif(array_to_string(list_transform(list_filter(${instructors},
        lambda id, place: length(id) = 64 and list_position(${instructors}, id) = place),
        lambda id: cast(${personKey('id')} as varchar)), ','), '')`,
      content_hash: hash([
        // Not the co-instructors: no column of dim_course changes with them.
        ...['course_title', 'category_id', 'instructor_id', 'language', 'difficulty'],
        ...['duration_hours', 'starts_on', 'ends_on', 'published_on'],
      ]),
    },
    course_category: {
      ...history,
      category_key: key('category', 'category_id'),
      parent_category_key: key('category', 'parent_category_id'),
    },
    instructor: { ...history, instructor_key: personKey('instructor_id') },
    enrollment: {
      ...learner,
      ...course,
      ...history,
      enrollment_id: `coalesce(${prefixed('enrollment_id')},
        substr(learner_id, 1, 15) || '/' || ${idSpace} || ':' || course_id || '/' || cast(enrolled_at as varchar))`,
      enrolled_date_key: dateKey('enrolled_at'),
      withdrawn_date_key: dateKey('withdrawn_at'),
    },
    learning_event: {
      ...learner,
      ...course,
      event_id: `coalesce(${prefixed('event_id')}, ${recordId})`,
      date_key: dateKey('occurred_at'),
      event_type: `case when event_type in (${EVENT_TYPES.map((type) => `'${type}'`).join(', ')}) then event_type else 'other' end`,
      quantity: 'coalesce(quantity, 1)',
      attributes: `case when event_type in (${EVENT_TYPES.map((type) => `'${type}'`).join(', ')}) then attributes
        else json_merge_patch(coalesce(attributes, '{}'), json_object('verb', event_type)) end`,
    },
    course_completion: { ...learner, ...course, ...history, completed_date_key: dateKey('completed_at') },
  }

  const faults: Record<Entity, EntityRules['faults']> = {
    learner: [PSEUDONYM_FAULT('learner_id'), PSEUDONYM_FAULT('email_hash')],
    course: [
      PSEUDONYM_FAULT('instructor_id'),
      [
        'instructor_ids:clear',
        'instructor_ids',
        'instructor_ids are no pseudonyms; declare their source column: -- personal: COLUMN(instructor)',
        // A list: those among them that are none are left out.
        'false',
      ],
    ],
    course_category: [],
    instructor: [PSEUDONYM_FAULT('instructor_id')],
    enrollment: [
      PSEUDONYM_FAULT('learner_id'),
      [
        'enrollment_id:missing',
        'deleted',
        'a deletion needs enrollment_id, or learner_id, course_id and enrolled_at',
        'deleted and enrollment_id is null and (learner_id is null or course_id is null or enrolled_at is null)',
      ],
      [
        'status:unknown',
        'status',
        'status must be active, completed or withdrawn',
        `status not in ('active', 'completed', 'withdrawn')`,
      ],
      // By day: what is dated by its day only has the time of midnight.
      [
        'withdrawn_at:order',
        'withdrawn_at',
        'withdrawn_at lies before enrolled_at',
        `${dateKey('withdrawn_at')} < ${dateKey('enrolled_at')}`,
      ],
      ['price_amount:range', 'price_amount', 'price_amount is negative', 'price_amount < 0'],
    ],
    learning_event: [
      PSEUDONYM_FAULT('learner_id'),
      [
        'event_id:missing',
        'deleted',
        'what takes an event back needs its event_id',
        'deleted and event_id is null',
      ],
      RANGE_FAULT('score', 0, 1),
      RANGE_FAULT('progress', 0, 1),
      [
        'duration_seconds:range',
        'duration_seconds',
        'duration_seconds is negative or not a number',
        'duration_seconds < 0 or not isfinite(duration_seconds)',
      ],
      // Quantities are added up exactly: as decimals of that size.
      RANGE_FAULT('quantity', 0, 1e15),
    ],
    course_completion: [PSEUDONYM_FAULT('learner_id'), RANGE_FAULT('final_score', 0, 1)],
  }

  return {
    table: `staging.stg_${entity}`,
    columns: stagingTable(entity).columns,
    inputs: inputsOf(entity).map((column) =>
      mayComeAgain && column.name === 'event_id' ? { ...column, required: true } : column,
    ),
    derived: derived[entity],
    identity: [...IDENTITY[entity], 'effective_at'],
    deletionKeys: DELETION_KEYS[entity],
    faults: faults[entity],
  }
}

/** The columns that a mapping's SELECT may give. */
export function inputsOf(entity: Entity): EntityColumn[] {
  const added = ['source', 'load_id', 'position', 'attributes']
  const inputs = stagingTable(entity).columns.filter(
    ({ name }) =>
      !added.includes(name) && !name.endsWith('_key') && !name.endsWith('_keys') && name !== 'content_hash',
  )
  if (entity === 'course') inputs.push({ name: 'instructor_ids', type: 'varchar', required: false })
  const optional = ['event_id', 'enrollment_id', 'effective_at', 'quantity']
  return inputs.map((column) => ({
    ...column,
    required: column.required && !optional.includes(column.name),
  }))
}

let tables: ReturnType<typeof parseDdl> | undefined

function stagingTable(entity: Entity) {
  tables ??= parseDdl(readFileSync(join(packageRoot(), 'schema', 'ddl_staging.sql'), 'utf8'))
  const table = tables.find(({ name }) => name === `staging.stg_${entity}`)
  if (!table) throw new Error(`schema/ddl_staging.sql declares no stg_${entity}`)
  return table
}
