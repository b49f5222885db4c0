/** Exports that come in any order, in pieces, some of them twice, make the same facts. */

import { expect, test } from 'vitest'
import type { Random } from '../../src/pipeline/sample/random.ts'
import { randomOf, replayable, seeds, shuffled } from '../faults/seeds.ts'
import { FormatCampus, type Person } from './format-campus.ts'
import { XAPI_PEOPLE } from './people.ts'

interface Format {
  readonly name: string
  /** Those that read its records together, where there are several. */
  readonly mappings?: readonly string[]
  readonly people: readonly Person[]
  /** The records of all fixtures, as lines. */
  records(campus: FormatCampus): string[]
  /** Some records as a file's text. */
  file(records: readonly string[], random: Random): string
}

interface Envelope {
  readonly data: readonly object[]
}

const FORMATS: readonly Format[] = [
  {
    name: 'caliper',
    people: [700101, 700102, 700103].map((number) => ({ id: `https://campus.example/users/${number}` })),
    records(campus) {
      const lines = campus.text('envelopes-1.1.ndjson').trim().split('\n')
      const envelopes: Envelope[] = [
        ...lines.map((line) => JSON.parse(line)),
        ...JSON.parse(campus.text('envelopes-1.2.json')),
      ]
      return envelopes.flatMap(({ data }) => data.map((entry) => JSON.stringify(entry)))
    },
    file(records, random) {
      const envelope = `{"sensor": "s${random.below(1e6)}", "data": [${records.join(',\n')}]}`
      return [envelope, `[${envelope}]`, `${records.join('\n')}\n`][random.below(3)] as string
    },
  },
  {
    name: 'canvas',
    mappings: ['canvas_live_course', 'canvas_live_enrollment', 'canvas_live_event'],
    people: ['21070000000910001', '21070000000910002'].map((id) => ({ id })),
    records: (campus) => campus.text('live-events.ndjson').trim().split('\n'),
    file: (records) => `${records.join('\n')}\n`,
  },
  {
    name: 'openedx',
    people: ['810001', '810002', '810003'].map((id) => ({ id })),
    records: (campus) => campus.text('tracking.log.ndjson').trim().split('\n'),
    file: (records) => `${records.join('\n')}\n`,
  },
  {
    name: 'xapi',
    people: XAPI_PEOPLE,
    records(campus) {
      const names = ['statements-1.0.3.ndjson', 'cmi5.ndjson', 'statements-2.0.json']
      return names.flatMap((name) => campus.values(name)).map((statement) => JSON.stringify(statement))
    },
    file(records, random) {
      const [lines, list] = [`${records.join('\n')}\n`, `[${records.join(',\n')}]`]
      return [lines, list, `{"statements": ${list}, "more": ""}`][random.below(3)] as string
    },
  },
]

/** Some records each, never one alone: a file that is equal to another counts once. */
function piecesOf(records: readonly string[], random: Random): string[][] {
  const rest = shuffled(records, random)
  const pieces: string[][] = []
  while (rest.length > 1) pieces.push(rest.splice(0, 2 + random.below(11)))
  return [[...(pieces[0] ?? []), ...rest], ...pieces.slice(1)]
}

/** Facts whose ids tell where their record stood are the same wherever it stands. */
function withoutPlaces(facts: string): string {
  const lines = facts.split('\n').map((line) => line.replace(/files:[0-9a-f]{16}:\d+/, 'by its place'))
  return lines.sort().join('\n')
}

for (const format of FORMATS) {
  test(`${format.name}: in any order, in pieces, twice`, async () => {
    using whole = await FormatCampus.create(format.name, format.people)
    const records = format.records(whole)
    const mappings = format.mappings ?? [format.name]
    const file = whole.warehouse.write('given/whole.ndjson', `${records.join('\n')}\n`)
    await whole.warehouse.load(file, { mappings })
    const expected = withoutPlaces(await whole.facts())
    for (const seed of seeds(1)) {
      await replayable('test/formats/any-order.test.ts', format.name, seed, async () => {
        const random = randomOf(seed)
        using campus = await FormatCampus.create(format.name, format.people)
        const paths = piecesOf(records, random).map((piece, index) =>
          campus.warehouse.write(`given/${index}.json`, format.file(piece, random)),
        )
        for (const path of [...paths, ...shuffled(paths, random).slice(0, 2)]) {
          await campus.warehouse.load(path, { mappings })
          if (random.below(3) === 0) await campus.warehouse.build()
        }
        expect(withoutPlaces(await campus.facts())).toBe(expected)
      })
    }
  })
}
