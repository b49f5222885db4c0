/** The files of a policy, checked: every mistake is told at once, with the place where it stands. */

import { UserError } from '../errors.ts'
import { isCode, type SqlToken, sqlTokens } from '../sql-tokens.ts'
import { isFunctionAllowed } from '../statement-functions.ts'
import type { TableDeclaration } from '../types.ts'
import { columnTypes, fits, masksByColumn } from './columns.ts'
import { taggingName } from './objects.ts'
import type { Grant, Mask, Masking, Policy, Role, RowRule, Tag, Tagging, User } from './policy.ts'
import { type Entry, type Mistake, Value, type YamlFile } from './yaml.ts'

export interface PolicySource {
  readonly files: readonly YamlFile[]
  /** The tables and views of the warehouse. */
  readonly declared: readonly TableDeclaration[]
  /** What `min_cell: true` means. */
  readonly minCell: number
}

const PARTS = ['roles', 'users', 'tags', 'tables', 'masks', 'row_rules'] as const
const ROLE = ['comment', 'inherits', 'reads', 'writes', 'min_cell', 'may_reveal'] as const
const READS = ['schemas', 'tables', 'tags', 'future'] as const
const MASK = ['how', 'keep', 'width', 'tagged', 'columns', 'clear_for'] as const
const RULE = ['roles', 'except', 'attribute', 'allowed', 'on'] as const
const USER = ['service', 'roles', 'attributes'] as const

const SCHEMAS = ['core', 'staging', 'raw', 'meta']
const HOWS = ['full', 'null', 'hash', 'partial', 'month', 'band']
/** What every engine takes as a name without quotes. */
const NAME = /^[a-z][a-z0-9_]{0,62}$/

/** @throws UserError LPA-POLICY-INVALID (config) that lists every mistake */
export async function readPolicyFiles(source: PolicySource): Promise<Policy> {
  // Its names are those of CommonJS, which a bundle has as the default only.
  const { default: yaml } = await import('yaml')
  const mistakes: Mistake[] = []
  const roots = source.files.flatMap((file) => Value.read(yaml, file, mistakes) ?? [])
  const reading = new Reading(source, roots)
  const policy = reading.policy()
  if (mistakes.length === 0) await reading.tryRules(policy)
  if (mistakes.length > 0) throw invalid(inOrder(mistakes))
  return policy
}

/** By file and line, as an editor would list them. */
function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  return mistakes.toSorted((a, b) => a.where.localeCompare(b.where, 'en', { numeric: true }))
}

function invalid(mistakes: readonly Mistake[]): UserError {
  const [first] = mistakes
  if (first && mistakes.length === 1) {
    return new UserError('LPA-POLICY-INVALID', first.what, {
      exit: 'config',
      where: first.where,
      ...(first.hint !== undefined && { next: first.hint }),
    })
  }
  return new UserError('LPA-POLICY-INVALID', `The policy has ${mistakes.length} mistakes.`, {
    exit: 'config',
    next: mistakes.map(({ where, what, hint }) => [`${where}: ${what}`, hint].filter(Boolean).join(' ')),
  })
}

class Reading {
  readonly #parts: Readonly<Record<(typeof PARTS)[number], readonly Entry[]>>
  readonly #tables: ReadonlyMap<string, TableDeclaration>
  readonly #types: ReadonlyMap<string, string>
  readonly #minCell: number
  readonly #tags: ReadonlyMap<string, Tag>
  readonly #roles: ReadonlySet<string>

  constructor({ declared, minCell }: PolicySource, roots: readonly Value[]) {
    const parts = roots.map((root) => root.fields(PARTS))
    const entries = (part: (typeof PARTS)[number]) => once(parts.flatMap((one) => one[part]?.entries() ?? []))
    this.#parts = {
      roles: entries('roles'),
      users: entries('users'),
      tags: entries('tags'),
      tables: entries('tables'),
      masks: entries('masks'),
      row_rules: entries('row_rules'),
    }
    this.#tables = new Map(declared.map((table) => [table.name, table]))
    this.#types = columnTypes(declared)
    this.#minCell = minCell
    this.#tags = new Map(this.#parts.tags.map((entry) => [entry.key, readTag(entry)]))
    this.#roles = new Set(this.#parts.roles.map(({ key }) => key))
  }

  policy(): Policy {
    const { roles, users, tables, masks, row_rules } = this.#parts
    const rowRules = byName(row_rules.flatMap((entry) => this.#rowRule(entry) ?? []))
    const asked = new Set(rowRules.map(({ attribute }) => attribute))
    const policy: Policy = {
      tags: byName([...this.#tags.values()]),
      taggings: tables
        .flatMap((entry) => this.#taggings(entry))
        .sort((a, b) => compare(taggingName(a), taggingName(b))),
      masks: byName(masks.flatMap((entry) => this.#mask(entry) ?? [])),
      rowRules,
      roles: byName(roles.map((entry) => this.#role(entry))),
      users: byName(users.map((entry) => this.#user(entry, asked))),
    }
    this.#refuseCircles(policy.roles)
    this.#checkMasks(policy)
    return policy
  }

  // ── tags ────────────────────────────────────────────────────────────────────────────────────────────────

  #taggings({ key: table, at, value }: Entry): Tagging[] {
    const { tags, columns } = value.fields(['tags', 'columns'])
    if (!this.#isTable(at, table)) return []
    const own = this.#tagValues(tags).map((tagged) => ({ ...tagged, table }))
    const ofColumns = (columns?.entries() ?? []).flatMap((entry) => {
      if (!this.#isColumn(entry.at, `${table}.${entry.key}`)) return []
      return this.#tagValues(entry.value).map((tagged) => ({ ...tagged, table, column: entry.key }))
    })
    return [...own, ...ofColumns]
  }

  /** `{ classification: personal, subject: learner }` */
  #tagValues(value: Value | undefined): { tag: string; value: string }[] {
    return (value?.entries() ?? []).flatMap(({ key, at, value }) =>
      value
        .texts()
        .flatMap((text) => (this.#isTagged(at, value, key, text) ? { tag: key, value: text } : [])),
    )
  }

  #isTagged(at: Value, value: Value, name: string, text: string): boolean {
    const tag = this.#tags.get(name)
    if (tag === undefined) at.unknown(`There is no tag ${name}.`, name, this.#tags.keys())
    else if (tag.values.length > 0 && !tag.values.includes(text))
      value.unknown(`${text} is no value of the tag ${name}.`, text, tag.values)
    else return true
    return false
  }

  // ── masks ───────────────────────────────────────────────────────────────────────────────────────────────

  #mask({ key: name, at, value }: Entry): Mask | undefined {
    checkName(at, name)
    const { how, keep, width, tagged, columns, clear_for } = value.fields(MASK)
    const masking = readMasking(at, how, keep, width)
    const named = (columns?.items() ?? []).flatMap((item) => {
      const column = item.text()
      if (column === undefined || !this.#isColumn(item, column)) return []
      const type = this.#types.get(column) ?? ''
      if (masking && !fits(masking, type))
        item.mistake(`${column} is ${type}: the mask ${name} (${masking.how}) does not fit.`)
      return column
    })
    const byTag = this.#tagValues(tagged)
    const isEmpty = (columns?.items() ?? []).length === 0 && (tagged?.entries() ?? []).length === 0
    if (isEmpty) at.mistake(`The mask ${name} covers nothing.`, 'Give it columns, or tagged.')
    const exempt = this.#rolesOf(clear_for)
    return masking && { name, masking, tagged: byTag.sort(byTagValue), columns: sorted(named), exempt }
  }

  /** By what they cover, which only all of the policy tells. */
  #checkMasks(policy: Policy): void {
    const places = new Map(this.#parts.masks.map(({ key, at }) => [key, at]))
    for (const [column, masks] of masksByColumn(policy)) {
      const [first, second] = masks
      if (first && second)
        places.get(second.name)?.mistake(`${column} has two masks: ${first.name} and ${second.name}.`)
      const type = this.#types.get(column) ?? ''
      for (const { name, masking, columns } of masks)
        if (!columns.includes(column) && !fits(masking, type))
          places
            .get(name)
            ?.mistake(
              `${column} is ${type}: the mask ${name} (${masking.how}) of its tag does not fit.`,
              `Name the column under columns of another mask.`,
            )
    }
  }

  // ── row rules ───────────────────────────────────────────────────────────────────────────────────────────

  #rowRule({ key: name, at, value }: Entry): RowRule | undefined {
    checkName(at, name)
    const { roles, except, attribute, allowed, on } = value.fields(RULE)
    if (roles === undefined || roles.items().length === 0) at.mistake(`The rule ${name} is of no role.`)
    if (on === undefined || on.items().length === 0) at.mistake(`The rule ${name} filters no table.`)
    const asked = attribute?.text()
    if (attribute === undefined) at.mistake(`The rule ${name} asks no attribute of users.`)
    const select = allowed && this.#select(allowed)
    const columns = (on?.items() ?? []).flatMap((item) => {
      const column = item.text()
      return column !== undefined && this.#isColumn(item, column) ? { item, ...splitColumn(column) } : []
    })
    for (const [index, { item, table }] of columns.entries())
      if (columns.findIndex((other) => other.table === table) < index)
        item.mistake(`The rule ${name} filters ${table} twice.`)
    if (asked === undefined) return undefined
    return {
      ...{ name, roles: this.#rolesOf(roles), exempt: this.#rolesOf(except), attribute: asked },
      ...(select !== undefined && { allowed: select }),
      on: columns
        .map(({ table, column }) => ({ table, column }))
        .sort((a, b) => compare(`${a.table}.${a.column}`, `${b.table}.${b.column}`)),
    }
  }

  /** The SELECT of a rule, in one line. */
  #select(value: Value): string | undefined {
    const sql = value.text()?.trim()
    if (sql === undefined) return undefined
    let all: SqlToken[]
    try {
      all = sqlTokens(sql)
    } catch (error) {
      return value.mistake(`This is not SQL: ${(error as Error).message}`)
    }
    const tokens = all.filter(isCode)
    const [first] = tokens
    if (!/^(select|with)$/i.test(first?.text ?? '')) return value.mistake('Here should be a SELECT.')
    if (tokens.some(({ text }) => text === ';'))
      return value.mistake('Here should be one SELECT, without a semicolon.')
    const other = tokens.find(({ kind, text }) => kind === 'parameter' && text !== '$values')
    if (other) return value.mistake(`${other.text} is not known here: $values stands for the user's values.`)
    if (!tokens.some(({ text }) => text === '$values'))
      return value.mistake("The SELECT does not ask for the user's values.", 'Write: where … in ($values)')
    const beyond = beyondTables(tokens)
    if (beyond !== undefined) return value.mistake(beyond)
    for (const [index, token] of tokens.entries()) {
      const [dot, name] = [tokens[index + 1]?.text, tokens[index + 2]?.text]
      const isTable = SCHEMAS.includes(token.text) && dot === '.' && tokens[index - 1]?.text !== '.'
      if (isTable && !this.#isTable(value, `${token.text}.${name}`)) return undefined
    }
    // A comment would make one of all that comes after it.
    return all.reduce((line, token) => (isCode(token) ? line + token.text : `${line.trimEnd()} `), '').trim()
  }

  /** What their SELECTs name and compare, which only a database knows. */
  async tryRules({ rowRules }: Policy): Promise<void> {
    const { failingRules } = await import('./try-rules.ts')
    const places = new Map(this.#parts.row_rules.map(({ key, value }) => [key, value.fields(RULE).allowed]))
    for (const [name, why] of await failingRules(rowRules, [...this.#tables.values()]))
      places.get(name)?.mistake(`The SELECT of ${name} fails: ${why}`)
  }

  // ── roles and users ─────────────────────────────────────────────────────────────────────────────────────

  #role({ key: name, at, value }: Entry): Role {
    checkName(at, name)
    const { comment, inherits, reads, writes, min_cell, may_reveal } = value.fields(ROLE)
    const written = (writes?.items() ?? []).flatMap((item) => this.#schema(item))
    const minCell = min_cell?.isTrue ? this.#minCell : min_cell?.whole(2)
    return {
      name,
      comment: comment?.text() ?? '',
      inherits: this.#rolesOf(inherits),
      grants: [
        ...this.#readGrants(reads),
        ...written.map((schema) => ({ kind: 'write' as const, schema, future: true })),
      ].sort((a, b) => compare(JSON.stringify(a), JSON.stringify(b))),
      ...(minCell !== undefined && { minCell }),
      mayReveal: may_reveal?.flag() ?? false,
    }
  }

  #readGrants(reads: Value | undefined): Grant[] {
    if (reads === undefined) return []
    const { schemas, tables, tags, future: futureValue } = reads.fields(READS)
    const future = futureValue?.flag() ?? true
    return [
      ...(schemas?.items() ?? []).flatMap((item) =>
        this.#schema(item).map((schema) => ({ kind: 'schema' as const, schema, future })),
      ),
      ...(tables?.items() ?? []).flatMap((item) => {
        const table = item.text()
        if (table === undefined) return []
        if (this.#tables.has(table)) return { kind: 'table' as const, table }
        item.unknown(`${table} is no table of the warehouse.`, table, this.#tables.keys())
        return []
      }),
      ...this.#tagValues(tags).map((tagged) => ({ kind: 'tag' as const, ...tagged, future })),
    ]
  }

  #schema(item: Value): string[] {
    const schema = item.text()
    if (schema === undefined) return []
    if (SCHEMAS.includes(schema)) return [schema]
    item.unknown(`There is no schema ${schema}.`, schema, SCHEMAS)
    return []
  }

  /** @param asked attributes that row rules ask of users */
  #user({ key: name, at, value }: Entry, asked: ReadonlySet<string>): User {
    checkLine(at, name)
    const { service, roles, attributes } = value.fields(USER)
    const entries = (attributes?.entries() ?? []).map(({ key, at, value }) => {
      if (checkLine(at, key) && !asked.has(key)) at.unknown(`No row rule asks ${key} of users.`, key, asked)
      return [key, sorted([...value.texts()])] as const
    })
    return {
      name,
      isService: service?.flag() ?? false,
      roles: this.#rolesOf(roles),
      attributes: Object.fromEntries(entries.sort(([a], [b]) => compare(a, b))),
    }
  }

  #rolesOf(value: Value | undefined): string[] {
    const names = (value?.items() ?? []).flatMap((item) => {
      const role = item.text()
      if (role === undefined || this.#roles.has(role)) return role ?? []
      item.unknown(`There is no role ${role}.`, role, this.#roles)
      return []
    })
    return sorted([...new Set(names)])
  }

  #refuseCircles(roles: readonly Role[]): void {
    const places = new Map(this.#parts.roles.map(({ key, at }) => [key, at]))
    const inherits = new Map(roles.map((role) => [role.name, role.inherits]))
    const done = new Set<string>()
    const visit = (name: string, path: readonly string[]): void => {
      const from = path.indexOf(name)
      if (from >= 0) {
        const circle = [...path.slice(from), name].join(' → ')
        places.get(name)?.mistake(`Roles inherit in a circle: ${circle}.`)
        return
      }
      if (done.has(name)) return
      for (const next of inherits.get(name) ?? []) visit(next, [...path, name])
      done.add(name)
    }
    for (const { name } of roles) visit(name, [])
  }

  // ── names ───────────────────────────────────────────────────────────────────────────────────────────────

  #isTable(at: Value, name: string): boolean {
    const table = this.#tables.get(name)
    const names = [...this.#tables.values()].flatMap((one) => (one.kind === 'table' ? one.name : []))
    if (table === undefined) at.unknown(`${name} is no table of the warehouse.`, name, names)
    else if (table.kind === 'view')
      at.mistake(`${name} is a view: it takes over what its tables have.`, 'Name the table.')
    return table?.kind === 'table'
  }

  #isColumn(at: Value, name: string): boolean {
    if (this.#types.has(name)) return true
    const { table, column } = splitColumn(name)
    if (!this.#isTable(at, table)) return false
    const columns = this.#tables.get(table)?.columns.map((one) => one.name) ?? []
    at.unknown(`${table} has no column ${column}.`, column, columns)
    return false
  }
}

/** Words that a bracket may follow, and that call nothing. */
const BEFORE_BRACKETS = new Set(
  `all and any as between by case distinct else except exists filter from having in intersect join not on or over select some then
   union values when where`.split(/\s+/),
)
const ENDS_FROM = /^(where|on|using|group|order|having|union|except|intersect|limit|select|qualify|\))$/i

/** What in a rule's SELECT reaches further than tables of the warehouse; it is read before anything is shut. */
function beyondTables(tokens: readonly SqlToken[]): string | undefined {
  let isFrom = false
  for (const [index, { kind, text }] of tokens.entries()) {
    if (/^(from|join)$/i.test(text)) isFrom = true
    else if (ENDS_FROM.test(text)) isFrom = false
    else if (isFrom && (kind === 'string' || kind === 'quoted'))
      return `${text} is no table: tables are named like core.dim_course.`
    const isCall = kind === 'word' && tokens[index + 1]?.text === '('
    if (isCall && !BEFORE_BRACKETS.has(text.toLowerCase()) && !isFunctionAllowed(text))
      return `${text}() is not among the functions that compute from their arguments.`
  }
  return undefined
}

function readTag({ key: name, at, value }: Entry): Tag {
  checkName(at, name)
  if (name.endsWith('_of_table')) at.mistake(`${name} is what lpa calls a tag of tables on Snowflake.`)
  const { comment, values } = value.fields(['comment', 'values'])
  return { name, values: sorted([...(values?.texts() ?? [])]), comment: comment?.text() ?? '' }
}

function readMasking(
  at: Value,
  how: Value | undefined,
  keep: Value | undefined,
  width: Value | undefined,
): Masking | undefined {
  if (how === undefined)
    return at.mistake('The mask does not say how.', `Write how: one of ${HOWS.join(', ')}.`)
  // `how: null` is YAML's own null.
  const word = how.isNull ? 'null' : how.text()
  if (word !== 'partial' && keep) keep.mistake('keep is of masks that are partial.')
  if (word !== 'band' && width) width.mistake('width is of masks that show a band.')
  switch (word) {
    case 'full':
    case 'null':
    case 'hash':
    case 'month':
      return { how: word }
    case 'partial': {
      if (!keep) return how.mistake('It does not say how many characters are kept.', 'Write keep: 4')
      const kept = keep.whole(1)
      return kept === undefined ? undefined : { how: word, keep: kept }
    }
    case 'band': {
      if (!width) return how.mistake('It does not say how wide a band is.', 'Write width: 10')
      const wide = width.whole(1)
      return wide === undefined ? undefined : { how: word, width: wide }
    }
    case undefined:
      return undefined
    default:
      return how.unknown(`${word} is no way to mask.`, word, HOWS)
  }
}

/** Entries whose name was not there before. */
function once(entries: readonly Entry[]): readonly Entry[] {
  const seen = new Map<string, string>()
  return entries.filter(({ key, at }) => {
    const before = seen.get(key)
    if (before === undefined) seen.set(key, at.where)
    else at.mistake(`${key} is said twice: first at ${before}.`)
    return before === undefined
  })
}

function checkName(at: Value, name: string): void {
  if (!NAME.test(name))
    at.mistake(`${name} is no name: letters a to z, digits and _ (at most 63, a letter first).`)
}

/** Of what others have named. */
function checkLine(at: Value, name: string): boolean {
  const isLine = /^\P{Cc}{1,255}$/u.test(name)
  if (!isLine) at.mistake('A name is one line of 1 to 255 characters.')
  return isLine
}

function splitColumn(name: string): { table: string; column: string } {
  const dot = name.lastIndexOf('.')
  return { table: name.slice(0, dot), column: name.slice(dot + 1) }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const sorted = (names: readonly string[]) => names.toSorted(compare)
const byName = <T extends { readonly name: string }>(list: readonly T[]) =>
  list.toSorted((a, b) => compare(a.name, b.name))
const byTagValue = (a: { tag: string; value: string }, b: { tag: string; value: string }) =>
  compare(`${a.tag}\n${a.value}`, `${b.tag}\n${b.value}`)
