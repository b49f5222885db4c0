/** What makes a record bad. */

import type { EntityRules } from './entities.ts'
import { MAX_DEPTH } from './json-macros.ts'
import type { Outputs } from './prepare-mapping.ts'

/** In SQL it is known by its place, from 1. */
export interface Fault {
  readonly code: string
  readonly reason: string
  readonly column: string | null
  readonly condition: string
}

const TYPE_WORDS: Record<string, string> = {
  timestamp: 'a time, as in 2026-01-12T08:13:22Z',
  date: 'a date, as in 2026-01-12',
  double: 'a number',
  decimal: 'a number',
  boolean: 'true or false',
}

/** Missing values first, then failed casts, then what the entity says. */
export function faultsOf(rules: EntityRules, { types, clear }: Outputs, isTable: boolean): Fault[] {
  const faults: Fault[] = []
  const add = (column: string, kind: string, reason: string, condition: string) =>
    faults.push({ code: `${column}:${kind}`, column, reason, condition })
  const isDelta = types.has('deleted')
  if (isDelta) {
    const empty = emptySql('c.given_deleted', types.get('deleted'))
    add('deleted', 'type', `deleted is not ${TYPE_WORDS.boolean}`, `c.deleted is null and not ${empty}`)
    for (const { name, required } of rules.inputs)
      if (required && !types.has(name)) add(name, 'missing', `${name} is missing`, `c.${name} is null`)
  }
  const given = rules.inputs.filter((column) => types.has(column.name))
  for (const { name, type, required } of given) {
    const empty = emptySql(`c.given_${name}`, types.get(name))
    const words = TYPE_WORDS[type.replace(/\(.*/, '')] ?? `a ${type}`
    // What is no text nor JSON any more, the SELECT has cast.
    const orUnread = /^(VARCHAR|JSON)$/.test(types.get(name) ?? '') ? '' : ' or unreadable'
    if (required) add(name, 'missing', `${name} is missing${orUnread}`, `c.${name} is null and ${empty}`)
    if (type !== 'varchar' || types.get(name) !== 'VARCHAR') {
      add(name, 'type', `${name} is not ${words}`, `c.${name} is null and not ${empty}`)
    }
    // Of JSON. A text may begin with a brace too: {3F2504E0-…}.
    if (!isTable && name.endsWith('_id') && types.get(name) === 'VARCHAR') {
      const isNested = `case when c.${name}[1] in ('{', '[') then json_valid(c.${name}) end`
      add(name, 'nested', `${name} is an object or a list`, isNested)
    }
    if (type === 'timestamp') {
      const range = `not between timestamp '1900-01-01' and timestamp '9998-12-31'`
      add(name, 'range', `${name} lies before 1900 or after 9998`, `c.${name} ${range}`)
    }
    if (type === 'date') {
      const range = `not between date '1900-01-01' and date '9998-12-31'`
      add(name, 'range', `${name} lies before 1900 or after 9998`, `c.${name} ${range}`)
    }
  }
  if (types.has('attributes')) {
    const given = 'cast(c.given_attributes as varchar)'
    if (types.get('attributes') !== 'JSON')
      add('attributes', 'type', 'attributes is not JSON', `not json_valid(${given})`)
    add(
      'attributes',
      'depth',
      `attributes is nested deeper than ${MAX_DEPTH} levels`,
      `lpa_is_deep(${given})`,
    )
  }
  if ([...types.keys()].some((name) => /^attributes(\.|$)/.test(name))) {
    add(
      'attributes',
      'name',
      'attributes has a name that is empty or holds a NUL character',
      'lpa_has_unwritable_name(cast(c.attributes as varchar))',
    )
  }
  for (const [code, column, reason, condition] of rules.faults) {
    if (!types.has(column)) continue
    const isClear = code.endsWith(':clear') && clear.has(column)
    faults.push({ code, column, reason, condition: isClear ? `${column} is not null` : condition })
  }
  if (!isDelta) return faults
  // Of what is gone, only its name counts; that it is in clear counts always.
  const countsAlways = ({ code, column }: Fault) =>
    column === 'deleted' || code.endsWith(':clear') || rules.identity.includes(column ?? '')
  return faults.map((fault) =>
    countsAlways(fault)
      ? fault
      : { ...fault, condition: `not coalesce(c.deleted, false) and (${fault.condition})` },
  )
}

function emptySql(value: string, type: string | undefined): string {
  return type === 'VARCHAR' ? `coalesce(${value}, '') = ''` : `${value} is null`
}
