/** Files named on the command line, by the table of core that each stands for. */

import { existsSync, globSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Config } from '../config.ts'
import { parseDdl } from '../ddl.ts'
import { nearest } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'
import { expand } from '../sql-expand.ts'
import { packageRoot, readSql } from '../sql-files.ts'
import type { Reader, TableDeclaration } from '../types.ts'
import { readDeclared } from './declared.ts'
import { withWarehouse, working } from './warehouse.ts'

const FILE = /^(.+?)\.(?:parquet|csv(?:\.gz|\.zst)?)$/i
const CSV = /\.csv(\.gz|\.zst)?$/i

/** The configured warehouse to read; or where files or folders are named, these in its place. */
export async function withReader<T>(
  config: Config,
  named: readonly string[],
  signal: AbortSignal,
  work: (reader: Reader) => Promise<T>,
  role?: string,
): Promise<T> {
  if (named.length === 0 && role !== undefined) {
    const { readAs } = await import('./role.ts')
    return withWarehouse(config, 'confined', signal, work, readAs(config, role))
  }
  if (named.length === 0) return withWarehouse(config, 'read', signal, work)
  if (role !== undefined) {
    throw new UserError('LPA-ROLE-FILES', 'Plain files have no policy: who can read them sees all of them.', {
      exit: 'usage',
      next: 'A role sees the warehouse: name no files.',
    })
  }
  const { openTableFiles } = await import('../engines/duckdb/table-files.ts')
  const declared = declaredForFiles()
  const tables = declared.flatMap(({ kind, name }) =>
    kind === 'table' && name.startsWith('core.') ? [name.slice('core.'.length)] : [],
  )
  const { memoryLimit, timezone, threads } = config.warehouse
  const reader = await openTableFiles({
    ...{ declared, memoryLimit, timezone, threads },
    days: expand(readSql('models', 'dim_date', 'duckdb').body, 'duckdb'),
    find: () => findTableFiles(named, tables),
  })
  return working(reader, signal, async () => {
    // Here, where a signal stops it: large CSV files take long to be read.
    await reader.version()
    return work(reader)
  })
}

/** All tables and views of a warehouse, and in place of views of staging those that make do with core; these come last. */
function declaredForFiles(): readonly TableDeclaration[] {
  const own = parseDdl(readFileSync(join(packageRoot(), 'schema', 'files.sql'), 'utf8'))
  const others = readDeclared('duckdb').tables.filter(({ name }) => !own.some((view) => view.name === name))
  return [...others, ...own]
}

/**
 * The files of each table: of a folder those that are called like one, `fact_enrollment.parquet`, and those in folders that
 * are, `fact_enrollment/2026-01.parquet`.
 * @throws UserError noInput (66) where nothing is, usage (2) for other names, and for Parquet and CSV of one table
 */
function findTableFiles(
  named: readonly string[],
  tables: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  const add = (table: string, paths: readonly string[]) => {
    // Named twice, it counts once.
    const all = [
      ...new Set([...(found.get(`core.${table}`) ?? []), ...paths.map((path) => realpathSync(path))]),
    ]
    if (new Set(all.map((path) => path.replace(/\.(gz|zst)$/i, ''))).size < all.length) {
      throw new UserError('LPA-DASH-FILES', `A file of ${table} is there both packed and not.`, {
        ...{ exit: 'usage', where: all[0] ?? table },
        next: 'Name the ones that count.',
      })
    }
    if (new Set(all.map((path) => CSV.test(path))).size > 1) {
      throw new UserError('LPA-DASH-FILES', `There are Parquet and CSV files of ${table}.`, {
        ...{ exit: 'usage', where: all[0] ?? table },
        next: 'Name the ones that count.',
      })
    }
    if (all.length > 0) found.set(`core.${table}`, all)
  }
  for (const name of named) {
    const stats = statSync(name, { throwIfNoEntry: false })
    if (stats === undefined) {
      throw new UserError('LPA-INPUT-MISSING', `${name}: there is no such file.`, {
        exit: 'noInput',
        next: 'Name Parquet or CSV files that are shaped like core, or a folder of them; none shows the warehouse.',
      })
    }
    if (stats.isDirectory()) {
      refuseWarehouse(name)
      for (const table of tables) {
        const own = globSync(`${table}.*`, { cwd: name }).filter((file) => FILE.test(file))
        const parts = globSync(`${table}/**/*`, { cwd: name }).filter((file) => FILE.test(file))
        add(
          table,
          [...own, ...parts].sort().map((file) => join(name, file)),
        )
      }
      continue
    }
    const [, word = basename(name)] = FILE.exec(basename(name)) ?? []
    if (!FILE.test(name) || !tables.includes(word)) {
      throw new UserError('LPA-DASH-FILES', `${basename(name)} is named like no table of core.`, {
        ...{ exit: 'usage', where: name },
        next: nearest(word, tables, 'Files are called TABLE.parquet or TABLE.csv:'),
      })
    }
    add(word, [name])
  }
  if (found.size > 0) return found
  throw new UserError('LPA-INPUT-MISSING', 'No file here is named like a table of core.', {
    ...{ exit: 'noInput', where: named.join(', ') },
    next: `Files are called TABLE.parquet or TABLE.csv: ${tables.join(', ')}`,
  })
}

/** Its data files hold what was deleted since, and small changes are not among them. */
function refuseWarehouse(folder: string): void {
  const real = realpathSync(folder)
  if (!['.', '..', '../..'].some((up) => existsSync(join(real, up, 'catalog.sqlite')))) return
  throw new UserError('LPA-DASH-FILES', 'This is the folder of a warehouse.', {
    ...{ exit: 'usage', where: folder },
    next: 'To see it: lpa dash, with warehouse.path in lpa.toml (or LPA_WAREHOUSE_PATH)',
  })
}
