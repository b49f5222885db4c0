/** Python with what the Snowflake tests need, in an environment of its own: fetched once for this user, by pip from PyPI. */

import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder } from '../src/cache-folder.ts'

const REQUIREMENTS = fileURLToPath(new URL('../test/services/snowflake/requirements.txt', import.meta.url))
const PYTHONS = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11']
const LEAST_PYTHON = [3, 11] as const
const FETCH_LIMIT_MS = 600_000

/** The machine cannot run the emulator, and why: tests are skipped for this reason, they do not fail. */
export class NoSnowflake extends Error {}

interface Python {
  readonly command: string
  /** Such as `3.11`. */
  readonly version: string
}

/**
 * The Python that has fakesnow and sqlfluff, fetched when they are not in the cache (half a minute to some). Several
 * processes may call it at once.
 * @throws NoSnowflake without Python 3.11 or its venv, or when the packages cannot be fetched
 */
export async function snowflakePython(): Promise<string> {
  if (process.platform === 'win32')
    throw new NoSnowflake('the emulator for tests runs on Linux and macOS only')
  const python = findPython()
  const folder = environmentFolder(python.version)
  if (!existsSync(folder)) await fetchInto(folder, python)
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
  throw new NoSnowflake(`${what}, the emulator needs ${LEAST_PYTHON.join('.')}: apt-get install python3-venv`)
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
function environmentFolder(version: string): string {
  const hash = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex')
  return cacheFolder('snowflake', `python${version}-${hash.slice(0, 12)}`)
}

const pythonIn = (folder: string) => join(folder, 'bin', 'python')

/** The environment gets its place all at once; its Python is found from there too, only its scripts are not. */
async function fetchInto(folder: string, python: Python): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true })
  const temporary = mkdtempSync(join(dirname(folder), '.new-'))
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:']
  try {
    await run(python.command, ['-m', 'venv', temporary])
    await run(pythonIn(temporary), ['-m', 'pip', 'install', ...options, '-r', REQUIREMENTS])
    if (!existsSync(folder)) renameSync(temporary, folder)
  } catch (error) {
    // Another process was first.
    if (existsSync(folder)) return
    throw new NoSnowflake(`its emulator could not be fetched: ${reason(error)}`)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
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
