/** init: what a folder needs before its first load. Nothing that is there is overwritten. */

import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { type Config, loadConfig } from '../config.ts'
import { UserError } from '../errors.ts'
import { makeFolder, withPath, writeNew } from '../new-file.ts'
import { createKey, readKey } from '../pseudonym.ts'
import { shellWord } from '../shell-word.ts'
import { packageRoot } from '../sql-files.ts'

export interface InitRequest {
  readonly cwd: string
  /** Where to begin; made when it is not there. */
  readonly folder: string
  /** Also puts the exports of a small campus into `exports/`. */
  readonly sample: boolean
}

export interface Initialised {
  readonly folder: string
  /** Paths below the folder, by what became of them. */
  readonly created: readonly string[]
  readonly kept: readonly string[]
  readonly keyId: string
  /** What to do next, one step a line; the last is a command. */
  readonly next: readonly string[]
}

/** @throws UserError LPA-KEY-OPEN or LPA-KEY-DAMAGED for a key that is there but cannot be used. */
export function init(request: InitRequest): Initialised {
  const folder = resolve(request.cwd, request.folder)
  const created: string[] = []
  const kept: string[] = []
  const tell = (path: string, isNew: boolean) => (isNew ? created : kept).push(relative(folder, path) || path)
  makeFolder(folder, 0o700)

  const configFile = join(folder, 'lpa.toml')
  const hasNewConfig = writeNew(configFile, configText(request.sample))
  tell(configFile, hasNewConfig)
  // Not the environment's settings: they belong to one run, not to the folder.
  const { privacy, warehouse, sources } = loadConfig({
    cwd: folder,
    env: {},
    flags: { config: configFile },
  })

  const isNewKey = createKeyOnce(privacy.keyFile)
  tell(privacy.keyFile, isNewKey)
  const gitignore = join(folder, '.gitignore')
  const secret = [keptKeysOf(privacy.keyFile), privacy.keyFile, warehouse.path]
  tell(gitignore, ignore(gitignore, secret))
  if (request.sample) {
    for (const path of copyCampus(join(folder, 'exports'))) tell(path.target, path.isNew)
  }

  const next: string[] = []
  if (isNewKey) {
    next.push('Back the key up: without it the same people get new pseudonyms.')
  }
  if (request.sample && !Object.hasOwn(sources, 'campus')) {
    next.push('Your lpa.toml was kept. Add to it: [sources.campus] with uri = "exports/*"')
  }
  const inside = relative(request.cwd, folder)
  const go = inside === '' ? '' : `cd ${shellWord(inside)} && `
  const hasSources = Object.keys(sources).length > 0
  // lpa up takes no mapping.
  next.push(hasSources ? `${go}lpa up` : `${go}lpa schema apply && lpa load FILES… && lpa batch`)
  return { folder, created, kept, keyId: readKey(privacy.keyFile).id, next }
}

function createKeyOnce(file: string): boolean {
  try {
    createKey(file)
    return true
  } catch (error) {
    if (isThere(error)) return false
    throw error
  }
}

function isThere(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EEXIST'
}

/** Before a key is kept beside its successor: git must not see it either. For folders that git knows. */
export function ignoreKept({ root, privacy }: Config): void {
  const gitignore = join(root, '.gitignore')
  if (existsSync(gitignore)) ignore(gitignore, [keptKeysOf(privacy.keyFile)])
}

/** As .gitignore writes them: `pseudonym.key.0123456789abcdef`, and what a rotation is about to make. */
function keptKeysOf(keyFile: string): string {
  return `${keyFile}.*`
}

/** Adds what is below the folder and not ignored yet; answers whether there was something to add. */
function ignore(file: string, paths: readonly string[]): boolean {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const lines = before.split(/\r?\n/)
  const below = paths.map((path) => relative(dirname(file), path)).filter((path) => !path.startsWith('..'))
  const missing = below.map((path) => `/${path}`).filter((path) => !lines.includes(path))
  if (missing.length === 0) return false
  const start = before === '' || before.endsWith('\n') ? '' : '\n'
  const text = `${start}# lpa: the pseudonym key must never be shared, the warehouse is made from the exports\n${missing.join('\n')}\n`
  try {
    appendFileSync(file, text, { mode: 0o600 })
  } catch (error) {
    throw withPath(error, file)
  }
  return true
}

function copyCampus(folder: string): { target: string; isNew: boolean }[] {
  const campus = join(packageRoot(), 'fixtures', 'campus')
  if (!existsSync(campus)) {
    throw new UserError('LPA-INIT-SAMPLE', 'This installation of lpa has no sample campus.', {
      exit: 'noInput',
      next: 'Make one: lpa sample exports --learners 200 --events 5000',
    })
  }
  makeFolder(folder, 0o700)
  return readdirSync(campus).map((name) => {
    const target = join(folder, name)
    // Not copied with the permissions of the installation.
    return { target, isNew: writeNew(target, readFileSync(join(campus, name))) }
  })
}

function configText(sample: boolean): string {
  const off = sample ? '' : '# '
  return `# lpa: what is configured here, and where each value came from, is told by: lpa doctor
# Environment variables (LPA_WAREHOUSE_PATH=…) and flags win over this file.

[warehouse]
# engine = "duckdb"
path = "warehouse"                # a folder of its own
timezone = "UTC"                  # days begin here, and times without a zone are of here; set it before the first load
# memory_limit = "600MB"
# time_travel = "30d"             # where a stream writes, and, once set, by lpa doctor --fix: so far back a state of each hour is kept for lpa query --at
# threads = 2
# group = "analysts"              # a Unix group whose members may read the warehouse: lpa query, lpa dash

[privacy]
key_file = "pseudonym.key"        # back it up, share it with nobody
# min_cell = 10                   # roles with a small-cell rule see no group of fewer learners

[security]
# folder = "security"             # who may see what, as YAML; without the folder the policy that lpa comes with
# user = "anna.berg"              # whose rows a role sees: lpa query --role; else who runs it

[load]
# max_rejects = "1%"              # more bad records, and nothing of the file is loaded
# lock_wait = "0s"                # how long to wait for another run that writes

[query]
# timeout = "10m"                 # a question that takes longer is stopped; "0s": no limit

[metrics]
# session_gap_minutes = 30        # a longer pause starts a new session; a change makes the next batch a full one
# at_risk_days = 7

[dash]
# theme = "ansi"                  # the terminal's own colours; or dark, light, high-contrast, mono
# refresh = "2s"                  # how often it looks for new data
# mouse = false                   # clicks and wheel; selecting text then needs Shift

# Exports to load: lpa load, or lpa load NAME.
${off}[sources.campus]
${off}uri = "exports/*"               # files, a glob, a folder
# id_space = "campus"             # whose learner and course ids these are; share a name to share people
# mapping = "mappings/campus.sql" # how to read them, when lpa does not know the format

# An HTTP API: lpa load lrs (README, "HTTP APIs").
# [sources.lrs]
# uri = "https://lrs.example.edu/xapi/statements?limit=500"
# pagination = "more"             # link, more, cursor, page or offset
# records = "$.statements"        # where the records are in an answer
# auth = "basic"                  # bearer, basic or oauth
# user = "lpa"
# secret_file = "lrs.secret"      # 0600; never the secret itself
# since = "since"                 # the parameter that asks for what is new
# since_path = "$.stored"

# Teaching terms, for reports by term.
# [terms.autumn-2026]
# from = "2026-09-01"
# to = "2026-12-18"
`
}
