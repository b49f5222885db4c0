import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { PersonalClass } from '../pseudonym.ts'
import { packageRoot } from '../sql-files.ts'
import { randomCsv, randomNumbers } from './random-csv.test-support.ts'
import { StageFolder } from './stage.test-support.ts'

const folder = new StageFolder()
afterAll(() => folder[Symbol.dispose]())

describe('pseudonyms equal the golden vectors', () => {
  const golden = JSON.parse(
    readFileSync(join(packageRoot(), 'fixtures', 'golden', 'pseudonyms.json'), 'utf8'),
  ) as {
    key: string
    vectors: { class: PersonalClass; space: string; value: string; pseudonym: string | null }[]
  }
  const key = { secret: Buffer.from(golden.key, 'hex'), id: 'golden' }
  const expected = golden.vectors.map((vector) => vector.pseudonym)
  const mapping = `-- entity: course
-- not-personal: space
-- personal: learner(learner @ space), instructor(instructor @ space), email(email)
select 'C' as course_id, learner as "attributes.learner", instructor as "attributes.instructor",
  email as "attributes.email"
from source`

  async function pseudonyms(name: string, text: string, mappingText: string) {
    const staged = await folder.stage(name, text, mappingText, { key })
    const rows = await folder.rows<Record<PersonalClass, string | null>>(
      staged,
      `attributes->>'learner' as learner, attributes->>'instructor' as instructor, attributes->>'email' as email`,
    )
    return golden.vectors.map((vector, index) => rows[index]?.[vector.class] ?? null)
  }

  test('from JSON', async () => {
    const lines = golden.vectors.map((vector) =>
      JSON.stringify({ space: vector.space, [vector.class]: vector.value }),
    )
    const columns = mapping.replace(
      '-- personal',
      '-- columns: space, learner, instructor, email\n-- personal',
    )
    expect(await pseudonyms('vectors.ndjson', `${lines.join('\n')}\n`, columns)).toEqual(expected)
  })

  test('from CSV', async () => {
    const classes = ['learner', 'instructor', 'email']
    const lines = golden.vectors.map((vector) =>
      [vector.space, ...classes.map((name) => (name === vector.class ? vector.value : ''))]
        .map((text) => `"${text.replaceAll('"', '""')}"`)
        .join(','),
    )
    const text = `space,${classes.join(',')}\n${lines.join('\n')}\n`
    expect(await pseudonyms('vectors.csv', text, mapping)).toEqual(expected)
  })

  test('in a list', async () => {
    const people = golden.vectors.filter(({ class: kind, space }) => kind === 'learner' && space === 'lms')
    const staged = await folder.stage(
      'list.ndjson',
      `${JSON.stringify({ people: people.map(({ value }) => value) })}\n`,
      `-- entity: course\n-- columns: people\n-- personal: people(learner[])
select 'C' as course_id, people as "attributes.people" from source`,
      { key, idSpace: 'lms' },
    )
    const [row] = await folder.rows<{ people: string }>(staged, `attributes->>'people' as people`)
    expect(row?.people.split(',')).toEqual(
      people.flatMap(({ pseudonym }) => (pseudonym === null ? [] : [pseudonym])),
    )
  })
})

describe('CSV', () => {
  test.each([1, 2, 3, 4, 5, 6])('random texts are read as they were written, seed %i', async (seed) => {
    const random = randomNumbers(seed + 500)
    for (let round = 0; round < 3; round++) {
      const { text, header, rows } = randomCsv(random, { rows: 1 + random(30) })
      const staged = await folder.stage(
        `random-${seed}-${round}.csv`,
        text,
        `-- entity: course
select 'C' as course_id, ${header.map((name) => `"${name}" as "attributes.${name}"`).join(', ')} from source`,
      )
      const found = await folder.rows<{ attributes: string | null }>(staged, 'attributes')
      const values = found.map(({ attributes }) => JSON.parse(attributes ?? '{}') as Record<string, string>)
      expect(
        values.map((row) => header.map((name) => row[name] ?? '')),
        JSON.stringify(text),
      ).toEqual(rows)
    }
  })
})
