/**
 * Looks for people in every file of a warehouse: in its bytes, and in what tables read as, since Parquet is compressed. In the
 * catalog too, with its log and statistics, in staged files and what is spilled.
 */

import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteName, quoteText, readRows } from '../../duckdb.ts'
import type { SearchedFiles } from '../../types.ts'

/** A learner's key and the ids of enrollments are made of the first digits: who finds these finds the pseudonym too. */
const DIGITS = 15
/** A pattern of more is slow. */
const MOST_PEOPLE = 100

/** @param people pseudonyms: 64 hex digits each */
export async function searchFiles(
  connection: DuckDBConnection,
  folder: string,
  people: readonly string[],
): Promise<SearchedFiles> {
  const heads = people.map((pseudonym) => pseudonym.slice(0, DIGITS))
  const wanted = new Set(heads)
  const found: string[] = []
  let bytes = 0
  const paths = filesBelow(folder)
  const staged = join(folder, 'tmp', sep)
  for (const path of paths) {
    bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0
    const isNamed =
      (await namesInBytes(path, wanted)) ||
      (path.endsWith('.parquet') && (await mayNameInTable(connection, path, heads, staged)))
    if (isNamed) found.push(relative(folder, path).split(sep).join('/'))
  }
  return { files: paths.length, bytes, found }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

async function namesInBytes(path: string, wanted: ReadonlySet<string>): Promise<boolean> {
  let rest = ''
  const chunks = createReadStream(path, { encoding: 'latin1', highWaterMark: 1 << 20 })
  try {
    for await (const chunk of chunks) {
      const text = rest + chunk
      for (const [digits] of text.matchAll(/[0-9a-f]{15,}/g)) {
        for (let at = 0; at + DIGITS <= digits.length; at += 1)
          if (wanted.has(digits.slice(at, at + DIGITS))) return true
      }
      rest = text.slice(1 - DIGITS)
    }
  } catch (error) {
    // Of another run, which has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return false
}

/**
 * Any text of the table, and the learners' keys. One that cannot be read may hold them, as long as it is there; but one that is
 * being staged is not committed after an erasure.
 */
async function mayNameInTable(
  connection: DuckDBConnection,
  path: string,
  heads: readonly string[],
  staged: string,
): Promise<boolean> {
  try {
    return await namesInTable(connection, path, heads)
  } catch (error) {
    if (!/^(Invalid Input|IO) Error/.test((error as Error).message)) throw error
    return existsSync(path) && !path.startsWith(staged)
  }
}

async function namesInTable(
  connection: DuckDBConnection,
  path: string,
  heads: readonly string[],
): Promise<boolean> {
  const table = `read_parquet(${quoteText(path)}, hive_partitioning = false)`
  const described = await readRows<{ column_name: string; column_type: string }>(
    connection,
    `describe select * from ${table}`,
  )
  const texts = described
    .filter(({ column_type }) => !/^(BOOLEAN|DATE|TIMESTAMP|DOUBLE|.*INT|INTEGER)/.test(column_type))
    .map(({ column_name }) => `cast(${quoteName(column_name)} as varchar)`)
  const has = (column: string) => described.some(({ column_name }) => column_name === column)
  const hasKeys = has('learner_key')
  for (let at = 0; at < heads.length; at += MOST_PEOPLE) {
    const some = heads.slice(at, at + MOST_PEOPLE)
    const keys = some.map((head) => BigInt(`0x${head}`)).join(', ')
    const isNamed = [
      ...(texts.length > 0
        ? [`regexp_matches(concat_ws('|', ${texts.join(', ')}), '${some.join('|')}')`]
        : []),
      ...(hasKeys ? [`learner_key in (${keys})`] : []),
      // Of a stream on Spark, of anybody.
      ...(has('lpa_sealed') ? ['lpa_sealed is not null'] : []),
    ]
    if (isNamed.length === 0) return false
    const reader = await connection.runAndReadAll(
      `select 1 from ${table} where ${isNamed.join(' or ')} limit 1`,
    )
    if (reader.getRows().length > 0) return true
  }
  return false
}
