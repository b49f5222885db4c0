/**
 * DuckDB's two extension files: found, fetched once, and checked against pinned SHA-256 values,
 * so that the engine may skip DuckDB's own signature check (0.3 s of CPU at each opening).
 */

import type { ExecFileException } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { cacheFolder } from '../../cache-folder.ts'
import { UserError } from '../../errors.ts'
import { makeFolder } from '../../new-file.ts'

/** The DuckDB that the pinned files were built for; an extension fits one version only. */
const DUCKDB_VERSION = '1.5.5'

const NAMES = ['ducklake', 'sqlite_scanner'] as const
type Name = (typeof NAMES)[number]

interface Platform {
  /** DuckDB's own name for it, as in its extension folders. */
  readonly duckdb: string
  /** The tag of the wheels on PyPI. */
  readonly wheel: string
  readonly sha256: Readonly<Record<Name, string>>
}

/** By Node's `process.platform` and `process.arch`. */
const PLATFORMS: Readonly<Record<string, Platform>> = {
  'linux-x64': {
    duckdb: 'linux_amd64',
    wheel: 'manylinux2014_x86_64',
    sha256: {
      ducklake: 'e51bf9e8d933d0e83780ae096455501b542cf962569a2ce5613532d702c08302',
      sqlite_scanner: '693d2bf90779df23ca5ebe0688639b9adfc11c2d55ae3466b33e28be16afaa5e',
    },
  },
  'linux-arm64': {
    duckdb: 'linux_arm64',
    wheel: 'manylinux2014_aarch64',
    sha256: {
      ducklake: 'd0b57c8e261b89a1ae367c7224f0857cfde72ab6cf2609f188e0de9b897b1088',
      sqlite_scanner: '8d3dafb7dce28c7e74abac9f78a9063b8eda02c257e7aaa026e441bf277aece7',
    },
  },
  'darwin-x64': {
    duckdb: 'osx_amd64',
    wheel: 'macosx_11_0_x86_64',
    sha256: {
      ducklake: 'c7baf45b87f19cb3191c228b820857d573761d344c7855570dcc7eb3b8f1ff9e',
      sqlite_scanner: 'fb287ea61bff87ad91b700491d44d584fb6e0b5926a4bf186f9d052ff6e976f7',
    },
  },
  'darwin-arm64': {
    duckdb: 'osx_arm64',
    wheel: 'macosx_11_0_arm64',
    sha256: {
      ducklake: '1b72fc42164dbf21948e5a912cefc383b24071852f9e70209874ebd0a73b7caa',
      sqlite_scanner: 'a3548846bd643cb717265a0a11352af2e830a466ca068f4cae2552af658879f2',
    },
  },
  'win32-x64': {
    duckdb: 'windows_amd64',
    wheel: 'win_amd64',
    sha256: {
      ducklake: '4546a5c6d9bc52cc122bc76e521c996e1ac31e71a25e01c531db8d3bb65e2ef0',
      sqlite_scanner: '488c99012a2bd842dcc1d525441a7bd5c0427bb83236cbc01497615be167ac18',
    },
  },
}

export interface ExtensionFiles {
  readonly ducklake: string
  readonly sqliteScanner: string
  /** The files have the pinned SHA-256: the engine may open with `allow_unsigned_extensions`. */
  readonly verified: boolean
}

export interface ExtensionOptions {
  /** A folder of the user's own; `LPA_EXTENSIONS` when absent. Its files are left to DuckDB's signature check. */
  readonly folder?: string
}

/**
 * Paths of the extension files, from the user's folder, else the cache, else fetched into the cache by DuckDB's
 * own INSTALL or, where only PyPI can be reached, by pip. Several processes may call it at once. When the files
 * are there it costs a few stats: no hashing, no child process.
 * @throws UserError LPA-EXT-FOLDER, LPA-EXT-PLATFORM, LPA-EXT-CACHE, LPA-EXT-FETCH, LPA-EXT-CHANGED
 */
export async function ensureExtensions(options: ExtensionOptions = {}): Promise<ExtensionFiles> {
  const platform = currentPlatform()
  const named = options.folder ?? process.env.LPA_EXTENSIONS
  if (named) return fromFolder(resolve(named), platform)
  const folder = openCache(platform)
  const absent = NAMES.filter((name) => !existsSync(fileOf(folder, name)))
  if (absent.length > 0) await fetchInto(folder, platform, absent)
  await verify(folder, platform)
  return filesIn(folder, true)
}

function currentPlatform(): Platform {
  const name = `${process.platform}-${process.arch}`
  const platform = PLATFORMS[name]
  if (platform) return platform
  throw new UserError('LPA-EXT-PLATFORM', `lpa has no DuckLake extension for ${name}.`, {
    exit: 'unavailable',
    next: `It runs on ${Object.keys(PLATFORMS).join(', ')}.`,
  })
}

const fileOf = (folder: string, name: Name) => join(folder, `${name}.duckdb_extension`)

const filesIn = (folder: string, verified: boolean): ExtensionFiles => ({
  ducklake: fileOf(folder, 'ducklake'),
  sqliteScanner: fileOf(folder, 'sqlite_scanner'),
  verified,
})

/** Accepts the files themselves or the tree that DuckDB's INSTALL makes (`~/.duckdb/extensions`). */
function fromFolder(folder: string, platform: Platform): ExtensionFiles {
  for (const candidate of [folder, join(folder, `v${DUCKDB_VERSION}`, platform.duckdb)])
    if (NAMES.every((name) => existsSync(fileOf(candidate, name)))) return filesIn(candidate, false)
  throw new UserError('LPA-EXT-FOLDER', `The extensions folder ${folder} lacks an extension file.`, {
    exit: 'config',
    next: `Put ${NAMES.map((name) => `${name}.duckdb_extension`).join(' and ')} of DuckDB v${DUCKDB_VERSION} for ${platform.duckdb} there, or unset LPA_EXTENSIONS.`,
  })
}

/** The cache folder, made private; a folder that somebody else could write is refused. */
function openCache(platform: Platform): string {
  const folder = cacheFolder('extensions', `v${DUCKDB_VERSION}`, platform.duckdb)
  const next = 'Name another cache folder in XDG_CACHE_HOME, or a folder with the files in LPA_EXTENSIONS.'
  try {
    makeFolder(folder, 0o700)
  } catch (cause) {
    throw new UserError('LPA-EXT-CACHE', `The cache folder ${folder} cannot be made.`, {
      exit: 'cannotCreate',
      next,
      cause,
    })
  }
  const stat = statSync(folder)
  if (process.getuid && stat.uid !== process.getuid())
    throw new UserError('LPA-EXT-CACHE', `The cache folder ${folder} belongs to another user.`, {
      exit: 'notPermitted',
      next,
    })
  // Windows has no such mode bits. What was open to others is hashed again below.
  if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) {
    chmodSync(folder, 0o700)
    rmSync(stampOf(folder), { force: true })
  }
  return folder
}

// ---- checking -------------------------------------------------------------------------------------------------

const stampOf = (folder: string) => join(folder, 'verified.json')

/** Changes whenever a file is replaced or written to. */
function fingerprint(file: string, sha256: string): string {
  const { ino, size, mtimeNs } = statSync(file, { bigint: true })
  return `${sha256} ${ino} ${size} ${mtimeNs}`
}

/** Hashes what the stamp does not vouch for. */
async function verify(folder: string, platform: Platform): Promise<void> {
  const prints = () => NAMES.map((name) => fingerprint(fileOf(folder, name), platform.sha256[name]))
  const before = JSON.stringify(prints())
  if (readStamp(folder) === before) return
  for (const name of NAMES) {
    const file = fileOf(folder, name)
    const found = await sha256Of(file)
    if (found === platform.sha256[name]) continue
    throw new UserError(
      'LPA-EXT-CHANGED',
      `${file} is not the file that lpa was built with: it may be damaged or tampered with, and was not opened.`,
      {
        exit: 'notPermitted',
        next: [`SHA-256 found ${found}, wanted ${platform.sha256[name]}.`, 'Delete the file and run again.'],
      },
    )
  }
  // Replaced while it was hashed, by another process that installs: the next run hashes again.
  if (JSON.stringify(prints()) === before) writeStamp(folder, before)
}

function readStamp(folder: string): string | undefined {
  try {
    return readFileSync(stampOf(folder), 'utf8')
  } catch {
    return undefined
  }
}

function writeStamp(folder: string, text: string): void {
  const temporary = `${stampOf(folder)}.${process.pid}`
  try {
    writeFileSync(temporary, text, { mode: 0o600 })
    renameSync(temporary, stampOf(folder))
  } catch {
    // A read-only cache is as good, only slower: it is hashed each time.
  }
}

async function sha256Of(file: string): Promise<string> {
  const { createHash } = await import('node:crypto')
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

// ---- fetching -------------------------------------------------------------------------------------------------

/** A download for `names` into a temporary folder; gives the file of each name. */
type Fetch = (names: readonly Name[], folder: string, platform: Platform) => Promise<(name: Name) => string>

/** Tries one source after the other; a file moves into the cache whole and only when its SHA-256 is right. */
async function fetchInto(folder: string, platform: Platform, names: readonly Name[]): Promise<void> {
  const failures: string[] = []
  removeLeftovers(folder)
  for (const [source, fetch] of SOURCES) {
    const temporary = mkdtempSync(join(folder, NEW))
    try {
      const fileFor = await fetch(names, temporary, platform)
      for (const name of names) await moveIn(fileFor(name), fileOf(folder, name), platform.sha256[name])
      return
    } catch (error) {
      failures.push(`${source}: ${reason(error)}`)
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
  }
  throw new UserError(
    'LPA-EXT-FETCH',
    `The DuckDB extension files ${names.join(' and ')} could not be fetched.`,
    {
      exit: 'unavailable',
      next: [
        ...failures,
        `Without a network: put both files of DuckDB v${DUCKDB_VERSION} for ${platform.duckdb} into a folder and name it in LPA_EXTENSIONS.`,
      ],
    },
  )
}

const NEW = '.new-'
const HOUR_MS = 3_600_000

/** Temporary folders of fetches that were killed. */
function removeLeftovers(folder: string): void {
  for (const entry of readdirSync(folder)) {
    if (!entry.startsWith(NEW)) continue
    const path = join(folder, entry)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (age > HOUR_MS) rmSync(path, { recursive: true, force: true })
  }
}

async function moveIn(from: string, to: string, sha256: string): Promise<void> {
  const found = await sha256Of(from)
  if (found !== sha256) throw new Error(`the file has SHA-256 ${found}, not the pinned ${sha256}`)
  // Another process was first; Windows would refuse to replace a file in use.
  if (existsSync(to)) return
  chmodSync(from, 0o600)
  const descriptor = openSync(from, 'r+')
  fsyncSync(descriptor)
  closeSync(descriptor)
  renameSync(from, to)
}

/** The last line of what a child process said, else the error's own message. */
function reason(error: unknown): string {
  const { code, killed, path, stderr, message } = error as ExecFileException & { path?: string }
  if (killed) return 'no answer in time'
  if (code === 'ENOENT' && path !== undefined) return `${path} was not found`
  return (stderr || message).trim().split('\n').at(-1) ?? message
}

const INSTALL_LIMIT_MS = 30_000
const PIP_LIMIT_MS = 300_000

/** A module of its own text: INSTALL cannot be interrupted in process, a child can. */
const INSTALL_SCRIPT = `
const [node_api, folder, ...names] = process.argv.slice(1)
const { DuckDBInstance } = require(node_api)
DuckDBInstance.create(':memory:', { extension_directory: folder })
  .then(async (instance) => {
    const connection = await instance.connect()
    for (const name of names) await connection.run('INSTALL ' + name)
  })
  .catch((error) => {
    console.error(error.message.replace(/\\s+/g, ' '))
    process.exitCode = 1
  })
`

const installByDuckdb: Fetch = async (names, folder, platform) => {
  const { createRequire } = await import('node:module')
  const api = createRequire(import.meta.url).resolve('@duckdb/node-api')
  await run(process.execPath, ['-e', INSTALL_SCRIPT, api, folder, ...names], INSTALL_LIMIT_MS)
  return (name) => fileOf(join(folder, `v${DUCKDB_VERSION}`, platform.duckdb), name)
}

const downloadByPip: Fetch = async (names, folder, platform) => {
  const python = process.platform === 'win32' ? 'python' : 'python3'
  const wheels = names.map((name) => `duckdb-extension-${name.replace('_', '-')}==${DUCKDB_VERSION}`)
  const options = ['--no-deps', '--only-binary=:all:', '--platform', platform.wheel, '--dest', folder]
  await run(python, ['-m', 'pip', 'download', '--quiet', '--no-input', ...options, ...wheels], PIP_LIMIT_MS)
  for (const wheel of readdirSync(folder))
    await run(python, ['-m', 'zipfile', '-e', join(folder, wheel), folder], PIP_LIMIT_MS)
  return (name) => fileOf(join(folder, `duckdb_extension_${name}`, 'extensions', `v${DUCKDB_VERSION}`), name)
}

const SOURCES: readonly (readonly [string, Fetch])[] = [
  ['DuckDB INSTALL', installByDuckdb],
  ['pip download', downloadByPip],
]

async function run(command: string, args: readonly string[], limitMs: number): Promise<void> {
  const { execFile } = await import('node:child_process')
  const { promisify } = await import('node:util')
  await promisify(execFile)(command, args, { timeout: limitMs, killSignal: 'SIGKILL', windowsHide: true })
}
