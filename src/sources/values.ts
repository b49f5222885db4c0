/** What becomes of each value in stage one, as SQL: kept and looked at, pseudonymised, made coarser, or left out. */

import { quoteText } from '../duckdb.ts'
import { EMAIL_SHAPE } from '../email-shape.ts'
import { type Change, type Field, isJson, spaceField } from './fields.ts'
import type { Input } from './input.ts'
import { formatJsonPath, isSamePath, type JsonPath } from './json-path.ts'
import type { Coarse, Mapping, Personal } from './mapping.ts'
import { PERSONAL_KEY } from './personal-words.ts'

export interface FieldOptions {
  readonly input: Pick<Input, 'format'>
  readonly mapping: Mapping
  readonly fields: readonly Field[]
  readonly idSpace: string
}

export interface ValueOptions extends FieldOptions {
  readonly input: Input
}

/** Where SQL finds a field's clear value. */
export interface ValueSource {
  value(field: Field): string
}

export const ASCII_SPACE = `' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)`

export function fieldValue(field: Field, options: FieldOptions, source: ValueSource): string {
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
function givenValue(field: Field, { input, mapping, fields }: FieldOptions, source: ValueSource): string {
  const value = source.value(field)
  const isTextual = !isText(input) || !(isJson(field) || isList(field))
  const nulls = isTextual ? mapping.nulls.map(quoteText).join(', ') : ''
  const conditions = field.dropIf.map(({ when, other, values }) => {
    const told = fields.find(({ path }) => isSamePath(path, other)) as Field
    return `coalesce(${source.value(told)}, '') ${when === 'if' ? 'in' : 'not in'} (${values.map(quoteText).join(', ')})`
  })
  if (nulls) conditions.push(`${value} in (${nulls})`)
  return conditions.length > 0 ? `case when ${conditions.join(' or ')} then null else ${value} end` : value
}

/**
 * What of a record must not look personal, as one text: all that the mapping does not speak of, or, where no text can
 * hold an address or a key, what is JSON alone: also an object where the mapping expects a text.
 * @param mayHold SQL that tells by the record as it lies whether more must be looked at; undefined: always
 */
export function lookedAtText(
  options: ValueOptions,
  source: ValueSource,
  mayHold: string | undefined,
): string {
  const given = options.fields.map((field) => ({
    field,
    text: lookedAt(field, givenValue(field, options, source)),
  }))
  const looked = given.filter(({ text }) => text !== NOTHING)
  if (looked.length === 0) return NOTHING
  const joined = (texts: readonly string[]) => `concat_ws(chr(10), '', ${texts.join(', ')})`
  const all = joined(looked.map(({ text }) => text))
  if (mayHold === undefined) return all
  const json = looked.map(({ field, text }) =>
    isJson(field)
      ? text
      : `case when starts_with(${text}, '{') or starts_with(${text}, '[') then ${text} end`,
  )
  return `case when ${mayHold} then ${all} else ${joined(json)} end`
}

/**
 * Fails on e-mail addresses, and on keys of JSON that are named like personal values: `lpa-personal:FIELD` with the
 * field's number, or `lpa-personal:` and the first such key of each field, apart by U+0001. All values are one text for
 * it, `lpa_text`: DuckDB takes 10 ms to compile a pattern of that length, in each place anew.
 */
export function lookForPersons(options: ValueOptions, source: ValueSource): string {
  const { texts, json } = lookedAtEach(options, source)
  const keys = `array_to_string(${each(json, `regexp_extract(nfc_normalize(lpa_unescaped(value)), ${KEY})`)}, chr(1))`
  const isFound = `lambda found: found <> ''`
  const firstEmail = each(texts, `regexp_extract(lpa_unescaped(value), ${EMAIL})`)
  return `case
    when ${hasEmail('lpa_text')}
    then error('lpa-personal:' || list_position(list_transform(${firstEmail}, ${isFound}), true) - 1)
    when ${hasKey('lpa_text')}
    then case when trim(${keys}, chr(1)) <> '' then error('lpa-personal:' || ${keys}) end end`
}

/**
 * The number, from 1, of the field that looks personal by what is in it, of values and keys as above and of values that
 * are an IP address or a phone number; else 0 or null. It reads `lpa_text` too.
 */
export function personalField(options: ValueOptions, source: ValueSource): string {
  const { texts, json } = lookedAtEach(options, source)
  const byField = [each(texts, `${hasEmail('value')} or ${hasShape('value')}`), each(json, hasKey('value'))]
  const [inTexts, inJson] = byField.map((found) => `list_position(${found}, 'true')`)
  return `case when ${hasEmail('lpa_text')} or ${hasShape('lpa_text')} or ${hasKey('lpa_text')}
    then coalesce(nullif(${inTexts}, 0), ${inJson}) end`
}

/** Whether a line of JSON may hold a value as `personalField` looks for. */
export function mayHoldShape(line: string): string {
  return `regexp_matches(${line}, ${quoteText(shapeInLine())})`
}

export function shapeInLine(): string {
  return `"[${BLANK}]*${LONE_SHAPE}[${BLANK}]*"`
}

/** What is looked at of each field, and of that what may be JSON: a text that holds no brace is none. */
function lookedAtEach(options: ValueOptions, source: ValueSource): { texts: string[]; json: string[] } {
  const { fields } = options
  const texts = fields.map((field) => lookedAt(field, givenValue(field, options, source)))
  const json = fields.map((field, index) =>
    isJson(field) ? `${texts[index]}` : `case when contains(${texts[index]}, '{') then ${texts[index]} end`,
  )
  return { texts, json }
}

/** A list of what SQL says of each value. */
function each(values: readonly string[], judge: string): string {
  return `list_transform(cast([${values.join(', ')}] as varchar[]), lambda value: coalesce(cast(${judge} as varchar), ''))`
}

const [EMAIL, KEY] = [quoteText(EMAIL_SHAPE), quoteText(PERSONAL_KEY)]

/** Null where there is nothing in the text by which it could. */
function hasEmail(text: string): string {
  return `case when contains(${text}, '@') or contains(${text}, '%40') or contains(${text}, '\\u')
      then regexp_matches(lpa_unescaped(${text}), ${EMAIL}) end`
}

function hasKey(text: string): string {
  return `case when contains(${text}, '{') then regexp_matches(nfc_normalize(lpa_unescaped(${text})), ${KEY}) end`
}

/** Values that are one IP address or several, also with ports, or one phone number, and nothing else. */
const ADDRESS = [
  String.raw`(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?`,
  String.raw`\[?(?:(?:[\da-fA-F]{1,4}:){6}(?:[\da-fA-F]{1,4}:[\da-fA-F]{1,4}|(?:\d{1,3}\.){3}\d{1,3})|[\da-fA-F:]*\d[\da-fA-F:]*::[\da-fA-F:.]*|[\da-fA-F:]*::[\da-fA-F:.]*\d[\da-fA-F:.]*)(?:%[\w.-]+)?(?:\]:\d+|\])?`,
].join('|')
/** DuckDB's own \s has the blanks of ASCII only. */
const BLANK = String.raw`\s\p{Z}\x{feff}`
const LONE_SHAPE = String.raw`(?:(?:${ADDRESS})(?:[${BLANK},;|]+(?:${ADDRESS}))*|\+\d[\d ()/-]{7,})`
const SHAPE = quoteText(String.raw`(?:^|[\n"])[${BLANK}]*${LONE_SHAPE}[${BLANK}]*(?:$|[\n"\\])`)

function hasShape(text: string): string {
  return `regexp_matches(lpa_unescaped(${text}), ${SHAPE})`
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
  const isThere = `case when ${value} >= '!' then true else trim(${value}, ${ASCII_SPACE}) <> '' end`
  // Nobody is known by an object or a list; a text may begin with a brace too.
  const isOne = isJsonValue
    ? `${isThere} and not case when ${value}[1] in ('{', '[') then json_valid(${value}) else false end`
    : isThere
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
  if (typeof to === 'number') return `substr(${value}, 1, ${to})`
  return `nullif(regexp_extract(${value}, ${quoteText(to.pattern)}), '')`
}

/** To trim these characters takes longer than a digest; all of them lie before the exclamation mark, as no letter does. */
function strippedSql(value: string): string {
  return `case when ${value} >= '!' and ${value}[-1] >= '!' then ${value} else trim(${value}, ${ASCII_SPACE}) end`
}

/** The reference is `pseudonym` in src/pseudonym.ts; a test holds the two together. */
function pseudonymSql(kind: string, space: string, value: string): string {
  const stripped = strippedSql(value)
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

export function isText({ format }: Pick<Input, 'format'>): boolean {
  return format === 'ndjson' || format === 'json'
}

export function isList({ change }: Field): boolean {
  return change?.kind === 'pseudonym' && change.personal.list
}
