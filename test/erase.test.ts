/** Erasing as its users do it: killed at any moment and run again, beside readers, and searched by others afterwards. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateCampus } from '../src/pipeline/sample/campus.ts'
import { pseudonym, readKey } from '../src/pseudonym.ts'
import { difference, faultsOf } from './faults/dump.ts'
import { copyPlace, initPlace, lpa, lpaOk, type Place, removePlaces, rounds, startLpa } from './faults/lpa.ts'
import { Searcher } from './faults/search.ts'
import { randomOf, replayable, seeds, share } from './faults/seeds.ts'

const FILE = 'test/erase.test.ts'
const ERASE = ['erase', '--from', 'ids.csv:learner_id', '--id-space', 'campus', '--apply']
const LEFT = 'select count(*) as n from learner where learner_key <> 0'

let before: Place
let after: Place
let pseudonyms: readonly string[]
let tookMs = 0

afterAll(removePlaces)

beforeAll(async () => {
  before = await initPlace('erase')
  await generateCampus(join(before.root, 'exports'), {
    ...{ learners: 60, events: 1500, seed: 11, courses: 8, badRows: 0.01 },
  })
  await lpaOk(before, ['load', 'exports/', '--source', 'campus', '--max-rejects', '5%', '--quiet'])
  await lpaOk(before, ['batch', '--quiet'])
  const [header, ...rows] = readFileSync(join(before.root, 'exports', 'learners.csv'), 'utf8').split('\n')
  const asked = rows.slice(0, 3)
  writeFileSync(join(before.root, 'ids.csv'), [header, ...asked].join('\n'))
  const key = readKey(join(before.root, 'pseudonym.key'))
  pseudonyms = asked.map((row) => pseudonym(key, 'learner', 'campus', row.split(',')[0] ?? '') ?? '')
  after = copyPlace(before, 'erased')
}, 120_000)

async function traces({ warehouse }: Place): Promise<string[]> {
  const searcher = new Searcher(pseudonyms.map((value) => ({ kind: 'pseudonym', value })))
  await searcher.folder(warehouse)
  return searcher.found.map(({ what, where }) => `${what} in ${where}`)
}

test('beside readers, who see all of them or none', async () => {
  expect((await traces(before)).length).toBeGreaterThan(3)
  const learners = async () => (await lpaOk(after, ['query', '--sql', LEFT, '--format', 'csv'])).stdout
  const seen = [await learners()]
  const { child, ended } = startLpa(after, [...ERASE, '--json'])
  while (child.exitCode === null) seen.push(await learners())
  const ran = await ended
  tookMs = ran.ms
  expect(ran).toMatchObject({ code: 0 })
  expect(JSON.parse(ran.stdout)).toMatchObject({ ids: 3, known: 3, left: [], searched: { found: [] } })
  const left = await learners()
  expect(left).not.toBe(seen[0])
  expect(new Set([...seen, left])).toEqual(new Set([seen[0], left]))
  expect(await traces(after)).toEqual([])
  // Copies have modes of their own.
  await lpa(after, ['doctor', '--fix', '--quiet'])
  await lpaOk(after, ['doctor', '--verify', '--quiet'])
  expect(await faultsOf(after)).toEqual([])
}, 240_000)

test.each(seeds(rounds(1, 40)))(
  'killed at a random moment, and run again, seed %i',
  async (seed) => {
    await replayable(FILE, 'killed at a random moment', seed, async () => {
      const place = copyPlace(before, `erase-${seed}`)
      const { child, ended } = startLpa(place, ERASE)
      await Promise.race([ended, sleep(share(randomOf(seed)) * tookMs)])
      child.kill('SIGKILL')
      await ended
      await lpaOk(place, ERASE)
      expect(await traces(place)).toEqual([])
      expect(await faultsOf(place)).toEqual([])
      expect(await difference(after, place)).toBe('')
    })
  },
  240_000,
)
