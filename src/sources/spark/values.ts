/** What becomes of each value on Spark: the same as in src/sources/values.ts, of records that both engines read alike. */

import { type Field, fieldLabel, isJson, placesOf, spaceField } from '../fields.ts'
import { isPrefix, isSamePath } from '../json-path.ts'
import type { Coarse } from '../mapping.ts'
import { isPersonalName } from '../personal-words.ts'
import { isList, isText, type ValueOptions, type ValueSource } from '../values.ts'
import { pseudonymSql, sparkText, strippedSql, VIEWS } from './words.ts'

/** How a mapping reads an input. */
export type HowRead = Omit<ValueOptions, 'idSpace'>

export function fieldValue(field: Field, options: ValueOptions, source: ValueSource): string {
  const value = givenValue(field, options, source)
  const { change } = field
  if (!change) return value
  if (change.kind === 'coarse') return coarseSql(change.to, value)
  if (change.kind === 'drop') return 'cast(null as string)'
  const { kind = 'learner', spaceFrom } = change.personal
  const told = spaceFrom === undefined ? undefined : spaceField(spaceFrom, options.fields)
  const space = spaceFrom === undefined ? sparkText(options.idSpace) : told ? source.value(told) : `''`
  return pseudonymSql(kind, space, value)
}

/** The clear value, or null where the mapping says that its text means that. */
function givenValue(field: Field, { input, mapping, fields }: ValueOptions, source: ValueSource): string {
  const value = source.value(field)
  const conditions = field.dropIf.map(({ when, other, values }) => {
    const told = fields.find(({ path }) => isSamePath(path, other)) as Field
    return `coalesce(${source.value(told)}, '') ${when === 'if' ? 'in' : 'not in'} (${values.map(sparkText).join(', ')})`
  })
  const isTextual = !isText(input) || !isJson(field)
  if (isTextual && mapping.nulls.length > 0)
    conditions.push(`${value} in (${mapping.nulls.map(sparkText).join(', ')})`)
  return conditions.length > 0 ? `case when ${conditions.join(' or ')} then null else ${value} end` : value
}

function coarseSql(to: Coarse, value: string): string {
  if (to === 'year') return `nullif(regexp_extract(${value}, ${sparkText('\\d{4}')}, 0), '')`
  if (to === 'month') return `nullif(regexp_extract(${value}, ${sparkText('\\d{4}-\\d\\d')}, 0), '')`
  return `substr(${value}, 1, ${to})`
}

/** Columns by which values are judged: all that the mapping does not speak of, and what of it is JSON. */
export function lookedAtColumns(options: ValueOptions, source: ValueSource): string {
  const looked = options.fields.filter(({ change, isPublic }) => !change && !isPublic)
  const joined = (fields: readonly Field[]) =>
    `concat_ws(chr(10), ${["''", ...fields.map((field) => givenValue(field, options, source))].join(', ')})`
  const isWhole = (field: Field) => isText(options.input) && isJson(field)
  return `${joined(looked.filter((field) => !isWhole(field)))} as lpa_texts, ${joined(looked.filter(isWhole))} as lpa_whole`
}

/**
 * What makes a record odd by its values: they may look personal, or name a person by JSON. It may find more than
 * lookForPersons does, and never less: of keys, all that the head of the input has not.
 */
export function oddValues(options: ValueOptions, source: ValueSource): string[] {
  const { fields, input } = options
  const pseudonyms = fields.filter(({ change }) => change?.kind === 'pseudonym')
  const asJson = isText(input) ? pseudonyms.map((field) => strippedSql(source.value(field))) : []
  const known = `split(cast((select keys from ${VIEWS.pads}) as string), ${sparkText('\\n')})`
  return [
    `contains(lpa_texts, '@') or contains(lpa_texts, '%40')`,
    // An address may be written so.
    `lpa_texts rlike ${sparkText(String.raw`\\u[0-9a-fA-F]{4}`)}`,
    `contains(lpa_texts, '{') and contains(lpa_texts, '"')`,
    `contains(lpa_whole, '@') or contains(lpa_whole, '%40')`,
    `size(array_except(regexp_extract_all(lpa_whole, ${sparkText(KEY)}, 1), ${known})) > 0`,
    ...asJson.map((text) => `startswith(${text}, '{') or startswith(${text}, '[')`),
  ]
}

const KEY = '"([^"]*)"\\s*:'
const MOST_KEYS = 500

/** Keys of JSON that are certainly none of a person, a line each: data, since they stand in records, and statements are shown. */
export function knownKeys(head: string): Buffer {
  const found = [...head.matchAll(new RegExp(KEY, 'g'))].map(([, key = '']) => key)
  const isKnown = (key: string) => /^\w[\w./:#-]*$/.test(key) && !isPersonalName(key)
  return Buffer.from([...new Set(found)].filter(isKnown).slice(0, MOST_KEYS).join('\n'))
}

/** Why a mapping cannot be taken to Spark, in words. */
export function notOnSpark(options: HowRead): string | undefined {
  if (options.mapping.parse.length > 0) return 'it takes texts for JSON (-- parse)'
  for (const field of options.fields) {
    const reason = notTaken(field, options)
    if (reason !== undefined) return `${fieldLabel(field)} ${reason}`
  }
  return undefined
}

function notTaken(field: Field, { input, fields }: HowRead): string | undefined {
  const { inside, change } = field
  const places = placesOf(field)
  if (inside.length > 0) return 'holds values that are changed inside it'
  if (isList(field)) return 'is a list of people'
  if (change?.kind === 'coarse' && typeof change.to === 'object') return 'is generalised by a pattern'
  if (!isText(input))
    return places.some((path) => path.length > 1) ? 'lies inside the JSON of a column' : undefined
  const all = fields.flatMap(placesOf)
  if (places.some((path) => all.some((other) => other.length > path.length && isPrefix(path, other))))
    return 'holds others that are named too'
  const isPlain = places.flat().every((key) => /^[^"'`\\\p{Cc}]+$/u.test(key))
  return isPlain ? undefined : 'has a key that Spark cannot name'
}
