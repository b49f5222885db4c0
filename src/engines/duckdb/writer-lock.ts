/**
 * One writer at a time: an exclusive transaction on a small SQLite file beside the catalog. The operating
 * system frees it when the process ends, also by kill -9. Readers never take it.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../errors.ts'
import { tellOfWait } from '../lock-wait.ts'

export interface WriterLock extends Disposable {
  release(): void
}

/** Takes the lock, trying for `waitMs` milliseconds; then a UserError with exit 75. */
export async function takeWriterLock(
  warehouse: string,
  waitMs: number,
  signal?: AbortSignal,
): Promise<WriterLock> {
  const { DatabaseSync } = await import('node:sqlite')
  const deadline = Date.now() + waitMs
  for (;;) {
    const file = join(warehouse, 'writer.lock')
    if (!existsSync(warehouse)) {
      throw new UserError('LPA-WAREHOUSE-MISSING', `There is no warehouse in ${warehouse} any more.`, {
        exit: 'noInput',
        next: 'Put it back, and run this again: nothing that was committed is lost.',
      })
    }
    const database = new DatabaseSync(file, { timeout: 0 })
    try {
      // Nothing is ever written here, so no journal file is needed, nor left behind by a run that is ended.
      database.exec('pragma journal_mode = memory; begin exclusive')
      const release = () => {
        if (database.isOpen) database.close()
      }
      return { release, [Symbol.dispose]: release }
    } catch (error) {
      database.close()
      if (!isBusy(error)) throw error
      const left = deadline - Date.now()
      if (left <= 0) {
        throw new UserError('LPA-WAREHOUSE-LOCKED', `Another run is writing to ${warehouse}.`, {
          exit: 'locked',
          next: 'Try again, or wait for it: --lock-wait 5m',
          cause: error,
        })
      }
      tellOfWait(deadline, waitMs)
      await sleep(Math.min(left, 20 + Math.random() * 30), undefined, signal ? { signal } : {})
    }
  }
}

/** The next number of a named sequence, handed out without the writer lock; gaps are ordinary. */
export async function nextNumber(warehouse: string, sequence: string): Promise<number> {
  const { DatabaseSync } = await import('node:sqlite')
  const file = join(warehouse, 'sequences.sqlite')
  const database = new DatabaseSync(file, { timeout: 10_000 })
  try {
    database.exec('create table if not exists sequences (name text primary key, last integer not null)')
    const row = database
      .prepare(
        'insert into sequences values (?, 1) on conflict (name) do update set last = last + 1 returning last',
      )
      .get(sequence)
    return Number(row?.last)
  } finally {
    database.close()
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 6)
}
