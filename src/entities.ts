/** What records can become, and the tables that hold a load's rows. */

export const ENTITIES = [
  'learner',
  'course',
  'course_category',
  'instructor',
  'enrollment',
  'learning_event',
  'course_completion',
] as const
export type Entity = (typeof ENTITIES)[number]

/** Tables whose rows belong to a load and leave with it. */
export const STAGED_TABLES: readonly string[] = [
  'raw.raw_learning_events',
  'raw.rejected_rows',
  ...[...ENTITIES, 'deletion'].map((entity) => `staging.stg_${entity}`),
]
