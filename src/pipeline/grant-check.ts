/** Whether the warehouse has the declared policy, and what the policy itself leaves open. */

import { type AuditFinding, auditPolicy } from '../policy/audit.ts'
import type { Policy, PolicyStep } from '../policy/policy.ts'
import { safeText } from '../safe-text.ts'
import type { Engine } from '../types.ts'
import { readDeclared } from './declared.ts'
import { type GrantPlan, grantSummary, planGrants } from './grant.ts'

export interface GrantCheck extends GrantPlan {
  readonly upToDate: boolean
  /** Asked for by `--audit`. */
  readonly audit?: readonly AuditFinding[]
}

/** Reads only. */
export async function checkGrants(engine: Engine, policy: Policy, withAudit: boolean): Promise<GrantCheck> {
  const { known, ...plan } = await planGrants(engine, policy)
  const audit = withAudit ? auditPolicy(policy, readDeclared(engine.dialect).tables, known) : undefined
  return { upToDate: plan.steps.length === 0 && plan.extra.length === 0, ...plan, ...(audit && { audit }) }
}

const DRIFTS: Readonly<Record<PolicyStep['action'], string>> = {
  add: 'missing',
  change: 'different',
  remove: 'not declared',
}

/** For people: a line for each difference and finding. */
export function checkText({ upToDate, steps, extra, notes, audit = [] }: GrantCheck): string {
  const drifts = new Set(steps.map(({ action, kind, name }) => `${DRIFTS[action]}: ${kind} ${name}`))
  const lines = [
    ...drifts,
    ...extra.map(({ kind, name }) => `of others: ${kind} ${name}`),
    ...notes.map((note) => `note: ${note}`),
    ...audit.map(({ severity, kind, target, next }) => `audit: ${severity}: ${kind}: ${target}. ${next}`),
  ]
  if (upToDate) lines.unshift('The warehouse has the policy.')
  return lines.map(safeText).join('\n')
}

export function checkSummary(check: GrantCheck): string {
  const drift = grantSummary(check)
  if (!check.audit) return drift
  const errors = check.audit.filter(({ severity }) => severity === 'error').length
  const counts = [counted(errors, 'error'), counted(check.audit.length - errors, 'warning')]
  return `${drift}; ${counts.join(' and ')} of the audit`
}

const counted = (count: number, word: string) => `${count} ${count === 1 ? word : `${word}s`}`

/** The warehouse has the policy, and the policy has no mistake; warnings are no reason to fail. */
export function isFine({ upToDate, audit = [] }: GrantCheck): boolean {
  return upToDate && audit.every(({ severity }) => severity === 'warning')
}
