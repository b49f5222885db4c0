import { expect, test } from 'vitest'
import { fieldsOf } from '../fields.ts'
import type { Input } from '../input.ts'
import { packagedMappings } from '../mapping.ts'
import { notOnSpark } from './values.ts'

test('which of the mappings are taken to Spark, as lines of JSON', () => {
  const input = { format: 'ndjson' } as Input
  const told = packagedMappings().map((mapping) => {
    const fields = fieldsOf(mapping, undefined)
    return `${mapping.name}: ${notOnSpark({ input, mapping, fields }) ?? 'taken'}`
  })
  expect(told).toMatchInlineSnapshot(`
    [
      "caliper: actor holds others that are named too",
      "campus_course: co_instructor_ids is a list of people",
      "campus_course_category: taken",
      "campus_course_completion: taken",
      "campus_enrollment: taken",
      "campus_instructor: taken",
      "campus_learner: taken",
      "campus_learning_event: taken",
      "canvas_data_course: taken",
      "canvas_data_enrollment: taken",
      "canvas_data_learner: taken",
      "canvas_data_submission: taken",
      "canvas_live_course: taken",
      "canvas_live_enrollment: taken",
      "canvas_live_event: taken",
      "moodle: taken",
      "oneroster_class: taken",
      "oneroster_course: taken",
      "oneroster_enrollment: taken",
      "oneroster_result: taken",
      "oneroster_user: taken",
      "openedx: it takes texts for JSON (-- parse)",
      "xapi: taken",
    ]
  `)
})
