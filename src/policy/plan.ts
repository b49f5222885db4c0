/** The steps from what a warehouse has of a policy to what it should have. Pure: no engine, no files. */

import type { PolicyObject, PolicyStep } from './policy.ts'

/** An object that is to be made, changed or removed. */
export type PolicyChange =
  | { readonly action: 'add'; readonly wanted: PolicyObject }
  | { readonly action: 'change'; readonly wanted: PolicyObject; readonly live: PolicyObject }
  | { readonly action: 'remove'; readonly live: PolicyObject }

/** A step, and when it runs: those of a lower phase first, within one phase in the order in which they are given. */
export interface PhasedStep extends PolicyStep {
  readonly phase: number
}

/** How an engine makes the changes; it sees all there is, as what one of them needs may depend on the rest. */
export type StepWriter = (
  changes: readonly PolicyChange[],
  wanted: readonly PolicyObject[],
  live: readonly PolicyObject[],
) => readonly PhasedStep[]

export interface PlannedPolicy {
  readonly steps: readonly PolicyStep[]
  /** What the policy does not know and lpa did not make: only pruning removes it. */
  readonly extra: readonly PolicyObject[]
}

/** What would bring `live` to `wanted`. With `prune` also what others made is removed. */
export function planPolicy(
  wanted: readonly PolicyObject[],
  live: readonly PolicyObject[],
  write: StepWriter,
  prune = false,
): PlannedPolicy {
  const liveByKey = new Map(live.map((object) => [keyOf(object), object]))
  const wantedKeys = new Set(wanted.map(keyOf))
  const changes: PolicyChange[] = []
  for (const object of wanted) {
    const there = liveByKey.get(keyOf(object))
    if (!there) changes.push({ action: 'add', wanted: object })
    else if (there.definition !== object.definition)
      changes.push({ action: 'change', wanted: object, live: there })
  }
  const unwanted = live.filter((object) => !wantedKeys.has(keyOf(object)))
  for (const object of unwanted) if (object.managed || prune) changes.push({ action: 'remove', live: object })
  const steps = [...write(changes, wanted, live)].sort((a, b) => a.phase - b.phase)
  return {
    steps: steps.map(({ phase: _, ...step }) => step),
    extra: prune ? [] : unwanted.filter(({ managed }) => !managed),
  }
}

/** The object of a change, as it is to be, or was. */
export function objectOf(change: PolicyChange): PolicyObject {
  return change.action === 'remove' ? change.live : change.wanted
}

/** An object of lpa's own. */
export function managed(kind: string, name: string, definition = ''): PolicyObject {
  return { kind, name, definition, managed: true }
}

/** By kind and name: an engine may tell the same in another order, and a plan is the same then. */
export function inOrder(objects: readonly PolicyObject[]): readonly PolicyObject[] {
  const byKey = new Map(objects.map((object) => [keyOf(object), object]))
  return [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? [])
}

function keyOf({ kind, name }: PolicyObject): string {
  return `${kind}\n${name}`
}
