/**
 * How Spark takes records out of lines. It reads only what both engines read alike beyond doubt, line by line; every other
 * record is odd, and is left to the embedded engine: escapes, numbers that are not plain, keys that stand twice, whatever is
 * broken or looks personal. So nothing is ever read differently, only by another reader.
 */

import { type Field, inHeader, isJson, placesOf } from '../fields.ts'
import { MAX_DEPTH } from '../json-macros.ts'
import type { JsonPath } from '../json-path.ts'
import { MAX_RECORD_BYTES } from '../measure.ts'
import { isText, type ValueOptions, type ValueSource } from '../values.ts'
import { fieldValue, lookedAtColumns, oddValues } from './values.ts'
import { sparkName, sparkText, strippedSql, VIEWS } from './words.ts'

export interface LinesOptions extends ValueOptions {
  readonly header: readonly string[]
}

/** A record's place: where its block of the file begins, and a number that grows within the block. */
const PLACE = {
  lpa_block: 'input_file_block_start()',
  lpa_id: 'monotonically_increasing_id()',
} as const

/**
 * The SELECT of stage one over lines, of a file unless said. No sort, join or window of clear text.
 * @param beside what it gives of each line beside that, as SQL by name
 */
export function linesSelect(
  options: LinesOptions,
  lines: string = VIEWS.lines,
  beside: Readonly<Record<string, string>> = PLACE,
): string {
  const source = isText(options.input) ? jsonSource(options.fields) : csvSource(options)
  const isOdd = [...oddLines(), ...source.odd, ...oddValues(options, source)]
  const columns = options.fields.map(
    (field) =>
      `case when not lpa_odd then ${fieldValue(field, options, source)} end as ${sparkName(field.name)}`,
  )
  const more = Object.entries(beside).map(([name, sql]) => `${sql} as ${name}`)
  return `select ${Object.keys(beside).join(', ')}, lpa_odd, ${columns.join(',\n  ')}
    from (select *, coalesce(${isOdd.map((odd) => `coalesce(${odd}, false)`).join('\n      or ')}, true) as lpa_odd
      from (select *, ${lookedAtColumns(options, source)} from (select *, ${source.parts} from (
        select ${more.join(', ')}, value
        from ${lines} where ${source.isRecord}))))`
}

interface LinesSource extends ValueSource {
  readonly isRecord: string
  /** Columns that values are taken from. */
  readonly parts: string
  /** What makes a line odd. */
  readonly odd: readonly string[]
}

function oddLines(): string[] {
  const brackets = `length(value) - length(translate(value, '[{', ''))`
  return [
    'not is_valid_utf8(value)',
    `contains(value, char(13)) or contains(value, char(0))`,
    `octet_length(value) > ${MAX_RECORD_BYTES / 2}`,
    `${brackets} > ${MAX_DEPTH}`,
  ]
}

// ── JSON ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Letters that are not ASCII, and slashes: both engines write them as they are. */
const PLAIN_ESCAPES = sparkText(String.raw`\\(?:/|u(?!00[0-9]|[dD][89a-fA-F]|[fF]{3}[eEfF])[0-9a-fA-F]{4})`)

/** Numbers that both engines write as they stand, or without zeros at the end. */
const PLAIN_NUMBERS = sparkText(
  String.raw`(?<![\d.eE+-])(?:0|-?[1-9]\d{0,14}|0\.0{1,9}|-?0\.(?!000)\d{0,11}[1-9]0{0,3}|-?[1-9]\d{0,6}\.\d{1,8})(?![\d.eE])`,
)
const STRICT = `map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false')`

function jsonSource(fields: readonly Field[]): LinesSource {
  const root: Node = { children: new Map() }
  for (const path of fields.flatMap(placesOf)) {
    let node = root
    for (const key of path) {
      const child = node.children.get(key) ?? { children: new Map() }
      node.children.set(key, child)
      node = child
    }
  }
  const json = fields.filter(isJson).map(({ path }) => variantPath(path))
  const valueAt = (path: JsonPath) => ['lpa_record.r', ...path.map(sparkName)].join('.')
  const several = fields.filter(({ otherPaths }) => otherPaths !== undefined)
  return {
    isRecord: `${strippedSql('value')} <> ''`,
    // What passes as a list's element and as an object's member is one JSON and nothing after it. The list's reader refuses
    // keys that stand twice.
    parts: `from_json(concat('{"r":', value, ',"lpa_end":1}'), ${sparkText(`r ${typeOf(root)}, lpa_end int`)}, ${STRICT}) as lpa_record,
      try_parse_json(concat('[', value, ',0]')) as lpa_json,
      regexp_replace(value, '"[^"]*"', '') as lpa_bare`,
    odd: [
      `not startswith(${strippedSql('value')}, '{')`,
      `contains(regexp_replace(value, ${PLAIN_ESCAPES}, ''), ${sparkText('\\')})`,
      'lpa_record.lpa_end is null or lpa_record.r is null or lpa_json is null',
      `regexp_replace(lpa_bare, ${PLAIN_NUMBERS}, '') rlike '[0-9]'`,
      ...several
        .flatMap(placesOf)
        .map((path) => `startswith(${valueAt(path)}, '{') or startswith(${valueAt(path)}, '[')`),
      ...json.map((path) => `schema_of_variant(try_variant_get(lpa_json, ${path}, 'variant')) = 'STRING'`),
    ],
    value: (field) => firstOf(placesOf(field).map(valueAt)),
  }
}

interface Node {
  readonly children: Map<string, Node>
}

function typeOf({ children }: Node): string {
  if (children.size === 0) return 'string'
  return `struct<${[...children].map(([key, child]) => `${sparkName(key)}: ${typeOf(child)}`).join(', ')}>`
}

function variantPath(path: JsonPath): string {
  return sparkText(`$[0]${path.map((key) => `["${key}"]`).join('')}`)
}

// ── CSV ───────────────────────────────────────────────────────────────────────────────────────────────────

function csvSource({ input, header }: LinesOptions): LinesSource {
  const delimiter = `\\x{${input.delimiter.charCodeAt(0).toString(16)}}`
  const each = sparkText(`(?:^|${delimiter})("(?:[^"]++|"")*+"|[^"${delimiter}]*+)`)
  const row = sparkText(
    `^(?:"(?:[^"]++|"")*+"|[^"${delimiter}]*+)(?:${delimiter}(?:"(?:[^"]++|"")*+"|[^"${delimiter}]*+))*+$`,
  )
  const columnSql = (column: string | undefined) => {
    if (column === undefined) return 'cast(null as string)'
    const value = `get(lpa_values, ${header.indexOf(column)})`
    const quoted = `replace(substr(${value}, 2, length(${value}) - 2), '""', '"')`
    return `nullif(case when startswith(${value}, '"') then ${quoted} else ${value} end, '')`
  }
  return {
    // Of a CR too: where lines end in CRLF, a blank one is no row.
    isRecord: `value not in ('', char(13))`,
    parts: `case when value rlike ${row} then regexp_extract_all(value, ${each}, 1) end as lpa_values`,
    odd: [`lpa_values is null or size(lpa_values) <> ${header.length}`],
    value: (field) => firstOf(placesOf(field).map(([name = '']) => columnSql(inHeader(name, header)))),
  }
}

/** Of the places where a value may stand. */
function firstOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] as string) : `coalesce(${values.join(', ')})`
}
