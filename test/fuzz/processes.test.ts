/** Random runs of lpa as it is started by people: each ends with a code that is documented, and says nothing of its inside. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { stringify } from 'smol-toml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadOclifConfig } from '../../scripts/oclif-config.ts'
import { initPlace, lpa, newPlace, type Place, removePlaces, rounds } from '../faults/lpa.ts'
import { changed, changes, expectDocumented, LIMIT_MS, tryCases, wild } from './cases.ts'

/** Runs at once. */
const AT_ONCE = 2

/** What starts servers, makes much, or goes on until it is stopped. */
const LEFT_OUT = /^(spark:(up|down)|sample|stream|completion|help)$/

let place: Place
let fresh: Place
let flags: ReadonlyMap<string, readonly string[]>
beforeAll(async () => {
  place = await initPlace('fuzz')
  fresh = newPlace('fuzz-settings')
  writeFileSync(join(place.root, 'plain.csv'), 'course_id,course_title\nC1,One\n')
  const { commands } = await loadOclifConfig()
  flags = new Map(
    commands.filter(({ id }) => !LEFT_OUT.test(id)).map(({ id, flags: own }) => [id, Object.keys(own)]),
  )
})
afterAll(removePlaces)

/** Of an argument; nothing is made outside the place. */
const word = wild.map((text) => text.replaceAll('\0', '').replace(/\/|\.\./g, '|'))

interface Case {
  readonly args: readonly string[]
  readonly where: 'place' | 'fresh'
  /** A file of the place, written before. */
  readonly file?: readonly [name: string, content: Buffer]
}

/** Any command with any words. */
function anyWords(): fc.Arbitrary<Case> {
  return fc.constantFrom(...flags.keys()).chain((id) => {
    const flag = fc.constantFrom(...(flags.get(id) ?? [])).map((name) => `--${name}`)
    const words = fc.oneof(
      flag,
      fc.tuple(flag, word).map(([name, text]) => `${name}=${text}`),
      word,
    )
    return fc
      .array(words, { maxLength: 4 })
      .map((more) => ({ args: [...id.split(':'), ...more], where: 'place' as const }))
  })
}

const text = word.map((one) => one.toWellFormed())
const settings: fc.Arbitrary<Case> = fc
  .tuple(
    fc.dictionary(
      fc.oneof(fc.constantFrom('warehouse', 'load', 'sources', 'privacy'), text),
      fc.dictionary(text, text, { maxKeys: 2 }),
      { maxKeys: 3 },
    ),
    changes,
    fc.constantFrom('doctor', 'runs', 'batch', 'query funnel'),
  )
  .map(([tables, more, words]) => ({
    args: words.split(' '),
    where: 'fresh' as const,
    file: ['lpa.toml', changed(Buffer.from(stringify(tables)), more)] as const,
  }))

const inputs: fc.Arbitrary<Case> = fc
  .tuple(
    fc.constantFrom(
      ['in.csv', 'course_id,course_title,category_id\nC1,One,K1\nC2,"Two, or ""2""",K1\n'] as const,
      [
        'in.ndjson',
        '{"event_id":"1","event_type":"viewed","learner_id":"S1","course_id":"C1","occurred_at":"2026-03-02T08:00:00Z"}\n',
      ] as const,
      [
        'in.json',
        '[{"course_id":"C1","course_title":"One"},{"course_id":"C2","course_title":"Two"}]',
      ] as const,
    ),
    changes,
    fc.constantFrom([], ['--dry-run'], ['--json'], ['--max-rejects', '100%']),
  )
  .map(([[name, content], more, words]) => ({
    args: ['load', name, ...words],
    where: 'place' as const,
    file: [name, changed(Buffer.from(content), more)] as const,
  }))

const mappings: fc.Arbitrary<Case> = fc
  .tuple(
    fc.constantFrom(
      '-- entity: course\nselect course_id, course_title from source',
      '-- entity: course\n-- columns: course_id\nselect * from source',
    ),
    changes,
  )
  .map(([sql, more]) => ({
    args: ['load', 'plain.csv', '--mapping', 'fuzz.sql', '--dry-run'],
    where: 'place' as const,
    file: ['fuzz.sql', changed(Buffer.from(sql), more)] as const,
  }))

async function expectOrderly({ args, where, file }: Case): Promise<void> {
  const { root, tmp, warehouse } = where === 'place' ? place : fresh
  if (file) writeFileSync(join(root, file[0]), file[1])
  const { code, signal, stdout, stderr } = await lpa({ root, tmp, warehouse }, args)
  expect({ signal, stderr }).toMatchObject({ signal: null })
  // A stack is shown where it is asked for.
  const isVerbose = args.some((arg) => /^-\w*v|^--verbose/.test(arg))
  if (isVerbose) expect(code, stderr).not.toBe(70)
  else expectDocumented(code, `${stderr}${isBinary(args) ? '' : stdout}`)
}

const isBinary = (args: readonly string[]) => args.some((arg) => arg.includes('parquet'))

test(
  'random runs',
  async () => {
    const kinds = [
      { weight: 14, arbitrary: anyWords() },
      { weight: 3, arbitrary: settings },
      { weight: 2, arbitrary: inputs },
      { weight: 1, arbitrary: mappings },
    ]
    await tryCases(
      rounds(50, 200) / AT_ONCE,
      fc.tuple(...Array.from({ length: AT_ONCE }, () => fc.oneof(...kinds))),
      async (cases) => {
        // Both would write the same file.
        const [first, ...others] = cases as [Case, ...Case[]]
        const isSame = others.some(({ file }) => file && file[0] === first.file?.[0])
        if (isSame) for (const one of cases) await expectOrderly(one)
        else await Promise.all(cases.map(expectOrderly))
      },
    )
  },
  LIMIT_MS,
)
