/**
 * What Spark makes of the records of a stream before anything is written: stage one. A record that the embedded engine must read is
 * sealed, so that only who has the key can; doubles have the same `lpa_key`.
 */

import { UserError } from '../../errors.ts'
import { type Field, fieldsOf } from '../fields.ts'
import type { Input } from '../input.ts'
import { LINES } from '../lines.ts'
import type { Mapping } from '../mapping.ts'
import { PLACE, READ_BY } from '../records-elsewhere.ts'
import { shapeInLine } from '../values.ts'
import { type LinesOptions, linesSelect } from './lines.ts'
import { notOnSpark } from './values.ts'
import { hmacSql, sparkName, sparkText, strippedSql, VIEWS } from './words.ts'

/**
 * The records of a stream, as a mapping has them.
 * @param head some of them, as lines of clear text: what keys they have
 * @throws UserError config (78) that names what of the mapping Spark is not asked to do
 */
export function streamedLines(mapping: Mapping, idSpace: string, head: string): LinesOptions {
  const fields = fieldsOf(mapping, undefined)
  const input: Input = { ...LINES, name: '', head, async *open() {} }
  const options = { input, mapping, fields, idSpace, header: [] }
  const reason = notOnSpark(options)
  if (reason !== undefined) {
    throw new UserError(
      'LPA-SPARK-MAPPING',
      `The mapping ${mapping.name} cannot be taken to Spark: ${reason}.`,
      {
        ...{ exit: 'config', where: mapping.path },
        next: 'Leave --engine out.',
      },
    )
  }
  return options
}

/** Columns of what it gives beside those of stage one. */
export const STREAM_COLUMNS = { arrival: 'lpa_arrived', key: 'lpa_key', partitionBy: 'lpa_day' } as const

/** Where records come from, as SQL over the view of the source: their text, and where each stands. */
export interface StreamedRecords {
  readonly view: string
  readonly value: string
  readonly from: string
  readonly part: string
  readonly number: string
}

/** Of topics; a tombstone has no value, and what is blank is a bad record. */
export const TOPIC_RECORDS = {
  value: `case when ${strippedSql('cast(value as string)')} = '' then '""' else cast(value as string) end`,
  from: 'topic',
  part: 'partition',
  number: 'offset',
}
/** Of a directory the name of each file, which may name a person. */
export const FILE_RECORDS = {
  value: 'value',
  from: `regexp_replace(element_at(split(input_file_name(), '/'), -1), '^.*(@|%40).*$', 'file')`,
  part: '0',
  number: 'cast(null as bigint)',
}

/** Blanks that may stand around an address, as JSON may write them. All else of it is ASCII: such escapes make a record odd. */
export const BLANK_ESCAPES = String.raw`\\u(?:00[aA]0|1680|20(?:0[0-9aA]|2[89fF]|5[fF])|3000|[fF][eE][fF]{2})`

/**
 * A CloudEvent, of which only the data is the record, and what may look personal: messages are judged one by one, as their escapes
 * are read. Of the escapes that are plain only a slash and a blank can be a part of a phone number or an address.
 */
const NEEDS_A_LOOK = [
  `contains(lpa_line, '"specversion"')`,
  `lpa_line rlike ${sparkText(BLANK_ESCAPES)}`,
  `replace(lpa_line, ${sparkText('\\/')}, '/') rlike ${sparkText(shapeInLine())}`,
].join(' or ')

/**
 * @param readBy goes with each record: by what it was read
 * @param doublesBy fields that a record must have to be known as a double of another, which is the same in all fields
 */
export function streamSelect(
  options: LinesOptions,
  { view, value, from, part, number }: StreamedRecords,
  readBy: string,
  doublesBy: readonly string[] | undefined,
): string {
  const lines = `(select ${value} as value, ${from} as ${PLACE.name}, ${part} as ${PLACE.part}, ${number} as ${PLACE.number}
    from ${view})`
  const places = Object.values(PLACE)
  const beside = { ...Object.fromEntries(places.map((name) => [name, name])), lpa_line: 'value' }
  const records = `select *, lpa_odd or ${NEEDS_A_LOOK} as lpa_is_sealed from (${linesSelect(options, lines, beside)})`
  const names = options.fields.map(({ name }) => sparkName(name))
  const columns = [
    ...places,
    ...names.map((name) => `case when not lpa_is_sealed then ${name} end as ${name}`),
  ]
  const sealed = `case when lpa_is_sealed then aes_encrypt(cast(lpa_line as binary), (select seal from ${VIEWS.pads}), 'GCM') end`
  return `select ${columns.join(', ')}, ${sealed} as lpa_sealed, ${keySql(options.fields, doublesBy)} as ${STREAM_COLUMNS.key},
    ${sparkText(readBy)} as ${READ_BY},
    current_timestamp() as ${STREAM_COLUMNS.arrival},
    date_format(current_timestamp(), 'yyyy-MM-dd') as ${STREAM_COLUMNS.partitionBy}
    from (${records})`
}

/** Of sealed records, the pseudonym of all that they hold. */
function keySql(fields: readonly Field[], doublesBy: readonly string[] | undefined): string {
  const place = `concat_ws(' ', ${Object.values(PLACE).join(', ')}, uuid())`
  const values = fields.map(({ name }) => `coalesce(concat('=', ${sparkName(name)}), '')`)
  const hash = `sha2(cast(concat_ws(char(1), ${values.join(', ')}) as binary), 256)`
  const isKnown = doublesBy?.map((name) => `${sparkName(name)} is not null`).join(' and ')
  const same = isKnown ? `case when ${isKnown} then ${hash} else ${place} end` : place
  return `case when lpa_is_sealed then ${hmacSql(`'lpa:v1:content::' || lpa_line`)} else ${same} end`
}
