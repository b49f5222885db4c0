/** Starts lpa as its users do: a process of its own, in a folder of its own, that can be stopped at any moment. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const RUN = join(ROOT, 'bin', 'run.js')

/** A folder with lpa.toml, key and warehouse, and a temporary folder that nothing else writes to. */
export interface Place {
  readonly root: string
  readonly warehouse: string
  readonly tmp: string
}

export interface Ran {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ran>
}

export interface StartOptions {
  /** lpa's bin/run.js, where it is not this checkout's. */
  readonly program?: string
  readonly env?: Readonly<Record<string, string>>
  /** Words before `node`: a tracer. */
  readonly under?: readonly string[]
  /** Text for standard input; `held`: the caller writes to it and ends it. */
  readonly stdin?: string | { readonly held: true }
}

/** How many rounds of what takes long: a few in `npm test`, all in `npm run test:faults`, fewer with `--quick`. */
export const isFull = process.env.LPA_FAULTS === 'full'
/** Whether what `npm test` leaves out is run, all of it or some. */
export const isFaultRun = isFull || process.env.LPA_FAULTS === 'quick'
export function rounds(few: number, all: number, quick = few): number {
  if (isFull) return all
  return isFaultRun ? quick : few
}

/** Why no system call can be traced here, or nothing when it can. */
export function noStrace(): string | undefined {
  const { error, status, stderr } = spawnSync('strace', ['-f', '-e', 'trace=none', 'true'], {
    encoding: 'utf8',
  })
  if (error) return 'there is no strace: apt-get install strace'
  return status === 0 ? undefined : `strace cannot trace here: ${stderr.trim()}`
}

/** Folders of this test file; `removePlaces` takes them away. */
const made: string[] = []

export function newPlace(name: string): Place {
  const root = mkdtempSync(join(tmpdir(), `lpa-${name}-`))
  made.push(root)
  return placeAt(root)
}

function placeAt(root: string): Place {
  const place = { root, warehouse: join(root, 'warehouse'), tmp: join(root, 'os-tmp') }
  mkdirSync(place.tmp, { recursive: true })
  return place
}

/** The same place once more, elsewhere: warehouses can be moved. */
export function copyPlace(from: Place, name: string): Place {
  const place = newPlace(name)
  cpSync(from.root, place.root, { recursive: true, mode: 2 })
  return place
}

export function removePlace({ root }: Place): void {
  rmSync(root, { recursive: true, force: true })
}

/** Takes every place away; with LPA_FAULTS_KEEP they stay, to be looked at. */
export function removePlaces(): void {
  if (process.env.LPA_FAULTS_KEEP) return
  for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true })
}

/** Configuration, key and an empty warehouse. */
export async function initPlace(name: string, settings = ''): Promise<Place> {
  const place = newPlace(name)
  await lpaOk(place, ['init'])
  const toml = join(place.root, 'lpa.toml')
  if (settings !== '') writeFileSync(toml, `${readFileSync(toml, 'utf8')}\n${settings}\n`)
  await lpaOk(place, ['schema', 'apply', '--quiet'])
  return place
}

export function startLpa(place: Place, args: readonly string[], options: StartOptions = {}): Running {
  const started = performance.now()
  const [program = '', ...words] = [
    ...(options.under ?? []),
    process.execPath,
    options.program ?? RUN,
    ...args,
  ]
  const child = spawn(program, words, {
    cwd: place.root,
    env: environment(place, options.env),
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  if (typeof options.stdin === 'string') child.stdin?.end(options.stdin)
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk))
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) =>
      resolve({
        ...{ code, signal },
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
        ms: performance.now() - started,
      }),
    )
  })
  return { child, ended }
}

export function lpa(place: Place, args: readonly string[], options?: StartOptions): Promise<Ran> {
  return startLpa(place, args, options).ended
}

/** Runs lpa and throws what it said when it did not end with 0. */
export async function lpaOk(place: Place, args: readonly string[], options?: StartOptions): Promise<Ran> {
  const ran = await lpa(place, args, options)
  if (ran.code !== 0) {
    throw new Error(`lpa ${args.join(' ')} ended with ${ran.code ?? ran.signal}:\n${ran.stderr}${ran.stdout}`)
  }
  return ran
}

/** Of this environment only what finds Node and DuckDB's extension files. */
function environment(place: Place, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: place.root,
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    TMPDIR: place.tmp,
    ...more,
  }
}
