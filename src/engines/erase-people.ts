/** Rows that name people, in all that loads brought: counted, or taken away. Core is made of these anew. */

import { STAGED_TABLES } from '../entities.ts'
import { ERASED } from '../pseudonym.ts'
import type { Engine, PeopleRows, Row, Values } from '../types.ts'

/** Of one statement: as values that are bound they have a limit, and a pattern of many is slow. */
const MOST_PEOPLE = 100

/** A learner's key is made of so many digits of the pseudonym, and so is the id of an enrollment that has none. */
const KEY_DIGITS = 15

const [RAW, REJECTS, DELETIONS] = [
  'raw.raw_learning_events',
  'raw.rejected_rows',
  'staging.stg_deletion',
] as const

/** Texts that name nobody. */
const OF_NOBODY = new Set([
  ...['source', 'format', 'position', 'reason_code', 'reason', 'column_name', 'content_hmac'],
  ...['content_hash', 'event_type', 'entity', 'status', 'learner_id'],
])

/** Statements bind `$people`, a list of pseudonyms; `$pattern`, any of them in a text; `$keys` and `$heads`, what is made of their first digits. */
interface Words {
  among(x: string, list: '$people' | '$keys' | '$heads'): string
  mentions(text: string): string
  blanked(text: string): string
  text(column: string, type: string): string
  value(text: string, type: string): string
}

const isJson = (type: string) => /^(json|variant)$/i.test(type)

const WORDS: Readonly<Record<'duckdb' | 'snowflake', Words>> = {
  duckdb: {
    among: (x, list) => `${x} in (select unnest(string_split(${list}, ',')))`,
    mentions: (text) => `regexp_matches(${text}, $pattern)`,
    blanked: (text) => `regexp_replace(${text}, $pattern, '${ERASED}', 'g')`,
    text: (column, type) => (isJson(type) ? `cast(cast(${column} as json) as varchar)` : column),
    value: (text, type) => (isJson(type) ? `cast(${text} as json)` : text),
  },
  snowflake: {
    among: (x, list) => `contains(${list}, ',' || ${x} || ',')`,
    mentions: (text) => `regexp_replace(${text}, $pattern, '') <> ${text}`,
    blanked: (text) => `regexp_replace(${text}, $pattern, '${ERASED}')`,
    text: (column, type) => (isJson(type) ? `to_json(${column})` : column),
    value: (text, type) => (isJson(type) ? `parse_json(${text}, 'd')` : text),
  },
}

/** How people are found in one table. */
interface Place {
  readonly table: string
  /** Rows of theirs, which go. */
  readonly theirs: string
  /** Rows of others in which they are named. */
  readonly named: string
  /** What takes their names out of these. */
  readonly sets: string
}

type Asking = Pick<Engine, 'dialect' | 'query' | 'execute'>

/** Rows by table; tables without any are left out. */
export function countPeople(engine: Asking, people: readonly string[]): Promise<PeopleRows[]> {
  const count = async ({ table }: Place, where: string, ask: Bind) => {
    const { rows } = await engine.query(...ask(`select count(*) from ${table} t where ${where}`))
    return Number(rows[0]?.[0])
  }
  return inEachPlace(engine, people, async (place, ask) => ({
    removed: await count(place, place.theirs, ask),
    blanked: place.sets === '' ? 0 : await count(place, place.named, ask),
  }))
}

/** The same, inside the open transaction, and they are gone. */
export function erasePeople(engine: Asking, people: readonly string[]): Promise<PeopleRows[]> {
  return inEachPlace(engine, people, async ({ table, theirs, named, sets }, bind) => ({
    removed: await engine.execute(...bind(`delete from ${table} t where ${theirs}`)),
    blanked: sets === '' ? 0 : await engine.execute(...bind(`update ${table} t set ${sets} where ${named}`)),
  }))
}

/** A statement with the values that it names: of a person nothing is in its text, which an engine may keep. */
type Bind = (statement: string) => [string, Values]

async function inEachPlace(
  engine: Asking,
  people: readonly string[],
  work: (place: Place, bind: Bind) => Promise<Omit<PeopleRows, 'table'>>,
): Promise<PeopleRows[]> {
  const places = await placesOf(engine)
  const found = new Map(places.map(({ table }) => [table, { table, removed: 0, blanked: 0 }]))
  for (let at = 0; at < people.length; at += MOST_PEOPLE) {
    const bind = binding(people.slice(at, at + MOST_PEOPLE))
    for (const place of places) {
      const sum = found.get(place.table) as PeopleRows
      const { removed, blanked } = await work(place, bind)
      found.set(place.table, {
        ...sum,
        removed: sum.removed + removed,
        blanked: sum.blanked + blanked,
      })
    }
  }
  return [...found.values()]
    .filter(({ removed, blanked }) => removed + blanked > 0)
    .sort((a, b) => (a.table < b.table ? -1 : 1))
}

function binding(people: readonly string[]): Bind {
  const heads = people.map((pseudonym) => pseudonym.slice(0, KEY_DIGITS))
  const lists = {
    people: listOf(people),
    heads: listOf(heads),
    keys: listOf(heads.map((head) => String(BigInt(`0x${head}`)))),
    pattern: people.join('|'),
  }
  return (statement) => [
    statement,
    Object.fromEntries(Object.entries(lists).filter(([name]) => statement.includes(`$${name}`))),
  ]
}

function listOf(values: readonly string[]): string {
  return `,${values.join(',')},`
}

/** In the order in which they may be changed: deletions are found by rows of enrollments. */
async function placesOf({ dialect, query }: Asking): Promise<Place[]> {
  const { rows } = await query(
    `select lower(table_schema || '.' || table_name) as name, lower(column_name), data_type
     from information_schema.columns
     where table_catalog = current_database() and lower(table_schema) in ('raw', 'staging', 'core')
     order by name, ordinal_position`,
  )
  const tables = Map.groupBy(rows, ([table]) => String(table))
  const words = WORDS[dialect === 'snowflake' ? 'snowflake' : 'duckdb']
  const places = [...tables].flatMap(([table, columns]) =>
    STAGED_TABLES.includes(table) || (/^core\.(dim|fact)_/.test(table) && columns.some(isLearnerKey))
      ? placeOf(words, table, new Map(columns.map(([, name, type]) => [String(name), String(type)])))
      : [],
  )
  return places.sort((a, b) => rank(a) - rank(b))
}

const isLearnerKey = ([, name]: Row) => name === 'learner_key'
const rank = ({ table }: Place) => (table === DELETIONS ? 0 : 1)

function placeOf(words: Words, table: string, columns: ReadonlyMap<string, string>): Place {
  const isOfCore = table.startsWith('core.')
  const texts = isOfCore
    ? []
    : [...columns].filter(
        ([name, type]) => /^(varchar|text|json|variant)$/i.test(type) && !OF_NOBODY.has(name),
      )
  const asText = ([name, type]: readonly [string, string]) => words.text(`t.${name}`, type)
  const mentions = words.mentions(
    `concat_ws('|', ${texts.map((text) => `coalesce(${asText(text)}, '')`).join(', ')})`,
  )
  const theirs = `coalesce(${theirsIn(words, table, columns, mentions)}, false)`
  return {
    table,
    theirs,
    named: `not ${theirs} and ${mentions}`,
    sets: texts.map((text) => setOf(words, table, text)).join(', '),
  }
}

/** What tells in a table that a row is of one of the people. */
function theirsIn(
  { among }: Words,
  table: string,
  columns: ReadonlyMap<string, string>,
  mentions: string,
): string {
  if (table === RAW) {
    // Somebody else's record may name them too, and so may one that takes an event back: then only their names go.
    return `${mentions} and not exists (select 1 from staging.stg_learning_event s
      where s.load_id = t.load_id and s.position = t.position and not ${among('s.learner_id', '$people')})
      and not exists (select 1 from staging.stg_deletion d where d.load_id = t.load_id and d.position = t.position)`
  }
  if (table === DELETIONS) {
    return `${among('cast(t.learner_key as varchar)', '$keys')} or ${among(`substr(t.enrollment_id, 1, ${KEY_DIGITS})`, '$heads')}
      or t.enrollment_id in (select e.enrollment_id from staging.stg_enrollment e where ${among('e.learner_id', '$people')})`
  }
  if (columns.has('learner_id')) return among('t.learner_id', '$people')
  return columns.has('learner_key') ? among('cast(t.learner_key as varchar)', '$keys') : 'false'
}

/** Of a rejected record nothing is kept that names them, nor what its text can be known again by. */
function setOf(words: Words, table: string, text: readonly [string, string]): string {
  const [name, type] = text
  if (table === REJECTS) return `${name} = null, content_hmac = null`
  return `${name} = ${words.value(words.blanked(words.text(name, type)), type)}`
}
