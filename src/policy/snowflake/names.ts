/** Names and texts as Snowflake's statements have them. */

/** Where a policy's own objects are: its tags, masking and row access policies, and what rows users may see. */
export const POLICY_SCHEMA = 'policy'

/** What users' attributes are: a row a value. */
export const USER_VALUES = `${POLICY_SCHEMA}.user_values`

/** Rules that select the rows a user may see, and which they found: a row a rule, user and value. */
export const ROW_RULES = `${POLICY_SCHEMA}.row_rules`
export const ALLOWED_ROWS = `${POLICY_SCHEMA}.allowed_rows`

/** Whom lpa gave which role: what others gave, only pruning takes back. */
export const GIVEN_ROLES = `${POLICY_SCHEMA}.given_roles`

/** Roles that may build: who is masked or filtered would write what is left of the rows. */
export const BUILDERS = `${POLICY_SCHEMA}.builders`

/** Roles that may be told who a pseudonym is. */
export const REVEALERS = `${POLICY_SCHEMA}.revealers`

export const POLICY_TABLES = [USER_VALUES, GIVEN_ROLES, ROW_RULES, ALLOWED_ROWS, BUILDERS, REVEALERS]

/** Every object that lpa makes says so in its comment; what does not is somebody else's. */
const MARK = 'lpa: '

export function comment(text: string): string {
  return `${MARK}${text}`
}

/** What was said of the object; undefined when it is not lpa's. */
export function uncommented(comment: string | null | undefined): string | undefined {
  return comment?.startsWith(MARK) ? comment.slice(MARK.length) : undefined
}

/** The statement by which a DBA gives lpa an object that somebody else made. */
export function handOver(kind: string, name: string): string {
  return `alter ${kind} ${name} set comment = ${text(comment(''))}`
}

/** Words that no role, user or tag can be called without quotes. */
const RESERVED: ReadonlySet<string> = new Set(
  `account all alter and any as between by case cast check column connect constraint create cross current
   current_date current_time current_timestamp current_user database delete distinct drop else exists false following for
   from full grant group gscluster having ilike in increment inner insert intersect into is issue join lateral left like
   localtime localtimestamp minus natural not null of on or order organization qualify regexp revoke right rlike row
   rows sample schema select set some start table tablesample then to trigger true try_cast union unique update using
   values view when whenever where with`.split(/\s+/),
)

/** A name as a statement has it. Snowflake folds names without quotes to upper case, and so are those of a policy. */
export function identifier(name: string): string {
  const isPlain = /^[A-Za-z_][A-Za-z0-9_$]*$/.test(name) && !RESERVED.has(name.toLowerCase())
  return isPlain ? name.toLowerCase() : `"${name.replaceAll('"', '""')}"`
}

/** `core.dim_learner`, `core.dim_learner.country`: each part as a statement has it. */
export function qualified(name: string): string {
  return name.split('.').map(identifier).join('.')
}

/** A name as SHOW and the information schema tell it, as a statement has it. */
export function told(name: string): string {
  const bare = /^"(.*)"$/s.exec(name)?.[1]?.replaceAll('""', '"') ?? name
  return /^[A-Z_][A-Z0-9_$]*$/.test(bare) ? identifier(bare.toLowerCase()) : quoted(bare)
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** What functions such as IS_ROLE_IN_SESSION and CURRENT_USER call a name. */
export function stored(name: string): string {
  const written = identifier(name)
  return written.startsWith('"') ? name : written.toUpperCase()
}

/** The parts of `core."My table"`, as a statement has them; also of several such names with blanks between them. */
export function partsOf(name: string): string[] {
  return name.match(NAME) ?? []
}

const NAME = /"(?:[^"]|"")*"|[^."\s]+/g

/** The parts of `DB.CORE."My table"`, as SHOW tells it. */
export function partsTold(name: string): string[] {
  return (name.match(NAME) ?? []).map(told)
}

/** A text in Snowflake's quotes, where a backslash escapes. */
export function text(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
