import { expect, test } from 'vitest'
import { assertWhole } from './models.ts'

test('what Spark has written is all here, or told', () => {
  expect(assertWhole({ place: '/w/tmp/spark-1/dim_course-1', rows: 3 }, 3)).toBe(3)
  expect(() => assertWhole({ place: '/w/tmp/spark-1/dim_course-1', rows: 3 }, 2)).toThrow(
    expect.objectContaining({
      ...{ code: 'LPA-SPARK-FILES', where: '/w/tmp/spark-1/dim_course-1' },
      message: 'Spark has written 3 rows, and 2 are here.',
    }),
  )
})
