/**
 * erase: people leave the warehouse, its past and its files, and do not come back with the next export. Their ids are known
 * in clear in memory only; everything else is done by pseudonyms, under the key and those that rotations kept.
 */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { text as readText } from 'node:stream/consumers'
import type { Config } from '../config.ts'
import { nearest } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'
import { ERASED, erasedHash, type PseudonymKey, pseudonym, readKey } from '../pseudonym.ts'
import type { Engine, ForgottenPast, PeopleRows, SearchedFiles } from '../types.ts'
import { BUILD_USES, type BuildProgress, type BuildSummary, buildWithin, hasBuilt } from './build.ts'
import { earlierKeys } from './erased.ts'
import { ledgerRows, writeLedger } from './ledger.ts'
import { idsOf, textOf } from './roster-column.ts'
import { withWarehouse } from './warehouse.ts'

export interface EraseRequest {
  /** `-`, a file with an id on each line, or `FILE:COLUMN` of a table. */
  readonly from: string
  readonly idSpaces: readonly string[]
  readonly apply: boolean
  readonly runId: string
}

export interface EraseProgress extends BuildProgress {
  onStep(what: string): void
}

export interface Erasure {
  readonly applied: boolean
  /** How many were named, and how many of these the warehouse has, or had before. */
  readonly ids: number
  readonly known: number
  readonly pseudonyms: number
  readonly rows: readonly PeopleRows[]
  /** Where tables are files, of the plan: what names them now. */
  readonly searched: SearchedFiles | undefined
  /** None where no row, and no file of an older state, named them. */
  readonly forgotten: ForgottenPast | undefined
  /** Rows that still name them after it: none. */
  readonly left: readonly PeopleRows[]
  /** What was built anew of the rest, if anything was built. */
  readonly built: BuildSummary | undefined
  /** Where the engine keeps a past of its own: how long it can still be read, and restored. */
  readonly past: { readonly timeTravelUntil: string; readonly failSafeUntil: string } | undefined
}

/**
 * Tells what names them, or takes it away and proves it. Killed at any step, the same again ends in the same state.
 * @throws UserError usage for ids or id spaces, noInput (66), locked (75)
 */
export async function erase(
  config: Config,
  request: EraseRequest,
  signal: AbortSignal,
  progress: EraseProgress,
): Promise<Erasure> {
  const ids = await readIds(request.from)
  const { keyFile } = config.privacy
  const key = readKey(keyFile)
  const keys = [key, ...earlierKeys(keyFile, key)]
  return withWarehouse(config, request.apply ? 'write' : 'read', signal, async (engine) => {
    // Who is masked would find nobody, and take that for the proof.
    if (engine.can.roles === true) await (await import('./grant-snowflake.ts')).batchUnderPolicy(engine)
    const spaces = await idSpacesOf(engine, config, request.idSpaces)
    const byId = ids.map((id) => pseudonymsOf(id, keys, spaces))
    const people = await withRoster(engine, byId.flat())
    const named = new Set(await namedIn(engine, people))
    const about = {
      ...{ applied: request.apply, ids: ids.length, pseudonyms: people.length },
      known: byId.filter((own) => own.some((pseudonym) => named.has(pseudonym))).length,
    }
    if (request.apply) return { ...about, ...(await eraseAll(config, engine, people, request, progress)) }
    progress.onStep('Looking for them')
    return {
      ...about,
      rows: await engine.countPeople(people),
      searched: await engine.searchFiles?.(people),
      ...{ forgotten: undefined, left: [], built: undefined, past: await pastOf(engine) },
    }
  })
}

async function eraseAll(
  config: Config,
  engine: Engine,
  people: readonly string[],
  { runId }: EraseRequest,
  progress: EraseProgress,
): Promise<Pick<Erasure, 'rows' | 'searched' | 'forgotten' | 'left' | 'built' | 'past'>> {
  progress.onStep('Erasing')
  const { rows, built } = await engine.transaction(
    async () => {
      await remember(engine, people)
      const rows = await engine.erasePeople(people)
      if (rows.length === 0) return { rows, built: undefined }
      await writeLedger(engine, 'recount-staged')
      const request = { select: [], full: true, runId }
      const built = (await hasBuilt(engine))
        ? await buildWithin(config, engine, request, progress)
        : undefined
      return { rows, built }
    },
    { uses: BUILD_USES },
  )
  if (rows.length === 0) {
    progress.onStep('Looking for them in older states')
    const searched = await engine.searchFiles?.(people)
    if (searched?.found.length === 0)
      return { rows, built, forgotten: undefined, searched, left: [], past: undefined }
  }
  progress.onStep('Taking older states away')
  const forgotten = await engine.forgetPast?.()
  progress.onStep('Looking for what is left')
  const searched = await engine.searchFiles?.(people)
  const left = await engine.countPeople(people)
  return { rows, built, forgotten, searched, left, past: await pastOf(engine) }
}

/** Anew each time: a newer state tells that what comes after it was not finished. */
async function remember(engine: Engine, people: readonly string[]): Promise<void> {
  const hashes = people.map(erasedHash)
  const now = new Date().toISOString()
  await writeLedger(engine, 'forget-erased', { hashes: hashes.join(',') })
  for (const hash of hashes) await writeLedger(engine, 'add-erased', { hash, now })
}

/** Each once; blanks at the ends are no part of an id. */
async function readIds(from: string): Promise<string[]> {
  const [, file, column] = /^(.+):([^:]+)$/.exec(from) ?? []
  const isTable = from !== '-' && !existsSync(from) && file !== undefined && column !== undefined
  const values = isTable
    ? idsOf(file, column)
    : (from === '-' ? await readText(process.stdin) : textOf(from)).split(/\r?\n/)
  const ids = [...new Set(values.map((value) => value.trim()).filter(Boolean))]
  if (ids.length > 0) return ids
  throw new UserError('LPA-ERASE-NOBODY', 'It names nobody.', {
    exit: 'data',
    where: from === '-' ? 'standard input' : from,
    next: 'One id a line, or a column of a table: --from FILE:COLUMN',
  })
}

const FAIL_SAFE_DAYS = 7

async function pastOf(engine: Engine): Promise<Erasure['past']> {
  const days = await engine.daysOfPast?.()
  if (days === undefined) return undefined
  const dayIn = (count: number) => new Date(Date.now() + count * 86_400_000).toISOString().slice(0, 10)
  return { timeTravelUntil: dayIn(days), failSafeUntil: dayIn(days + FAIL_SAFE_DAYS) }
}

/** An address is an id of its own class, and by its SHA-1 one of xAPI. */
function pseudonymsOf(id: string, keys: readonly PseudonymKey[], spaces: readonly string[]): string[] {
  const isAddress = id.includes('@')
  const sha1 = createHash('sha1')
    .update(`mailto:${id.replace(/^mailto:/i, '')}`)
    .digest('hex')
  return keys.flatMap((key) => [
    ...spaces.flatMap((space) =>
      [id, ...(isAddress ? [sha1] : [])].flatMap((value) => pseudonym(key, 'learner', space, value) ?? []),
    ),
    ...(isAddress ? [pseudonym(key, 'email', '', id) ?? []].flat() : []),
  ])
}

/**
 * Learner 42 of one source is not learner 42 of another: whose ids these are has to be known. Accounts of xAPI have the address
 * of their home page for it.
 */
async function idSpacesOf(
  engine: Engine,
  config: Config,
  given: readonly string[],
): Promise<readonly string[]> {
  const loaded = (await ledgerRows(engine, 'load-sources')).map(([source]) => String(source))
  const spaceOf = (source: string) => config.sources[source]?.idSpace ?? source
  const known = [...new Set([...Object.keys(config.sources), ...loaded].map(spaceOf))].sort()
  if (given.length === 0 && known.length === 1) return known
  // Before the first load, who is told to be erased is remembered all the same.
  const unknown = given.find((space) => known.length > 0 && !known.includes(space) && !space.includes(':'))
  if (given.length > 0 && unknown === undefined) return given
  const what =
    unknown === undefined ? 'It is not said whose ids these are.' : `No source has the id space ${unknown}.`
  throw new UserError('LPA-ERASE-SPACE', what, {
    exit: 'usage',
    next:
      unknown === undefined
        ? [
            `Say it: --id-space NAME${known.length > 0 ? `, of ${known.join(', ')}` : ', as the source is called that will be loaded'}`,
          ]
        : nearest(unknown, known),
  })
}

/** Whom a roster names by both: an address leads to its learners, and a learner to an address that is nobody else's. */
async function withRoster(engine: Engine, people: readonly string[]): Promise<string[]> {
  const found = new Set(people)
  const byAddress = await rosterRows(engine, people)
  for (const { learner, address } of byAddress) if (address && found.has(address)) found.add(learner)
  const addresses = byAddress.flatMap(({ address }) => address ?? [])
  const holders = Map.groupBy(await rosterRows(engine, addresses), ({ address }) => address)
  for (const [address, rows] of holders)
    if (address && rows.every(({ learner }) => found.has(learner))) found.add(address)
  found.delete(ERASED)
  return [...found].sort()
}

async function rosterRows(engine: Engine, people: readonly string[]) {
  if (people.length === 0) return []
  const rows = await ledgerRows(engine, 'roster-people', { people: people.join(',') })
  return rows.map(([learner, address]) => ({
    learner: String(learner),
    address: address === null ? undefined : String(address),
  }))
}

async function namedIn(engine: Engine, people: readonly string[]): Promise<string[]> {
  const known = await ledgerRows(engine, 'known-people', { people: people.join(',') })
  const remembered = new Set((await ledgerRows(engine, 'erased-hashes')).map(([hash]) => String(hash)))
  return [
    ...known.map(([pseudonym]) => String(pseudonym)),
    ...people.filter((pseudonym) => remembered.has(erasedHash(pseudonym))),
  ]
}

/** Whether nothing names them any more, as far as can be seen here. */
export function isProven({ applied, searched, left }: Erasure): boolean {
  return !applied || (left.length === 0 && (searched?.found.length ?? 0) === 0)
}

/** Of those who were to be erased there was nothing, in no older state either. */
function isNowhere({ applied, searched, forgotten }: Erasure): boolean {
  return applied && searched !== undefined && forgotten === undefined
}

/** For people: rows by table, then what was done about the past and what was searched. */
export function erasureText(erasure: Erasure): string {
  const { applied, ids, known, rows, searched, forgotten, left, past, pseudonyms } = erasure
  const width = Math.max(0, ...rows.map(({ table }) => table.length))
  const told = rows.map(({ table, removed, blanked }) => {
    const parts = [
      ...(removed > 0 ? [`${said(removed)} ${applied ? 'removed' : 'to be removed'}`] : []),
      ...(blanked > 0
        ? [`${said(blanked)} of others, in which they are ${applied ? 'not named any more' : 'named'}`]
        : []),
    ]
    return `  ${table.padEnd(width)}  ${parts.join(', ')}`
  })
  const lines = [rows.length > 0 ? 'Rows' : 'No row names them.', ...told]
  if (known < ids) {
    lines.push(
      ...['', `Not known: ${said(ids - known)} of ${counted(ids, 'id')}`],
      '  An id is written as its export has it, and is looked for in the id spaces that were named.',
      '  Of an account of xAPI that is the address of its home page: --id-space https://lms.example.edu',
    )
  }
  if (forgotten) {
    const { filesRewritten, filesDeleted, snapshotsExpired } = forgotten
    lines.push(
      ...['', 'Proof'],
      `  ${counted(filesRewritten, 'file')} rewritten, ${said(filesDeleted)} deleted, ${counted(snapshotsExpired, 'snapshot')} expired, the catalog written anew`,
    )
  }
  if (searched) {
    const { files, bytes, found } = searched
    const looked = `${counted(files, 'file')} (${said(bytes)} bytes) searched for ${counted(pseudonyms, 'pseudonym')}`
    lines.push(
      ...(forgotten ? [] : ['', 'Files']),
      `  ${looked}: ${found.length === 0 ? '0 found' : `found in ${said(found.length)}`}`,
      ...found.slice(0, MOST_FILES).map((path) => `    ${path}`),
      ...(found.length > MOST_FILES ? [`    and ${found.length - MOST_FILES} more`] : []),
    )
  }
  if (isNowhere(erasure)) {
    lines.push(
      '  No file was rewritten and no older state taken away. They are remembered: no later load brings them in.',
    )
  }
  for (const { table, removed, blanked } of left)
    lines.push(`  still there: ${said(removed + blanked)} rows of ${table}`)
  if (past) {
    lines.push(
      ...['', 'Past'],
      `  ${applied ? 'Older states can be read until' : 'After it, older states can be read until'} ${past.timeTravelUntil} (Time Travel), and Snowflake can restore them until ${past.failSafeUntil} (Fail-safe).`,
    )
  }
  return lines.join('\n')
}

const MOST_FILES = 10

/** `2 of 3 ids known, 41 rows removed, 0 traces found`. */
export function erasureSummary(erasure: Erasure): string {
  const { applied, ids, known, rows, searched, left } = erasure
  const removed = rows.reduce((sum, row) => sum + row.removed, 0)
  const whom = `${said(known)} of ${counted(ids, 'id')} known`
  if (!applied) return `${whom}, ${counted(removed, 'row')} to be removed; nothing was changed`
  if (isNowhere(erasure))
    return `${whom}, and no file names one; nothing was changed, but they are remembered`
  const traces = left.length + (searched?.found.length ?? 0)
  return `${whom}, ${counted(removed, 'row')} removed, ${counted(traces, 'trace')} found`
}

function said(count: number): string {
  return count.toLocaleString('en')
}

function counted(count: number, what: string): string {
  return `${said(count)} ${what}${count === 1 ? '' : 's'}`
}
