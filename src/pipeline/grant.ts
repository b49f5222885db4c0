/** Who may see what: the declared policy against what the warehouse has of it: plan, apply, check. */

import { UserError } from '../errors.ts'
import { type Log, silentLog } from '../log.ts'
import type { KnownToEngine } from '../policy/audit.ts'
import { wantedObjects } from '../policy/objects.ts'
import { inOrder, type PlannedPolicy, planPolicy } from '../policy/plan.ts'
import type { Policy, PolicyObject, PolicyStep } from '../policy/policy.ts'
import { writeStored } from '../policy/stored.ts'
import { safeText } from '../safe-text.ts'
import type { Engine } from '../types.ts'
import type { ApplyTurn } from './grant-turn.ts'
import { ledgerRows } from './ledger.ts'
import { indented, readSavedPlan, refuseStale, type SavedPlan } from './saved-plan.ts'
import { sha256 } from './schema-changes.ts'

export interface GrantPlan extends SavedPlan {
  readonly steps: readonly PolicyStep[]
  /** What others made and the policy does not know: only `--prune` removes it. */
  readonly extra: readonly Pick<PolicyObject, 'kind' | 'name'>[]
  /** In sentences: what the engine does not enforce, or what has to wait. */
  readonly notes: readonly string[]
  readonly prune: boolean
}

/** How an engine keeps a policy: natively, or as rows that lpa's own connections obey. */
export interface PolicyKeeper {
  /** What the policy is there, what is there by now, and what of it is not kept. */
  compare(policy: Policy): Promise<{
    readonly wanted: readonly PolicyObject[]
    readonly live: readonly PolicyObject[]
    readonly notes: readonly string[]
    readonly known?: KnownToEngine
  }>
  readonly write: Parameters<typeof planPolicy>[2]
  /** What is to be found anew when the policy holds. */
  settle(): Promise<void>
}

async function keeperOf(engine: Engine): Promise<PolicyKeeper> {
  if (engine.can.roles !== true) return storedPolicy(engine)
  const { snowflakePolicy } = await import('./grant-snowflake.ts')
  return snowflakePolicy(engine)
}

function storedPolicy(engine: Engine): PolicyKeeper {
  return {
    async compare(policy) {
      const rows = await ledgerRows(engine, 'policy-objects')
      const live = rows.map(([kind, name, definition]) => ({
        kind: String(kind),
        name: String(name),
        definition: String(definition),
        managed: true,
      }))
      return { wanted: wantedObjects(policy), live, notes: [] }
    },
    write: writeStored,
    settle: async () => {},
  }
}

/** A plan, and what the engine told besides. */
type FreshPlan = GrantPlan & { readonly known: KnownToEngine }

/** What `applyGrants` would do now. Reads only. */
export async function planGrants(engine: Engine, policy: Policy, prune = false): Promise<FreshPlan> {
  return makePlan(engine, await keeperOf(engine), policy, prune)
}

async function makePlan(
  engine: Engine,
  keeper: PolicyKeeper,
  policy: Policy,
  prune: boolean,
): Promise<FreshPlan> {
  const { wanted, notes, known = {}, ...compared } = await keeper.compare(policy)
  const live = inOrder(compared.live)
  const { steps, extra }: PlannedPolicy = planPolicy(wanted, live, keeper.write, prune)
  return {
    steps,
    extra: extra.map(({ kind, name }) => ({ kind, name })),
    notes,
    prune,
    baseVersion: await engine.version(),
    hash: sha256(JSON.stringify({ steps, live })),
    known,
  }
}

/**
 * A plan as `grant plan --out` wrote it.
 * @throws UserError LPA-GRANT-PLAN: noInput (66) without the file, data (65) when it holds no plan.
 */
export function readGrantPlan(file: string): GrantPlan {
  return readSavedPlan<GrantPlan>(file, 'grant', ({ steps = [], extra, notes, prune, baseVersion, hash }) =>
    Array.isArray(extra) && Array.isArray(notes) && typeof prune === 'boolean'
      ? { steps, extra, notes, prune, baseVersion: String(baseVersion), hash: String(hash) }
      : undefined,
  )
}

export interface ApplyOptions {
  /** Made before: just what it says is done. */
  readonly saved?: GrantPlan | undefined
  readonly prune?: boolean
  readonly log?: Log
  /** How long it waits for another apply. */
  readonly lockWaitMs?: number
}

/**
 * Brings the warehouse to the policy: in one transaction where the engine has that for it; else step by step, each of which
 * holds by itself, in an order in which nobody sees more in between than before or after.
 * @throws UserError LPA-GRANT-STALE (findings) when the saved plan would be another one by now, LPA-GRANT-LOCKED (75) while another
 *   apply is at work
 */
export async function applyGrants(
  engine: Engine,
  policy: Policy,
  { saved, prune = false, log = silentLog, lockWaitMs = 0 }: ApplyOptions = {},
): Promise<FreshPlan> {
  const keeper = await keeperOf(engine)
  const plan = () => makePlan(engine, keeper, policy, prune || saved?.prune === true)
  if (!engine.can.transactionalDdl) {
    const applied = await inTurn(engine, lockWaitMs, async (turn) => {
      const now = await plan()
      refuseStale(now, saved, 'grant')
      await runEach(engine, now.steps, turn, log)
      return now
    })
    await keeper.settle()
    return applied
  }
  const before = await plan()
  refuseStale(before, saved, 'grant')
  if (before.steps.length === 0) return before
  return engine.transaction(
    async () => {
      // Again, under the writer lock: another run may have been first.
      const now = await plan()
      refuseStale(now, saved, 'grant')
      for (const { sql } of now.steps) for (const statement of sql) await engine.execute(statement)
      return now
    },
    { rows: 0 },
  )
}

async function inTurn<T>(engine: Engine, waitMs: number, work: (turn: ApplyTurn) => Promise<T>): Promise<T> {
  const { ApplyTurn } = await import('./grant-turn.ts')
  await using turn = await ApplyTurn.take(engine, waitMs)
  return await work(turn)
}

async function runEach(
  engine: Engine,
  steps: readonly PolicyStep[],
  turn: ApplyTurn,
  log: Log,
): Promise<void> {
  for (const [index, { action, kind, sql }] of steps.entries()) {
    log.info('grant apply', { step: index + 1, of: steps.length, action, kind })
    for (const statement of sql) {
      await turn.assertMine()
      await engine.execute(statement).catch((cause) => {
        throw failedStep(cause, statement, index, steps.length)
      })
    }
  }
}

function failedStep(cause: unknown, statement: string, index: number, count: number): UserError {
  const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
  const exit = cause instanceof UserError ? cause.exit : 'unavailable'
  return new UserError('LPA-GRANT-STEP', `Step ${index + 1} of ${count} failed: ${why}`, {
    exit,
    where: statement,
    next: [
      ...(cause instanceof UserError ? cause.next : []),
      'The steps before it hold, and nobody sees more than before or after. Run it again: it goes on.',
    ],
    cause,
  })
}

const MARKS = { add: '+', change: '~', remove: '-' } as const

/** The plan for people: a line for each step, with its statements. */
export function grantPlanText({ steps, extra, notes }: Pick<GrantPlan, 'steps' | 'extra' | 'notes'>): string {
  const lines = steps.flatMap(({ action, kind, name, sql }) => [
    safeText(`${MARKS[action]} ${kind} ${name}`),
    ...sql.map((statement) => indented(safeLines(statement))),
  ])
  if (lines.length === 0) lines.push('Nothing to do: the warehouse has the policy.')
  lines.push(...extra.map(({ kind, name }) => safeText(`not of the policy: ${kind} ${name}`)))
  lines.push(...notes.map((note) => safeText(`note: ${note}`)))
  return lines.join('\n')
}

function safeLines(statement: string): string {
  return statement.split('\n').map(safeText).join('\n')
}

/** `12 to add, 1 to change, 3 to remove; 2 not of the policy`, or that there is nothing to do. */
export function grantSummary({ steps, extra }: Pick<GrantPlan, 'steps' | 'extra'>, done = false): string {
  const count = (action: PolicyStep['action']) => steps.filter((step) => step.action === action).length
  const words = done ? ['added', 'changed', 'removed'] : ['to add', 'to change', 'to remove']
  const parts = (['add', 'change', 'remove'] as const).flatMap((action, index) =>
    count(action) > 0 ? [`${count(action)} ${words[index]}`] : [],
  )
  const changes = parts.length > 0 ? parts.join(', ') : 'the warehouse has the policy'
  return extra.length > 0 ? `${changes}; ${extra.length} not of the policy` : changes
}
