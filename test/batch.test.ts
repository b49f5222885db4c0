/**
 * Building the star: in whatever order and parts the exports come, the incremental way gives what a rebuild gives,
 * and both give what the definitions say.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { build } from '../src/pipeline/build.ts'
import { load } from '../src/pipeline/load.ts'
import { readKey } from '../src/pseudonym.ts'
import { difference, withEngine } from './faults/dump.ts'
import { copyPlace, initPlace, type Place, removePlace, removePlaces, rounds } from './faults/lpa.ts'
import { EXPECTED_SQL, type Expected, expectedCore } from './faults/oracle.ts'
import { randomOf, replayable, seeds, shuffled } from './faults/seeds.ts'
import { exportFiles, randomCampus, type SmallCampus, writeFiles } from './faults/small-campus.ts'

const FILE = 'test/batch.test.ts'
const SOURCE = 'lms'
const ZONES = ['UTC', 'America/New_York'] as const
const signal = new AbortController().signal
const silent = { onFile: () => {}, onBytes: () => {}, onLoaded: () => {} }
const places = new Map<string, Place>()

beforeAll(async () => {
  for (const zone of ZONES) {
    const place = await initPlace('batch')
    const toml = join(place.root, 'lpa.toml')
    writeFileSync(toml, readFileSync(toml, 'utf8').replace(/^timezone = .*$/m, `timezone = "${zone}"`))
    places.set(zone, place)
  }
})

afterAll(removePlaces)

function placeIn(zone: string): Place {
  return copyPlace(places.get(zone) as Place, 'batch')
}

const configOf = (place: Place) => loadConfig({ cwd: place.root, env: {} })

async function loadInto(
  place: Place,
  inputs: readonly string[],
  mappings: readonly string[] = [],
): Promise<void> {
  await load(configOf(place), { inputs, mappings, source: SOURCE, dryRun: false }, signal, silent)
}

async function batch(place: Place, full = false): Promise<void> {
  const { checks } = await build(configOf(place), { select: [], full, runId: 'test' }, signal, {
    onModel: () => {},
  })
  const failed = checks.filter(({ severity, failures }) => severity === 'error' && failures > 0)
  expect(failed, 'checks').toEqual([])
}

/** A rebuild must leave core as the incremental way made it. */
async function expectRebuildChangesNothing(place: Place): Promise<void> {
  const before = copyPlace(place, 'before')
  await batch(place, true)
  expect(await difference(before, place, { except: ['meta.checks'] }), 'a rebuild').toBe('')
  removePlace(before)
}

async function core(place: Place): Promise<Expected> {
  return withEngine(place, async (engine) => {
    const found: Record<string, readonly string[]> = {}
    for (const [name, sql] of Object.entries(EXPECTED_SQL)) {
      const { rows } = await engine.query(sql)
      found[name] = rows.map((row) => String(row[0])).sort()
    }
    return found as unknown as Expected
  })
}

async function expectOracle(place: Place, campus: SmallCampus, zone: string): Promise<void> {
  const key = readKey(join(place.root, 'pseudonym.key'))
  const expected = expectedCore(campus, { key, source: SOURCE, timezone: zone })
  const found = await core(place)
  for (const name of Object.keys(expected) as (keyof Expected)[])
    expect(found[name], name).toEqual(expected[name])
}

describe('any order of any parts', () => {
  test.each(seeds(rounds(10, 60)))('equals a rebuild and the definitions, seed %i', async (seed) => {
    await replayable(FILE, 'equals a rebuild and the definitions', seed, async () => {
      const random = randomOf(seed)
      const zone = ZONES[random.below(2)] as string
      const place = placeIn(zone)
      const campus = randomCampus(random)
      const files = exportFiles(campus, random, 1 + random.below(3))
      const waiting = shuffled(writeFiles(join(place.root, 'exports'), files), random)
      while (waiting.length > 0) {
        await loadInto(place, waiting.splice(0, 1 + random.below(5)))
        await batch(place)
      }
      await expectOracle(place, campus, zone)
      await expectRebuildChangesNothing(place)
      removePlace(place)
    })
  })
})
