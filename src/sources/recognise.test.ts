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
    expect.objectContaining({ next: expect.not.arrayContaining([needed]) }),
  )
  expect(recogniseMappings(input, () => [...keys, 'Enrollment_ID'], 'enrollment')[0]?.name).toBe(
    'campus_enrollment',
  )
})

test('only tables are passed over: a message of the same keys is somebody’s record', () => {
  const keysIn = () => ['propertyName', 'value']
  const of = (format: Input['format']) =>
    recogniseMappings({ name: 'topic', format } as Input, keysIn, undefined)
  expect(of('csv')).toEqual([])
  expect(() => of('ndjson')).toThrow(expect.objectContaining({ code: 'LPA-LOAD-UNRECOGNISED' }))
})
