/** doctor's look at the embedded warehouse's folder, before DuckDB opens it: a damaged catalog could end the process. */

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { asFinding, type Diagnosis, type Finding, inBytes } from './diagnosis.ts'

export interface FolderState {
  readonly isWriting: boolean
  /** Files that are told of: changed or missing. */
  readonly damaged: ReadonlySet<string>
}

const CATALOG = 'catalog.sqlite'

export async function examineFolder(
  config: Config,
  request: { readonly verify: boolean; readonly fix: boolean },
  diagnosis: Diagnosis,
  onBytes: (bytes: number) => void,
): Promise<FolderState> {
  await examineMode(config, request.fix, diagnosis)
  const { lockHolder } = await import('../engines/duckdb/lock-holder.ts')
  const holder = await lockHolder(config.warehouse.path)
  const value = holder ? `process ${holder.pid ?? 'unknown'} is writing` : 'nobody is writing'
  diagnosis.facts.push({ area: 'warehouse', name: 'lock', value })
  const isWriting = holder !== undefined
  const damaged = new Set<string>()
  if (!existsSync(join(config.warehouse.path, CATALOG))) return { isWriting, damaged }
  if (request.verify) await examineChecksums(config, request.fix, diagnosis, damaged, onBytes)
  if (request.fix) await recordAnew(config, request.verify, diagnosis, damaged)
  return { isWriting, damaged }
}

/**
 * Records the files as they are. A catalog that was damaged is forgiven only where all was read, and told of: what it has lost
 * would be swept away by it.
 */
async function recordAnew(
  { warehouse, load }: Config,
  mayForgive: boolean,
  { findings, fixed }: Diagnosis,
  damaged: Set<string>,
): Promise<void> {
  const { recordChecksums, refuseDamagedCatalog } = await import('../engines/duckdb/checksums.ts')
  const { takeWriterLock } = await import('../engines/duckdb/writer-lock.ts')
  try {
    using _lock = await takeWriterLock(warehouse.path, load.lockWaitMs)
    await refuseDamagedCatalog(warehouse.path)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    // Who holds the lock records when it ends.
    if (error.exit === 'locked') return
    damaged.add(CATALOG)
    if (!mayForgive) {
      findings.push(asFinding(error))
      return
    }
    fixed.push(
      `${CATALOG} was not as the last run left it, and runs go on with it as it is: the next one that writes takes away the files that it does not name.`,
    )
  }
  await recordChecksums(warehouse.path)
}

async function examineMode(
  { warehouse }: Config,
  fix: boolean,
  { facts, findings, fixed }: Diagnosis,
): Promise<void> {
  const { path, group } = warehouse
  if (process.platform === 'win32') return
  const { isOwn, permissionsOf, setPermissions, wrongPermissions } = await import(
    '../engines/duckdb/permissions.ts'
  )
  const wanted = permissionsOf(group)
  const wrong = isOwn(path) ? wrongPermissions(path, wanted) : []
  if (wrong.length > 0 && fix) {
    setPermissions(path, wanted)
    fixed.push(`${path} is ${group === undefined ? 'closed to others' : `open to the group ${group}`} now.`)
  } else if (wrong.length > 0) {
    const what = wrong.length === 1 ? `${wrong[0]} has` : `${wrong.length} files and folders of ${path} have`
    const modes = [wanted.file, wanted.folder].map((mode) => mode.toString(8).padStart(4, '0')).join(' and ')
    findings.push({
      code: 'LPA-DOCTOR-MODE',
      message: `${what} other permissions than ${modes}${group === undefined ? '' : ` of the group ${group}`}.`,
      next: ['lpa doctor --fix'],
    })
  }
  const mode = (statSync(path).mode & 0o7777).toString(8)
  const shared = group === undefined ? '' : `, group ${group}`
  facts.push({ area: 'warehouse', name: 'folder', value: `${path}, mode ${mode}${shared}` })
}

async function examineChecksums(
  { warehouse, load }: Config,
  fix: boolean,
  { facts, findings, fixed }: Diagnosis,
  damaged: Set<string>,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { verifyChecksums } = await import('../engines/duckdb/checksums.ts')
  let read = 0
  const { files, bytes, damages } = await verifyChecksums(warehouse.path, load.lockWaitMs, (more) => {
    read += more
    onBytes(read)
  })
  facts.push({ area: 'warehouse', name: 'verified', value: `${files} files, ${inBytes(bytes)}` })
  const unrecorded = damages.filter(({ kind }) => kind === 'unrecorded')
  for (const { path, kind } of damages) {
    if (kind === 'unrecorded') continue
    findings.push(damageFinding(path, kind))
    damaged.add(path)
  }
  if (unrecorded.length > 0 && fix) {
    fixed.push(`The checksums of ${unrecorded.length} files were recorded.`)
  } else if (unrecorded.length > 0) {
    findings.push({
      code: 'LPA-DOCTOR-UNRECORDED',
      message: `${unrecorded.length} files have no checksum yet: a run was killed, or ended while another one was reading.`,
      next: ['The next run that writes records them, and so does: lpa doctor --fix'],
    })
  }
}

export function damageFinding(path: string, kind: 'changed' | 'missing'): Finding {
  const what = kind === 'changed' ? 'is not as it was written' : 'is gone, and a snapshot needs it'
  const isBuilt = path.startsWith('data/core/')
  return {
    code: kind === 'changed' ? 'LPA-DOCTOR-DAMAGED' : 'LPA-DOCTOR-MISSING',
    message: `${path} ${what}.`,
    next: [
      ...(isBuilt
        ? ['Make core anew from what was loaded: lpa batch --full. Older states stay as they are.']
        : []),
      `${isBuilt ? 'Or restore' : 'Restore'} the warehouse from a backup, or make it anew from the exports.`,
    ],
  }
}
