/**
 * Who pseudonyms are, for who has to act on a learner: a roster's own ids are hashed as the front end hashes them, and those
 * that an answer names are shown beside it. In memory only: there is no table from pseudonyms to people.
 */

import type { Config } from '../config.ts'
import { nearest } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'
import { piecesOf } from '../output/cells.ts'
import { readCells } from '../policy/small-cells.ts'
import { type PseudonymKey, pseudonym, readKey } from '../pseudonym.ts'
import type { Column, Result, ResultStream, Row } from '../types.ts'
import { earlierKeys } from './erased.ts'
import type { Question } from './report.ts'
import { idsOf } from './roster-column.ts'

export interface Roster {
  /** What its ids are called in an answer: as in the roster, but not as the pseudonyms are. */
  readonly column: string
  readonly idOf: ReadonlyMap<string, string>
  /** For the record of the run. */
  readonly summary: string
  /** Rows of the answer so far. */
  readonly met: { rows: number; named: number }
}

/** What is asked for with `--reveal` and `--id-space`. */
export interface RevealRequest {
  /** `roster.csv:student_no` */
  readonly from: string
  readonly idSpace: string | undefined
  readonly format: string
}

/** The column of reports that holds pseudonyms of learners. */
const PSEUDONYM = 'learner_id'

/** @throws UserError usage for another question than a report of single learners, for a file to write, column or id space */
export function readRoster(
  config: Config,
  { report }: Question,
  { from, idSpace, format }: RevealRequest,
): Roster {
  if (readCells(report?.header.cells) !== 'learners') {
    throw new UserError('LPA-REVEAL-REPORT', 'Only reports of single learners can say who they are.', {
      exit: 'usage',
      next: 'These are at-risk and reconciliation-differences.',
    })
  }
  if (format === 'parquet') {
    throw new UserError('LPA-REVEAL-FILE', 'Who learners are is not written to a file.', { exit: 'usage' })
  }
  const [, file, column] = /^(.+):([^:]+)$/.exec(from) ?? []
  if (file === undefined || column === undefined) {
    throw new UserError('LPA-REVEAL-WHAT', `--reveal ${from} names no column.`, {
      exit: 'usage',
      next: 'Write the file and its column of ids: --reveal roster.csv:student_no',
    })
  }
  const space = idSpaceOf(config, idSpace)
  const { keyFile } = config.privacy
  const key = readKey(keyFile)
  // Until all is loaded again after a rotation, some are under an earlier one.
  const keys = [key, ...earlierKeys(keyFile, key)]
  const summary = `reveals learners of ${report?.name}`
  return {
    column: column === PSEUDONYM ? `roster_${column}` : column,
    idOf: pseudonymsOf(idsOf(file, column), keys, space),
    summary,
    met: { rows: 0, named: 0 },
  }
}

function pseudonymsOf(
  ids: readonly string[],
  keys: readonly PseudonymKey[],
  space: string,
): Map<string, string> {
  return new Map(
    keys.flatMap((key) =>
      ids.flatMap((id) => {
        const hashed = pseudonym(key, 'learner', space, id)
        return hashed === undefined ? [] : [[hashed, id.trim()] as const]
      }),
    ),
  )
}

/** Learner 42 of one source is not learner 42 of another: whose ids these are has to be known. */
function idSpaceOf({ sources }: Config, given: string | undefined): string {
  const spaces = [...new Set(Object.values(sources).map(({ idSpace }) => idSpace))].sort()
  const [only] = spaces
  if (given === undefined && only !== undefined && spaces.length === 1) return only
  if (given !== undefined && (spaces.length === 0 || spaces.includes(given))) return given
  const what =
    given === undefined ? 'It is not said whose ids the roster has.' : `No source has the id space ${given}.`
  const known = spaces.length === 0 ? ['Say it: --id-space NAME'] : nearest(given ?? '', spaces)
  throw new UserError('LPA-REVEAL-SPACE', what, {
    exit: 'usage',
    next: given === undefined && spaces.length > 0 ? ['Say it: --id-space NAME', ...known] : known,
  })
}

/** The answer with the roster's ids in front of the pseudonyms; learners that the roster does not have stay unnamed. */
export function revealed(
  answer: Result | ResultStream,
  { column, idOf, met }: Roster,
): Result | ResultStream {
  const place = answer.columns.findIndex(({ name }) => name === PSEUDONYM)
  const add = <T>(cells: readonly T[], cell: T) => cells.toSpliced(place, 0, cell)
  const columns = add<Column>(answer.columns, { name: column, type: 'text' })
  const named = (row: Row) => {
    const id = idOf.get(String(row[place]))
    met.rows++
    if (id !== undefined) met.named++
    return add(row, id ?? null)
  }
  async function* chunks() {
    for await (const piece of piecesOf(answer)) yield piece.map(named)
  }
  return 'rows' in answer ? { columns, rows: answer.rows.map(named) } : { columns, chunks: chunks() }
}

/** What to say of an answer in which the roster named nobody. */
export function noneNamed({ met }: Roster): string[] {
  if (met.rows === 0 || met.named > 0) return []
  return [
    'The roster has none of these learners. Its column may hold other ids than the platform has, or --id-space is another.',
  ]
}
