import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type PersonalClass, type PseudonymKey, pseudonym } from './pseudonym.ts'
import { packageRoot } from './sql-files.ts'

// The vectors were made by another implementation (Python's hmac). They never change: a pseudonym that was stored
// must be found again by every later version. src/sources/stage-one.test.ts holds DuckDB against the same.

const golden = JSON.parse(
  readFileSync(join(packageRoot(), 'fixtures', 'golden', 'pseudonyms.json'), 'utf8'),
) as {
  key: string
  vectors: { class: PersonalClass; space: string; value: string; pseudonym: string | null }[]
}
const key: PseudonymKey = { secret: Buffer.from(golden.key, 'hex'), id: 'golden' }

test.each(golden.vectors)('$class of $space, $value', (vector) => {
  expect(pseudonym(key, vector.class, vector.space, vector.value) ?? null).toBe(vector.pseudonym)
})

test('another key makes other pseudonyms', () => {
  const other: PseudonymKey = { secret: Buffer.alloc(32, 7), id: 'other' }
  const { space, value } = golden.vectors[0] as { space: string; value: string }
  expect(pseudonym(other, 'learner', space, value)).not.toBe(pseudonym(key, 'learner', space, value))
})
