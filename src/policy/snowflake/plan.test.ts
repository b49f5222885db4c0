import { beforeAll, describe, expect, test, vi } from 'vitest'
import { openDuckDB } from '../../duckdb.ts'
import { withSnowflakeTypes } from '../../engines/snowflake/ddl.ts'
import { readDeclared } from '../../pipeline/declared.ts'
import { accessRows, expectations, readyMadePolicy, SHOWS, UNLISTED } from '../access.test-support.ts'
import { inOrder, planPolicy } from '../plan.ts'
import type { Grant, Mask, Policy, Role, RowRule, User } from '../policy.ts'
import { Account, type Allowed } from './account.test-support.ts'
import { liveNotes, liveOnSnowflake } from './live.ts'
import { writeSnowflake } from './statements.ts'
import { type Relation, wantedOnSnowflake } from './wanted.ts'

vi.setConfig({ testTimeout: 120_000 })

const PLACE = {
  database: 'LPA',
  warehouse: 'LPA_WH',
  loads: { stage: 'meta.staged_files', sequence: 'meta.load_ids' },
}

/** The tables of this lpa, as the information schema tells them. */
const DECLARED: readonly Relation[] = readDeclared('snowflake').tables.map(withSnowflakeTypes)

/** The statements from what the account has to the policy. */
function plan(account: Account, policy: Policy, prune = false, state = account.state()) {
  const wanted = wantedOnSnowflake(policy, account.relations, PLACE).objects
  const live = inOrder(liveOnSnowflake(state, wanted))
  const { steps, extra } = planPolicy(wanted, live, writeSnowflake, prune)
  return { steps, extra, sql: steps.flatMap(({ sql }) => sql) }
}

function apply(account: Account, policy: Policy): readonly string[] {
  const { sql } = plan(account, policy)
  for (const statement of sql) account.execute(statement)
  return sql
}

let readyMade: Policy
beforeAll(async () => {
  readyMade = await readyMadePolicy()
})

describe('the policy that lpa comes with', () => {
  test('applied, is what is there; and what was taken away is given again', () => {
    const account = new Account(DECLARED)
    const first = apply(account, readyMade)
    expect(plan(account, readyMade)).toEqual({ steps: [], extra: [], sql: [] })
    expect(first.length).toBeGreaterThan(200)

    account.execute('revoke select on table core.dim_date from role lpa_analyst')
    account.execute('alter table core.dim_learner modify column learner_id unset masking policy')
    account.execute(
      `alter masking policy policy.mask_names_text set body -> val`.replace('mask_names', 'mask_learner_ids'),
    )
    account.execute('grant select on table meta.runs to role lpa_dashboard')
    account.execute('alter table core.dim_learner modify column country unset tag policy.classification')
    account.execute('revoke role lpa_analyst from role lpa_engineer')
    const { steps } = plan(account, readyMade)
    expect(steps.map(({ action, kind, name }) => `${action} ${kind} ${name}`)).toEqual([
      'remove grant select on table meta.runs to role lpa_dashboard',
      'change masking policy policy.mask_learner_ids_text',
      'add mask of a column core.dim_learner.learner_id',
      'add tag of a column core.dim_learner.country policy.classification',
      'change masking policy policy.mask_learner_ids_text',
      'add grant select on all tables in schema core to role lpa_analyst',
      'add role in role role lpa_analyst to role lpa_engineer',
    ])
  })

  test('ends the same wherever a run was killed', () => {
    const whole = new Account(DECLARED)
    const sql = apply(whole, readyMade)
    for (let done = 0; done < sql.length; done++) {
      const account = new Account(DECLARED)
      for (const statement of sql.slice(0, done)) account.execute(statement)
      apply(account, readyMade)
      expect([done, stateOf(account)]).toEqual([done, stateOf(whole)])
    }
  })

  test('taken back as a whole, leaves nothing of it', () => {
    const account = new Account(DECLARED)
    apply(account, readyMade)
    const none = { tags: [], taggings: [], masks: [], rowRules: [], roles: [], users: [] }
    apply(account, none)
    const { roles, grants, members, futureGrants, tags, maskingPolicies, policyUses } = account.state()
    expect([roles, grants, members, futureGrants, tags, maskingPolicies, policyUses].flat()).toEqual([])
  })

  test('is the same plan in whatever order Snowflake tells what it has', () => {
    const account = new Account(DECLARED)
    apply(account, readyMade)
    const roles = readyMade.roles.filter(({ name }) => name !== 'lpa_instructor')
    const smaller = { ...readyMade, roles, rowRules: [], masks: readyMade.masks.slice(2), users: [] }
    const state = account.state()
    const reversed = Object.fromEntries(
      Object.entries(state).map(([name, value]) => [name, Array.isArray(value) ? value.toReversed() : value]),
    ) as unknown as typeof state
    expect(plan(account, smaller, false, reversed)).toEqual(plan(account, smaller))
  })

  test('leaves alone what others made, unless it is to be pruned', () => {
    const account = new Account(DECLARED)
    apply(account, readyMade)
    account.roles.set('sysadmin', '').set('theirs', 'of others')
    account.grants
      .add('usage function core.f(varchar):varchar lpa_analyst')
      .add('execute_task account none lpa_admin')
    account.members.add('lpa_admin role sysadmin').add('lpa_admin user eve').add('lpa_analyst role theirs')
    const { steps, extra } = plan(account, readyMade)
    expect([steps, extra.map(({ name }) => name)]).toEqual([
      [],
      [
        'execute task on account to role lpa_admin',
        'usage on function core.f(varchar):varchar to role lpa_analyst',
        'role lpa_analyst to role theirs',
        'role lpa_admin to user eve',
      ],
    ])
    // What is owned cannot be revoked: it is told, of roles that make no tables.
    account.grants.add('ownership table core.dim_learner lpa_analyst')
    account.grants.add('ownership table core.dim_course lpa_engineer')
    const wanted = wantedOnSnowflake(readyMade, account.relations, PLACE).objects
    expect(liveNotes(account.state(), wanted)).toEqual([
      'lpa_analyst owns the table core.dim_learner, and may grant it to anybody. To give it back: grant ownership on table core.dim_learner to role … copy current grants',
    ])
    expect(plan(account, readyMade, true).sql).toEqual([
      'revoke role lpa_admin from user eve',
      'revoke role lpa_analyst from role theirs',
      'revoke execute task on account from role lpa_admin',
      'revoke usage on function core.f(varchar):varchar from role lpa_analyst',
    ])
  })
})

/** Its order tells nothing. */
function stateOf(account: Account): unknown {
  return Object.fromEntries(
    Object.entries(account.state()).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map((one) => JSON.stringify(one)).sort() : value,
    ]),
  )
}

// ── the order ─────────────────────────────────────────────────────────────────────────────────────────────

const RELATIONS: readonly Relation[] = [
  table('core.a', { x: 'text', y: 'date', k: 'number(38,0)' }),
  table('core.b', { x: 'text', z: 'text', k: 'number(38,0)' }),
  table('staging.c', { x: 'text', k: 'number(38,0)' }),
]

function table(name: string, columns: Readonly<Record<string, string>>): Relation {
  return { name, kind: 'table', columns: Object.entries(columns).map(([name, type]) => ({ name, type })) }
}

/** Mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below)
  }
}

const SEEDS = Number(process.env.LPA_POLICY_SEEDS ?? 60)

const VALUES = ['low', 'mid', 'high']
const ROLES = ['r1', 'r2', 'r3', 'r4']

function randomPolicy(random: (below: number) => number): Policy {
  const some = <T>(items: readonly T[], of = 2) => items.filter(() => random(of) === 0)
  const one = <T>(items: readonly T[]) => items[random(items.length)] as T
  const names = ROLES.filter(() => random(6) > 0)
  const roles = names.map(
    (name, index): Role => ({
      name,
      comment: '',
      inherits: some(names.slice(0, index), 3),
      grants: some<Grant>(
        [
          { kind: 'schema', schema: 'core', future: true },
          { kind: 'table', table: 'core.a' },
          { kind: 'table', table: 'core.b' },
          { kind: 'table', table: 'staging.c' },
          { kind: 'tag', tag: 't', value: 'low', future: false },
          { kind: 'write', schema: 'staging', future: true },
        ],
        3,
      ),
      mayReveal: false,
      ...(random(8) === 0 && { minCell: 10 }),
    }),
  )
  const columns = RELATIONS.flatMap(({ name, columns }) => columns.map((column) => `${name}.${column.name}`))
  const masked = columns.filter((column) => !column.endsWith('.k'))
  const HOWS = [{ how: 'null' }, { how: 'hash' }, { how: 'full' }, { how: 'partial', keep: 2 }] as const
  const byTag = VALUES.filter(() => random(3) > 0).map(
    (value, index): Mask => ({
      name: `by_tag_${index}`,
      masking: one(HOWS),
      tagged: [{ tag: 't', value }],
      columns: [],
      exempt: some(names),
    }),
  )
  const byColumn: Mask = {
    name: 'by_column',
    masking: one(HOWS),
    tagged: [],
    columns: some(masked, 4),
    exempt: some(names),
  }
  const rowRules = ['own', 'region'].flatMap((name): RowRule[] =>
    random(2) === 0
      ? []
      : [
          {
            name,
            roles: some(names),
            exempt: some(names, 3),
            attribute: name,
            on: RELATIONS.filter(() => random(3) > 0).map((relation) => ({
              table: relation.name,
              column: 'k',
            })),
            ...(random(2) === 0 && { allowed: 'select k from core.b where x in ($values)' }),
          },
        ],
  )
  const users = ['u1', 'u2'].map(
    (name): User => ({
      name,
      isService: false,
      roles: some(names),
      attributes: { own: some(['1', '2']), region: some(['3']) },
    }),
  )
  return {
    tags: [{ name: 't', values: VALUES, comment: '' }],
    taggings: [
      ...masked
        .filter(() => random(2) === 0)
        .map((column) => {
          const at = column.lastIndexOf('.')
          return { tag: 't', value: one(VALUES), table: column.slice(0, at), column: column.slice(at + 1) }
        }),
      ...RELATIONS.filter(() => random(2) === 0).map(({ name }) => ({
        tag: 't',
        value: one(VALUES),
        table: name,
      })),
    ],
    masks: [...byTag, ...(byColumn.columns.length > 0 ? [byColumn] : [])],
    rowRules,
    roles,
    users,
  }
}

/** Without names of roles that there are not. */
function whole(policy: Policy): Policy {
  const names = new Set(policy.roles.map(({ name }) => name))
  const users = policy.users.map((user) => ({ ...user, roles: user.roles.filter((role) => names.has(role)) }))
  return { ...policy, users }
}

/** Every cell that there can be, and how each role sees it. */
function cells(account: Account): Map<string, string> {
  const seen = new Map<string, string>()
  const worlds: Allowed[] = [0, 1, 2, 3].map((bits) => ({ own: (bits & 1) > 0, region: (bits & 2) > 0 }))
  for (const role of account.roles.keys())
    for (const { name: table, columns } of account.relations) {
      if (!account.mayRead(role, table)) continue
      for (const { name: column } of columns) {
        const shown = account.sees(role, table, column)
        for (const [world, allowed] of worlds.entries())
          if (account.seesRow(role, table, allowed))
            seen.set(`${role} sees ${table}.${column} of row ${world}`, shown)
      }
    }
  return seen
}

/** Of an account where a run was killed, what the next one makes of it. */
function resumed(account: Account, policy: Policy): unknown {
  const again = account.clone()
  apply(again, policy)
  return stateOf(again)
}

const isNoMore = (shown: string, than: string | undefined) =>
  than !== undefined && (shown === than || than === 'val' || shown === 'null')

describe('in between', () => {
  test('no role sees more than before or after, whatever changes', () => {
    let steps = 0
    let changed = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = randomOf(seed)
      const account = new Account(RELATIONS)
      const first = randomPolicy(random)
      apply(account, first)
      const before = cells(account)
      // All of another policy, or some of its parts.
      const parts = Object.entries(randomPolicy(random)).filter(() => seed % 2 === 0 || random(3) === 0)
      const policy = whole({ ...first, ...Object.fromEntries(parts) })
      const { sql } = plan(account, policy)
      const after = account.clone()
      for (const statement of sql) after.execute(statement)
      const last = cells(after)
      if (JSON.stringify([...before].sort()) !== JSON.stringify([...last].sort())) changed++
      const killedAt = random(sql.length + 1)
      for (const [index, statement] of sql.entries()) {
        if (index === killedAt) expect([seed, resumed(account, policy)]).toEqual([seed, stateOf(after)])
        account.execute(statement)
        steps++
        for (const [cell, shown] of cells(account)) {
          const isSafe = isNoMore(shown, before.get(cell)) || isNoMore(shown, last.get(cell))
          if (!isSafe)
            throw new Error(
              `Seed ${seed}, step ${index} (${statement}): ${cell}: ${shown}, before ${before.get(cell)}, after ${last.get(cell)}`,
            )
        }
      }
      expect(plan(account, policy).sql).toEqual([])
    }
    expect(changed).toBeGreaterThan(SEEDS * 0.7)
    expect(steps).toBeGreaterThan(SEEDS * 15)
  })

  test('the other way round they would', () => {
    const random = randomOf(7)
    let worse = 0
    for (let round = 0; round < 15; round++) {
      const account = new Account(RELATIONS)
      apply(account, randomPolicy(random))
      const before = cells(account)
      const { sql } = plan(account, randomPolicy(random))
      const after = account.clone()
      for (const statement of sql) after.execute(statement)
      const last = cells(after)
      for (const statement of sql.toReversed()) {
        // What needs another step first is refused, and left out.
        try {
          account.execute(statement)
        } catch {
          continue
        }
        for (const [cell, shown] of cells(account))
          if (!isNoMore(shown, before.get(cell)) && !isNoMore(shown, last.get(cell))) worse++
      }
    }
    expect(worse).toBeGreaterThan(0)
  })
})

// ── what is expected ──────────────────────────────────────────────────────────────────────────────────────

/** Which rows of the expected table each user is allowed by each rule: written down from who teaches whom, and where. */
const WAVES = ['waves', 'waves-noor', 'ada-waves', 'bea-waves', 'ada-1', 'bea-1', 'ada', 'bea']
const TIDES = ['tides', 'tides-emil', 'col-tides', 'col-1', 'col']
const NORTE = ['ada', 'ada-waves', 'ada-1', 'col', 'col-tides', 'col-1']
const ALLOWED: Readonly<Record<string, { own: readonly string[]; region: readonly string[] }>> = {
  noor: { own: WAVES, region: [] },
  emil: { own: TIDES, region: [] },
  rui: { own: [], region: NORTE },
  ana: { own: [], region: [...WAVES, ...TIDES] },
}

test('roles see in Snowflake, by the statements, what is expected of them everywhere', () => {
  const account = new Account(DECLARED)
  apply(account, readyMade)
  const rows = accessRows()
  const seen = EXPECTED.map(({ table, column, role, user }) => {
    const cell = `${table}.${column} by ${role}/${user}`
    if (!account.mayRead(role, table)) return `${cell}: not granted`
    if (UNLISTED.includes(table)) return `${cell}: granted`
    const base = SHOWS[table] ?? table
    const { own, region } = ALLOWED[user] ?? { own: [], region: [] }
    const left = rows.filter(({ table, row }) => {
      const ruled = { own_courses: own.includes(row), own_learners: own.includes(row) }
      return table === base && account.seesRow(role, base, { ...ruled, own_region: region.includes(row) })
    })
    const how = account.sees(role, base, column) === 'val' ? 'clear' : 'masked'
    return `${cell}: ${left.length === 0 ? 'no row' : `${left.map(({ row }) => row).join(' ')}: ${how}`}`
  })
  expect(seen).toEqual(
    EXPECTED.map(({ table, column, role, user, seen }) => {
      // Snowflake knows no small cells, so what that role may see elsewhere it does not see there at all.
      const expected = role === 'lpa_dashboard' ? 'not granted' : seen
      return `${table}.${column} by ${role}/${user}: ${expected}`
    }),
  )
})

test('what is put in place of a value is what is expected of it everywhere', async () => {
  const account = new Account(DECLARED)
  apply(account, readyMade)
  await using duckdb = await openDuckDB({ memoryLimit: '100MB', spillFolder: '', timezone: 'UTC' })
  let cells = 0
  for (const { table, column, role, seen } of EXPECTED) {
    if (!seen.endsWith(': masked') || role === 'lpa_dashboard') continue
    const base = SHOWS[table] ?? table
    const shown = account.sees(role, base, column)
    const type = DECLARED.find(({ name }) => name === base)?.columns.find(({ name }) => name === column)?.type
    for (const { values } of accessRows().filter((row) => row.table === base)) {
      const { value = '', masked = '' } = values.get(column) ?? {}
      const own = DUCKDB_TYPES[type ?? ''] ?? type
      const literal = `cast('${value.replaceAll("'", "''")}' as ${own})`
      // Snowflake's functions by their names in DuckDB; a policy returns the type of its column.
      const expression = shown
        .replace(/^sha2 \( val , 256 \)$/, 'sha256(val)')
        .replace(/^iff /, 'if ')
        .replaceAll(/\bval\b/g, literal)
      const result = await duckdb.connection.runAndReadAll(
        `select cast(cast(${expression} as ${own}) as varchar)`,
      )
      const got = result.getRows()[0]?.[0] ?? 'null'
      const isNumber = type?.startsWith('number')
      expect([table, column, isNumber ? Number(got) : got]).toEqual([
        table,
        column,
        isNumber ? Number(masked) : masked,
      ])
      cells++
    }
  }
  expect(cells).toBeGreaterThan(100)
})

const DUCKDB_TYPES: Readonly<Record<string, string>> = {
  text: 'varchar',
  variant: 'varchar',
  'number(12,2)': 'decimal(12, 2)',
}

const EXPECTED = expectations()

test('500 roles on 5,000 columns are planned in two seconds', () => {
  const relations = Array.from({ length: 200 }, (_, index) =>
    table(
      `core.t${index}`,
      Object.fromEntries(Array.from({ length: 25 }, (_, column) => [`c${column}`, 'text'])),
    ),
  )
  const policy: Policy = {
    tags: [{ name: 'classification', values: VALUES, comment: '' }],
    taggings: relations.flatMap(({ name, columns }) =>
      columns.map((column, index) => ({
        tag: 'classification',
        value: VALUES[index % 3] ?? '',
        table: name,
        column: column.name,
      })),
    ),
    masks: [
      {
        name: 'high',
        masking: { how: 'null' },
        tagged: [{ tag: 'classification', value: 'high' }],
        columns: [],
        exempt: ['role_0'],
      },
    ],
    rowRules: [],
    roles: Array.from({ length: 500 }, (_, index) => ({
      name: `role_${index}`,
      comment: '',
      inherits: index > 0 ? [`role_${index >> 1}`] : [],
      grants: [
        { kind: 'schema', schema: 'core', future: true },
        { kind: 'table', table: `core.t${index % 200}` },
      ],
      mayReveal: false,
    })),
    users: [],
  }
  const account = new Account(relations)
  const recorded = account.state()
  apply(account, policy)
  const live = account.state()
  expect([live.taggings.length, live.roles.length, live.grants.length]).toEqual([5000, 500, 101_500])
  const less = { ...policy, roles: policy.roles.slice(250) }
  for (const [name, state, wantedPolicy] of [
    ['all of it', recorded, policy],
    ['nothing', live, policy],
    ['half of the roles', live, less],
  ] as const) {
    const started = process.cpuUsage()
    const wanted = wantedOnSnowflake(wantedPolicy, state.relations, PLACE).objects
    const { steps } = planPolicy(wanted, inOrder(liveOnSnowflake(state, wanted)), writeSnowflake)
    const { user, system } = process.cpuUsage(started)
    const tookMs = Math.round((user + system) / 1000)
    console.info(`500 roles on 5,000 columns, ${name} to do (${steps.length} steps): ${tookMs} ms of CPU`)
    expect(tookMs).toBeLessThan(2000)
  }
})
