/**
 * A disk that is full, broken or read-only, and limits of the system: lpa says so with the exit code of it, the
 * warehouse is as before, and the next run reaches the state of one that nothing disturbed.
 */

import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { dump } from './faults/dump.ts'
import {
  copyPlace,
  isFaultRun,
  lpa,
  newPlace,
  noStrace,
  type Place,
  type Ran,
  removePlace,
  removePlaces,
  rounds,
} from './faults/lpa.ts'
import { randomOf, replayable, seeds, share } from './faults/seeds.ts'
import { kilobytesOf, noMount, SmallDisk } from './faults/small-disk.ts'
import { lpaWithFault } from './faults/system-calls.ts'
import { callsOf, expectRecovery, type Trial, trialOf, VERB_NAMES } from './faults/trials.ts'

const FILE = 'test/disk.test.ts'
/** cannotCreate, io, notPermitted. */
const CODES = [73, 74, 77]
/** What makes a warehouse, and what fills it. */
const WRITING = ['load', 'batch'] as const

afterAll(removePlaces)

/** It failed as it should, or the fault came too late to matter. */
async function expectTold(trial: Trial, place: Place, ran: Ran): Promise<void> {
  const said = `${ran.code ?? ran.signal}: ${ran.stderr}`
  if (ran.code === 0) return
  expect(CODES, said).toContain(ran.code)
  expect(said).toMatch(/^ {2}LPA-[A-Z-]+, exit 7\d$/m)
  expect(said).not.toMatch(/LPA-INTERNAL|node:|\n\s+at /)
  // Of others, as of the files of a load, each part is there or not: `expectRecovery` looks.
  if (trial.isOne) {
    const found = await dump(place, trial.compared)
    expect([await dump(trial.before, trial.compared), trial.dump], said).toContainEqual(found)
  }
}

/** How many files Node has open before it does anything. */
function filesOfNode(): number {
  const { stdout } = spawnSync(process.execPath, ['-p', "fs.readdirSync('/dev/fd').length"], {
    encoding: 'utf8',
  })
  return Number(stdout)
}

/** As in a shell with such a limit. */
const withLimit = (limit: string) => ['bash', '-c', `ulimit ${limit} && exec "$@"`, 'bash']

describe.each(isFaultRun ? WRITING : (['load'] as const))('limits of the system on lpa %s', (command) => {
  test.each([
    ['the size of files', '-f 64'],
    ['the number of open files', `-n ${filesOfNode() + 4}`],
  ])('%s', async (_, limit) => {
    const trial = await trialOf(command)
    const place = copyPlace(trial.before, 'limit')
    const ran = await lpa(place, trial.args, { under: withLimit(limit) })
    expect(ran.code, ran.stderr).not.toBe(0)
    await expectTold(trial, place, ran)
    await expectRecovery(trial, place)
    removePlace(place)
  })
})

/** Not in `npm test`: it needs who may mount. */
function smallDisks(): void {
  describe.each(WRITING)('a small disk under lpa %s', (command) => {
    test.each(seeds(rounds(0, 20, 2)))(`a full disk under ${command}, seed %i`, async (seed) => {
      await replayable(FILE, `a full disk under ${command}`, seed, () =>
        onSmallDisk(command, async (trial, place, disk) => {
          const [least, most] = [kilobytesOf(trial.before.warehouse), kilobytesOf(trial.after.warehouse)]
          disk.resize(Math.ceil(least + share(randomOf(seed)) * (most - least)))
          const ran = await lpa(place, trial.args)
          await expectTold(trial, place, ran)
          disk.resize(most * 4)
        }),
      )
    })

    test(`a disk that can only be read, under ${command}`, () =>
      onSmallDisk(command, async (trial, place, disk) => {
        disk.makeReadOnly()
        const ran = await lpa(place, trial.args)
        expect(ran.code, ran.stderr).not.toBe(0)
        await expectTold(trial, place, ran)
        disk.resize(kilobytesOf(trial.after.warehouse) * 4)
      }))
  })
}

/** The warehouse on a disk of its own, which at first has more room than it needs. */
async function onSmallDisk(
  command: (typeof WRITING)[number],
  work: (trial: Trial, place: Place, disk: SmallDisk) => Promise<void>,
): Promise<void> {
  const trial = await trialOf(command)
  const place = newPlace('disk')
  const disk = new SmallDisk(place.warehouse, kilobytesOf(trial.after.warehouse) * 4)
  try {
    cpSync(trial.before.root, place.root, { recursive: true })
    await work(trial, place, disk)
    await expectRecovery(trial, place)
  } finally {
    disk.remove()
    removePlace(place)
  }
}

/** What a disk that fails answers, by system call; not `write`, by which threads wake each other too. */
const ERRORS = {
  pwrite64: ['ENOSPC', 'EIO', 'EDQUOT'],
  fsync: ['EIO', 'ENOSPC'],
  fdatasync: ['EIO', 'ENOSPC'],
  rename: ['ENOSPC', 'EACCES', 'EROFS'],
  mkdir: ['ENOSPC', 'EACCES', 'EROFS'],
  unlink: ['EACCES', 'EROFS', 'EIO'],
} as const
const CALLS = Object.keys(ERRORS) as (keyof typeof ERRORS)[]

/** Not in `npm test`: it needs strace, and minutes. */
function failingCalls(): void {
  const cases = VERB_NAMES.flatMap((command) =>
    CALLS.flatMap((call) => seeds(rounds(0, 4, 1)).map((seed) => [command, call, seed] as const)),
  )
  test.each(cases)('%s at which a random %s fails, seed %i', async (command, call, seed) => {
    await replayable(FILE, `${command} at which a random ${call} fails`, seed, async () => {
      const trial = await trialOf(command)
      const calls = await callsOf(trial, CALLS)
      const random = randomOf(seed)
      const nth = 1 + random.below(calls.get(call) ?? 1)
      const error = ERRORS[call][random.below(ERRORS[call].length)]
      const place = copyPlace(trial.before, `fails-${seed}`)
      const isLasting = random.below(2) === 0
      const ran = await lpaWithFault(place, trial.args, { call, nth, fault: `error=${error}`, isLasting })
      await expectTold(trial, place, ran)
      await expectRecovery(trial, place)
      removePlace(place)
    })
  })
}

/** Defines tests where this machine can run them. */
function where(reason: string | undefined, name: string, define: () => void): void {
  if (reason === undefined) describe(name, define)
  else test(name, (context) => context.skip(reason))
}

if (isFaultRun) {
  where(noMount(), 'disks of their own', smallDisks)
  where(noStrace(), 'system calls that fail', failingCalls)
}
