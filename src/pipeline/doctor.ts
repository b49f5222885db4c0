/** doctor: what lpa runs on, what is configured, and what is wrong with either or with the warehouse. */

import { chmodSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../config.ts'
import { durationText } from '../duration.ts'
import { readKey } from '../pseudonym.ts'
import { maskEmails } from '../secrets.ts'
import { asFinding, type Diagnosis, type Finding, inBytes, orFinding } from './diagnosis.ts'
import { examineFolder } from './doctor-folder.ts'
import { examineSnowflake } from './doctor-snowflake.ts'
import { examineWarehouse } from './doctor-warehouse.ts'
import { withWarehouse } from './warehouse.ts'

export interface DoctorRequest {
  /** Reads every byte of the warehouse and holds it against its checksum. */
  readonly verify: boolean
  /** Mends what can be mended without loss, and keeps the warehouse small. */
  readonly fix: boolean
  readonly lpaVersion: string
}

/** Below this a load or a batch may not end. */
const LEAST_FREE_BYTES = 1_000_000_000

/** SQLite's log is settled before the catalog is held against its checksum, and while nobody else may write. */
const VERIFY_NEEDS_WRITING: Finding = {
  code: 'LPA-DOCTOR-READER',
  message: 'Who may only read the warehouse cannot verify it.',
  next: ['Ask its owner to run: lpa doctor --verify'],
}

/** `onBytes` tells how much of the warehouse was read so far, for `verify`. */
export async function diagnose(
  config: Config,
  request: DoctorRequest,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<Diagnosis> {
  const diagnosis: Diagnosis = { facts: [], findings: [], planned: [], fixed: [] }
  tellProgram(request.lpaVersion, diagnosis)
  tellConfiguration(config, diagnosis)
  const isReader = await onlyReads(config)
  const verify = request.verify && !isReader
  if (request.verify && isReader) diagnosis.findings.push(VERIFY_NEEDS_WRITING)
  const keyId = examineKey(config, request.fix, isReader, diagnosis)
  const { warehouse } = config
  diagnosis.facts.push({ area: 'warehouse', name: 'engine', value: warehouse.engine })
  const isEmbedded = warehouse.engine === 'duckdb' && existsSync(warehouse.path)
  const state = isEmbedded
    ? await examineFolder(config, { verify, fix: request.fix && !isReader }, diagnosis, onBytes)
    : { isWriting: false, damaged: new Set<string>() }
  const isReachable =
    warehouse.engine === 'snowflake'
      ? await examineSnowflake(config, signal, diagnosis)
      : !state.damaged.has('catalog.sqlite')
  if (isReachable) {
    const examined = () =>
      withWarehouse(config, request.fix ? 'write' : 'read', signal, (engine) =>
        examineWarehouse(
          engine,
          config,
          { ...request, ...state, verify, keyId, isReader, signal },
          diagnosis,
        ),
      )
    await orFinding(examined, signal, diagnosis)
  }
  examineDisk(config, diagnosis)
  return diagnosis
}

/** Whether somebody else's warehouse was opened to this user. */
async function onlyReads({ warehouse }: Config): Promise<boolean> {
  const { isPermitted } = await import('../engines/duckdb/permissions.ts')
  return warehouse.engine === 'duckdb' && !isPermitted(warehouse.path, constants.W_OK)
}

function tellProgram(lpaVersion: string, { facts }: Diagnosis): void {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  facts.push(
    { area: 'program', name: 'lpa', value: lpaVersion },
    { area: 'program', name: 'node', value: `${process.version} (${process.execPath})` },
    { area: 'program', name: 'system', value: `${process.platform}-${process.arch}, time zone ${timeZone}` },
  )
}

/** Every setting with its value and where that came from. */
function tellConfiguration(config: Config, { facts }: Diagnosis): void {
  const area = 'configuration'
  facts.push({ area, name: 'file', value: config.file ?? 'none: all defaults' })
  if (config.profile !== undefined) facts.push({ area, name: 'profile', value: config.profile })
  for (const [name, from] of Object.entries(config.origin)) {
    facts.push({ area, name, value: `${maskEmails(settingText(config, name))} (${from})` })
  }
}

/** `warehouse.memory_limit` is `config.warehouse.memoryLimit`, `load.lock_wait` is `config.load.lockWaitMs`. */
function settingText(config: Config, name: string): string {
  const parts = name.split('.')
  // The name of a source may hold dots: sources.NAME.uri.
  const source = parts.slice(1, -1).join('.')
  let value: unknown = config
  for (const part of [parts[0], source, parts.at(-1)]) {
    if (!part) continue
    const camel = part.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
    const { api, kafka } = value as { readonly api?: object; readonly kafka?: object }
    const holder = { ...api, ...kafka, ...(value as Record<string, unknown>) }
    const ms = holder[`${camel}Ms`]
    value = typeof ms === 'number' ? durationText(ms) : (holder[camel] ?? holder[part])
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Answers the id of the key, when it can be used. */
function examineKey(
  { privacy }: Config,
  fix: boolean,
  isReader: boolean,
  diagnosis: Diagnosis,
): string | undefined {
  const file = privacy.keyFile
  if (isReader && !existsSync(file)) {
    const value = 'none: who only reads the warehouse needs none'
    diagnosis.facts.push({ area: 'key', name: 'file', value })
    return undefined
  }
  const mode = (statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o777
  if (fix && process.platform !== 'win32' && (mode & 0o077) !== 0) {
    chmodSync(file, 0o600)
    diagnosis.fixed.push(`Only you can read ${file} now.`)
  }
  try {
    const { id } = readKey(file)
    const value = `${file}, mode ${(statSync(file).mode & 0o777).toString(8)}`
    diagnosis.facts.push({ area: 'key', name: 'file', value }, { area: 'key', name: 'id', value: id })
    return id
  } catch (error) {
    diagnosis.findings.push(asFinding(error))
    return undefined
  }
}

function examineDisk({ warehouse }: Config, { facts, findings }: Diagnosis): void {
  let place = warehouse.path
  while (!existsSync(place)) place = dirname(place)
  const { bavail, bsize } = statfsSync(place)
  const free = bavail * bsize
  facts.push({ area: 'disk', name: 'free', value: inBytes(free) })
  if (free >= LEAST_FREE_BYTES) return
  findings.push({
    code: 'LPA-DOCTOR-DISK',
    message: `Only ${inBytes(free)} are free where the warehouse is.`,
    next: ['Make room, or move the warehouse: warehouse.path in lpa.toml'],
  })
}
