/** What portable SQL may not say: forms that an engine lacks, or that mean something else there (docs/decisions). */

import { expand } from './sql-expand.ts'
import { parseSql, type SqlKind } from './sql-files.ts'
import { type Code, closing, RULES, readCode } from './sql-lint-rules.ts'
import type { SqlToken } from './sql-tokens.ts'
import type { Dialect } from './types.ts'

export interface Finding {
  readonly path: string
  /** From 1. */
  readonly line: number
  readonly rule: string
  /** What is wrong, and what to write instead. */
  readonly message: string
}

// ── functions ─────────────────────────────────────────────────────────────────────────────────────────────

/** Functions with one meaning on all three engines, for the arguments that portable SQL gives them. */
const COMMON = `abs avg cast ceil chr coalesce count cume_dist dense_rank exp extract first_value floor lag last_value
  lead length ln lpad ltrim max median min ntile nullif percent_rank percentile_cont position power rank repeat replace
  row_number rpad rtrim split_part sqrt stddev_samp substr sum trim try_cast dayofyear`

/** Those, and what the expansion of the lpa_* functions brings. */
const ALLOWED: Readonly<Record<Dialect, ReadonlySet<string>>> = {
  duckdb: words(
    COMMON,
    'date_diff epoch_ms hash json_extract json_extract_string len sha256 starts_with string_agg',
  ),
  spark: words(
    COMMON,
    'array_join array_sort collect_set date_add datediff sha2 size startswith try_parse_json try_variant_get unix_millis xxhash64',
  ),
  snowflake: words(
    COMMON,
    'array_size dateadd datediff get_path hash listagg parse_json sha2 startswith to_json try_to_boolean try_to_double',
  ),
}

/** What texts may call besides that Snowflake alone runs: the book-keeping, and reports of what only it has. */
const SNOWFLAKE_ALONE: ReadonlySet<string> = words(
  `array_to_string contains convert_timezone current_database current_timestamp current_version date_trunc flatten
   get_query_operator_stats lower query_history regexp_replace regexp_substr round
   system$clustering_information system$estimate_search_optimization_costs try_to_number`,
)

function words(...lists: readonly string[]): ReadonlySet<string> {
  return new Set(lists.flatMap((list) => list.split(/\s+/)))
}

/** What to write instead of a refused function; others get the general advice. */
const INSTEAD: readonly (readonly [RegExp, string])[] = [
  [
    /^(strftime|date_format|to_char|dayname|monthname|isodow|isoyear|day_?of_?week|day_?of_?week_iso|week|week_?of_?year|weekday|week_?iso|year_?week|year|quarter|month|day|date_trunc|date_part|datepart)$/,
    'Join dim_date and take its column.',
  ],
  [
    /^(now|getdate|sysdate|today|current_date|current_timestamp)$/,
    'Take the newest date of the data, or a parameter.',
  ],
  [/^(count_if|countif)$/, 'Write count(case when … then 1 end).'],
  [
    /^(arg_max|arg_min|max_by|min_by|any_value|mode|first|last|nth_value)$/,
    'Write qualify row_number() over (partition by … order by a total order) = 1.',
  ],
  [
    /^(concat|concat_ws|format|printf)$/,
    "Write a || b; for a list, substr(case when … then '; a' else '' end || …, 3).",
  ],
  [
    /^(list|array)(_\w+)?$|^(collect_list|string_agg|listagg|group_concat|array_agg)$/,
    "Write lpa_list(x, ', ').",
  ],
  [
    /^(quantile\w*|approx_\w+|percentile|percentile_disc|percentile_approx)$/,
    'Write median(x) or percentile_cont(q) within group (order by x).',
  ],
  [/^(generate_series|range|unnest|sequence|explode|flatten)$/, 'Join dim_date, or write the values.'],
  [/^(regexp\w*|rlike|similar|substring|left|right)$/, 'Write substr(x, n) or split_part(x, sep, n).'],
  [/^(round|trunc|truncate)$/, 'Write floor(x * 10 + 0.5) / 10, or round in TypeScript.'],
  [/^(greatest|least)$/, 'Write case when a >= b then a else b end: engines differ on null.'],
  [/^(lower|upper|initcap)$/, 'Engines fold Unicode differently: normalise in the front end.'],
  [/^(date_?diff|date_sub|timestampdiff|age)$/, 'Write lpa_days(from, to) or lpa_seconds(from, to).'],
  [/^(date_?add)$/, 'Write lpa_add_days(date, n).'],
  [/^(epoch|epoch_ms|unix_millis|unix_timestamp)$/, 'Write lpa_seconds(from, to).'],
  [
    /^(json\w*|parse_json|to_json|get_json_object|get_path|try_variant_get|variant\w*)$/,
    "Write lpa_text(v, 'a.b'), lpa_number, lpa_boolean, lpa_variant or lpa_json.",
  ],
  [/^(len|array_size|size|array_length)$/, "Write length(text) or lpa_size(v, 'path')."],
  [/^(nvl|ifnull|iff|if|decode|zeroifnull|div0)$/, 'Write coalesce, nullif or case.'],
  [
    /^(md5|sha\w*|hash|xxhash\w*)$/,
    'Keys and pseudonyms are computed in the front end; checks compare by lpa_hash(x) or lpa_sha256(x).',
  ],
]

/** Words that stand before a bracket and call nothing. */
const NO_FUNCTION = words(
  `all and any as between by case cross decimal distinct else except exists from full group having in inner intersect
   interval is join key left like lateral limit materialized not on or order outer over partition qualify recursive
   right select then union using values varchar table when where window with filter pivot unpivot exclude ilike rollup sets
   cube some numeric`,
)

interface Call {
  readonly name: string
  readonly line: number
}

function callsOf({ tokens, words }: Code): Call[] {
  return tokens.flatMap((token, i) => {
    const name = words[i] as string
    const before = words[i - 1]
    if (token.kind !== 'word' || words[i + 1] !== '(' || NO_FUNCTION.has(name) || before === 'as') return []
    // A CTE's column list: `name (a, b) as (`.
    const close = closing(words, i + 1)
    if (words[close + 1] === 'as' && words[close + 2] === '(') return []
    return [{ name, line: token.line }]
  })
}

function functionFindings(sql: string, dialects: readonly Dialect[]): Omit<Finding, 'path'>[] {
  const refused = new Map<string, { call: Call; dialects: Dialect[] }>()
  for (const dialect of dialects) {
    for (const call of callsOf(readCode(expand(sql, dialect), dialect))) {
      if (ALLOWED[dialect].has(call.name)) continue
      const key = `${call.line} ${call.name}`
      const entry = refused.get(key) ?? { call, dialects: [] }
      refused.set(key, entry)
      if (!entry.dialects.includes(dialect)) entry.dialects.push(dialect)
    }
  }
  return [...refused.values()].map(({ call, dialects: on }) => {
    const instead =
      INSTEAD.find(([names]) => names.test(call.name))?.[1] ??
      'Use what all engines have alike; a new function needs a line in src/sql-lint.ts.'
    return {
      line: call.line,
      rule: 'function',
      message: `${call.name}() is not allowed (${on.join(', ')}). ${instead}`,
    }
  })
}

// ── the linter ────────────────────────────────────────────────────────────────────────────────────────────

/** The rules by name, for the test that each one fires. */
export const RULE_NAMES: readonly string[] = ['function', 'header', 'text', ...RULES.map((rule) => rule.name)]

const DIALECTS: readonly Dialect[] = ['duckdb', 'spark', 'snowflake']

/**
 * Lints the text of a .sql file: its header, its forms, and its functions in the expanded text of every dialect
 * (of the one in its name, for an override such as `x.spark.sql`).
 * @returns findings in the order of the lines; none when the text is portable.
 */
export function lintSql(text: string, file: { kind: SqlKind; name: string; path: string }): Finding[] {
  const only = /\.(snowflake|spark)\.sql$/.exec(file.path)?.[1] as Dialect | undefined
  try {
    const { tokens, words } = readCode(text)
    const forms = RULES.flatMap((rule) =>
      tokens.flatMap((token, i) =>
        rule.finds(words, i, tokens) ? [{ line: token.line, rule: rule.name, message: rule.message }] : [],
      ),
    )
    const found = [
      ...headerFindings(text, file, tokens),
      ...(only === undefined ? forms : []),
      ...functionFindings(text, only === undefined ? DIALECTS : [only]),
    ]
    return found.sort((a, b) => a.line - b.line).map((finding) => ({ path: file.path, ...finding }))
  } catch (error) {
    // What the tokenizer or the expander cannot read is a finding too.
    const [, line = '1', message] = /^line (\d+): (.*)$/s.exec((error as Error).message) ?? []
    return [
      { path: file.path, line: Number(line), rule: 'text', message: message ?? (error as Error).message },
    ]
  }
}

/**
 * Functions of a text of `sql/ledger` or `sql/snowflake` that Snowflake does not have, as far as is known here, and `rows` as
 * a column's name, which it takes only as `"ROWS"`. No emulator and no parser tells: fakesnow has DuckDB's functions.
 */
export function lintForSnowflake(text: string, path: string): Finding[] {
  const code = readCode(expand(text, 'snowflake'), 'snowflake')
  const unknown = callsOf(code).filter(
    ({ name }) => !ALLOWED.snowflake.has(name) && !SNOWFLAKE_ALONE.has(name),
  )
  const reserved = code.tokens.filter(
    ({ kind }, i) => kind === 'word' && code.words[i] === 'rows' && code.words[i + 1] !== 'between',
  )
  return [
    ...unknown.map(({ name, line }) => ({
      ...{ path, line, rule: 'function' },
      message: `${name}() is not known to be Snowflake's. Write an override, NAME.snowflake.sql; one that it has needs a word in src/sql-lint.ts.`,
    })),
    ...reserved.map(({ line }) => ({
      ...{ path, line, rule: 'name-taken' },
      message: 'rows is reserved in Snowflake: write "ROWS", which DuckDB reads alike.',
    })),
  ]
}

/** Files of `sql/ledger` that Snowflake never gets, since its tables are no files. */
export const NOT_FOR_SNOWFLAKE: ReadonlySet<string> = new Set(['data-files', 'merged-files'])

const NEEDED: Readonly<Partial<Record<SqlKind, readonly string[]>>> = {
  reports: ['title', 'grain', 'definition'],
  checks: ['title', 'severity'],
  models: ['materialise'],
}

function headerFindings(
  text: string,
  file: { kind: SqlKind; name: string; path: string },
  tokens: readonly SqlToken[],
): Omit<Finding, 'path'>[] {
  const sql = parseSql(text, file)
  const declared = sql.params.map((param) => `$${param.name}`)
  const used = new Set(tokens.filter((token) => token.kind === 'parameter').map((token) => token.text))
  const missing = (NEEDED[file.kind] ?? []).filter((key) => (sql.header[key]?.[0] ?? '') === '')
  return [
    ...missing.map((key) => `The header has no "-- ${key}:".`),
    ...(file.kind === 'checks' && !missing.includes('severity') && sql.severity === undefined
      ? ['severity is error or warning.']
      : []),
    ...declared.filter((name) => !used.has(name)).map((name) => `${name} is declared and not used.`),
    ...[...used].filter((name) => !declared.includes(name)).map((name) => `${name} has no "-- param:" line.`),
  ].map((message) => ({ line: 1, rule: 'header', message }))
}
