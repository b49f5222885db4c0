/**
 * What a run leaves behind that was ended at any moment: by kill -9, at the moment of a system call, by Ctrl-C or
 * SIGTERM. The same command again must reach the state of a run that nobody disturbed.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateCampus } from '../src/pipeline/sample/campus.ts'
import { type Dump, difference, dump, faultsOf, leftovers } from './faults/dump.ts'
import {
  copyPlace,
  initPlace,
  isFull,
  lpa,
  lpaOk,
  noStrace,
  type Place,
  removePlace,
  removePlaces,
  rounds,
  startLpa,
} from './faults/lpa.ts'
import { randomOf, replayable, seeds, share } from './faults/seeds.ts'

const FILE = 'test/kill.test.ts'
const SYSTEM_CALLS = ['write', 'pwrite64', 'fsync', 'rename', 'unlink', 'mkdir'] as const
/** So that the n-th call is much the same each time. With one thread for files, a pipe's two ends would wait for it. */
const FEW_THREADS = { UV_THREADPOOL_SIZE: '2', LPA_WAREHOUSE_THREADS: '1' }

/** A command, the state it starts from, and the state it must reach. */
interface Trial {
  readonly args: readonly string[]
  readonly before: Place
  readonly after: Place
  readonly dump: Dump
  readonly ms: number
}

const trials = new Map<string, Trial>()

async function undisturbed(args: readonly string[], before: Place): Promise<Trial> {
  const after = copyPlace(before, 'after')
  const { ms } = await lpaOk(after, args)
  return { args, before, after, ms, dump: await dump(after) }
}

beforeAll(async () => {
  const empty = await initPlace('kill')
  await generateCampus(join(empty.root, 'exports'), {
    learners: 1000,
    events: 20_000,
    seed: 7,
    courses: 40,
    badRows: 0.005,
  })
  const load = await undisturbed(['load', 'exports/', '--quiet'], empty)
  trials.set('load', load)
  trials.set('batch', await undisturbed(['batch', '--quiet'], load.after))
  trials.set('grant apply', await undisturbed(['grant', 'apply', '--quiet'], load.after))
})

afterAll(removePlaces)

function trialOf(name: string): Trial {
  const trial = trials.get(name)
  if (!trial) throw new Error(`There is no trial ${name}.`)
  return trial
}

/** What the dead run left can be read and holds no half; the next run ends what it began and clears up. */
async function expectRecovery(trial: Trial, place: Place): Promise<void> {
  const halves = (await faultsOf(place)).filter(
    (fault) => !fault.startsWith('left over') && !fault.startsWith('no snapshot'),
  )
  expect(halves, 'after the kill').toEqual([])
  await lpaOk(place, trial.args)
  expect(await faultsOf(place), 'after the next run').toEqual([])
  expect(
    await difference(trial.after, place, { known: trial.dump }),
    'compared with an undisturbed run',
  ).toBe('')
}

describe.each(['load', 'batch', 'grant apply'])('kill -9 of lpa %s', (command) => {
  test.each(seeds(rounds(5, 30)))(`at a random moment of ${command}, seed %i`, async (seed) => {
    await replayable(FILE, `moment of ${command}`, seed, async () => {
      const trial = trialOf(command)
      const place = copyPlace(trial.before, `kill-${seed}`)
      const { child, ended } = startLpa(place, trial.args)
      await Promise.race([ended, sleep(share(randomOf(seed)) * trial.ms)])
      child.kill('SIGKILL')
      await ended
      await expectRecovery(trial, place)
      removePlace(place)
    })
  })
})

/** Not in `npm test`: it needs strace, and minutes. */
function killAtSystemCalls(): void {
  const reason = noStrace()
  if (reason !== undefined) {
    test('at every kind of call', (context) => context.skip(reason))
    return
  }
  const cases = ['load', 'batch', 'grant apply'].flatMap((command) =>
    SYSTEM_CALLS.flatMap((call) => seeds(5).map((seed) => [command, call, seed] as const)),
  )
  test.each(cases)('%s at a random %s, seed %i', async (command, call, seed) => {
    await replayable(FILE, `${command} at a random ${call}`, seed, async () => {
      const trial = trialOf(command)
      const calls = await countCalls(trial)
      const nth = 1 + randomOf(seed).below(calls.get(call) ?? 1)
      const place = copyPlace(trial.before, `call-${seed}`)
      await lpa(place, trial.args, {
        env: FEW_THREADS,
        under: [
          'strace',
          '-f',
          '-qq',
          '-o',
          '/dev/null',
          '-e',
          `trace=${call}`,
          '-e',
          `inject=${call}:signal=SIGKILL:when=${nth}`,
        ],
      })
      await expectRecovery(trial, place)
      removePlace(place)
    })
  })
}
if (isFull) describe('kill -9 at a system call', killAtSystemCalls)

const counted = new Map<Trial, ReadonlyMap<string, number>>()

/** How often the thread that makes most of them makes each system call: strace counts by thread. */
async function countCalls(trial: Trial): Promise<ReadonlyMap<string, number>> {
  const known = counted.get(trial)
  if (known) return known
  const place = copyPlace(trial.before, 'calls')
  const list = join(place.root, 'calls.txt')
  await lpaOk(place, trial.args, {
    env: FEW_THREADS,
    under: ['strace', '-f', '-qq', '-o', list, '-e', `trace=${SYSTEM_CALLS.join(',')}`],
  })
  const byThread = new Map<string, number>()
  const most = new Map<string, number>()
  for (const line of readFileSync(list, 'latin1').split('\n')) {
    const [, thread, call] = /^(\d+)\s+(\w+)\(/.exec(line) ?? []
    if (!thread || !call) continue
    const count = (byThread.get(`${thread} ${call}`) ?? 0) + 1
    byThread.set(`${thread} ${call}`, count)
    most.set(call, Math.max(count, most.get(call) ?? 0))
  }
  removePlace(place)
  counted.set(trial, most)
  return most
}

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s', (signal, exitCode) => {
  describe.each(['load', 'batch'])('while lpa %s works', (command) => {
    test.each(seeds(rounds(2, 15)))(`${signal} at a random moment of ${command}, seed %i`, async (seed) => {
      await replayable(FILE, `${signal} at a random moment of ${command}`, seed, async () => {
        const trial = trialOf(command)
        const place = copyPlace(trial.before, `stop-${seed}`)
        // -v says when work begins: before that, lpa is Node that starts, and dies of a signal like any program.
        const { child, ended } = startLpa(place, [...trial.args.filter((word) => word !== '--quiet'), '-v'])
        let text = ''
        let toldAt = 0
        const begun = new Promise<void>((resolve) => {
          child.stderr?.on('data', (chunk: Buffer) => {
            text += chunk.toString('utf8')
            if (text.includes('started')) resolve()
            if (toldAt === 0 && text.includes(`stopping (${signal})`)) toldAt = performance.now()
          })
        })
        await begun
        await Promise.race([ended, sleep(share(randomOf(seed)) * trial.ms * 0.8)])
        const sentAt = performance.now()
        child.kill(signal)
        const ran = await ended
        const took = performance.now() - sentAt
        // It may have ended just before.
        if (ran.code !== 0) {
          // Work that does not stop in time dies of the signal itself, which a shell tells as the same code.
          const code = ran.signal === signal ? exitCode : ran.code
          expect({ code, stderr: ran.stderr }).toMatchObject({ code: exitCode })
          expect(toldAt - sentAt, 'milliseconds to the message').toBeLessThan(200)
          expect(took, 'milliseconds to the end').toBeLessThan(5000)
          expect(
            leftovers(place).filter((file) => !file.startsWith('no snapshot')),
            'a run that was asked to stop clears up itself',
          ).toEqual([])
        }
        await expectRecovery(trial, place)
        removePlace(place)
      })
    })
  })
})
