/**
 * What a run leaves behind that was ended at any moment: by kill -9, at the moment of a system call, by Ctrl-C or
 * SIGTERM. The same command again must reach the state of a run that nobody disturbed.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { leftovers } from './faults/dump.ts'
import {
  copyPlace,
  isFaultRun,
  noStrace,
  type Place,
  type Ran,
  removePlace,
  removePlaces,
  rounds,
  startLpa,
} from './faults/lpa.ts'
import { randomOf, replayable, seeds, share } from './faults/seeds.ts'
import { lpaWithFault } from './faults/system-calls.ts'
import { callsOf, expectRecovery, trialOf, VERB_NAMES } from './faults/trials.ts'

const FILE = 'test/kill.test.ts'
const SYSTEM_CALLS = ['write', 'pwrite64', 'fsync', 'fdatasync', 'rename', 'unlink', 'mkdir'] as const
/** The others are killed at random moments by tests of their own. */
const KILLED_ANYWAY = isFaultRun ? VERB_NAMES : (['schema apply', 'load', 'batch', 'grant apply'] as const)

afterAll(removePlaces)

describe.each(KILLED_ANYWAY)('kill -9 of lpa %s', (command) => {
  test.each(seeds(rounds(3, 25, 2)))(`at a random moment of ${command}, seed %i`, async (seed) => {
    await replayable(FILE, `moment of ${command}`, seed, async () => {
      const trial = await trialOf(command)
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
  const cases = VERB_NAMES.flatMap((command) =>
    SYSTEM_CALLS.flatMap((call) => seeds(rounds(0, 7, 1)).map((seed) => [command, call, seed] as const)),
  )
  test.each(cases)('%s at a random %s, seed %i', async (command, call, seed) => {
    await replayable(FILE, `${command} at a random ${call}`, seed, async () => {
      const trial = await trialOf(command)
      const calls = await callsOf(trial, SYSTEM_CALLS)
      const nth = 1 + randomOf(seed).below(calls.get(call) ?? 1)
      const place = copyPlace(trial.before, `call-${seed}`)
      await lpaWithFault(place, trial.args, { call, nth, fault: 'signal=SIGKILL' })
      await expectRecovery(trial, place)
      removePlace(place)
    })
  })
}

if (isFaultRun) {
  const reason = noStrace()
  if (reason === undefined) describe('kill -9 at a system call', killAtSystemCalls)
  else test('kill -9 at a system call', (context) => context.skip(reason))
}

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s', (signal, exitCode) => {
  describe.each(['load', 'batch'] as const)('while lpa %s works', (command) => {
    test.each(seeds(rounds(2, 15)))(`${signal} at a random moment of ${command}, seed %i`, async (seed) => {
      await replayable(FILE, `${signal} at a random moment of ${command}`, seed, async () => {
        const trial = await trialOf(command)
        const place = copyPlace(trial.before, `stop-${seed}`)
        const work = await beginWork(place, trial.args)
        await Promise.race([work.ended, sleep(share(randomOf(seed)) * trial.ms * 0.8)])
        const sentAt = performance.now()
        work.child.kill(signal)
        const ran = await work.ended
        const took = performance.now() - sentAt
        // It may have ended just before.
        if (ran.code !== 0) {
          expect({ code: shellCode(ran), stderr: ran.stderr }).toMatchObject({ code: exitCode })
          const toldAt = work.toldAt(signal)
          // Killed by the signal itself, it could not tell.
          if (ran.code !== null) expect(toldAt, ran.stderr).toBeDefined()
          if (toldAt) expect(toldAt - sentAt, 'milliseconds to the message').toBeLessThan(200)
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

describe.each(['load', 'batch'] as const)('somebody who leans on Ctrl-C while lpa %s works', (command) => {
  test.each(seeds(rounds(1, 5)))(`a storm of SIGINT in ${command}, seed %i`, async (seed) => {
    await replayable(FILE, `a storm of SIGINT in ${command}`, seed, async () => {
      const trial = await trialOf(command)
      const place = copyPlace(trial.before, `storm-${seed}`)
      const random = randomOf(seed)
      const work = await beginWork(place, trial.args)
      await Promise.race([work.ended, sleep(share(random) * trial.ms * 0.8)])
      const storm = setInterval(() => work.child.kill('SIGINT'), 1 + random.below(20))
      const ran = await work.ended
      clearInterval(storm)
      expect([0, 130]).toContain(shellCode(ran))
      expect(ran.stderr).not.toContain('LPA-INTERNAL')
      await expectRecovery(trial, place)
      removePlace(place)
    })
  })
})

/** Work that does not stop in time dies of the signal itself, which a shell tells as the same code. */
function shellCode({ code, signal }: Ran): number | null {
  return { SIGINT: 130, SIGTERM: 143 }[signal as string] ?? code
}

/** Resolves when work begins, which -v tells: before that, lpa is Node that starts, and dies of a signal like any program. */
async function beginWork(place: Place, args: readonly string[]) {
  const { child, ended } = startLpa(place, [...args.filter((word) => word !== '--quiet'), '-v'])
  const told = new Map<string, number>()
  let text = ''
  await new Promise<void>((resolve) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      if (text.includes('started')) resolve()
      const [, signal] = /stopping \((\w+)\)/.exec(text) ?? []
      if (signal && !told.has(signal)) told.set(signal, performance.now())
    })
  })
  return { child, ended, toldAt: (signal: string) => told.get(signal) }
}
