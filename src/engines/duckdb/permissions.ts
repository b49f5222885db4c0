/**
 * Who may read a warehouse's files: their owner only (0600, folders 0700), or one group as well (0640, 2750), which
 * never writes. New files get it from the umask and from their folder, since DuckDB and SQLite make files too.
 */

import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { groupId } from '../../unix-group.ts'

export interface Permissions {
  readonly file: number
  readonly folder: number
  readonly umask: number
  /** The group's name and number. */
  readonly group: { readonly name: string; readonly gid: number } | undefined
}

/** What is made in such a folder is its group's. macOS does that for all folders, and does not hand the bit on. */
const SETGID = process.platform === 'darwin' ? 0 : 0o2000

/** What lpa puts into a warehouse's folder: nothing else that lies there is touched. */
const OWN = /^(catalog\.sqlite|writer\.lock|sequences\.sqlite|\.?SHA256SUMS)|^(data|tmp)$/

export function permissionsOf(group: string | undefined): Permissions {
  // The configuration was checked: a group that is not there ended the run already.
  const gid = group === undefined ? undefined : groupId(group)
  return group === undefined || gid === undefined
    ? { file: 0o600, folder: 0o700, umask: 0o077, group: undefined }
    : { file: 0o640, folder: 0o750 | SETGID, umask: 0o027, group: { name: group, gid } }
}

/**
 * Says what SQLite would not.
 * @throws UserError notPermitted (77) for a warehouse that may not be read, or only read
 */
export function assertPermitted(folder: string, isReadOnly: boolean): void {
  if (!existsSync(folder)) return
  const refused = (code: string, message: string, next: string) =>
    new UserError(code, message, { exit: 'notPermitted', where: folder, next })
  const catalog = join(folder, 'catalog.sqlite')
  if (!isPermitted(folder, constants.X_OK) || !isPermitted(catalog, constants.R_OK)) {
    throw refused(
      'LPA-WAREHOUSE-CLOSED',
      'You may not read this warehouse.',
      'Its owner can open it to a group of yours: warehouse.group in lpa.toml',
    )
  }
  if (isPermitted(folder, constants.W_OK)) return
  if (!isReadOnly) {
    throw refused('LPA-WAREHOUSE-READ-ONLY', 'You may read this warehouse, not write it.', 'Ask its owner.')
  }
  if (existsSync(catalog) && !(existsSync(`${catalog}-wal`) && existsSync(`${catalog}-shm`))) {
    throw refused(
      'LPA-WAREHOUSE-JOURNAL',
      'Who may not write the warehouse needs catalog.sqlite-wal and -shm, which are not there.',
      'A copy or a backup may lack them. Any command of its owner makes them: lpa runs',
    )
  }
}

/** False where permissions are missing; what is not there, or on a disk that cannot be written, is for others to tell. */
export function isPermitted(path: string, access: number): boolean {
  try {
    accessSync(path, access)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EACCES'
  }
}

/** Whether its permissions are ours to change. */
export function isOwn(path: string): boolean {
  const uid = process.getuid?.()
  return uid === 0 || uid === statSync(path).uid
}

/**
 * Before a run writes: brings the warehouse in line when it is not this group's, or no group's any more. That its
 * folder is open in another way is for its owner to decide; doctor tells.
 * @throws UserError LPA-WAREHOUSE-GROUP (77)
 */
export function followGroup(folder: string, wanted: Permissions): void {
  if (process.platform === 'win32') return
  const shared = SETGID | 0o050
  const isRight = wanted.group ? !isWrong(folder, wanted) : (statSync(folder).mode & shared) !== shared
  if (!isRight && (wanted.group || isOwn(folder))) setPermissions(folder, wanted)
}

/** Paths whose permissions or group are others. The folder itself is the last. */
export function wrongPermissions(folder: string, wanted: Permissions): string[] {
  if (process.platform === 'win32') return []
  return entriesOf(folder).filter((path) => isWrong(path, wanted))
}

/** Gives every file its permissions. @throws UserError LPA-WAREHOUSE-GROUP (77) */
export function setPermissions(folder: string, wanted: Permissions): void {
  const paths = wrongPermissions(folder, wanted)
  // Closed from outside, opened from inside: a run that is killed on the way leaves it closed.
  for (const path of wanted.group ? paths : paths.reverse()) {
    const stats = statOf(path)
    if (!stats) continue
    try {
      if (wanted.group) chownSync(path, stats.uid, wanted.group.gid)
      chmodSync(path, stats.isDirectory() ? wanted.folder : wanted.file)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw new UserError(
        'LPA-WAREHOUSE-GROUP',
        wanted.group
          ? `${path} cannot be given to the group ${wanted.group.name}.`
          : `${path} cannot be closed to the group that could read it.`,
        {
          exit: 'notPermitted',
          next: wanted.group
            ? ['Run it as the owner of the warehouse, who must be a member of that group (see: id).']
            : ['Run it as the owner of the warehouse.'],
          cause,
        },
      )
    }
  }
}

function isWrong(path: string, { file, folder, group }: Permissions): boolean {
  const stats = statOf(path)
  if (!stats) return false
  const mode = stats.mode & (stats.isDirectory() ? 0o777 | SETGID : 0o777)
  // Where there is no group, the bit opens nothing.
  const isMode = stats.isDirectory()
    ? mode === folder || (!group && (mode & 0o777) === folder)
    : mode === file
  return !isMode || (group !== undefined && stats.gid !== group.gid)
}

/** What is deepest comes first, the folder itself last. */
function entriesOf(folder: string): string[] {
  const own = readdirSync(folder)
    .filter((name) => OWN.test(name))
    .map((name) => join(folder, name))
  const below = own.flatMap((path) =>
    statOf(path)?.isDirectory()
      ? readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
      : [],
  )
  return [...[...own, ...below].sort().reverse(), folder]
}

/** Undefined for what has gone meanwhile, and for links: what they lead to is not the warehouse's. */
function statOf(path: string) {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats?.isSymbolicLink() ? undefined : stats
}
