/** What commands do that change the warehouse, undisturbed: what a disturbed run of each must come to in the end. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { generateCampus } from '../../src/pipeline/sample/campus.ts'
import { type Dump, type DumpOptions, difference, dump, faultsOf } from './dump.ts'
import { copyPlace, initPlace, lpaOk, newPlace, type Place } from './lpa.ts'
import { countCalls } from './system-calls.ts'

/** A command, the state it starts from, and the state it must reach. */
export interface Trial {
  readonly args: readonly string[]
  readonly before: Place
  /** Whether there is a warehouse before. */
  readonly hasWarehouse: boolean
  readonly after: Place
  readonly dump: Dump
  readonly compared: DumpOptions
  /** Whether what it does is one transaction. */
  readonly isOne: boolean
  readonly ms: number
}

interface Verb {
  readonly args: readonly string[]
  readonly before: () => Promise<Place>
  /** What of the warehouse is compared: all unless said. */
  readonly compared?: DumpOptions
  readonly isOne?: boolean
}

export const VERB_NAMES = ['schema apply', 'load', 'batch', 'grant apply', 'stream', 'erase'] as const
export type VerbName = (typeof VERB_NAMES)[number]

const VERBS: Readonly<Record<VerbName, Verb>> = {
  'schema apply': { args: ['schema', 'apply'], before: withoutWarehouse },
  load: { args: ['load', 'exports/', '--source', 'campus'], before: withExports },
  batch: { args: ['batch'], before: afterOf('load'), isOne: true },
  'grant apply': { args: ['grant', 'apply'], before: afterOf('load'), isOne: true },
  stream: {
    args: ['stream', 'dir:exports', '--until-caught-up'],
    before: withExports,
    // Each build adds rows of its own.
    compared: { isMeant: (table) => table !== 'meta.checks' && table !== 'meta.built_loads' },
  },
  erase: {
    args: ['erase', '--from', 'ids.csv:learner_id', '--id-space', 'campus', '--apply'],
    before: withRequests,
  },
}

const trials = new Map<VerbName, Promise<Trial>>()

/** The trial of a command, which is made when it is first asked for. */
export function trialOf(name: VerbName): Promise<Trial> {
  const trial = trials.get(name) ?? undisturbed(VERBS[name])
  trials.set(name, trial)
  return trial
}

async function undisturbed({ args, before: prepare, compared = {}, isOne = false }: Verb): Promise<Trial> {
  const words = [...args, '--quiet']
  const before = await prepare()
  const after = copyPlace(before, 'after')
  const { ms } = await lpaOk(after, words)
  const hasWarehouse = existsSync(join(before.warehouse, 'catalog.sqlite'))
  return { args: words, before, hasWarehouse, after, ms, compared, isOne, dump: await dump(after, compared) }
}

async function withoutWarehouse(): Promise<Place> {
  const place = newPlace('trial')
  await lpaOk(place, ['init'])
  return place
}

async function withExports(): Promise<Place> {
  const place = await initPlace('trial')
  await generateCampus(join(place.root, 'exports'), {
    learners: 1000,
    events: 20_000,
    seed: 7,
    courses: 40,
    badRows: 0.005,
  })
  return place
}

function afterOf(name: VerbName): () => Promise<Place> {
  return async () => (await trialOf(name)).after
}

async function withRequests(): Promise<Place> {
  const place = copyPlace((await trialOf('batch')).after, 'trial')
  const [header, ...rows] = readFileSync(join(place.root, 'exports', 'learners.csv'), 'utf8').split('\n')
  writeFileSync(join(place.root, 'ids.csv'), [header, ...rows.slice(0, 3)].join('\n'))
  return place
}

/** What the disturbed run left can be read and holds no half; the next run ends what it began and clears up. */
export async function expectRecovery(trial: Trial, place: Place): Promise<void> {
  if (trial.hasWarehouse) {
    const halves = (await faultsOf(place)).filter(
      (fault) => !fault.startsWith('left over') && !fault.startsWith('no snapshot'),
    )
    expect(halves, 'after the fault').toEqual([])
  }
  await lpaOk(place, trial.args)
  expect(await faultsOf(place), 'after the next run').toEqual([])
  expect(
    await difference(trial.after, place, { known: trial.dump, ...trial.compared }),
    'compared with an undisturbed run',
  ).toBe('')
}

const counted = new Map<Trial, Promise<ReadonlyMap<string, number>>>()

/** How often a trial's run makes each of these system calls. */
export function callsOf(trial: Trial, calls: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const known = counted.get(trial) ?? countCalls(trial.before, trial.args, calls)
  counted.set(trial, known)
  return known
}
