import { expect, test } from 'vitest'
import type { Input } from './input.ts'
import { recogniseMappings } from './recognise.ts'

test('what is not recognised as an entity is told what that needs', () => {
  const input = { name: 'e.csv', format: 'csv' } as Input
  const keys = ['learner_id', 'course_id', 'enrolled_at']
  const needed = 'What campus_enrollment needs: enrollment_id, learner_id, course_id, enrolled_at'
  expect(() => recogniseMappings(input, () => keys, 'enrollment')).toThrow(
    expect.objectContaining({ next: expect.arrayContaining([needed]) }),
  )
  expect(() => recogniseMappings(input, () => keys, undefined)).toThrow(
    expect.objectContaining({
      next: expect.arrayContaining([`${needed}, of which it has no enrollment_id`]),
    }),
  )
  expect(recogniseMappings(input, () => [...keys, 'Enrollment_ID'], 'enrollment')[0]?.name).toBe(
    'campus_enrollment',
  )
})

test.each([
  [
    'a log of Moodle without its times',
    'csv',
    'eventname objecttable contextlevel UserId courseid relateduserid',
    'timecreated',
  ],
  ['statements without an object', 'ndjson', 'actor verb $.verb.id', '$.object'],
] as const)('%s is told what it lacks', (_, format, keys, lacks) => {
  const input = { name: 'f', format } as Input
  expect(() => recogniseMappings(input, () => keys.split(' '), undefined)).toThrow(
    expect.objectContaining({
      next: expect.arrayContaining([expect.stringContaining(`of which it has no ${lacks}`)]),
    }),
  )
})

test('of deletions alone it is to be said what they are of', () => {
  const input = { name: 'f', format: 'ndjson' } as Input
  const keys = ['key', '$.key.id', 'meta', '$.meta.ts', '$.meta.action']
  const told = 'Name it: --mapping canvas_data_course, or canvas_data_enrollment, or canvas_data_learner'
  expect(() => recogniseMappings(input, () => keys, undefined)).toThrow(
    expect.objectContaining({ next: expect.arrayContaining([expect.stringContaining(told)]) }),
  )
  expect(() => recogniseMappings(input, () => [...keys, '$.value.title'], undefined)).toThrow(
    expect.objectContaining({ next: expect.not.arrayContaining([expect.stringContaining('Deletions')]) }),
  )
})

test('what is far from every mapping is told of none', () => {
  const input = { name: 'f.csv', format: 'csv' } as Input
  expect(() => recogniseMappings(input, () => ['course_id', 'b', 'c'], undefined)).toThrow(
    expect.objectContaining({
      next: [expect.stringMatching(/^Its columns/), expect.stringMatching(/^Write a mapping/)],
    }),
  )
})

test('only tables are passed over: a message of the same keys is somebody’s record', () => {
  const keysIn = () => ['propertyName', 'value']
  const of = (format: Input['format']) =>
    recogniseMappings({ name: 'topic', format } as Input, keysIn, undefined)
  expect(of('csv')).toEqual([])
  expect(() => of('ndjson')).toThrow(expect.objectContaining({ code: 'LPA-LOAD-UNRECOGNISED' }))
})
