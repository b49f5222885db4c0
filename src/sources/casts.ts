/** A mapping's output as the entity's columns: cast, derived and checked. */

import { quoteName, quoteText } from '../duckdb.ts'
import { ERASED } from '../pseudonym.ts'
import type { EntityRules } from './entities.ts'
import type { Fault } from './faults.ts'
import type { Outputs } from './prepare-mapping.ts'
import { MESSAGE_RUNS } from './record-id.ts'
import type { StageTwoOptions } from './stage-two-options.ts'

/** The mapping's output, cast to the entity's types, with derived columns and `fault`, the code of what is wrong. */
export function checkedSql(
  { mapping, loadId, source, places, mayBeErased }: StageTwoOptions,
  rules: EntityRules,
  { sql, types }: Outputs,
  faults: readonly Fault[],
): string {
  const given = rules.inputs.filter((column) => types.has(column.name))
  const casts = rules.inputs.map(({ name, type }) => {
    if (!types.has(name)) return `cast(null as ${type}) as ${name}`
    const value = castSql(type, `m.${quoteName(name)}`, types.get(name) ?? '')
    return `${mayBeErased && name === 'email_hash' ? `nullif(${value}, '${ERASED}')` : value} as ${name}`
  })
  const columns = rules.columns.map(({ name, type }) => {
    if (name === 'source') return `${quoteText(source)} as source`
    if (name === 'load_id') return `cast(${loadId} as bigint) as load_id`
    if (name === 'position') return 'source_row as position'
    const expression = rules.derived[name]
    return expression ? `cast(${expression} as ${type}) as ${name}` : name
  })
  const keepGiven = given.map(({ name }) => `m.${quoteName(name)} as given_${name}`)
  if (types.has('attributes')) keepGiven.push('m.attributes as given_attributes')
  if (places) keepGiven.push('p.first_row', 'p.message_id', 'p.first_offset')
  const isDelta = types.has('deleted')
  const isOfLearners = rules.inputs.some(({ name }) => name === 'learner_id')
  if (isDelta) keepGiven.push('m.deleted as given_deleted')
  casts.push(`${isDelta ? castSql('boolean', 'm.deleted', types.get('deleted') ?? '') : 'false'} as deleted`)
  // Events stay taken back, whoever did it.
  const stays = mapping.entity === 'learning_event' ? 'or coalesce(deleted, false)' : ''
  return `with m as (${sql}
    ),
    c as (select m.source_row, ${[...casts, `${attributesSql(types)} as attributes`, ...keepGiven].join(', ')}
      from m ${places ? MESSAGE_RUNS : ''}),
    f as (select *, cast(case ${faults.map(({ condition }, index) => `when ${condition} then ${index + 1}`).join('\n      ')}
      end as utinyint) as fault from c)
    select ${columns.join(', ')}, coalesce(deleted, false) as lpa_deleted, fault from f
    ${mayBeErased && isOfLearners ? `where learner_id is distinct from '${ERASED}' ${stays}` : ''}`
}

function castSql(type: string, value: string, given: string): string {
  if (type === 'varchar') {
    return given === 'VARCHAR' ? `nullif(${value}, '')` : `cast(${value} as varchar)`
  }
  if (type === 'timestamp') {
    if (given === 'TIMESTAMP WITH TIME ZONE') return `cast(${value} at time zone 'UTC' as timestamp)`
    // A time without a zone is in the session's zone: warehouse.timezone. By microseconds, UTC needs no calendar.
    return `make_timestamp(epoch_us(${timeSql(textOf(value, given))}))`
  }
  if (type === 'date' && given === 'VARCHAR') {
    return `case when regexp_full_match(${value}, '${DATE_SHAPE}') then try_cast(${value} as date) end`
  }
  return given === 'VARCHAR' ? `try_cast(nullif(${value}, '') as ${type})` : `try_cast(${value} as ${type})`
}

const DATE_SHAPE = '\\s*\\d{4}[-/]\\d{1,2}[-/]\\d{1,2}([T ].*)?'

const NO_SECONDS = '^(\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d)(Z|[+-]\\d\\d(?::?\\d\\d)?)$'

/**
 * DuckDB takes words such as epoch and infinity for times, and none without seconds before a zone. A time that names its
 * zone (`… Europe/Berlin`) would also shift those that come after it: offsets and Z only.
 */
function timeSql(text: string): string {
  const withSeconds = `regexp_replace(${text}, '${NO_SECONDS}', '\\1:00\\2')`
  // To compare is several times as quick as to take characters out.
  const isUtc = [...'0123456789'].map((digit) => `ends_with(${text}, '${digit}Z')`).join(' or ')
  const begins = `(${text} >= '0' and ${text} < ':') or (${text} >= ' ' and ${text} < '!')`
  return `case when (${begins}) and (${isUtc} or regexp_full_match(${text}, '[-0-9TZ:.,+/ ]*'))
    then coalesce(try_cast(${text} as timestamptz), try_cast(${withSeconds} as timestamptz)) end`
}

function textOf(value: string, given: string): string {
  return given === 'VARCHAR' ? value : `cast(${value} as varchar)`
}

/** `attributes` and the columns named `attributes.NAME`, nulls left out; null when nothing is left. */
function attributesSql(types: ReadonlyMap<string, string>): string {
  const named = [...types.keys()].filter((name) => name.startsWith('attributes.'))
  // Of what is no JSON or too deep there is a fault: no function may see it.
  const text = 'cast(m.attributes as varchar)'
  const base = types.has('attributes')
    ? `case when not lpa_is_deep(${text}) then ${types.get('attributes') === 'JSON' ? 'm.attributes' : `case when json_valid(${text}) then cast(${text} as json) end`} end`
    : 'cast(null as json)'
  if (named.length === 0) return base
  const object = `json_merge_patch('{}', json_object(${named
    .map((name) => `${quoteText(name.slice('attributes.'.length))}, m.${quoteName(name)}`)
    .join(', ')}))`
  if (!types.has('attributes')) return `nullif(${object}, cast('{}' as json))`
  return `nullif(json_merge_patch(coalesce(${base}, '{}'), ${object}), cast('{}' as json))`
}
