/**
 * A synthetic campus of any size: its exports as files, the same bytes for the same arguments on every machine,
 * in time proportional to the events and in memory proportional to learners and enrollments only.
 */
import { readFileSync } from 'node:fs'
import { access, chmod, stat, unlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { openDuckDB } from '../../duckdb.ts'
import { UserError } from '../../errors.ts'
import { makeFolder } from '../../new-file.ts'
import { packageRoot } from '../../sql-files.ts'
import { categories, courseAt, instructors, type Window } from './catalog.ts'
import { csv, type EventFormat, ndjson, typed } from './event-format.ts'
import { eventColumns } from './event-row.ts'
import { type EventCounts, writeEvents } from './events.ts'
import { type Compression, ExportFile } from './export-file.ts'
import { OUTCOME, type Plan, planEnrollments } from './plan.ts'
import {
  completionHeader,
  completionRow,
  type Roster,
  type RosterCounts,
  writeCategories,
  writeCourses,
  writeEnrollments,
  writeInstructors,
  writeLearners,
} from './rosters.ts'
import { writeXapi, type XapiCounts } from './xapi.ts'
import { xapi as statements } from './xapi-format.ts'

/** `xapi`: NDJSON of statements. */
export type EventFileFormat = 'ndjson' | 'csv' | 'parquet' | 'xapi'

export interface CampusSize {
  /** People in the roster, at least 1. */
  readonly learners: number
  /** Different good events; doubles and bad rows come on top. */
  readonly events: number
  /** A whole number from 0; the same seed and size give the same files. */
  readonly seed: number
  /** learners / 100 unless said, at least 10. */
  readonly courses?: number
  /** 5 × learners unless said. */
  readonly enrollments?: number
  /** Of the event log; the rosters are CSV and JSON in any case. */
  readonly format?: EventFileFormat
  /** Bad rows for each good one, in events, enrollments and learners. 0.001 unless said. */
  readonly badRows?: number
  /** Of the event log. Compressed bytes may differ between versions of zlib and zstd, what is in them never. */
  readonly compress?: Compression
  /** Whole days that the campus runs, 14 to 20,000. 120 unless said. */
  readonly days?: number
  /** The last of these days, YYYY-MM-DD. 2026-06-30 unless said: fixed, not the clock. */
  readonly endsOn?: string
}

export interface CampusFile {
  readonly path: string
  readonly bytes: number
  /** Records, without a header, bad ones included. */
  readonly rows: number
  readonly bad: number
}

/** What every reader of the files must find: exact numbers. */
export interface CampusCounts {
  readonly learners: RosterCounts & { readonly distinct: number }
  readonly instructors: RosterCounts
  readonly categories: RosterCounts
  readonly courses: RosterCounts & { readonly distinct: number }
  readonly enrollments: RosterCounts & {
    /** Different learners, and different (learner, course) pairs. */
    readonly learners: number
    readonly pairs: number
    readonly withdrawn: number
    readonly again: number
  }
  readonly completions: RosterCounts & { readonly passed: number }
  readonly events: EventCounts
  readonly xapi: XapiCounts
}

export interface Campus {
  readonly files: readonly CampusFile[]
  readonly expected: CampusCounts
}

export interface CampusProgress {
  readonly file: string
  /** Events written so far. */
  readonly events: number
}

export interface CampusOptions {
  readonly onProgress?: (progress: CampusProgress) => void
  readonly signal?: AbortSignal
}

/**
 * Writes learners.csv, instructors.csv, categories.csv, courses.json, events.ndjson (or .csv, .parquet, .gz,
 * .zst), completions.csv, enrollments.csv and xapi-statements.ndjson.gz into `folder`, which it makes. Fails
 * before it writes when one is there; takes its unfinished files away when it fails or is stopped.
 */
export async function generateCampus(
  folder: string,
  size: CampusSize,
  { onProgress, signal }: CampusOptions = {},
): Promise<Campus> {
  const setting = complete(size)
  const { seed, window, badRows, format, compress } = setting
  const staff = instructors(seed, setting.courses)
  const courses = Array.from({ length: setting.courses }, (_, index) =>
    courseAt(seed, index, staff.length, window),
  )
  const plan = planEnrollments({ ...setting, courses })

  const eventsName = `events.${format === 'csv' ? 'csv' : 'ndjson'}${compress === undefined ? '' : `.${compress}`}`
  const parquetName = 'events.parquet'
  const names = [
    'learners.csv',
    'instructors.csv',
    'categories.csv',
    'courses.json',
    format === 'parquet' ? parquetName : eventsName,
    'completions.csv',
    'enrollments.csv',
    'xapi-statements.ndjson.gz',
  ]
  await makeRoom(folder, format === 'parquet' ? [...names, eventsName] : names)
  const open: ExportFile[] = []
  const files: CampusFile[] = []
  const begin = (name: string, compression?: Compression) => {
    const file = new ExportFile(join(folder, name), compression)
    open.push(file)
    return file
  }
  const end = async (file: ExportFile) => {
    files.push({ path: file.path, bytes: await file.close(), rows: file.rows, bad: file.bad })
  }
  let written = 0
  const onChunk = (file: string) => async () => {
    signal?.throwIfAborted()
    onProgress?.({ file, events: written })
  }
  const roster = (file: string): Roster => ({ plan, courses, window, seed, badRows, onChunk: onChunk(file) })
  try {
    const learnersFile = begin('learners.csv')
    const learners = await writeLearners(learnersFile, roster('learners.csv'))
    await end(learnersFile)
    const staffFile = begin('instructors.csv')
    const staffCounts = writeInstructors(staffFile, staff)
    await end(staffFile)
    const categoriesFile = begin('categories.csv')
    const categoryCounts = writeCategories(categoriesFile, categories())
    await end(categoriesFile)
    const coursesFile = begin('courses.json')
    const courseCounts = await writeCourses(coursesFile, roster('courses.json'), staff.length)
    await end(coursesFile)

    const eventsFile = begin(eventsName, compress)
    const completionsFile = begin('completions.csv')
    if (format === 'csv') eventsFile.write(`${eventColumns.join(',')}\n`)
    completionsFile.write(completionHeader)
    const events = await writeEvents(eventsFile, {
      plan,
      courses,
      window,
      seed,
      badRows,
      format: formats[format],
      onCompletion: (enrollment) => {
        completionsFile.write(completionRow(roster('completions.csv'), enrollment))
        completionsFile.rows++
      },
      onChunk: async (count) => {
        written = count
        if (completionsFile.full) await completionsFile.drain()
        await onChunk(eventsName)()
      },
    })
    if (format === 'parquet') {
      await end(eventsFile)
      files.push(await toParquet(files.pop() as CampusFile, join(folder, parquetName)))
    } else await end(eventsFile)
    await end(completionsFile)

    const enrollmentsFile = begin('enrollments.csv')
    const enrollments = await writeEnrollments(enrollmentsFile, roster('enrollments.csv'))
    await end(enrollmentsFile)
    const xapiFile = begin('xapi-statements.ndjson.gz', 'gz')
    const xapi = writeXapi(xapiFile, { learners: setting.learners, courses, window, seed, statements: 400 })
    await end(xapiFile)
    const expected: CampusCounts = {
      learners: { ...learners, distinct: setting.learners },
      instructors: staffCounts,
      categories: categoryCounts,
      courses: { ...courseCounts, distinct: courses.length },
      enrollments: { ...enrollments, ...countEnrollments(plan) },
      completions: countCompletions(plan),
      events,
      xapi,
    }
    return { files, expected }
  } catch (error) {
    await Promise.all(open.map((file) => file.discard()))
    throw writeError(error, folder)
  }
}

/** A campus in words: a line for each file, and one for all. */
export function campusSummary({ files }: Campus): { text: string; summary: string } {
  const number = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ',')
  const cells = files.map(({ path, rows, bad }) => [
    basename(path),
    number(rows),
    bad > 0 ? `${number(bad)} bad` : '',
  ])
  const width = (column: number) => Math.max(...cells.map((row) => (row[column] as string).length))
  const lines = cells.map(([name = '', rows = '', bad = '']) =>
    `${name.padEnd(width(0))}  ${rows.padStart(width(1))} records  ${bad}`.trimEnd(),
  )
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return {
    text: lines.join('\n'),
    summary: `${files.length} files, ${number(Math.ceil(bytes / 1_000_000))} MB`,
  }
}

const formats: Record<EventFileFormat, EventFormat> = { ndjson, csv, parquet: typed, xapi: statements }

function complete(size: CampusSize) {
  const { learners, events, seed } = size
  const days = size.days ?? 120
  const courses = size.courses ?? Math.max(10, Math.floor(learners / 100))
  const enrollments = size.enrollments ?? Math.min(5 * learners, Math.floor((learners * courses) / 2))
  const badRows = size.badRows ?? 0.001
  const format = size.format ?? 'ndjson'
  const endMs = Date.parse(`${size.endsOn ?? '2026-06-30'}T00:00:00Z`)
  const wrong = (what: string) => new UserError('LPA-SAMPLE-SIZE', what, { exit: 'usage' })
  for (const [name, value, least] of [
    ['learners', learners, 1],
    ['events', events, 0],
    ['seed', seed, 0],
    ['courses', courses, 1],
    ['enrollments', enrollments, 0],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least) {
      throw wrong(`${name} is ${value}. It must be a whole number from ${least} on.`)
    }
  }
  if (!(badRows >= 0 && badRows <= 0.5)) throw wrong('The share of bad rows goes from 0 to 0.5 (50%).')
  if (!Number.isSafeInteger(days) || days < 14 || days > 20_000) {
    throw wrong(`days is ${days}. It must be a whole number from 14 to 20000.`)
  }
  if (!Number.isFinite(endMs)) throw wrong(`the last day is "${size.endsOn}". It must be a date YYYY-MM-DD.`)
  if (format === 'parquet' && size.compress !== undefined) {
    throw new UserError('LPA-SAMPLE-COMPRESS', 'Parquet files are compressed inside.', {
      exit: 'usage',
      next: 'Leave out the compression, or choose ndjson or csv.',
    })
  }
  const window: Window = { startMs: endMs - (days - 1) * 86_400_000, days }
  return { learners, events, seed, courses, enrollments, badRows, format, compress: size.compress, window }
}

async function makeRoom(folder: string, names: readonly string[]): Promise<void> {
  try {
    makeFolder(folder)
  } catch (error) {
    throw writeError(error, folder)
  }
  for (const name of names) {
    const path = join(folder, name)
    const there = await access(path).then(
      () => true,
      () => false,
    )
    if (!there) continue
    throw new UserError(
      'LPA-SAMPLE-EXISTS',
      'There is such a file already, and a sample never overwrites one.',
      {
        exit: 'cannotCreate',
        where: path,
        next: 'Name an empty or new folder.',
      },
    )
  }
}

function writeError(error: unknown, folder: string): unknown {
  const code = (error as NodeJS.ErrnoException)?.code
  if (error instanceof UserError || code === undefined) return error
  const exits: Record<string, 'cannotCreate' | 'notPermitted'> = {
    ENOSPC: 'cannotCreate',
    EDQUOT: 'cannotCreate',
    EEXIST: 'cannotCreate',
    ENOTDIR: 'cannotCreate',
    EROFS: 'cannotCreate',
    EACCES: 'notPermitted',
    EPERM: 'notPermitted',
  }
  if (!/^E[A-Z]+$/.test(String(code))) return error
  return new UserError('LPA-SAMPLE-WRITE', `The sample cannot be written (${code}).`, {
    exit: exits[code] ?? 'io',
    where: folder,
    next: 'Check the folder’s permissions and the free space, or name another folder.',
    cause: error,
  })
}

/** Rewrites the NDJSON event log as Parquet, typed, and takes the NDJSON away. */
async function toParquet(lines: CampusFile, path: string): Promise<CampusFile> {
  const sql = readFileSync(join(packageRoot(), 'sql', 'sample', 'event-log-to-parquet.sql'), 'utf8')
  await using database = await openDuckDB({
    memoryLimit: '300MB',
    spillFolder: '',
    timezone: 'UTC',
    threads: 1,
  })
  try {
    await database.connection.run(sql, { lines: lines.path, target: path })
  } finally {
    await unlink(lines.path)
  }
  await chmod(path, 0o600)
  return { ...lines, path, bytes: (await stat(path)).size }
}

function countEnrollments(plan: Plan) {
  let learners = 0
  let again = 0
  let withdrawn = 0
  for (let index = 0; index < plan.count; index++) {
    if (plan.outcome[index] === OUTCOME.withdrawn) withdrawn++
    // A learner's enrollments are neighbours, and enrolling again follows the attempt that was left.
    const sameLearner = index > 0 && plan.learner[index] === plan.learner[index - 1]
    if (!sameLearner) learners++
    if (sameLearner && plan.course[index] === plan.course[index - 1]) again++
  }
  return { learners, pairs: plan.count - again, withdrawn, again }
}

function countCompletions(plan: Plan) {
  let good = 0
  let passed = 0
  for (const outcome of plan.outcome) {
    if (outcome >= OUTCOME.passed) good++
    if (outcome === OUTCOME.passed) passed++
  }
  return { rows: good, good, bad: {}, passed }
}
