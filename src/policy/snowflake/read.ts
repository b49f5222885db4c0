/** Asks Snowflake for what it has of a policy: two questions a role, and some twenty besides. */

import type { Cell, Result } from '../../types.ts'
import type { PolicyObject } from '../policy.ts'
import { rolesOfLpa } from './live.ts'
import {
  BUILDERS,
  GIVEN_ROLES,
  POLICY_SCHEMA,
  partsTold,
  REVEALERS,
  ROW_RULES,
  text,
  told,
  USER_VALUES,
} from './names.ts'
import { fillAllowedRows } from './row-access.ts'
import type { PolicyUse, SnowflakeState } from './state.ts'
import type { Relation } from './wanted.ts'

type Ask = (statement: string) => Promise<Result>

/** A row by the names of its columns. */
type Told = Readonly<Record<string, Cell>>

/** So many questions are asked at once. */
const AT_ONCE = 8

/** Of one statement that asks a function for many tables. */
const TABLES_AT_ONCE = 50

const SCHEMAS = ['raw', 'staging', 'core', 'meta']

/** Database and warehouse of the session. */
export async function readPlace(
  ask: Ask,
): Promise<{ readonly database: string; readonly warehouse: string | undefined }> {
  const [row] = await rowsOf(
    ask,
    'select current_database() as database_name, current_warehouse() as warehouse_name',
  )
  const warehouse = row?.warehouse_name
  return {
    database: String(row?.database_name ?? ''),
    warehouse: warehouse === null || warehouse === undefined ? undefined : String(warehouse),
  }
}

/** The roles that may build, or reveal, and whether the session has one of them. */
export async function rolesThatMay(
  ask: Ask,
  of: typeof BUILDERS | typeof REVEALERS,
): Promise<{ readonly roles: readonly string[]; readonly hasOne: boolean }> {
  const rows = await rowsOf(
    ask,
    `select role_name, is_role_in_session(role_name) as is_held from ${of} order by role_name`,
  )
  return {
    roles: rows.map(({ role_name }) => told(String(role_name))),
    hasOne: rows.some(({ is_held }) => is_held === true),
  }
}

/** What finds anew which rows users may see, by all rules that select them or by those that read one of the `models`. */
export async function statementsThatFill(ask: Ask, models?: readonly string[]): Promise<readonly string[]> {
  const rules = (await readRows(ask, ROW_RULES))
    .map(([name = '', attribute = '', allowed = '']) => ({ name, attribute, allowed }))
    .filter(({ allowed }) => models === undefined || readsOne(allowed, models))
  if (rules.length === 0) return []
  const values = (await readRows(ask, USER_VALUES)).map(([user = '', attribute = '']) => ({
    user,
    attribute,
  }))
  return fillAllowedRows(rules, values, models === undefined)
}

/** What is in no model, of staging, may have changed too. */
function readsOne(allowed: string, models: readonly string[]): boolean {
  const tables = [...allowed.matchAll(/\b(core|staging|raw|meta)\s*\.\s*"?(\w+)/gi)]
  return tables.some(
    ([, schema = '', table = '']) => schema.toLowerCase() !== 'core' || models.includes(table.toLowerCase()),
  )
}

/** `policy.user_values` and the others, those that are there. */
export async function readPolicyTables(ask: Ask): Promise<readonly string[]> {
  const rows = await rowsOf(
    ask,
    `select lower(table_name) as table_name from information_schema.tables where table_schema = '${POLICY_SCHEMA.toUpperCase()}'`,
  )
  return rows.map(({ table_name }) => `${POLICY_SCHEMA}.${table_name}`)
}

/** `wanted` says which roles are asked for, besides those that are lpa's already. */
export async function readSnowflake(
  ask: Ask,
  relations: readonly Relation[],
  wanted: readonly PolicyObject[],
  place: Pick<SnowflakeState, 'database' | 'warehouse'>,
): Promise<SnowflakeState> {
  const roles = (await rowsOf(ask, 'show roles')).map(({ name, comment }) => ({
    name: told(String(name)),
    comment: String(comment ?? ''),
  }))
  const policyTables = await readPolicyTables(ask)
  const schemas = new Set(
    (await rowsOf(ask, 'select lower(schema_name) as schema_name from information_schema.schemata')).map(
      ({ schema_name }) => String(schema_name),
    ),
  )
  const hasPolicySchema = schemas.has(POLICY_SCHEMA)
  const own = rolesOfLpa({ roles }, wanted)
  const described = hasPolicySchema ? await readPolicies(ask, place.database) : NOTHING
  const tables = relations.map(({ name }) => name)
  return {
    ...place,
    hasPolicySchema,
    policyTables,
    relations,
    roles,
    ...(await readGrants(ask, own, place)),
    futureGrants: await readFutureGrants(
      ask,
      place.database,
      SCHEMAS.filter((schema) => schemas.has(schema)),
    ),
    ...described,
    taggings: described.tags.length === 0 ? [] : await readTaggings(ask, tables),
    userValues: policyTables.includes(USER_VALUES) ? await readRows(ask, USER_VALUES) : [],
    givenRoles: policyTables.includes(GIVEN_ROLES) ? await readRows(ask, GIVEN_ROLES) : [],
    builders: policyTables.includes(BUILDERS) ? await readRows(ask, BUILDERS) : [],
    revealers: policyTables.includes(REVEALERS) ? await readRows(ask, REVEALERS) : [],
    rowRules: policyTables.includes(ROW_RULES) ? await readRows(ask, ROW_RULES) : [],
  }
}

async function rowsOf(ask: Ask, statement: string): Promise<Told[]> {
  const { columns, rows } = await ask(statement)
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])))
}

async function readRows(ask: Ask, table: string): Promise<string[][]> {
  return (await ask(`select * from ${table}`)).rows.map((row) => row.map(String))
}

/** Some at once, answers in the order of the questions. */
async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = []
  for (let first = 0; first < items.length; first += AT_ONCE)
    answers.push(...(await Promise.all(items.slice(first, first + AT_ONCE).map(work))))
  return answers
}

// ── grants ────────────────────────────────────────────────────────────────────────────────────────────────

async function readGrants(
  ask: Ask,
  roles: readonly string[],
  place: Pick<SnowflakeState, 'database' | 'warehouse'>,
): Promise<Pick<SnowflakeState, 'grants' | 'members'>> {
  const grants = await eachOf(roles, async (role) =>
    (await rowsOf(ask, `show grants to role ${role}`)).map(({ privilege, granted_on, name }) => ({
      privilege: String(privilege).toLowerCase(),
      role,
      ...objectTold(String(granted_on), String(name), place),
    })),
  )
  const members = await eachOf(roles, async (role) =>
    (await rowsOf(ask, `show grants of role ${role}`)).map(({ granted_to, grantee_name }) => ({
      role,
      to: String(granted_to).toLowerCase() === 'user' ? ('user' as const) : ('role' as const),
      grantee: told(String(grantee_name)),
    })),
  )
  return { grants: grants.flat(), members: members.flat() }
}

/** What is in lpa's database is called without it. */
function objectTold(
  grantedOn: string,
  name: string,
  { database, warehouse }: Pick<SnowflakeState, 'database' | 'warehouse'>,
): { on: string; name: string; isElsewhere: boolean } {
  const on = grantedOn.toLowerCase().replaceAll('_', ' ')
  const parts = partsTold(name)
  if (on === 'warehouse')
    return { on, name: parts.join('.'), isElsewhere: parts[0] !== (warehouse && told(warehouse)) }
  if (on === 'role' || on === 'account') return { on, name: parts.join('.'), isElsewhere: false }
  const isElsewhere = parts[0] !== told(database)
  return { on, name: (isElsewhere || on === 'database' ? parts : parts.slice(1)).join('.'), isElsewhere }
}

async function readFutureGrants(
  ask: Ask,
  database: string,
  schemas: readonly string[],
): Promise<SnowflakeState['futureGrants']> {
  const places = [undefined, ...schemas]
  const answers = await eachOf(places, async (schema) => {
    const where = schema === undefined ? `database ${told(database)}` : `schema ${schema}`
    return (await rowsOf(ask, `show future grants in ${where}`))
      .filter(({ grant_to }) => String(grant_to).toUpperCase() === 'ROLE')
      .map(({ privilege, grant_on, grantee_name }) => ({
        privilege: String(privilege).toLowerCase(),
        on: String(grant_on).toLowerCase().replaceAll('_', ' '),
        schema,
        role: told(String(grantee_name)),
      }))
  })
  return answers.flat()
}

// ── tags and policies ─────────────────────────────────────────────────────────────────────────────────────

type Described = Pick<SnowflakeState, 'tags' | 'maskingPolicies' | 'rowAccessPolicies' | 'policyUses'>

const NOTHING: Described = { tags: [], maskingPolicies: [], rowAccessPolicies: [], policyUses: [] }

const inPolicy = (name: string) => `${POLICY_SCHEMA}.${told(name)}`

async function readPolicies(ask: Ask, database: string): Promise<Described> {
  const tags = (await rowsOf(ask, `show tags in schema ${POLICY_SCHEMA}`)).map(
    ({ name, comment, allowed_values }) => ({
      name: inPolicy(String(name)),
      comment: String(comment ?? ''),
      values: allowed_values === null ? [] : (JSON.parse(String(allowed_values)) as string[]),
    }),
  )
  const maskingPolicies = await readDescribed(ask, 'masking policy', 'masking policies')
  const rowAccessPolicies = await readDescribed(ask, 'row access policy', 'row access policies')
  const policyUses = await readUses(
    ask,
    [...maskingPolicies, ...rowAccessPolicies].map(({ name }) => name),
    database,
  )
  return { tags, maskingPolicies, rowAccessPolicies, policyUses }
}

async function readDescribed(
  ask: Ask,
  one: string,
  many: string,
): Promise<SnowflakeState['maskingPolicies']> {
  const shown = await rowsOf(ask, `show ${many} in schema ${POLICY_SCHEMA}`)
  return eachOf(shown, async ({ name, comment }) => {
    const policy = inPolicy(String(name))
    const [described] = await rowsOf(ask, `describe ${one} ${policy}`)
    return {
      name: policy,
      comment: String(comment ?? ''),
      arguments: argumentsTold(String(described?.signature)),
      body: String(described?.body).replace(/\s+/g, ' ').trim(),
    }
  })
}

/** `(VAL VARCHAR, N NUMBER)`: a type is told with or without the digits that it has unless others are said. */
function argumentsTold(signature: string): string[] {
  const inside = signature.trim().replace(/^\(|\)$/g, '')
  return inside.split(/,(?![^(]*\))/).map((argument) => {
    const [name = '', ...type] = argument.trim().toLowerCase().split(/\s+/)
    return `${name} ${typeTold(type.join(''))}`
  })
}

function typeTold(type: string): string {
  if (type === 'number') return 'number(38,0)'
  return /^(varchar|timestamp_\w+|float)/.exec(type)?.[1] ?? type
}

async function readUses(ask: Ask, policies: readonly string[], database: string): Promise<PolicyUse[]> {
  if (policies.length === 0) return []
  const statement = policies
    .map(
      (policy) =>
        `select policy_name, policy_kind, ref_schema_name, ref_entity_name, ref_entity_domain, ref_column_name, ref_arg_column_names, tag_schema, tag_name from table(information_schema.policy_references(policy_name => ${text(`${database}.${policy}`)}))`,
    )
    .join(' union all ')
  const uses = new Map<string, PolicyUse>()
  for (const row of await rowsOf(ask, statement)) {
    const use = policyUseTold(row)
    // A tag's policy is told of the tag, and may be told of each column again.
    uses.set(JSON.stringify(use), use)
  }
  return [...uses.values()]
}

function policyUseTold(row: Told): PolicyUse {
  const policy = inPolicy(String(row.policy_name))
  const entity = `${told(String(row.ref_schema_name))}.${told(String(row.ref_entity_name))}`
  if (String(row.policy_kind).includes('ROW_ACCESS')) {
    const columns = (JSON.parse(String(row.ref_arg_column_names ?? '[]')) as string[]).map(told)
    return { policy, kind: 'row access', tag: undefined, table: entity, columns }
  }
  const isTag = row.ref_entity_domain === 'TAG'
  if (!isTag && row.tag_name === null)
    return {
      policy,
      kind: 'masking',
      tag: undefined,
      table: entity,
      columns: [told(String(row.ref_column_name))],
    }
  const tag = isTag ? entity : `${told(String(row.tag_schema))}.${told(String(row.tag_name))}`
  return { policy, kind: 'masking', tag, table: undefined, columns: [] }
}

async function readTaggings(ask: Ask, tables: readonly string[]): Promise<SnowflakeState['taggings']> {
  const statements: string[] = []
  for (let first = 0; first < tables.length; first += TABLES_AT_ONCE)
    statements.push(
      tables
        .slice(first, first + TABLES_AT_ONCE)
        .map(tagReferences)
        .join(' union all '),
    )
  const found = new Map<string, SnowflakeState['taggings'][number]>()
  for (const rows of await eachOf(statements, (statement) => rowsOf(ask, statement))) {
    for (const { tag_name, tag_value, level, object_schema, object_name, column_name } of rows) {
      // A column takes over the tags of its table, and both those of their schema.
      if (level !== 'TABLE' && level !== 'VIEW' && level !== 'COLUMN') continue
      const tagging = {
        tag: inPolicy(String(tag_name)),
        value: String(tag_value),
        table: `${told(String(object_schema))}.${told(String(object_name))}`,
        column: level === 'COLUMN' ? told(String(column_name)) : undefined,
      }
      found.set(JSON.stringify(tagging), tagging)
    }
  }
  return [...found.values()]
}

function tagReferences(table: string): string {
  return `select tag_name, tag_value, level, object_schema, object_name, column_name from table(information_schema.tag_references_all_columns(${text(table)}, 'table')) where tag_schema = '${POLICY_SCHEMA.toUpperCase()}'`
}
