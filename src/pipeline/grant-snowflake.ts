/** A policy in Snowflake: its own roles, grants, tags, masking and row access policies. */

import { LOAD_IDS, STAGE } from '../engines/snowflake/ddl.ts'
import { UserError } from '../errors.ts'
import type { PolicyObject } from '../policy/policy.ts'
import { liveNotes, liveOnSnowflake } from '../policy/snowflake/live.ts'
import { BUILDERS, handOver, REVEALERS } from '../policy/snowflake/names.ts'
import {
  readPlace,
  readPolicyTables,
  readSnowflake,
  rolesThatMay,
  statementsThatFill,
} from '../policy/snowflake/read.ts'
import { writeSnowflake } from '../policy/snowflake/statements.ts'
import { type Relation, wantedOnSnowflake } from '../policy/snowflake/wanted.ts'
import type { Engine, Result } from '../types.ts'
import type { PolicyKeeper } from './grant.ts'
import { ledgerRows } from './ledger.ts'

export function snowflakePolicy(engine: Engine): PolicyKeeper {
  const ask = (statement: string) => engine.query(statement)
  return {
    async compare(policy) {
      const relations = await readRelations(engine)
      const place = await readPlace(ask)
      const loads = { stage: STAGE, sequence: LOAD_IDS }
      const { objects, notes } = wantedOnSnowflake(policy, relations, { ...place, loads })
      const state = await readSnowflake(ask, relations, objects, place)
      const live = liveOnSnowflake(state, objects)
      assertFree(objects, live)
      return {
        wanted: objects,
        live,
        notes: [...notes, ...liveNotes(state, objects)],
        known: {
          held: new Set(state.members.flatMap(({ role, to }) => (to === 'user' ? [role] : []))),
          relations,
        },
      }
    },
    write: writeSnowflake,
    settle: () => engine.transaction(() => fillRowsOfUsers(engine)),
  }
}

/** Kinds that say by their comment whose they are. */
const OWNED: ReadonlySet<string> = new Set(['role', 'tag', 'masking policy', 'row access policy'])

/**
 * What others made is not taken over in passing: with a role, all that it was granted here would be lpa's to take back.
 * @throws UserError LPA-GRANT-TAKEN (config)
 */
function assertFree(wanted: readonly PolicyObject[], live: readonly PolicyObject[]): void {
  const names = new Set(wanted.map(({ kind, name }) => `${kind} ${name}`))
  const taken = live.find(
    ({ kind, name, managed }) => !managed && OWNED.has(kind) && names.has(`${kind} ${name}`),
  )
  if (!taken) return
  const { kind, name } = taken
  throw new UserError('LPA-GRANT-TAKEN', `There is a ${kind} ${name} that lpa did not make.`, {
    exit: 'config',
    next: [
      'Choose another name in security/*.yaml.',
      `Or let lpa have it, with all that it was granted in this database: ${handOver(kind, name)}`,
    ],
  })
}

/**
 * Who is masked or filtered would write what is left of the rows into core.
 * @throws UserError LPA-BUILD-MASKED (notPermitted) when the session has no role that sees all of them
 */
async function assertBuilder(ask: (statement: string) => Promise<Result>): Promise<void> {
  const { roles, hasOne } = await rolesThatMay(ask, BUILDERS)
  if (hasOne || roles.length === 0) return
  throw new UserError(
    'LPA-BUILD-MASKED',
    'The role of this session sees masked values or some of the rows: it would build, map or erase by these.',
    { exit: 'notPermitted', next: `Connect with a role that has one of these: ${roles.join(', ')}` },
  )
}

/**
 * Who may see who a pseudonym is, the policy there says: a session that cannot read it has no such role.
 * @throws UserError LPA-ROLE-REVEAL (notPermitted)
 */
export async function assertRevealer(engine: Engine): Promise<void> {
  const ask = (statement: string) => engine.query(statement)
  const isTold = (await readPolicyTables(ask)).includes(REVEALERS)
  const { roles, hasOne } = isTold ? await rolesThatMay(ask, REVEALERS) : { roles: [], hasOne: false }
  if (hasOne) return
  throw new UserError('LPA-ROLE-REVEAL', 'No role of this session may see who a pseudonym is.', {
    exit: 'notPermitted',
    next:
      roles.length > 0
        ? `Connect with a role that has one of these: ${roles.join(', ')}`
        : 'may_reveal in the policy says who may, once it is applied: lpa grant apply',
  })
}

/**
 * Of a batch: refuses a session that sees less than all, and answers what is to be done when core is built: for all rules, or
 * for those that read one of the models that were built. Nothing where no policy was applied.
 * @throws UserError LPA-BUILD-MASKED (notPermitted)
 */
export async function batchUnderPolicy(
  engine: Engine,
): Promise<(models?: readonly string[]) => Promise<void>> {
  const ask = (statement: string) => engine.query(statement)
  if ((await readPolicyTables(ask)).length === 0) return async () => {}
  await assertBuilder(ask)
  return (models) => fillRowsOfUsers(engine, models)
}

/** Finds anew which rows users may see by rules that select them, inside the open transaction. */
async function fillRowsOfUsers(engine: Engine, models?: readonly string[]): Promise<void> {
  const ask = (statement: string) => engine.query(statement)
  for (const statement of await statementsThatFill(ask, models)) await engine.execute(statement)
}

export async function readRelations(engine: Engine): Promise<Relation[]> {
  const relations = new Map<string, { kind: Relation['kind']; columns: Relation['columns'][number][] }>()
  for (const [name, column, type, , kind] of await ledgerRows(engine, 'live-columns')) {
    const relation = relations.get(String(name)) ?? { kind: kind === 'view' ? 'view' : 'table', columns: [] }
    relation.columns.push({ name: String(column), type: String(type) })
    relations.set(String(name), relation)
  }
  return [...relations].map(([name, relation]) => ({ name, ...relation }))
}
