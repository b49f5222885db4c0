/** The tables that `schema/ddl_*.sql` declares. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDdl } from '../ddl.ts'
import { expand } from '../sql-expand.ts'
import { packageRoot } from '../sql-files.ts'
import type { Dialect, TableDeclaration } from '../types.ts'
import { readDdlText, sha256 } from './schema-changes.ts'

const AREAS = ['raw', 'staging', 'core', 'meta']

/** The tables of a warehouse, in the order in which they are made; views are in the dialect's words. */
export function readDeclared(
  dialect: Dialect,
  folder = join(packageRoot(), 'schema'),
): { tables: TableDeclaration[]; sha256: string } {
  const texts = AREAS.map((area) => expand(readDdlText(join(folder, `ddl_${area}.sql`)), dialect))
  return { tables: texts.flatMap(parseDdl), sha256: sha256(texts.join('\n')) }
}

/** Those of a transaction. */
export function readSessionTables(): TableDeclaration[] {
  return parseDdl(readFileSync(join(packageRoot(), 'schema', 'ddl_session.sql'), 'utf8'))
}
