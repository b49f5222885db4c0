/** Files that appear in a directory, each loaded once (docs/decisions/0016-directories.md). */

import { existsSync, realpathSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { asUserError } from '../failure.ts'
import { maskEmails } from '../secrets.ts'
import { Directory, type Look, markOf } from '../sources/directory.ts'
import { DirectoryWatch } from '../sources/directory-watch.ts'
import { recogniseFile } from '../sources/files.ts'
import { type Mapping, readMapping } from '../sources/mapping.ts'
import { loadFile, loadNotes } from './load.ts'
import { filePlanner, type InputRequest, type PlannedInput } from './load-inputs.ts'
import { partsNotes, snapshotsOf } from './snapshots.ts'
import type { DirectoryTarget } from './stream-target.ts'
import type { StreamWork } from './stream-work.ts'

export interface DirectoryRequest extends Omit<InputRequest, 'inputs'> {
  readonly config: Config
  readonly target: DirectoryTarget
}

/** What became of a file as it was then. */
interface Tried {
  readonly mark: string
  /** The snapshots that it is a part of: source and entity. */
  readonly snapshots: readonly string[]
  /** Why it could not be loaded. */
  readonly failure?: UserError
}

/** A file that was recognised, and waits to be loaded with the others of its look. */
interface Waiting extends PlannedInput {
  readonly file: string
  readonly mark: string
  readonly source: string
  /** The mappings that read it. */
  readonly readBy: readonly Mapping[]
}

/** A run for cron waits so long for files that go on changing. */
const PATIENCE_MS = 30_000
/** Another look at a directory at least so much later: a file that is being written changes within that time. */
const LEAST_PAUSE_MS = 1000
/** Where nothing changes, looking takes no more than one part of so many of the time, */
const LOOK_SHARE = 50
/** and comes again after so long at most. */
const MOST_PAUSE_MS = 60_000
/** So often in a row another run may replace parts of a snapshot before this one gives up. */
const OVERTAKEN_AT_MOST = 5
/** Files that are named in a message. */
const NAMED_AT_MOST = 5

/**
 * Streams until `work.signal` is aborted, or until what is there and complete is loaded and built.
 * @throws UserError usage (2) for a directory that holds the warehouse or is in it, noInput (66) for none, data (65) at the end when
 *   files could not be loaded
 */
export async function streamDirectory(request: DirectoryRequest, work: StreamWork): Promise<void> {
  const { config, target } = request
  const [watched, warehouse] = [realPath(target.directory), realPath(config.warehouse.path)]
  if (isWithin(watched, warehouse) || isWithin(warehouse, watched)) {
    const which = isWithin(watched, warehouse)
      ? 'The warehouse lies in this directory.'
      : 'This directory is a part of the warehouse.'
    throw new UserError('LPA-STREAM-WAREHOUSE', which, {
      ...{ exit: 'usage', where: target.directory },
      next: 'It would read what it writes: name the folder in which the exports appear.',
    })
  }
  // A mapping that is wrong is so for every file.
  for (const name of target.mappings) readMapping(name)
  await new DirectoryStream(request, work).run()
}

/** Without links; of what is not there, as it is written. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(join(folder, sep))
}

class DirectoryStream {
  readonly #request: DirectoryRequest
  readonly #work: StreamWork
  readonly #directory: Directory
  readonly #tried = new Map<string, Tried>()
  /** Snapshots whose older loads stay until every file of the directory is read. */
  readonly #unended = new Set<string>()
  /** A file of this look could not be loaded, and was not as it had been looked at. */
  #hasSlipped = false
  #overtaken = 0
  #isAway = false
  #hasLooked = false

  constructor(request: DirectoryRequest, work: StreamWork) {
    this.#request = request
    this.#work = work
    this.#directory = new Directory(request.target.directory)
  }

  async run(): Promise<void> {
    const { signal, untilCaughtUp, commitEveryMs } = this.#work.options
    const pauseMs = Math.max(commitEveryMs, LEAST_PAUSE_MS)
    using watch = new DirectoryWatch()
    for (let waitedMs = 0; ; waitedMs += pauseMs) {
      signal.throwIfAborted()
      const started = performance.now()
      const look = await this.#look()
      const lookMs = performance.now() - started
      const isUnseen = look !== undefined && watch.follow(look.folders)
      if (look) {
        // While files come, facts follow each of them; what they left is done when none does.
        if (!(await this.#load(look))) await this.#work.rest()
        const isDone = look.changing.length === 0 && this.#fresh(look).length === 0
        if (untilCaughtUp && (isDone || waitedMs >= PATIENCE_MS)) {
          await this.#work.build()
          return this.#end(look)
        }
      }
      const isQuiet = look?.isSame && !isUnseen && this.#fresh(look).length === 0
      await watch.pause(pauseMs, isQuiet ? Math.min(LOOK_SHARE * lookMs, MOST_PAUSE_MS) : 0, signal)
    }
  }

  /** A directory that is away for a time, as network mounts are, comes back. */
  async #look(): Promise<Look | undefined> {
    try {
      const look = await this.#directory.look()
      this.#hasLooked = true
      this.#isAway = false
      const here = new Set([...look.ready.keys(), ...look.changing])
      for (const file of this.#tried.keys()) if (!here.has(file)) this.#tried.delete(file)
      return look
    } catch (error) {
      if (!this.#hasLooked || this.#work.options.untilCaughtUp) throw error
      if (!this.#isAway)
        this.#work.options.progress.onWarning(
          `${asUserError(error).message} Trying again until it can be read.`,
        )
      this.#isAway = true
      this.#work.options.status.lagging(undefined)
      return undefined
    }
  }

  /** Files that are complete, and not tried as they are. */
  #fresh({ ready }: Look): string[] {
    return [...ready].filter(([file, mark]) => this.#tried.get(file)?.mark !== mark).map(([file]) => file)
  }

  /** @returns whether there was anything to do */
  async #load(look: Look): Promise<boolean> {
    const fresh = this.#fresh(look)
    this.#tell(look, fresh.length)
    const isWhole = () => this.#isWhole(look)
    if (fresh.length === 0 && !(this.#unended.size > 0 && isWhole())) return false
    this.#hasSlipped = false
    for (const file of fresh) this.#tried.delete(file)
    const inputs = await this.#recognised(look, fresh)
    const snapshots = snapshotsOf(inputs.map(({ source, readBy }) => ({ source, mappings: readBy })))
    for (const note of partsNotes(snapshots)) this.#work.options.progress.onNote(note)
    for (const { source, entity } of snapshots) this.#unended.add(keyOf(source, entity))
    for (const [index, input] of inputs.entries()) {
      const left = inputs.length - index - 1
      await this.#loadOne(input, left > 0, (request) =>
        loadFile(
          this.#request.config,
          this.#work.options.engine,
          {
            ...{ input, index, snapshots, recognised: undefined },
            ...{ dryRun: false, isWhole: false, mayGrow: true, mayEnd: isWhole },
          },
          request,
        ),
      )
      this.#tell(look, left)
    }
    if (isWhole()) this.#unended.clear()
    return true
  }

  /**
   * Whether all that is in the directory could be read, but for what is known to be no part of a snapshot: else an
   * older state stays beside the newer one, since what is missing may be a part of it.
   */
  #isWhole({ changing }: Look): boolean {
    const isBad = [...this.#tried.values()].some(({ failure }) => failure)
    return (
      !isBad && !this.#hasSlipped && changing.every((file) => this.#tried.get(file)?.snapshots.length === 0)
    )
  }

  /** The files of one look that are loaded together: those that are fresh, and with a part of a snapshot its other parts. */
  async #recognised(look: Look, fresh: readonly string[]): Promise<Waiting[]> {
    const { mappings, entity, source, config, target } = this.#request
    const plan = filePlanner(config, { mappings, entity, source })
    const inputs: Waiting[] = []
    const recognise = async (file: string) => {
      this.#work.options.signal.throwIfAborted()
      const mark = look.ready.get(file) ?? ''
      const input = plan(file, target.named)
      await this.#trying(file, mark, input.path, async () => {
        const recognised = await recogniseFile(input.path, input)
        inputs.push({ ...input, file, mark, readBy: recognised.mappings })
      })
    }
    for (const file of fresh) await recognise(file)
    const touched = new Set([...this.#unended, ...inputs.flatMap(snapshotsIn)])
    for (const [file, { mark, snapshots }] of this.#tried) {
      const isPart = snapshots.some((snapshot) => touched.has(snapshot))
      if (isPart && look.ready.get(file) === mark && !fresh.includes(file)) await recognise(file)
    }
    return inputs.sort((a, b) => (a.file < b.file ? -1 : 1))
  }

  async #loadOne(
    input: Waiting,
    isBehind: boolean,
    load: (request: StreamWork['options']['fileRequest']) => ReturnType<typeof loadFile>,
  ): Promise<void> {
    const { fileRequest, status, progress } = this.#work.options
    const { file, mark, path, source, idSpace, mappings, entity } = input
    this.#work.assertKey()
    await this.#trying(file, mark, path, async () => {
      const loaded = await load({ ...fileRequest, source, idSpace, mappings, entity })
      this.#overtaken = 0
      this.#tried.set(file, { mark, snapshots: snapshotsIn(input) })
      if (['unchanged', 'skipped'].includes(loaded.outcome) && loaded.replaced.length === 0) return
      const counts = loaded.mappings.map((mapping) => mapping.counts)
      status.committed(counts)
      const records = counts.reduce((sum, { read }) => sum + read, 0)
      progress.onDone('committed', { records, milliseconds: loaded.milliseconds })
      for (const note of loadNotes(loaded)) progress.onNote(note)
      await this.#work.committed(() => isBehind)
    })
  }

  /** What is wrong with one file is told, and the others go on. */
  async #trying(file: string, mark: string, path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (this.#work.options.signal.aborted) throw error
      if (error instanceof UserError && error.code === 'LPA-LOAD-OVERTAKEN') return this.#beOvertaken(error)
      if (!isOfFile(error, path)) throw error
      // It was changed, renamed or taken away meanwhile: the next look finds what there is.
      if ((await markOf(file).catch(() => mark)) !== mark) {
        this.#hasSlipped = true
        return
      }
      const failure = asUserError(error)
      this.#tried.set(file, { mark, snapshots: [], failure })
      const { message, where = path, next } = failure
      const told = [`${maskEmails(where)}: ${maskEmails(message)}`, ...next] as const
      const { progress, untilCaughtUp } = this.#work.options
      const later = untilCaughtUp ? [] : ['It is tried again when it changes.']
      progress.onWarning(told[0], ...told.slice(1), ...later)
    }
  }

  /** Another run replaced a part of the snapshot: all of its files are looked at again. */
  #beOvertaken(error: UserError): void {
    this.#work.options.status.overtaken()
    this.#hasSlipped = true
    this.#overtaken += 1
    if (this.#overtaken > OVERTAKEN_AT_MOST) throw error
    for (const [file, { snapshots }] of this.#tried) if (snapshots.length > 0) this.#tried.delete(file)
  }

  #tell({ changing }: Look, fresh: number): void {
    const { status } = this.#work.options
    status.lagging([{ name: this.#directory.path, behind: fresh + changing.length }])
    status.bad([...this.#tried.values()].filter(({ failure }) => failure).length)
  }

  /** @throws UserError data (65) when files could not be loaded */
  #end({ changing }: Look): void {
    const names = (files: readonly string[]) =>
      files
        .slice(0, NAMED_AT_MOST)
        .map((file) => maskEmails(relative(process.cwd(), file)))
        .join(', ') + (files.length > NAMED_AT_MOST ? ', …' : '')
    const count = (files: number) => (files === 1 ? '1 file' : `${files} files`)
    if (changing.length > 0)
      this.#work.options.progress.onWarning(
        `${count(changing.length)} still being written and left for the next run: ${names(changing)}`,
      )
    const bad = [...this.#tried].flatMap(([file, { failure }]) => (failure ? [file] : []))
    if (bad.length === 0) return
    throw new UserError('LPA-STREAM-FILES', `${count(bad.length)} could not be loaded; all others are.`, {
      ...{ exit: 'data', where: names(bad) },
      // What is wrong with each was told when it was tried.
      next: 'Mend them, or take them out of the directory, and run this again.',
    })
  }
}

function keyOf(source: string, entity: string): string {
  return JSON.stringify([source, entity])
}

function snapshotsIn({ source, readBy }: Pick<Waiting, 'source' | 'readBy'>): string[] {
  return readBy.filter((mapping) => mapping.export === 'snapshot').map(({ entity }) => keyOf(source, entity))
}

/** Of what every file would meet: a missing virtual warehouse, tables of an older lpa. */
const OF_WAREHOUSE = /^LPA-(SNOWFLAKE|WAREHOUSE|SCHEMA|EXT)-/

/** Whether an error says something of this file, and nothing of the warehouse or the machine. */
function isOfFile(error: unknown, path: string): boolean {
  if (error instanceof UserError)
    return !OF_WAREHOUSE.test(error.code) && ['data', 'noInput', 'usage', 'config'].includes(error.exit)
  return (error as { path?: unknown }).path === path
}
