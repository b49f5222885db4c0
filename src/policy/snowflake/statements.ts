/**
 * The statements of each change, and when they run. Nobody sees more in between than before or after: what is taken is
 * taken first; then, while every role has only what it has before and after, rows are narrowed to those of before and after,
 * masks change, and rows are widened; what is given is given last. A statement of DDL holds by itself in Snowflake, so what a
 * run that ended early has left is safe too.
 */

import { objectOf, type PhasedStep, type PolicyChange } from '../plan.ts'
import type { PolicyObject } from '../policy.ts'
import { type Around, KINDS, PHASES, type Phase } from './kinds.ts'
import type { RowAccessDefinition } from './wanted.ts'

export function writeSnowflake(
  changes: readonly PolicyChange[],
  wanted: readonly PolicyObject[],
  live: readonly PolicyObject[],
): readonly PhasedStep[] {
  const kinds = new Set(changes.map((change) => objectOf(change).kind))
  const masksMove = MASKED_BY.some((kind) => kinds.has(kind))
  const bodiesChange = changes.some(
    (change) => change.action === 'change' && change.wanted.kind === 'masking policy',
  )
  const policies = { wanted, live }
  const around: Around = {
    masksMove,
    masksChange: masksMove || bodiesChange,
    rowsMove: kinds.has('rows of a table'),
    bodyOf(objects, policy) {
      const found = policies[objects].find(
        ({ kind, name }) => kind === 'row access policy' && name === policy,
      )
      return found && (JSON.parse(found.definition) as RowAccessDefinition)
    },
  }
  const dropped = new Set(
    changes.flatMap((change) =>
      change.action === 'remove' && change.live.kind === 'role' ? [change.live.name] : [],
    ),
  )
  return ordered(changes.filter((change) => !goesWithRole(change, dropped))).flatMap((change) =>
    stepsOf(change, around),
  )
}

/** What says by which policy a column is masked. */
const MASKED_BY = ['tag of a column', 'mask of a tag', 'mask of a column']

/** In the order of the kinds below; removals of one phase the other way round. */
function ordered(changes: readonly PolicyChange[]): readonly PolicyChange[] {
  const places = new Map(Object.keys(KINDS).map((kind, index) => [kind, index]))
  const ranked = changes.map((change) => {
    const place = places.get(objectOf(change).kind) ?? 0
    return { change, rank: change.action === 'remove' ? places.size - place : place }
  })
  return ranked.sort((a, b) => a.rank - b.rank).map(({ change }) => change)
}

/** A role that is dropped takes its grants along. */
function goesWithRole(change: PolicyChange, dropped: ReadonlySet<string>): boolean {
  if (dropped.size === 0 || change.action !== 'remove' || !GRANTS.has(change.live.kind)) return false
  const [, given = '', to, grantee = ''] =
    /^(?:role (\S+)|.*?) to (role|user) (.+)$/.exec(change.live.name) ?? []
  return dropped.has(given) || (to === 'role' && dropped.has(grantee))
}

const GRANTS: ReadonlySet<string> = new Set(['grant', 'future grant', 'role in role', 'role of a user'])

function stepsOf(change: PolicyChange, around: Around): PhasedStep[] {
  const { kind, name } = objectOf(change)
  const how = KINDS[kind]
  if (!how) throw new Error(`${kind} is no kind of Snowflake's objects.`)
  const step = (phase: Phase, sql: string | readonly string[]): PhasedStep => ({
    action: change.action,
    kind,
    name,
    sql: [sql].flat(),
    phase: PHASES.indexOf(phase),
  })
  if (change.action === 'add') return [step(how.phases[0], how.add(change.wanted))]
  if (change.action === 'remove') return [step(how.phases[1], how.remove(change.live))]
  const parts = how.change?.(change.wanted, change.live, around) ?? []
  return parts.map(([phase, sql]) => step(phase, sql))
}
