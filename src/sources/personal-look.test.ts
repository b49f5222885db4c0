import { expect, test } from 'vitest'
import type { Field } from './fields.ts'
import { findPersonalLook } from './personal-look.ts'

const FIELD: Field = {
  ...{ name: 'details', path: ['details'], type: 'text', isColumn: true },
  ...{ change: undefined, inside: [], dropIf: [], isPublic: false, publicInside: [] },
}

test('JSON nested deeper than Node can follow is left to stage one', () => {
  const deep = [`${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}`, `${'['.repeat(9000)}1${']'.repeat(9000)}`]
  expect(findPersonalLook([FIELD], { values: () => deep })).toBeUndefined()
  expect(findPersonalLook([FIELD], { values: () => [...deep, '{"name":"A"}'] })?.column).toBe(
    '$.details.name',
  )
})
