/** Python with packages from PyPI, in an environment of its own for each list of them: fetched once for this user, by pip. */

import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from '../src/cache-folder.ts'
import { fetchInto } from './fetched.ts'

const PYTHONS = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11']
const LEAST_PYTHON = [3, 11] as const
const FETCH_LIMIT_MS = 600_000

/** The machine has no such Python, and why: tests are skipped for this reason, they do not fail. */
export class NoPython extends Error {}

interface Python {
  readonly command: string
  /** Such as `3.11`. */
  readonly version: string
}

/**
 * The Python that has the packages of a requirements file, fetched when they are not in the cache's folder `name` (half a
 * minute to some). Several processes may call it at once.
 * @throws NoPython without Python 3.11 or its venv, or when the packages cannot be fetched
 */
export async function pythonWith(requirements: string, name: string): Promise<string> {
  const python = findPython()
  const folder = environmentFolder(requirements, name, python.version)
  await fetchEnvironment(folder, python, requirements)
  return pythonIn(folder)
}

function findPython(): Python {
  let old: string | undefined
  for (const command of PYTHONS) {
    const version = versionOf(command)
    if (version !== undefined && isNewEnough(version)) return { command, version }
    old ??= version
  }
  const what = old === undefined ? 'there is no Python' : `Python ${old} is too old`
  throw new NoPython(`${what}, it takes ${LEAST_PYTHON.join('.')}: apt-get install python3-venv`)
}

function versionOf(command: string): string | undefined {
  const program = 'import sys; print("%d.%d" % sys.version_info[:2])'
  const { status, stdout } = spawnSync(command, ['-c', program], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > LEAST_PYTHON[0] || (major === LEAST_PYTHON[0] && minor >= LEAST_PYTHON[1])
}

/** Named for the requirements, so that changed ones are fetched again. */
function environmentFolder(requirements: string, name: string, version: string): string {
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex')
  return cacheFolder(name, `python${version}-${hash.slice(0, 12)}`)
}

const pythonIn = (folder: string) => join(folder, 'bin', 'python')

/** From its place Python is found too, only its scripts are not. */
async function fetchEnvironment(folder: string, python: Python, requirements: string): Promise<void> {
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:']
  try {
    await fetchInto(folder, async (temporary) => {
      await run(python.command, ['-m', 'venv', temporary])
      await run(pythonIn(temporary), ['-m', 'pip', 'install', ...options, '-r', requirements])
    })
  } catch (error) {
    throw new NoPython(`its packages could not be fetched: ${reason(error)}`)
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(command, args, { timeout: FETCH_LIMIT_MS })
}

/** Python's venv tells on standard output what is to be installed, pip on standard error what it did not find. */
function reason(error: unknown): string {
  const { killed, stdout, stderr, message } = error as ExecError
  if (killed) return `no answer in ${FETCH_LIMIT_MS / 1000} s`
  if (/ensurepip is not|No module named '?(venv|ensurepip)/.test(`${stdout}${stderr}`))
    return 'Python has no venv: apt-get install python3-venv'
  return /ERROR: +(\S.*)/.exec(stderr ?? '')?.[1] ?? message
}

interface ExecError extends Error {
  readonly killed?: boolean
  readonly stdout?: string
  readonly stderr?: string
}
