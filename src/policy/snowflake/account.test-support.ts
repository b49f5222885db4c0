/**
 * A Snowflake account as far as a policy needs one: it reads statements, not what made them, and says what each role sees by
 * them. Apart from the compiler, so that the two can disagree.
 */

import { partsOf } from './names.ts'
import type { SnowflakeState } from './state.ts'
import type { Relation } from './wanted.ts'

interface Described {
  readonly comment: string
  readonly arguments: readonly string[]
  body: string
}

/** Of each rule: whether the row is among those that it allows the user. */
export type Allowed = Readonly<Record<string, boolean>>

export class Account {
  readonly relations: readonly Relation[]
  readonly database = 'LPA'
  readonly warehouse = 'LPA_WH'
  readonly schemas = new Set(['raw', 'staging', 'core', 'meta'])
  readonly tables = new Map<string, string[][]>()
  readonly roles = new Map<string, string>()
  /** `select table core.dim_date lpa_analyst` */
  readonly grants = new Set<string>()
  readonly future = new Set<string>()
  /** `lpa_analyst role lpa_engineer`: who has a role. */
  readonly members = new Set<string>()
  readonly tags = new Map<string, { values: string[]; comment: string }>()
  readonly masking = new Map<string, Described>()
  readonly rowAccess = new Map<string, Described>()
  readonly tagMasks = new Set<string>()
  readonly columnMasks = new Map<string, string>()
  readonly tableRows = new Map<string, { policy: string; columns: string[] }>()
  readonly tagValues = new Map<string, Map<string, string>>()

  constructor(relations: readonly Relation[]) {
    this.relations = relations
  }

  /** A copy that goes its own way. */
  clone(): Account {
    return Object.assign(new Account(this.relations), structuredClone({ ...this }))
  }

  execute(statement: string): void {
    for (const [pattern, run] of this.#statements) {
      const found = pattern.exec(statement)
      if (!found) continue
      run(...(found.slice(1) as string[]))
      return
    }
    throw new Error(`No such statement: ${statement}`)
  }

  readonly #statements: readonly (readonly [RegExp, (...parts: string[]) => void])[] = [
    [/^create schema if not exists (\S+)$/, (name) => this.schemas.add(must(name))],
    [/^create table if not exists (\S+) \(/, (name) => this.tables.set(name, this.tables.get(name) ?? [])],
    [
      /^insert into (\S+) values \((.*)\)$/s,
      (table, values) => must(this.tables.get(table)).push(texts(values)),
    ],
    [/^delete from (\S+)(?: where (.*))?$/s, (table, where) => this.#delete(table, where)],
    [
      /^create role if not exists (\S+) comment = (.*)$/s,
      (name, comment) => this.roles.set(name, textOf(comment)),
    ],
    [/^alter role (\S+) set comment = (.*)$/s, (name, comment) => this.roles.set(name, textOf(comment))],
    [/^drop role if exists (\S+)$/, (name) => this.#dropRole(name)],
    [
      /^create tag if not exists (\S+?)(?: allowed_values (.*?))? comment = ('.*')$/s,
      (name, values, comment) =>
        this.tags.set(name, { values: texts(values ?? ''), comment: textOf(comment) }),
    ],
    [
      /^alter tag (\S+) set comment = (.*)$/s,
      (name, comment) => Object.assign(must(this.tags.get(name)), { comment: textOf(comment) }),
    ],
    [
      /^alter tag (\S+) unset allowed_values$/,
      (name) => Object.assign(must(this.tags.get(name)), { values: [] }),
    ],
    [
      /^alter tag (\S+) add allowed_values (.*)$/s,
      (name, values) => must(this.tags.get(name)).values.push(...texts(values)),
    ],
    [/^alter tag (\S+) drop allowed_values (.*)$/s, (name, values) => this.#dropValues(name, texts(values))],
    [/^drop tag if exists (\S+)$/, (name) => this.#dropTag(name)],
    [
      /^create masking policy if not exists (\S+) as \((.*?)\) returns \S+ -> (.*) comment = ('.*') exempt_other_policies = true$/s,
      (name, taken, body, comment) => create(this.masking, name, taken, body, comment),
    ],
    [
      /^alter masking policy (\S+) set body -> (.*)$/s,
      (name, body) => Object.assign(must(this.masking.get(name)), { body }),
    ],
    [/^drop masking policy if exists (\S+)$/, (name) => this.#dropMasking(name)],
    [
      /^create row access policy if not exists (\S+) as \((.*?)\) returns boolean -> (.*) comment = ('.*')$/s,
      (name, taken, body, comment) => create(this.rowAccess, name, taken, body, comment),
    ],
    [
      /^alter row access policy (\S+) set body -> (.*)$/s,
      (name, body) => Object.assign(must(this.rowAccess.get(name)), { body }),
    ],
    [/^drop row access policy if exists (\S+)$/, (name) => this.#dropRowAccess(name)],
    [/^alter tag (\S+) set masking policy (\S+)$/, (tag, policy) => this.#maskTag(tag, policy)],
    [
      /^alter tag (\S+) unset masking policy (\S+)$/,
      (tag, policy) => must(this.tagMasks.delete(`${tag} ${policy}`)),
    ],
    [
      /^alter table (\S+) modify column (\S+) set masking policy (\S+)( force)?$/,
      (table, column, policy, force) => this.#maskColumn(`${table}.${column}`, policy, force !== undefined),
    ],
    [
      /^alter table (\S+) modify column (\S+) unset masking policy$/,
      (table, column) => must(this.columnMasks.delete(`${table}.${column}`)),
    ],
    [
      /^alter table (\S+)(?: drop row access policy (\S+?),)? add row access policy (\S+) on \((.*)\)$/,
      (table, dropped, policy, columns) => this.#filter(table, dropped, policy, columns.split(', ')),
    ],
    [
      /^alter table (\S+) drop row access policy (\S+)$/,
      (table, policy) => {
        must(this.tableRows.get(table)?.policy === policy)
        this.tableRows.delete(table)
      },
    ],
    [
      /^alter (?:table|view) (\S+)(?: modify column (\S+))? set tag (\S+) = ('.*')$/s,
      (table, column, tag, value) => this.#tag(column ? `${table}.${column}` : table, tag, textOf(value)),
    ],
    [
      /^alter (?:table|view) (\S+)(?: modify column (\S+))? unset tag (\S+)$/,
      (table, column, tag) => must(this.tagValues.get(column ? `${table}.${column}` : table)?.delete(tag)),
    ],
    [
      /^(grant|revoke) role (\S+) (?:to|from) (role|user) (\S+)$/,
      (verb, role, to, grantee) => {
        must(this.roles.has(role) && (to === 'user' || this.roles.has(grantee)))
        this.members[verb === 'grant' ? 'add' : 'delete'](`${role} ${to} ${grantee}`)
      },
    ],
    [
      /^(grant|revoke) (.+) on future (\w+)s in (schema|database) (\S+) (?:to|from) role (\S+)$/,
      (verb, privilege, on, where, place, role) =>
        this.future[verb === 'grant' ? 'add' : 'delete'](
          `${privilege} ${on} ${where === 'schema' ? place : ''} ${must(this.roles.has(role)) && role}`,
        ),
    ],
    [
      /^(grant|revoke) (.+) on all (\w+)s in schema (\S+) (?:to|from) role (\S+)$/,
      (verb, privilege, on, schema, role) => {
        for (const { name, kind } of this.relations)
          if (kind === on && name.startsWith(`${schema}.`)) this.#grant(verb, privilege, on, name, role)
      },
    ],
    [
      /^(grant|revoke) (.+) on (\w+) (\S+) (?:to|from) role (\S+)$/,
      (verb, privilege, on, name, role) => this.#grant(verb, privilege.replaceAll(' ', '_'), on, name, role),
    ],
  ]

  #grant(verb: string, privilege: string, on: string, name: string, role: string): void {
    must(this.roles.has(role))
    this.grants[verb === 'grant' ? 'add' : 'delete'](`${privilege} ${on} ${name} ${role}`)
  }

  #delete(table: string, where: string | undefined): void {
    const rows = must(this.tables.get(table))
    const columns = COLUMNS[table] ?? []
    const wanted = (where ?? '')
      .split(' and ')
      .filter(Boolean)
      .map((part) => /^(\w+) = ('.*')$/s.exec(part))
    const stays = (row: string[]) =>
      wanted.some((part) => row[columns.indexOf(part?.[1] ?? '')] !== textOf(part?.[2] ?? "''"))
    this.tables.set(table, rows.filter(stays))
  }

  #dropRole(name: string): void {
    this.roles.delete(name)
    for (const grants of [this.grants, this.future])
      for (const grant of grants) if (grant.endsWith(` ${name}`)) grants.delete(grant)
    for (const member of this.members)
      if (member.startsWith(`${name} `) || member.endsWith(` role ${name}`)) this.members.delete(member)
  }

  #dropValues(name: string, dropped: readonly string[]): void {
    const tag = must(this.tags.get(name))
    for (const values of this.tagValues.values()) must(!dropped.includes(values.get(name) ?? ''))
    tag.values = tag.values.filter((value) => !dropped.includes(value))
  }

  #dropTag(name: string): void {
    must(![...this.tagMasks].some((use) => use.startsWith(`${name} `)))
    for (const values of this.tagValues.values()) must(!values.has(name))
    this.tags.delete(name)
  }

  #dropMasking(name: string): void {
    must(![...this.tagMasks].some((use) => use.endsWith(` ${name}`)))
    must(![...this.columnMasks.values()].includes(name))
    this.masking.delete(name)
  }

  #dropRowAccess(name: string): void {
    must(![...this.tableRows.values()].some(({ policy }) => policy === name))
    this.rowAccess.delete(name)
  }

  /** Of one type a tag takes one policy. */
  #maskTag(tag: string, policy: string): void {
    must(this.tags.has(tag))
    const { arguments: taken } = must(this.masking.get(policy))
    for (const use of this.tagMasks) {
      const [other, its = ''] = use.split(' ')
      must(other !== tag || typeOf(must(this.masking.get(its))) !== taken[0]?.split(' ')[1])
    }
    this.tagMasks.add(`${tag} ${policy}`)
  }

  #maskColumn(column: string, policy: string, isForced: boolean): void {
    must(isForced || !this.columnMasks.has(column))
    must(typeOf(must(this.masking.get(policy))) === this.#typeOf(column))
    this.columnMasks.set(column, policy)
  }

  #filter(table: string, dropped: string | undefined, policy: string, columns: string[]): void {
    must(this.rowAccess.has(policy))
    must(this.tableRows.get(table)?.policy === dropped)
    this.tableRows.set(table, { policy, columns })
  }

  #tag(target: string, tag: string, value: string): void {
    const { values } = must(this.tags.get(tag))
    must(values.length === 0 || values.includes(value))
    const own = this.tagValues.get(target) ?? new Map()
    this.tagValues.set(target, own.set(tag, value))
  }

  #typeOf(column: string): string | undefined {
    const [schema, table, name] = partsOf(column)
    const relation = this.relations.find((one) => one.name === `${schema}.${table}`)
    const type = relation?.columns.find((one) => one.name === name)?.type
    return type === 'text' ? 'varchar' : type
  }

  // ── what it tells ───────────────────────────────────────────────────────────────────────────────────────

  state(): SnowflakeState {
    const described = (policies: ReadonlyMap<string, Described>) =>
      [...policies].map(([name, one]) => ({ name, ...one, body: one.body.replace(/\s+/g, ' ') }))
    const rows = (table: string) => this.tables.get(table) ?? []
    return {
      database: this.database,
      warehouse: this.warehouse,
      hasPolicySchema: this.schemas.has('policy'),
      policyTables: [...this.tables.keys()],
      relations: this.relations,
      roles: [...this.roles].map(([name, comment]) => ({ name, comment })),
      grants: [...this.grants].map((grant) => {
        const [privilege = '', on = '', name = '', role = ''] = grant.split(' ')
        return { privilege: privilege.replaceAll('_', ' '), on, name, role, isElsewhere: false }
      }),
      members: [...this.members].map((member) => {
        const [role = '', to = '', grantee = ''] = member.split(' ')
        return { role, to: to === 'user' ? ('user' as const) : ('role' as const), grantee }
      }),
      futureGrants: [...this.future].map((grant) => {
        const [privilege = '', on = '', schema = '', role = ''] = grant.split(' ')
        return { privilege, on, schema: schema || undefined, role }
      }),
      tags: [...this.tags].map(([name, tag]) => ({ name, ...tag })),
      maskingPolicies: described(this.masking),
      rowAccessPolicies: described(this.rowAccess),
      policyUses: [
        ...[...this.tagMasks].map((use) => {
          const [tag = '', policy = ''] = use.split(' ')
          return { policy, kind: 'masking' as const, tag, table: undefined, columns: [] }
        }),
        ...[...this.columnMasks].map(([name, policy]) => {
          const [schema, table, column = ''] = partsOf(name)
          return {
            policy,
            kind: 'masking' as const,
            tag: undefined,
            table: `${schema}.${table}`,
            columns: [column],
          }
        }),
        ...[...this.tableRows].map(([table, { policy, columns }]) => ({
          ...{ policy, kind: 'row access' as const, tag: undefined, table, columns },
        })),
      ],
      taggings: [...this.tagValues].flatMap(([target, values]) => {
        const [schema, table, column] = partsOf(target)
        return [...values].map(([tag, value]) => ({ tag, value, table: `${schema}.${table}`, column }))
      }),
      userValues: rows('policy.user_values'),
      givenRoles: rows('policy.given_roles'),
      rowRules: rows('policy.row_rules'),
      builders: rows('policy.builders'),
      revealers: rows('policy.revealers'),
    }
  }

  /** The role and all that it was given, in its session. */
  session(role: string): ReadonlySet<string> {
    const found = new Set([role])
    for (let before = 0; before !== found.size; ) {
      before = found.size
      for (const member of this.members) {
        const [given = '', to, grantee = ''] = member.split(' ')
        if (to === 'role' && found.has(grantee)) found.add(given)
      }
    }
    return found
  }

  mayRead(role: string, table: string): boolean {
    const session = this.session(role)
    const kind = this.relations.find(({ name }) => name === table)?.kind
    const has = (what: string) => [...session].some((one) => this.grants.has(`${what} ${one}`))
    const [schema] = table.split('.')
    return has(`select ${kind} ${table}`) && has(`usage schema ${schema}`) && has('usage database lpa')
  }

  /** Whether the role sees a row of which each rule says whether it is allowed. */
  seesRow(role: string, table: string, allowed: Allowed): boolean {
    const use = this.tableRows.get(table)
    if (!use) return true
    const { body } = must(this.rowAccess.get(use.policy))
    return evaluate(body, { session: this.session(role), allowed }) === true
  }

  /** How the role sees a column's values: `val` for as they are, else what is put in their place. */
  sees(role: string, table: string, column: string): string {
    const policy = this.#maskOf(table, column)
    if (!policy) return 'val'
    const tags = this.tagValues.get(`${table}.${column}`)
    return String(evaluate(must(this.masking.get(policy)).body, { session: this.session(role), tags }))
  }

  /** One on the column comes before that of a tag, its own or its table's. */
  #maskOf(table: string, column: string): string | undefined {
    const own = this.columnMasks.get(`${table}.${column}`)
    if (own) return own
    const type = this.#typeOf(`${table}.${column}`)
    const tags = [...(this.tagValues.get(`${table}.${column}`) ?? []), ...(this.tagValues.get(table) ?? [])]
    const masks = tags.flatMap(([tag]) =>
      [...this.tagMasks].flatMap((use) => {
        const [masked, policy = ''] = use.split(' ')
        return masked === tag && typeOf(must(this.masking.get(policy))) === type ? [policy] : []
      }),
    )
    must(new Set(masks).size < 2)
    return masks[0]
  }
}

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  'policy.user_values': ['user_name', 'attribute', 'value'],
  'policy.given_roles': ['user_name', 'role_name'],
  'policy.builders': ['role_name'],
  'policy.revealers': ['role_name'],
  'policy.row_rules': ['rule_name', 'attribute', 'allowed'],
  'policy.allowed_rows': ['rule_name', 'user_name', 'value'],
}

/** What Snowflake would refuse. */
function must<T>(value: T | undefined | null | false): T {
  if (value === undefined || value === null || value === false) throw new Error('Snowflake refuses this.')
  return value
}

function create(
  policies: Map<string, Described>,
  name: string,
  taken: string,
  body: string,
  comment: string,
): void {
  if (!policies.has(name))
    policies.set(name, { comment: textOf(comment), arguments: taken.split(/, (?=v\d)/), body })
}

const typeOf = ({ arguments: taken }: Described) => taken[0]?.split(' ')[1]

const textOf = (quoted: string) => quoted.slice(1, -1).replaceAll("''", "'").replaceAll('\\\\', '\\')

const texts = (list: string) => (list.match(/'(?:[^']|'')*'/g) ?? []).map(textOf)

// ── bodies of policies ────────────────────────────────────────────────────────────────────────────────────

interface Session {
  readonly session: ReadonlySet<string>
  readonly tags?: ReadonlyMap<string, string> | undefined
  readonly allowed?: Allowed
}

type Shown = boolean | string

/** A body as the session sees it: true or false, `val`, or the text of what is shown in its place. */
function evaluate(body: string, session: Session): Shown {
  const words = body.match(/'(?:[^']|'')*'|[\w$.]+|::|[^\s\w]/g) ?? []
  let at = 0
  const next = () => words[at]?.toLowerCase()
  const take = (...wanted: string[]) => {
    for (const word of wanted) if (words[at++]?.toLowerCase() !== word) throw new Error(`${word} in ${body}`)
  }
  const isNext = (...wanted: string[]) =>
    wanted.every((word, index) => words[at + index]?.toLowerCase() === word)

  function or(): Shown {
    let value = and()
    while (isNext('or')) {
      take('or')
      const other = and()
      value = value === true || other === true
    }
    return value
  }
  function and(): Shown {
    let value = not()
    while (isNext('and')) {
      take('and')
      const other = not()
      value = value === true && other === true
    }
    return value
  }
  function not(): Shown {
    if (!isNext('not')) return compared()
    take('not')
    return not() !== true
  }
  function compared(): Shown {
    const value = single()
    if (isNext('is', 'not', 'distinct', 'from', 'val')) {
      at += 5
      return value === 'val'
    }
    return value
  }
  function single(): Shown {
    if (isNext('(')) {
      take('(')
      const value = or()
      take(')')
      return value
    }
    if (isNext('case')) return cases()
    if (isNext('is_role_in_session')) {
      take('is_role_in_session', '(')
      const role = textOf(words[at++] ?? '').toLowerCase()
      take(')')
      return session.session.has(role)
    }
    if (isNext('system$get_tag_on_current_column')) {
      take('system$get_tag_on_current_column', '(')
      const tag = textOf(words[at++] ?? '')
        .toLowerCase()
        .split('.')
        .slice(1)
        .join('.')
      take(')', '=')
      return session.tags?.get(tag) === textOf(words[at++] ?? '')
    }
    if (/^v\d+$/.test(next() ?? '') && words[at + 1] === '::') return lookup()
    return opaque()
  }
  /** `v1::varchar in (select value from … where rule_name = 'own' and user_name = current_user())` */
  function lookup(): Shown {
    let rule = ''
    for (; !isNext('current_user'); at++) if (words[at]?.startsWith("'")) rule = textOf(words[at] ?? '')
    take('current_user', '(', ')', ')')
    return session.allowed?.[rule] === true
  }
  function cases(): Shown {
    take('case')
    let shown: Shown | undefined
    while (isNext('when')) {
      take('when')
      const holds = or()
      take('then')
      const value = or()
      if (holds === true) shown ??= value
    }
    if (isNext('else')) {
      take('else')
      const value = or()
      shown ??= value
    }
    take('end')
    return shown ?? 'null'
  }
  /** What is shown instead, up to what ends it. */
  function opaque(): Shown {
    const parts: string[] = []
    for (let depth = 0; at < words.length; at++) {
      const word = next() ?? ''
      if (depth === 0 && ['when', 'else', 'end', ')', 'is', 'and', 'or', 'then'].includes(word)) break
      depth += word === '(' ? 1 : word === ')' ? -1 : 0
      parts.push(words[at] ?? '')
    }
    return parts.join(' ')
  }
  const shown = or()
  if (at < words.length) throw new Error(`${words.slice(at).join(' ')} is left of ${body}`)
  return shown
}
