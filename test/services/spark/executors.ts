/** The executors of a Spark whose workers are processes of their own: `local-cluster[…]`. */

import { readdirSync, readFileSync } from 'node:fs'

/** Java processes that a server on this machine has started. */
export function executorsOf(server: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === server && commandOf(pid).includes('CoarseGrainedExecutorBackend'))
}

function parentOf(pid: number): number | undefined {
  return Number(read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[1])
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`)
}

/** Of a process that has ended meanwhile, nothing. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
