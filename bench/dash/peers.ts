/** Programs of the same kind whose first frame is measured beside ours. */

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { cacheFolder } from '../../src/cache-folder.ts'

export interface Peer {
  readonly name: string
  readonly command: string
  /** Written once its first frame is there. */
  readonly shows: string
  /** Ends it. */
  readonly leaves: string
}

const HARLEQUIN = '2.17.0'

/** Those that are here, or can be had; `database` is a file that harlequin opens, and is made. */
export async function peers(database: string): Promise<readonly Peer[]> {
  const found: Peer[] = []
  if (spawnSync('btop', ['--version']).status === 0)
    found.push({ name: 'btop', command: 'btop', shows: 'cpu', leaves: 'q' })
  const harlequin = fetchHarlequin()
  if (harlequin !== undefined) {
    await makeDatabase(database)
    // Its catalog lists the file: no query was run by then.
    found.push({ name: 'harlequin', command: `${harlequin} '${database}'`, shows: 'peers', leaves: '\x11' })
  }
  return found
}

/** Into this user's cache, once, by pip; undefined where there is no Python, or nothing can be fetched. */
function fetchHarlequin(): string | undefined {
  const folder = cacheFolder(`harlequin-${HARLEQUIN}`)
  const program = join(folder, 'bin', 'harlequin')
  if (existsSync(program)) return `'${join(folder, 'bin', 'python')}' '${program}'`
  const part = `${folder}.${process.pid}`
  try {
    execFileSync('python3', ['-m', 'venv', part], { stdio: 'ignore' })
    execFileSync(join(part, 'bin', 'pip'), ['install', '-q', `harlequin==${HARLEQUIN}`], { stdio: 'ignore' })
    renameSync(part, folder)
  } catch {
    rmSync(part, { recursive: true, force: true })
    return undefined
  }
  return `'${join(folder, 'bin', 'python')}' '${program}'`
}

async function makeDatabase(file: string): Promise<void> {
  const database = await DuckDBInstance.create(file)
  const connection = await database.connect()
  await connection.run('create table days as select range as day, 2 * range as enrollments from range(100)')
  connection.closeSync()
  database.closeSync()
}
