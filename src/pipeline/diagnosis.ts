/** What doctor saw, and how it is told. */

import { UserError } from '../errors.ts'
import { asUserError } from '../failure.ts'
import { wrapped } from '../output/width.ts'
import { safeText } from '../safe-text.ts'

export interface Fact {
  readonly area: 'program' | 'configuration' | 'key' | 'warehouse' | 'tables' | 'disk'
  readonly name: string
  readonly value: string
}

export interface Finding {
  readonly code: string
  readonly message: string
  /** What to do, one step a line. */
  readonly next: readonly string[]
}

/** Filled by one part of the examination after the other. */
export interface Diagnosis {
  readonly facts: Fact[]
  readonly findings: Finding[]
  /** What `--fix` would do, where nothing is wrong yet. */
  readonly planned: string[]
  /** What `--fix` mended. */
  readonly fixed: string[]
}

/** An error as a finding: the examination goes on. */
export function asFinding(error: unknown): Finding {
  if (error instanceof UserError) {
    const where = error.where === undefined ? '' : `${error.where}: `
    return { code: error.code, message: where + error.message, next: error.next }
  }
  const [message = 'Unknown error'] = (error instanceof Error ? error.message : String(error)).split('\n')
  return { code: 'LPA-DOCTOR-ERROR', message, next: [] }
}

/** Runs a part of the examination. What it fails with is a finding, and the other parts go on; only a signal ends them all. */
export async function orFinding<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  { findings }: Diagnosis,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    signal.throwIfAborted()
    findings.push(asFinding(asUserError(error)))
    return undefined
  }
}

/** `1.2 MB` */
export function inBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1)
  const scaled = bytes / 1000 ** power
  return `${power > 0 && scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)} ${units[power]}`
}

/** For people: the facts by area, what was or would be mended, then the findings with what to do; in lines of so many cells. */
export function diagnosisText({ facts, findings, planned, fixed }: Diagnosis, cells: number): string {
  // Names of sources and profiles are a user's.
  const width = Math.max(...facts.map(({ name }) => safeText(name).length))
  const lines: string[] = []
  for (const area of new Set(facts.map((fact) => fact.area))) {
    lines.push(area)
    for (const { name, value } of facts.filter((fact) => fact.area === area)) {
      lines.push(factText(safeText(name).padEnd(width), safeText(value), cells))
    }
    lines.push('')
  }
  const said = (text: string) => wrapped(safeText(text), cells)
  if (fixed.length > 0) lines.push('mended', ...fixed.map((text) => said(`  ${text}`)), '')
  if (planned.length > 0) lines.push('by --fix', ...planned.map((text) => said(`  ${text}`)), '')
  lines.push(findings.length === 0 ? 'Nothing is wrong.' : 'findings')
  for (const { code, message, next } of findings) {
    lines.push(said(`  ${message} (${code})`), ...next.map((step) => said(`      ${step}`)))
  }
  return lines.join('\n')
}

/** Name and value beside each other, or below where a word of the value would not fit. */
function factText(name: string, value: string, cells: number): string {
  const indent = name.length + 4
  const fits = value.split(' ').every((word) => word.length <= cells - indent - 2)
  if (!fits) return `  ${name.trimEnd()}\n${wrapped(`    ${value}`, cells)}`
  return `  ${name}  ${wrapped(' '.repeat(indent) + value, cells).slice(indent)}`
}
