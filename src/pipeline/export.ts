/** export: core as files that other tools read, of one state of the warehouse. */

import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import type { Config } from '../config.ts'
import { nearest } from '../did-you-mean.ts'
import { sha256OfFile } from '../engines/duckdb/checksums.ts'
import { plainSelect } from '../engines/plain-select.ts'
import { UserError } from '../errors.ts'
import { withPath } from '../new-file.ts'
import { fillFolder, folderExists } from '../new-folder.ts'
import { scrub } from '../secrets.ts'
import type { Engine, RoleTraits, TableDeclaration } from '../types.ts'
import {
  dataPackage,
  type FileFormat,
  PACKAGE_FILE,
  PACKAGE_NAME,
  plainName,
  type WrittenTable,
} from './data-package.ts'
import { readDeclared } from './declared.ts'
import { parseAt } from './report.ts'
import { assertMayExport, refuseForRoles, withheldFrom } from './role-answers.ts'
import { type OpenExtras, withWarehouse } from './warehouse.ts'

export interface ExportRequest {
  readonly folder: string
  /** Tables and views of core; none: the dimensions, their current versions, and the facts. */
  readonly tables: readonly string[]
  readonly format: FileFormat
  readonly at?: string | undefined
  /** Whose views are written; none: the owner's tables. */
  readonly role?: string | undefined
  /** Whether an earlier export may go. */
  readonly force: boolean
  /** CSV exactly as in the data. */
  readonly raw: boolean
}

export interface Export {
  readonly folder: string
  /** The state of the warehouse. */
  readonly version: string
  readonly tables: readonly {
    readonly table: string
    readonly file: string
    readonly rows: number
    readonly bytes: number
  }[]
  /** What the role may not see of it, one line each. */
  readonly withheld: readonly string[]
}

/**
 * Writes a folder of files and their `datapackage.json`, whole or not at all.
 * @throws UserError cannotCreate where the folder is there, usage for unknown tables, notPermitted for a role with `min_cell`
 */
export async function exportCore(
  config: Config,
  request: ExportRequest,
  signal: AbortSignal,
  onTable: (table: string, index: number, total: number) => void,
): Promise<Export> {
  const { folder, format, at, role, force, raw } = request
  if (role !== undefined) refuseForRoles({ at, write: false })
  const extras = {
    ...(role !== undefined && (await import('./role.ts')).readAs(config, role)),
    at: at === undefined ? undefined : parseAt(at),
  }
  const declared = chosen(readDeclared('duckdb').tables, request.tables)
  assertPlace(folder, config.warehouse.path, force)
  return fillFolder(folder, { replaces: force }, (part) => {
    const opened: OpenExtras = { ...extras, folders: [part] }
    const work = (engine: Engine) => {
      if (engine.role) assertMayExport(engine.role)
      return engine.oneState(async () => {
        const version = await engine.version()
        const seen = engine.role ? seenBy(engine.role, declared, request.tables) : declared
        const written: WrittenTable[] = []
        for (const [index, table] of seen.entries()) {
          signal.throwIfAborted()
          onTable(table.name, index, seen.length)
          written.push(await writeTable(engine, table, part, { format, raw }))
        }
        const told = dataPackage(written, { format, created: new Date().toISOString(), version, role })
        await writeFile(join(part, PACKAGE_FILE), `${JSON.stringify(told, null, 2)}\n`, { mode: 0o600 })
        return {
          folder,
          version,
          tables: written.map(({ declared: { name }, file, rows, bytes }) => ({
            table: name,
            file,
            rows,
            bytes,
          })),
          withheld: engine.role ? withheldFrom(engine.role) : [],
        }
      })
    }
    return withWarehouse(config, 'confined', signal, work, opened)
  })
}

export function exportSummary({ folder, tables, version }: Export): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const of = tables.length === 1 ? '1 table' : `${tables.length} tables`
  return `${rows} rows of ${of} of version ${version}, in ${folder}`
}

/** Views that are asked for by name only: they can be computed from the rest. */
const COMPUTED = ['core.newest_day', 'core.course_progress']

function chosen(all: readonly TableDeclaration[], names: readonly string[]): TableDeclaration[] {
  const core = all.filter(({ name }) => name.startsWith('core.'))
  if (names.length === 0) return core.filter(({ name }) => !COMPUTED.includes(name))
  const known = new Map(core.map((table) => [plainName(table.name), table]))
  return [...new Set(names.map((name) => name.replace(/^core\./, '')))].map((name) => {
    const table = known.get(name)
    if (table) return table
    throw new UserError('LPA-EXPORT-TABLE', `core has no table ${name}.`, {
      exit: 'usage',
      next: nearest(name, [...known.keys()]),
    })
  })
}

function seenBy(
  { role, tables }: RoleTraits,
  chosen: readonly TableDeclaration[],
  asked: readonly string[],
): TableDeclaration[] {
  const seen = chosen.filter(({ name }) => tables.includes(name))
  const hidden = asked.length === 0 ? undefined : chosen.find((table) => !seen.includes(table))
  if (hidden === undefined && seen.length > 0) return seen
  throw new UserError(
    'LPA-QUERY-REFUSED',
    `The role ${role} may not read ${hidden ? hidden.name : 'any table of core'}.`,
    { exit: 'notPermitted', next: `What it may: lpa grant show ${role}` },
  )
}

/** @throws UserError cannotCreate where files would be lost, or would be taken for the warehouse's own */
function assertPlace(folder: string, warehouse: string, force: boolean): void {
  const place = realPlace(folder)
  if (`${place}${sep}`.startsWith(`${realPlace(warehouse)}${sep}`))
    throw new UserError('LPA-EXPORT-PLACE', `${folder} is inside the warehouse.`, {
      exit: 'cannotCreate',
      next: 'Name a folder beside it.',
    })
  if (!existsSync(place)) return
  if (!statSync(place).isDirectory()) throw folderExists(folder)
  const names = readdirSync(place)
  if (names.length === 0) return
  const foreign = names.filter((name) => !filesOfExport(place).has(name))
  if (foreign.length > 0)
    throw new UserError('LPA-EXPORT-FOREIGN', `${folder} has files that are of no export: ${foreign[0]}.`, {
      exit: 'cannotCreate',
      next: 'Nothing was changed. Name another folder.',
    })
  if (!force)
    throw new UserError('LPA-EXPORT-EXISTS', `There is an export in ${folder} already.`, {
      exit: 'cannotCreate',
      next: 'Name another folder, or have it replaced: --force',
    })
}

/** Where links lead, also of a folder that is not there yet. */
function realPlace(folder: string): string {
  if (existsSync(folder)) return realpathSync(folder)
  const path = resolve(folder)
  return join(realPlace(dirname(path)), basename(path))
}

/** Names of the files in a folder that the `datapackage.json` of an export tells of. */
function filesOfExport(folder: string): ReadonlySet<string> {
  try {
    const { name, resources } = JSON.parse(readFileSync(join(folder, PACKAGE_FILE), 'utf8'))
    if (name !== PACKAGE_NAME) return new Set()
    return new Set([PACKAGE_FILE, ...resources.map(({ path }: { path: string }) => path)])
  } catch {
    return new Set()
  }
}

async function writeTable(
  engine: Engine,
  declared: TableDeclaration,
  folder: string,
  { format, raw }: Pick<ExportRequest, 'format' | 'raw'>,
): Promise<WrittenTable> {
  const { columns, select } = await plainSelect(engine, declared.name)
  const file = `${plainName(declared.name)}.${format}`
  const path = join(folder, file)
  const rows =
    format === 'parquet'
      ? await engine.exportParquet(select, {}, path)
      : await writeCsv(engine, select, path, raw)
  return { declared, columns, file, rows, bytes: statSync(path).size, sha256: await sha256OfFile(path) }
}

/** As lpa query writes CSV. */
async function writeCsv(engine: Engine, select: string, path: string, raw: boolean): Promise<number> {
  const { csvWriter } = await import('../output/csv.ts')
  const { columns, chunks } = await engine.stream(select)
  const csv = await csvWriter(columns, { escapeFormulas: !raw, safe: !raw })
  let count = 0
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.appendFile(csv.head)
      for await (const rows of chunks) {
        count += rows.length
        await file.appendFile(scrub(csv.rows(rows)))
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    throw withPath(error, path)
  }
  return count
}
