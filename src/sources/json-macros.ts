/** DuckDB macros that judge JSON which is kept whole. Its own functions take more than others can read again. */

import type { DuckDBConnection } from '@duckdb/node-api'

/** Deeper JSON is refused: from some thousands of levels on DuckDB's merge and VARIANT end the whole program. */
export const MAX_DEPTH = 64

const WITHOUT_TEXTS = `regexp_replace(value, '"(?:[^"\\\\]|\\\\.)*"', '', 'g')`

/** Of what JSON may write as \uXXXX: what the names and shapes of personal values are made of, up to ſ, and ’. */
const READABLE = '\\\\u(?:00[2-9a-fA-F][0-9a-fA-F]|01[0-7][0-9a-fA-F]|202[fF]|2019)'

const MACROS = [
  // Only brackets are left, then pairs are taken away from the inside out: what is left is deeper.
  `lpa_is_deep(value) as case
    when strlen(value) > ${2 * MAX_DEPTH}
      and strlen(value) - strlen(replace(replace(value, '[', ''), '{', '')) > ${MAX_DEPTH}
    then list_reduce(
      list_prepend(regexp_replace(${WITHOUT_TEXTS}, '[^][{}]+', '', 'g'), list_transform(range(${MAX_DEPTH}), lambda i: '')),
      lambda rest, i: replace(replace(rest, '[]', ''), '{}', '')) <> ''
    else false end`,
  // Of texts, which a mapping may take for JSON. What is no JSON has no depth.
  `lpa_holds_deep(value) as case when lpa_is_deep(value) then json_valid(value) else false end`,
  // NaN and Infinity in all their spellings: DuckDB reads and writes them, JSON has none.
  `lpa_is_unreal(value) as case
    when ${['nan', 'NaN', 'NAN', 'inf', 'Inf', 'INF'].map((word) => `contains(value, '${word}')`).join(' or ')}
    then regexp_matches(${WITHOUT_TEXTS}, '(?i)nan|inf') else false end`,
  // The same of a text that was taken out of a line.
  `lpa_is_number_word(value) as lower(ltrim(value, '+-')) in ('nan', 'inf', 'infinity')`,
  // A name that is empty or holds a NUL: no Parquet file can be written of a VARIANT with it (DuckDB 1.5.5).
  `lpa_has_unwritable_name(value) as case
    when contains(value, '""') or contains(value, '\\u0000')
    then regexp_matches(value, '[{,]\\s*""\\s*:')
      or regexp_matches(value, '"(?:[^"\\\\]|\\\\.)*\\\\u0000(?:[^"\\\\]|\\\\.)*"\\s*:')
    else false end`,
  // A text that holds JSON as that JSON.
  `lpa_parsed(value) as case when json_type(value) = 'VARCHAR'
    then coalesce(try_cast(value ->> '$' as json), value) else value end`,
  // Of JSON what is a value of its own: no object and no list.
  `lpa_scalar(value) as case when starts_with(value::varchar, '"') then value ->> '$'
    when not regexp_matches(value::varchar, '^[{[n]') then value::varchar end`,
  `lpa_one_escape(value) as regexp_replace(value, '(?:\\\\(?:u005[cC])?)+', '\\\\', 'g')`,
  // JSON held as text, and texts of JSON inside it, may write every letter as \u0040 and every quote as \": here each is
  // itself, at whatever depth; other letters are x. For searching only, behind the text as it is.
  `lpa_unescaped(value) as case when contains(value, '\\') then
    value || chr(10) || replace(regexp_replace(regexp_replace(
      case when contains(value, '\\u') then list_reduce(
        list_prepend(lpa_one_escape(value), list_distinct(regexp_extract_all(lpa_one_escape(value), '${READABLE}'))),
        lambda text, escape: replace(text, escape, chr(cast('0x' || substr(escape, 3) as integer))))
      else lpa_one_escape(value) end,
      '\\\\(?:[bfnrt]|u00[01][0-9a-fA-F])', ' ', 'g'), '\\\\u[0-9a-fA-F]{4}', 'x', 'g'), '\\', '')
    else value end`,
]

export async function createJsonMacros(connection: DuckDBConnection): Promise<void> {
  for (const macro of MACROS) await connection.run(`create temp macro ${macro}`)
}
