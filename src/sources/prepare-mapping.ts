/** A mapping's SELECT, held against the entity that it makes. */

import type { DuckDBConnection } from '@duckdb/node-api'
import { didYouMean } from '../did-you-mean.ts'
import { readNumber, readRows } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import type { EntityRules } from './entities.ts'
import type { Field } from './fields.ts'
import type { Mapping } from './mapping.ts'
import {
  firstLine,
  parseSelect,
  passesSourceOn,
  type SelectTree,
  takenAs,
  takenFor,
  withSourceRow,
} from './select-tree.ts'
import { lookLikeNames, shownNames } from './shown-names.ts'
import { sourceColumns } from './source-sql.ts'
import type { StageTwoOptions } from './stage-two-options.ts'

export const JSON_COLUMNS = '-- columns: name = $.path.in.the.record'

export interface Outputs {
  /** The mapping's SELECT with source_row. */
  readonly sql: string
  readonly types: ReadonlyMap<string, string>
  /** Those that name people and are made of nothing that stage one gave a pseudonym, whatever they look like. */
  readonly clear: ReadonlySet<string>
}

const OF_PEOPLE = ['learner_id', 'instructor_id', 'instructor_ids', 'email_hash']

/** Adds `source_row` to the mapping's SELECT, and holds its columns against the entity's. */
export async function prepareMapping(
  connection: DuckDBConnection,
  options: StageTwoOptions,
  rules: EntityRules,
): Promise<Outputs> {
  const { mapping } = options
  const inputs = rules.inputs.map((column) => column.name)
  const isOfEvents = mapping.entity === 'learning_event'
  const mayDelete = isOfEvents || mapping.export === 'delta' || mapping.exportBy !== undefined
  const allowed = mayDelete ? [...inputs, 'deleted'] : inputs
  const fail = (message: string, next: string | string[], cause?: unknown) =>
    new UserError('LPA-MAPPING-SQL', message, { exit: 'config', next, where: mapping.path, cause })
  const tree = await parseSelect(connection, mapping)
  let { sql } = mapping
  let types: Map<string, string>
  try {
    types = await describe(connection, sql, allowed)
    if (!types.has('source_row')) {
      sql = await withSourceRow(connection, tree)
      types = await describe(connection, sql, allowed)
    } else if ((await readNumber(connection, strayRowsSql(sql))) > 0) {
      throw strayRows(mapping)
    }
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    throw fail(
      `Its SELECT does not run over ${options.uri}. ${cause instanceof Error ? firstLine(cause.message) : ''}`,
      [
        sourceColumns(options).length > 0
          ? `Columns of source: ${mapping.columns ? sourceColumns(options).join(', ') : shownNames(sourceColumns(options))}`
          : `Columns of source: none. JSON has those that the mapping lists: ${JSON_COLUMNS}`,
        'Also: payload, source_file, source_row. A SELECT with grouping or set operations must give source_row itself.',
      ],
      // It proposes names of columns.
      mapping.columns || lookLikeNames(options.header) ? cause : undefined,
    )
  }
  for (const output of ['learner_id', 'instructor_id']) {
    const taken = takenAs(tree, output).map((name) => name.toLowerCase())
    const mail = mapping.personal.find(
      ({ target, kind }) => kind === 'email' && taken.includes(target.toLowerCase()),
    )
    if (!mail) continue
    const kind = output.replace('_id', '')
    throw fail(
      `It takes ${mail.target} for ${output}, and says that it is an e-mail address: no id of another file would be the same.`,
      `Write -- personal: ${mail.target}(${kind}). An address too can be an id.`,
    )
  }
  for (const name of types.keys()) {
    if (
      allowed.includes(name) ||
      name === 'source_row' ||
      name === 'attributes' ||
      name.startsWith('attributes.')
    )
      continue
    if (name === 'deleted') {
      throw fail('It says of records that they are deleted, which only a delta export can.', [
        'Write -- export: delta. An enrollment that ended is no deletion: its status is withdrawn.',
      ])
    }
    const near = didYouMean(name, allowed)
    throw fail(`${mapping.entity} has no column "${name}".${near ? ` Did you mean ${near}?` : ''}`, [
      `Its columns: ${[...allowed, 'attributes'].join(', ')}`,
      `To keep it anyway, name it "attributes.${name}".`,
    ])
  }
  if (!isOfEvents && mapping.export !== 'delta' && types.delete('deleted')) sql = withoutDeletedSql(sql)
  if (options.mayComeAgain && isOfEvents && !types.has('event_id')) throw noEventId(mapping)
  const needed = (name: string) => !types.has('deleted') || rules.identity.includes(name)
  const missing = rules.inputs.filter(({ name, required }) => required && needed(name) && !types.has(name))
  if (missing.length > 0) {
    throw fail(
      `Its SELECT gives no ${missing.map((column) => column.name).join(', ')}.`,
      `Every ${mapping.entity} needs ${missing.length === 1 ? 'it' : 'them'}. Columns: ${allowed.join(', ')}`,
    )
  }
  const clear = new Set(OF_PEOPLE.filter((name) => types.has(name) && isClear(tree, name, options)))
  return { sql, types, clear }
}

/** What would name the events is where they stand in an answer, which is another place in the next one. */
function noEventId({ path }: Mapping): UserError {
  return new UserError(
    'LPA-API-NO-EVENT-ID',
    'Its SELECT gives no event_id, and an API may answer a record again: it would count twice.',
    {
      ...{ exit: 'config', where: path },
      next: [
        'Take as event_id what the API names its records by.',
        'Where it answers everything each time, say so in the mapping: -- export: snapshot',
        'Where neither is so, save what is new to files, and load those.',
      ],
    },
  )
}

/**
 * Ids of another's making may be 64 hex digits too, as an unkeyed hash of an address is, which anybody can make again.
 * What a subquery gives under a name of its own is not followed: there its length has to do.
 */
function isClear(tree: SelectTree, output: string, { fields }: StageTwoOptions): boolean {
  const isPseudonym = ({ change, inside }: Field) =>
    change?.kind === 'pseudonym' || inside.some((one) => one.change.kind === 'pseudonym')
  if (!fields.some(isPseudonym)) return true
  const columns = new Map(
    fields.filter(({ isColumn }) => isColumn).map((field) => [field.name.toLowerCase(), field]),
  )
  const isOpen = (name: string | undefined) => {
    const field = columns.get(name ?? '')
    return field !== undefined && !isPseudonym(field)
  }
  const made = takenFor(tree, output)
  if (made.length === 0) return passesSourceOn(tree) && isOpen(output)
  return made.some(
    (refs) => refs.length > 0 && refs.every((parts) => parts.length < 3 && isOpen(parts.at(-1))),
  )
}

/** The columns of a SELECT and their types. A column of `source` comes spelled as in the file: names know no case. */
async function describe(
  connection: DuckDBConnection,
  sql: string,
  allowed: readonly string[],
): Promise<Map<string, string>> {
  const rows = await readRows<{ column_name: string; column_type: string }>(connection, `describe ${sql}`)
  const known = new Set([...allowed, 'source_row', 'attributes'])
  return new Map(
    rows.map(({ column_name: name, column_type: type }) => {
      const lower = name.toLowerCase()
      return [known.has(lower) ? lower : name, type]
    }),
  )
}

/** A mapping gives rows that come from no record. */
export function strayRows({ path }: Mapping): UserError {
  return new UserError('LPA-MAPPING-SQL', 'It gives rows a source_row that no record has.', {
    exit: 'config',
    where: path,
    next: 'Take it from source, as it is.',
  })
}

/** What is gone is no part of a state. */
function withoutDeletedSql(sql: string): string {
  return `select * exclude (deleted) from (${sql}\n) where not coalesce(try_cast(deleted as boolean), false)`
}

/** Rows whose number is none of a record's: on the line of its own, for the SELECT may end in a comment. */
function strayRowsSql(sql: string): string {
  return `select count(*) from (${sql}\n) m left join lpa_records r on r.source_row = m.source_row
    where r.source_row is null`
}
