/** What DuckDB says of an input it cannot read, in words that quote nothing of the input. */

import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { packageRoot } from '../sql-files.ts'
import { systemFailure } from '../system-failure.ts'
import { type Field, fieldLabel } from './fields.ts'
import { type Input, toUtf8 } from './input.ts'
import { parseJsonPath } from './json-path.ts'
import type { Mapping } from './mapping.ts'
import { MAX_RECORD_BYTES } from './measure.ts'
import { type PersonalSort, sortOfName } from './personal-words.ts'

/** DuckDB's own message goes on as the cause only where it cannot hold the input's text. */
export function readFailure(
  input: Input,
  mapping: Mapping,
  fields: readonly Field[],
  error: unknown,
): unknown {
  const message = error instanceof Error ? error.message : ''
  const [, index, keys = ''] = /lpa-personal:(\d*)(.*)/s.exec(message) ?? []
  // An e-mail address in the field of that number; or a key, in the place of its field among empty ones.
  const found = keys.split('\u0001')
  const place = index === '' ? found.findIndex((key) => key !== '') : Number(index ?? -1)
  const personal = fields[place]
  if (personal) {
    const why = index === '' ? `holds ${keyWords(found[place] ?? '')}` : 'holds e-mail addresses'
    return looksPersonal(input.name, mapping, fieldLabel(personal), why)
  }
  const system = systemFailure(message, error)
  if (system) return system
  // DuckDB 1.5.5 loses its place in rows that are too short and hold bytes that are not UTF-8.
  const isLost = input.format === 'csv' && message.startsWith('INTERNAL Error: Attempted to access index')
  if (isLost) {
    return new UserError(
      'LPA-INPUT-BROKEN',
      'Its rows are not UTF-8, or have fewer values than the header.',
      {
        exit: 'data',
        where: input.name,
        next: toUtf8(input.name),
      },
    )
  }
  // An interrupted query, or a mistake of ours.
  if (!/^(Invalid( Input)?|Conversion|Serialization|IO) Error/i.test(message)) return error
  const line = /on Line: (\d+)/i.exec(message)?.[1]
  return new UserError('LPA-INPUT-BROKEN', `Its text cannot be read: ${reason(input, message)}.`, {
    exit: 'data',
    where: line ? `${input.name}:${line}` : input.name,
    next: /utf-?8|unicode/i.test(message) ? toUtf8(input.name) : 'Mend the file, or export it again.',
  })
}

function isPackaged({ path }: Mapping): boolean {
  return path.startsWith(join(packageRoot(), 'sql', ''))
}

/** A key is shown only when it is one plain word: others may be values. */
function keyWords(text: string): string {
  const [, word] = /^"([A-Za-z_]{1,30})"\s*:/.exec(text) ?? []
  return word
    ? `a key ${word}, which is named like a personal value`
    : 'a key that is named like a personal value'
}

function reason({ format }: Input, message: string): string {
  if (format === 'parquet') return 'it is a damaged Parquet file'
  if (/utf-?8|unicode/i.test(message)) return 'it is not UTF-8'
  if (/maximum_object_size|line size|buffer size/i.test(message)) {
    return `a record is longer than ${MAX_RECORD_BYTES / 1024 / 1024} MB`
  }
  if (format === 'json') return 'the JSON array is broken'
  return 'it is not what it looks like, or its line ends are mixed'
}

/** What to write for it, the likeliest first; to keep it as it is comes last. */
function declarations(column: string, why: string): (readonly [line: string, does: string])[] {
  // In brackets and commas the name would be cut.
  const target = /[(),"]/.test(column) && !column.startsWith('$') ? JSON.stringify(column) : column
  const drop = [`-- personal: ${target}(drop)`, 'leave it out'] as const
  const keep = [`-- not-personal: ${target}`, 'keep it as it is'] as const
  const hash = (kind: string, of: string) =>
    [`-- personal: ${target}(${kind})`, `replace it by a pseudonym of ${of}`] as const
  const learner = hash('learner', "a learner's id")
  switch (sortOf(column, why)) {
    case 'email':
      return [hash('email', 'the address'), learner, drop, keep]
    case 'learner':
      return [learner, drop, keep]
    case 'instructor':
      return [hash('instructor', "an instructor's id"), drop, keep]
    case 'birth':
      return [[`-- generalise: ${target}(year)`, 'keep its year only'], drop, keep]
    default:
      return [drop, keep]
  }
}

function sortOf(column: string, why: string): PersonalSort {
  if (why.includes('e-mail')) return 'email'
  if (why.startsWith('holds')) return 'other'
  return sortOfName(parseJsonPath(column)?.keys.at(-1) ?? column)
}

export function looksPersonal(inputName: string, mapping: Mapping, column: string, why: string): UserError {
  const lines = declarations(column, why)
  const width = Math.max(...lines.map(([line]) => line.length))
  return new UserError(
    'LPA-PERSONAL-UNDECLARED',
    `Column ${column} ${why}, and the mapping does not say what it is. Nothing was loaded.`,
    {
      exit: 'data',
      where: inputName,
      next: [
        isPackaged(mapping)
          ? `Copy ${mapping.path}, add one of these lines, and load with your copy: --mapping COPY.sql`
          : `In ${mapping.path}, add one of these lines:`,
        ...lines.map(([line, does]) => `  ${line.padEnd(width)}   ${does}`),
      ],
    },
  )
}
