/** Faults at the moment of a system call: strace ends the process there, or lets the call fail. */

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { copyPlace, lpa, lpaOk, type Place, type Ran, removePlace } from './lpa.ts'

/** So that the n-th call is much the same each time. With one thread for files, a pipe's two ends would wait for it. */
const FEW_THREADS = { UV_THREADPOOL_SIZE: '2', LPA_WAREHOUSE_THREADS: '1' }
const STRACE = ['strace', '-f', '--seccomp-bpf', '-qq']

export interface CallFault {
  readonly call: string
  /** The n-th of them, counted by thread. */
  readonly nth: number
  /** As strace's `inject` has it: `signal=SIGKILL`, `error=ENOSPC`. */
  readonly fault: string
  /** Whether all later ones fail too. */
  readonly isLasting?: boolean
}

/** Runs lpa with a fault at one of its system calls; without one where it makes fewer. */
export function lpaWithFault(place: Place, args: readonly string[], fault: CallFault): Promise<Ran> {
  const when = `${fault.nth}${fault.isLasting ? '+' : ''}`
  const inject = `inject=${fault.call}:${fault.fault}:when=${when}`
  return lpa(place, args, {
    env: FEW_THREADS,
    under: [...STRACE, '-o', '/dev/null', '-e', `trace=${fault.call}`, '-e', inject],
  })
}

/** How often the thread that makes most of them makes each system call: strace counts by thread. */
export async function countCalls(
  before: Place,
  args: readonly string[],
  calls: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const place = copyPlace(before, 'calls')
  const list = join(place.tmp, 'calls.txt')
  await lpaOk(place, args, {
    env: FEW_THREADS,
    under: [...STRACE, '-o', list, '-e', `trace=${calls.join(',')}`],
  })
  const lines = readFileSync(list, 'latin1').split('\n')
  rmSync(list)
  removePlace(place)
  return mostByThread(lines)
}

function mostByThread(lines: readonly string[]): Map<string, number> {
  const byThread = new Map<string, number>()
  const most = new Map<string, number>()
  for (const line of lines) {
    const [, thread, call] = /^(\d+)\s+(\w+)\(/.exec(line) ?? []
    if (!thread || !call) continue
    const count = (byThread.get(`${thread} ${call}`) ?? 0) + 1
    byThread.set(`${thread} ${call}`, count)
    most.set(call, Math.max(count, most.get(call) ?? 0))
  }
  return most
}
