/** What a command costs, with all processes that it starts. */

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export interface Measured {
  readonly wallSeconds: number
  readonly cpuSeconds: number
  /** The most that its processes held resident at one time; of systems without /proc not a number. */
  readonly peakMegabytes: number
}

export interface Ran extends Measured {
  readonly stdout: string
}

const SAMPLE_MS = 20

/** bash's `time` counts the children of children, as Node's own resourceUsage() does not. */
const TIMED = `TIMEFORMAT='%U %S'; { time "$@" 2>"$MEASURED/stderr"; } 2>"$MEASURED/times"`

/** @throws Error when it does not end with 0 */
export async function measured(
  command: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Readonly<Record<string, string>> },
): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'lpa-measured-'))
  try {
    const started = performance.now()
    const child = spawn('bash', ['-c', TIMED, 'bench', ...command], {
      cwd,
      env: { ...process.env, ...env, MEASURED: folder },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const memory = new Memory(child.pid as number)
    const sampling = setInterval(() => memory.sample(), SAMPLE_MS)
    const ended = new Promise<number | null>((resolve, reject) => {
      child.on('error', reject).on('close', resolve)
    })
    const [stdout, status] = await Promise.all([text(child.stdout), ended])
    const wallSeconds = (performance.now() - started) / 1000
    clearInterval(sampling)
    if (status !== 0)
      throw new Error(`${command.join(' ')}: exit ${status}\n${readFileSync(join(folder, 'stderr'), 'utf8')}`)
    const [user = 0, system = 0] = readFileSync(join(folder, 'times'), 'utf8').trim().split(' ').map(Number)
    return { wallSeconds, cpuSeconds: user + system, peakMegabytes: memory.peakMegabytes, stdout }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Of what was measured one after the other. */
export function together(parts: readonly Measured[]): Measured {
  const sum = (key: 'wallSeconds' | 'cpuSeconds') => parts.reduce((total, part) => total + part[key], 0)
  return {
    wallSeconds: sum('wallSeconds'),
    cpuSeconds: sum('cpuSeconds'),
    peakMegabytes: Math.max(...parts.map((part) => part.peakMegabytes)),
  }
}

/** Of a process's descendants, itself left out. */
class Memory {
  readonly #root: number
  #peakKilobytes = Number.NaN

  constructor(root: number) {
    this.#root = root
  }

  get peakMegabytes(): number {
    return Math.round(this.#peakKilobytes / 1024)
  }

  sample(): void {
    let now = 0
    for (const pid of descendants(this.#root)) {
      const [resident = 0, highest = 0] = residentKilobytes(pid)
      now += resident
      // Between two samples a process may have held more than at either.
      this.#peakKilobytes = Math.max(this.#peakKilobytes || 0, highest)
    }
    if (now > 0) this.#peakKilobytes = Math.max(this.#peakKilobytes || 0, now)
  }
}

function descendants(pid: number): number[] {
  return children(pid).flatMap((child) => [child, ...descendants(child)])
}

function children(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    // It has ended.
    return []
  }
}

function residentKilobytes(pid: number): number[] {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return ['VmRSS', 'VmHWM'].map((name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0))
  } catch {
    return []
  }
}
