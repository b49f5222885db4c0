/** Numbered changes: `schema/changes/NNNN_name.sql`, for what a declaration cannot say (rename, refill, drop). */

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { Dialect } from '../types.ts'

export interface SchemaChange {
  readonly number: number
  readonly name: string
  readonly sha256: string
  readonly statements: readonly string[]
}

/**
 * The changes of a folder by number; `NNNN_name.DIALECT.sql` overrides `NNNN_name.sql`. No folder: none.
 * @throws UserError LPA-SCHEMA-CHANGE (config) for a file name that is none, or a number used twice.
 */
export function readChanges(folder: string, dialect: Dialect): SchemaChange[] {
  if (!existsSync(folder)) return []
  const changes = new Map<number, SchemaChange>()
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.sql')) continue
    const match = /^(\d{4})_([a-z][a-z0-9_]*)(?:\.(duckdb|snowflake|spark))?\.sql$/.exec(file)
    const number = Number(match?.[1])
    if (!match || number === 0)
      throw badChange(join(folder, file), 'is not named NNNN_name.sql, from 0001 up')
    const [, , name = '', override] = match
    if (override !== undefined && override !== dialect) continue
    const earlier = changes.get(number)
    if (earlier && earlier.name !== name) {
      throw badChange(join(folder, file), `has the number of ${earlier.name}: every change needs its own`)
    }
    // `0001_x.sql` sorts after `0001_x.spark.sql`: the override stays.
    if (earlier) continue
    const text = readDdlText(join(folder, file))
    changes.set(number, { number, name, sha256: sha256(text), statements: statementsOf(text) })
  }
  return [...changes.values()].sort((a, b) => a.number - b.number)
}

function badChange(path: string, what: string): UserError {
  return new UserError('LPA-SCHEMA-CHANGE', `The schema change ${path} ${what}.`, {
    exit: 'config',
    where: path,
    next: 'Rename the file.',
  })
}

/** A file's text with line feeds, so that a checkout with CRLF has the same checksum. */
export function readDdlText(path: string): string {
  return readFileSync(path, 'utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Statements end with a semicolon at the end of a line; comment lines fall away. */
export function statementsOf(text: string): string[] {
  return text
    .replace(/^\s*--.*\n?/gm, '')
    .split(/;[ \t]*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter(Boolean)
}
