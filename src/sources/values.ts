/** What becomes of each value in stage one, as SQL: kept and looked at, pseudonymised, made coarser, or left out. */

import { quoteText } from '../duckdb.ts'
import { EMAIL_SHAPE } from '../email-shape.ts'
import { type Change, type Field, isJson, spaceField } from './fields.ts'
import type { Input } from './input.ts'
import { formatJsonPath, type JsonPath } from './json-path.ts'
import type { Coarse, Mapping, Personal } from './mapping.ts'
import { PERSONAL_KEY } from './personal-words.ts'

export interface ValueOptions {
  readonly input: Input
  readonly mapping: Mapping
  readonly fields: readonly Field[]
  readonly idSpace: string
}

/** Where SQL finds a field's clear value. */
export interface ValueSource {
  value(field: Field): string
}

export const ASCII_SPACE = `' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)`

export function fieldValue(field: Field, options: ValueOptions, source: ValueSource): string {
  const value = givenValue(field, options, source)
  const spaceOf = (personal: Personal) => {
    if (!personal.spaceFrom) return quoteText(options.idSpace)
    const field = spaceField(personal.spaceFrom, options.fields)
    return field ? source.value(field) : `''`
  }
  if (field.change) return changedSql(field.change, value, spaceOf, isText(options.input))
  return field.inside.length > 0 ? redactedSql(field.inside, value, spaceOf) : value
}

/** The clear value, or null where the mapping says that its text means that. */
function givenValue(field: Field, { input, mapping }: ValueOptions, source: ValueSource): string {
  const value = source.value(field)
  const isTextual = !isText(input) || !(isJson(field) || isList(field))
  const nulls = isTextual ? mapping.nulls.map(quoteText).join(', ') : ''
  return nulls ? `case when ${value} in (${nulls}) then null else ${value} end` : value
}

/**
 * What of a record must not look personal, as one text: all that the mapping does not speak of, or, where nothing else
 * can hold an address or a key, its JSON alone.
 * @param mayHold SQL that tells by the record as it lies whether more must be looked at; undefined: always
 */
export function lookedAtText(
  options: ValueOptions,
  source: ValueSource,
  mayHold: string | undefined,
): string {
  const { fields } = options
  const joined = (some: readonly Field[]) => {
    const texts = some
      .map((field) => lookedAt(field, givenValue(field, options, source)))
      .filter((text) => text !== NOTHING)
    return texts.length > 0 ? `concat_ws(chr(10), '', ${texts.join(', ')})` : NOTHING
  }
  if (mayHold === undefined) return joined(fields)
  return `case when ${mayHold} then ${joined(fields)} else ${joined(fields.filter(isJson))} end`
}

/**
 * Fails on e-mail addresses, and on keys of JSON that are named like personal values: `lpa-personal:FIELD` with the
 * field's number, or `lpa-personal:` and the first such key of each field, apart by U+0001. All values are one text for
 * it, \`lpa_text\`: DuckDB takes 10 ms to compile a pattern of that length, in each place anew.
 */
export function lookForPersons(options: ValueOptions, source: ValueSource): string {
  const { fields } = options
  const texts = fields.map((field) => lookedAt(field, givenValue(field, options, source)))
  // Texts that hold no brace are no JSON.
  const json = fields.map((field, index) =>
    isJson(field) ? texts[index] : `case when contains(${texts[index]}, '{') then ${texts[index]} end`,
  )
  const each = (values: readonly unknown[], judge: string) =>
    `list_transform(cast([${values.join(', ')}] as varchar[]), lambda value: coalesce(${judge}, ''))`
  const [email, key] = [quoteText(EMAIL_SHAPE), quoteText(PERSONAL_KEY)]
  const keys = `array_to_string(${each(json, `regexp_extract(lpa_unescaped(value), ${key})`)}, chr(1))`
  const isFound = `lambda found: found <> ''`
  const firstEmail = each(texts, `regexp_extract(lpa_unescaped(value), ${email})`)
  return `case
    when case when contains(lpa_text, '@') or contains(lpa_text, '%40') or contains(lpa_text, '\\u')
      then regexp_matches(lpa_unescaped(lpa_text), ${email}) end
    then error('lpa-personal:' || list_position(list_transform(${firstEmail}, ${isFound}), true) - 1)
    when case when contains(lpa_text, '{') then regexp_matches(lpa_unescaped(lpa_text), ${key}) end
    then case when trim(${keys}, chr(1)) <> '' then error('lpa-personal:' || ${keys}) end end`
}

const NOTHING = 'cast(null as varchar)'

/** What of a value must not look personal: what the mapping does not speak of. */
function lookedAt({ change, isPublic, inside, publicInside }: Field, value: string): string {
  if (change || isPublic) return NOTHING
  const dropped = inside.map(({ keys }) => ({ keys, change: { kind: 'drop' as const } }))
  const kept = inside.length > 0 ? redactedSql(dropped, value, () => '') : `${value}::varchar`
  if (publicInside.length === 0) return kept
  const patches = publicInside.map((keys) => {
    const patch = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), null)
    const isThere = `json_type(${value}, ${quoteText(formatJsonPath(keys.slice(0, -1)))}) = 'OBJECT'`
    return `case when ${isThere} then ${quoteText(JSON.stringify(patch))} else '{}' end`
  })
  return `case when lpa_is_deep(${value}::varchar) then ${kept} else case when json_valid(${value}) then
    case when json_type(${value}) = 'OBJECT' then cast(json_merge_patch(${kept}, ${patches.join(', ')}) as varchar)
    else ${kept} end else ${kept} end end`
}

function changedSql(
  change: Change,
  value: string,
  spaceOf: (personal: Personal) => string,
  isJsonValue: boolean,
): string {
  if (change.kind === 'drop') return 'cast(null as varchar)'
  if (change.kind === 'coarse') return coarseSql(change.to, value)
  const { kind = 'learner', list } = change.personal
  const space = spaceOf(change.personal)
  // Nobody is known by an object or a list; a text may begin with a brace too.
  const isOne = isJsonValue
    ? `trim(${value}, ${ASCII_SPACE}) <> '' and not case when ${value}[1] in ('{', '[') then json_valid(${value}) else false end`
    : `trim(${value}, ${ASCII_SPACE}) <> ''`
  if (!list) return `case when ${isOne} then ${pseudonymSql(kind, space, value)} end`
  const text = isJsonValue ? `(${value} ->> '$')` : value
  const items = `case case when json_valid(${value}) then json_type(${value}) end
    when 'ARRAY' then try_cast(json(${value}) as varchar[]) else string_split(${text}, ';') end`
  return `array_to_string(list_transform(list_filter(${items}, lambda x: trim(x, ${ASCII_SPACE}) <> ''),
    lambda x: ${pseudonymSql(kind, space, 'x')}), ',')`
}

function coarseSql(to: Coarse, value: string): string {
  if (to === 'year') return `nullif(regexp_extract(${value}, '\\d{4}'), '')`
  if (to === 'month') return `nullif(regexp_extract(${value}, '\\d{4}-\\d\\d'), '')`
  return `substr(${value}, 1, ${to})`
}

/** The reference is `pseudonym` in src/pseudonym.ts; a test holds the two together. */
function pseudonymSql(kind: string, space: string, value: string): string {
  const stripped = `trim(${value}, ${ASCII_SPACE})`
  if (kind !== 'email') return `lpa_hmac('lpa:v1:${kind}:' || coalesce(${space}, '') || ':' || ${stripped})`
  const lower = `translate(${stripped}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')`
  return `lpa_hmac('lpa:v1:email::' || regexp_replace(${lower}, '^mailto:', ''))`
}

/**
 * A JSON object with the values inside it changed. What is no object where one should be is left out: nobody knows
 * what it holds.
 */
function redactedSql(
  inside: Field['inside'],
  value: string,
  spaceOf: (personal: Personal) => string,
): string {
  type Node = { change?: Change; children: Map<string, Node> }
  const root: Node = { children: new Map() }
  for (const { keys, change } of inside) {
    let node = root
    for (const key of keys) {
      const child = node.children.get(key) ?? { children: new Map() }
      node.children.set(key, child)
      node = child
    }
    node.change ??= change
  }
  const patch = (node: Node, at: JsonPath): string => {
    const members = [...node.children].map(([key, child]) => {
      const path = quoteText(formatJsonPath([...at, key]))
      const member = child.change
        ? changedSql(
            child.change,
            child.change.kind === 'pseudonym' && child.change.personal.list
              ? `(${value} -> ${path})`
              : `(${value} ->> ${path})`,
            spaceOf,
            true,
          )
        : `case when json_type(${value}, ${path}) = 'OBJECT' then ${patch(child, [...at, key])} end`
      return `${quoteText(key)}, ${member}`
    })
    return `json_object(${members.join(', ')})`
  }
  // One in the other: of conditions that are joined by "and", DuckDB may look at any first.
  return `case when not lpa_is_deep(${value}::varchar) then case when json_valid(${value}) then
    case when json_type(${value}) = 'OBJECT' then cast(json_merge_patch(${value}, ${patch(root, [])}) as varchar) end end end`
}

export function isText({ format }: Input): boolean {
  return format === 'ndjson' || format === 'json'
}

export function isList({ change }: Field): boolean {
  return change?.kind === 'pseudonym' && change.personal.list
}
