/**
 * A catalog that a group reads, and may not write, needs SQLite's log (`-wal`, `-shm`) beside it at every moment: who may
 * not make these files cannot open a database in WAL mode without them. SQLite takes them away when its last connection
 * is closed, and DuckDB closes its own at the end of each transaction. A connection that only reads does not.
 */

import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'

/** Ctrl-C reaches the whole process group; this one ends when the run that started it has ended, however it did. */
const KEEPER = `
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(process.argv[1], { readOnly: true, timeout: 10000 })
  database.prepare('select count(*) from sqlite_master').get()
  process.stdout.write('ready')
  process.stdin.on('end', () => process.exit()).resume()`

/** Whether a group may read the catalog. */
export function isShared(catalog: string): boolean {
  return ((statSync(catalog, { throwIfNoEntry: false })?.mode ?? 0) & 0o040) !== 0
}

/**
 * Holds the catalog open in a process of its own, since locks on a file belong to a process: a second SQLite in this one
 * would neither hold off DuckDB's nor leave its locks alone.
 */
export async function keepJournal(catalog: string): Promise<AsyncDisposable> {
  const keeper = spawn(process.execPath, ['-e', KEEPER, catalog], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {},
  })
  const ended = new Promise<void>((resolve) => {
    keeper.once('close', () => resolve())
    keeper.once('error', () => resolve())
  })
  // A keeper that ended early was asked to hold a file that is gone: that is for the run itself to find.
  keeper.stdin.on('error', () => {})
  await Promise.race([ended, new Promise((resolve) => keeper.stdout.once('data', resolve))])
  // A run that fails does not wait for it.
  const parts = [keeper, keeper.stdin, keeper.stdout] as readonly { ref?(): void; unref?(): void }[]
  for (const part of parts) part.unref?.()
  return {
    async [Symbol.asyncDispose]() {
      for (const part of parts) part.ref?.()
      keeper.stdin.end()
      await ended
    },
  }
}
