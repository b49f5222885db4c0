/** What would bring a live warehouse to its declared schema. Pure: no engine, no files. */

import { viewBody } from '../ddl.ts'
import type { Engine, TableChange, TableDeclaration } from '../types.ts'
import type { SchemaChange } from './schema-changes.ts'

export interface SchemaStep {
  readonly kind: 'run change' | 'create table' | 'create view' | 'replace view' | TableChange['kind']
  /** `core.fact_enrollment`, `core.dim_course.language`, `0001_name` */
  readonly target: string
  readonly sql: readonly string[]
}

/** Where live and declared differ and no step can mend it. */
export interface SchemaFinding {
  readonly kind:
    | 'undeclared table'
    | 'undeclared column'
    | 'different type'
    | 'null allowed'
    | 'different kind'
    | 'edited change'
    | 'unknown change'
  readonly target: string
  readonly message: string
}

/** A table or view as the warehouse has it. */
export interface LiveTable {
  readonly kind: 'table' | 'view'
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: string; readonly required: boolean }[]
  readonly cluster: readonly string[]
  readonly partitionMonth: string | undefined
  /** Of a view: its SELECT, as the engine writes it; none where the role may not see it. A table has none. */
  readonly definition: string | undefined
}

/** A row of `meta.schema_changes`; the base has number 0. */
export interface AppliedChange {
  readonly number: number
  readonly name: string
  readonly sha256: string
}

export interface PlannedSteps {
  readonly steps: readonly SchemaStep[]
  readonly findings: readonly SchemaFinding[]
  /** Changes to be remembered as applied: those that run, or all of them on an empty warehouse. */
  readonly changes: readonly SchemaChange[]
}

/**
 * The steps from `live` to `declared`, in the order in which they must run: numbered changes first (the rest is
 * compared with what they leave), then tables, columns, views. An empty warehouse gets the declared tables, which
 * hold what every change brought. The SELECT of a declared view must be as the engine writes it.
 */
export function planSteps(
  declared: readonly TableDeclaration[],
  live: readonly LiveTable[],
  applied: readonly AppliedChange[],
  changes: readonly SchemaChange[],
  ddl: Pick<Engine, 'createTable' | 'alterTable'>,
): PlannedSteps {
  const isEmpty = live.length === 0
  const done = new Map(applied.filter(({ number }) => number > 0).map((change) => [change.number, change]))
  const pending = changes.filter(({ number }) => !done.has(number))
  const findings = changeFindings(changes, [...done.values()])
  const steps: SchemaStep[] = []
  let tables = live
  if (!isEmpty) {
    for (const change of pending) {
      steps.push({ kind: 'run change', target: changeName(change), sql: change.statements })
      for (const statement of change.statements) tables = afterStatement(tables, statement)
    }
  }
  const byName = new Map(tables.map((table) => [table.name, table]))
  const views: SchemaStep[] = []
  for (const table of declared) {
    const found = byName.get(table.name)
    if (found && found.kind !== table.kind) {
      findings.push({
        kind: 'different kind',
        target: table.name,
        message: `${table.name} is a ${found.kind}, but declared as a ${table.kind}.`,
      })
    } else if (table.kind === 'view') {
      // What cannot be compared is left, and is no drift.
      if (found && (found.definition === undefined || found.definition === viewBody(table))) continue
      views.push({
        kind: found ? 'replace view' : 'create view',
        target: table.name,
        sql: ddl.createTable(table),
      })
    } else if (!found) {
      steps.push({ kind: 'create table', target: table.name, sql: ddl.createTable(table) })
    } else {
      const compared = compareTable(table, found)
      findings.push(...compared.findings)
      for (const change of compared.changes) {
        const target = 'column' in change ? `${table.name}.${change.column}` : table.name
        steps.push({ kind: change.kind, target, sql: ddl.alterTable(table, change) })
      }
    }
  }
  const names = new Set(declared.map(({ name }) => name))
  for (const { kind, name } of tables) {
    if (names.has(name)) continue
    findings.push({
      kind: 'undeclared table',
      target: name,
      message: `The ${kind} ${name} is not part of the declared schema.`,
    })
  }
  return { steps: [...steps, ...views], findings, changes: pending }
}

/** `0001_name`, as its file is called. */
export function changeName(change: Pick<SchemaChange, 'number' | 'name'>): string {
  return `${String(change.number).padStart(4, '0')}_${change.name}`
}

function changeFindings(
  changes: readonly SchemaChange[],
  applied: readonly AppliedChange[],
): SchemaFinding[] {
  const known = new Map(changes.map((change) => [change.number, change]))
  const findings: SchemaFinding[] = []
  for (const change of applied) {
    const target = changeName(change)
    const file = known.get(change.number)
    if (!file) {
      const message = `The warehouse had the change ${target}, which this version of lpa does not know.`
      findings.push({ kind: 'unknown change', target, message })
    } else if (file.sha256 !== change.sha256) {
      const message = `The file of the change ${target} is not the one that was applied.`
      findings.push({ kind: 'edited change', target, message })
    }
  }
  return findings
}

function compareTable(
  declared: TableDeclaration,
  live: LiveTable,
): { changes: TableChange[]; findings: SchemaFinding[] } {
  const changes: TableChange[] = []
  const findings: SchemaFinding[] = []
  const liveColumns = new Map(live.columns.map((column) => [column.name, column]))
  for (const { name, type, required } of declared.columns) {
    const target = `${declared.name}.${name}`
    const found = liveColumns.get(name)
    liveColumns.delete(name)
    if (!found) {
      changes.push({ kind: 'add column', column: name, type })
    } else if (sameType(found.type, type)) {
      if (found.required && !required) changes.push({ kind: 'allow null', column: name })
    } else if (isWider(type, found.type)) {
      changes.push({ kind: 'widen column', column: name, type })
    } else if (isReplaced(declared.name, type, found.type)) {
      changes.push({ kind: 'replace column', column: name, type })
    } else {
      const message = `${target} is ${found.type.toLowerCase()}, but declared as ${type}.`
      findings.push({ kind: 'different type', target, message })
    }
    // Rows that were there before a column have nothing in it: a numbered change fills it and forbids null.
    if (required && !found?.required) {
      const message = `${target} is declared not null, but the warehouse allows null there.`
      findings.push({ kind: 'null allowed', target, message })
    }
  }
  for (const name of liveColumns.keys()) {
    const target = `${declared.name}.${name}`
    const message = `The column ${target} is not part of the declared schema.`
    findings.push({ kind: 'undeclared column', target, message })
  }
  const sameOrder = declared.cluster.join() === live.cluster.join()
  if (!sameOrder || declared.partitionMonth !== live.partitionMonth) changes.push({ kind: 'cluster' })
  return { changes, findings }
}

function plain(type: string): string {
  return type.toLowerCase().replaceAll(' ', '')
}

function sameType(a: string, b: string): boolean {
  return plain(a) === plain(b)
}

const WIDER: readonly (readonly string[])[] = [
  ['tinyint', 'smallint', 'integer', 'bigint'],
  ['float', 'double'],
  ['date', 'timestamp'],
]

/** Whether every value of `narrow` is one of `wide`: such a column changes without a look at its rows. */
function isWider(wide: string, narrow: string): boolean {
  const [to, from] = [plain(wide), plain(narrow)]
  for (const order of WIDER) {
    if (order.includes(from) && order.includes(to)) return order.indexOf(to) > order.indexOf(from)
  }
  const [toDigits, toScale] = decimalOf(to)
  const [fromDigits, fromScale] = decimalOf(from)
  return toScale === fromScale && toDigits > fromDigits
}

/** Every VARIANT is JSON too; the way back is open for core only, which a batch makes anew from staging. */
function isReplaced(table: string, to: string, from: string): boolean {
  const change = `${plain(from)} to ${plain(to)}`
  return change === 'variant to json' || (change === 'json to variant' && table.startsWith('core.'))
}

function decimalOf(type: string): [digits: number, scale: number] {
  const match = /^(?:decimal|number)\((\d+),(\d+)\)$/.exec(type)
  return [Number(match?.[1]), Number(match?.[2])]
}

// ── what a numbered change does to the schema ─────────────────────────────────────────────────────────────

/** The tables as they are after one statement of a change. Statements that change rows only leave them as they are. */
function afterStatement(tables: readonly LiveTable[], statement: string): readonly LiveTable[] {
  const text = statement.replace(/\s+/g, ' ')
  const [, dropped] = /^drop (?:table|view) (?:if exists )?(\S+)$/i.exec(text) ?? []
  if (dropped) return tables.filter(({ name }) => name !== dropped)
  const [, table, action = ''] = /^alter table (\S+) (.+)$/i.exec(text) ?? []
  if (!table) return tables
  const [, newName] = /^rename to (\S+)$/i.exec(action) ?? []
  return tables.map((live) => {
    if (live.name !== table) return live
    if (newName) return { ...live, name: `${table.split('.')[0]}.${newName}` }
    return { ...live, ...afterAlter(live, action) }
  })
}

function afterAlter(live: LiveTable, action: string): Partial<LiveTable> {
  const edit = (name: string, change: Partial<LiveTable['columns'][number]>) => ({
    columns: live.columns.map((column) => (column.name === name ? { ...column, ...change } : column)),
  })
  const [, from, to = ''] = /^rename (?:column )?(\w+) to (\w+)$/i.exec(action) ?? []
  if (from) {
    const renamed = (name: string) => (name === from ? to : name)
    return {
      ...edit(from, { name: to }),
      cluster: live.cluster.map(renamed),
      partitionMonth: live.partitionMonth && renamed(live.partitionMonth),
    }
  }
  const [, dropped] = /^drop (?:column )?(\w+)$/i.exec(action) ?? []
  if (dropped) return { columns: live.columns.filter(({ name }) => name !== dropped) }
  const [, added, type = ''] = /^add (?:column )?(\w+) (\w+(?:\([\d, ]+\))?)/i.exec(action) ?? []
  if (added) return { columns: [...live.columns, { name: added, type, required: false }] }
  const [, retyped, newType = ''] = /^alter (?:column )?(\w+) (?:set data )?type (.+)$/i.exec(action) ?? []
  if (retyped) return edit(retyped, { type: newType })
  const [, column, verb = ''] = /^alter (?:column )?(\w+) (set|drop) not null$/i.exec(action) ?? []
  if (column) return edit(column, { required: verb.toLowerCase() === 'set' })
  return {}
}
