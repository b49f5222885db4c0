/** Ids of people as a file of the user's has them: read into memory, and kept nowhere. */

import { readFileSync } from 'node:fs'
import { nearest } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'
import { csvHead } from '../sources/csv-head.ts'

/** @throws UserError noInput (66), usage for a column that is not there */
export function idsOf(file: string, column: string): string[] {
  const text = textOf(file)
  const [names = [], ...rows] = csvHead(text, delimiterOf(text), Number.POSITIVE_INFINITY)
  const place = names.indexOf(column)
  if (place < 0) {
    throw new UserError('LPA-REVEAL-COLUMN', `${file} has no column ${column}.`, {
      exit: 'usage',
      next: nearest(column, names, 'It has'),
    })
  }
  return rows.flatMap((row) => row[place] ?? [])
}

/** The one that makes most of the header. */
function delimiterOf(text: string): string {
  const fields = (delimiter: string) => csvHead(text, delimiter, 1)[0]?.length ?? 0
  const [most = ','] = [',', ';', '\t'].toSorted((a, b) => fields(b) - fields(a))
  return most
}

/** @throws UserError noInput (66) */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (cause) {
    throw new UserError('LPA-INPUT-MISSING', `${file} cannot be read.`, { exit: 'noInput', cause })
  }
}
