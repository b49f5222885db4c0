/** Failures of the machine and of the warehouse's files, which DuckDB tells in words only, as errors of ours. */

import { UserError } from './errors.ts'

const DAMAGE =
  /^(IO|Invalid Input|TransactionContext|Binder|Invalid) Error.*(cannot open file|no such file|not a database|malformed|no magic bytes|too small to be a parquet|file is not)/is

/** A catalog that is something else, or empty. */
const NO_CATALOG =
  /^Catalog Error: SET schema: No catalog \+ schema|Existing DuckLake at metadata catalog .* does not exist/

export function systemFailure(message: string, cause: unknown): UserError | undefined {
  if (/No space left|Disk quota exceeded|database or disk is full/i.test(message)) {
    return new UserError('LPA-DISK-FULL', 'The disk is full.', {
      exit: 'cannotCreate',
      next: 'Make room and run it again.',
      cause,
    })
  }
  if (/^Out of Memory Error/i.test(message)) {
    return new UserError('LPA-MEMORY', 'It needs more memory than the limit allows.', {
      exit: 'data',
      next: 'Raise warehouse.memory_limit, or set warehouse.threads = 1: nothing was changed.',
      cause,
    })
  }
  if (/attempt to write a readonly database|Read-only file system/i.test(message)) {
    return new UserError('LPA-SYSTEM-EROFS', 'The warehouse can only be read here.', {
      exit: 'cannotCreate',
      next: 'Check how its disk is mounted, and the permissions of its files.',
      cause,
    })
  }
  if (/Too many open files/i.test(message)) {
    return new UserError('LPA-SYSTEM-EMFILE', 'Too many files are open.', {
      exit: 'io',
      next: 'Raise the limit (ulimit -n).',
      cause,
    })
  }
  // SQLite's words, whatever stands in the way.
  if (/unable to open database file/i.test(message)) {
    return new UserError('LPA-SYSTEM-CANTOPEN', "The warehouse's catalog cannot be opened.", {
      exit: 'io',
      next: [
        'Check its owner and permissions, and how its disk is mounted: lpa doctor',
        'Or too few files may be open at once: raise the limit (ulimit -n).',
      ],
      cause,
    })
  }
  if (/Permission denied/i.test(message)) {
    return new UserError('LPA-SYSTEM-EACCES', 'A file may not be read or written.', {
      exit: 'notPermitted',
      next: 'Check owner and permissions.',
      cause,
    })
  }
  // SQLite, which holds the catalog, says "disk I/O error" of a file that may not grow, too.
  if (/^IO Error.*(could not (write|sync|read)|input\/output error)|disk I\/O error/is.test(message)) {
    return new UserError('LPA-SYSTEM-EIO', 'A file could not be read or written.', {
      exit: 'io',
      next: 'Check the disk and the system log.',
      cause,
    })
  }
  return undefined
}

/** A file of the warehouse that is missing or damaged. Of an input DuckDB says the same: ask only where none is read. */
export function damageFailure(message: string, cause: unknown): UserError | undefined {
  if (!DAMAGE.test(message) && !NO_CATALOG.test(message)) return undefined
  return new UserError('LPA-WAREHOUSE-DAMAGED', 'A file of the warehouse is missing or damaged.', {
    exit: 'io',
    next: ['See which: lpa doctor --verify', 'Then restore it from a backup, or make the warehouse anew.'],
    cause,
  })
}
