/**
 * Makes schema/ddl_*.snowflake.sql from schema/ddl_*.sql: what `lpa schema apply` runs in Snowflake, for a DBA to read, or
 * to run instead. And schema/dynamic_agg_course_day.snowflake.sql from its model, which lpa itself never runs.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseDdl } from '../src/ddl.ts'
import { createSchema, createTable, withSnowflakeTypes } from '../src/engines/snowflake/ddl.ts'
import { expand } from '../src/sql-expand.ts'
import { packageRoot, readSql, withoutIncremental } from '../src/sql-files.ts'

const AREAS = ['raw', 'staging', 'core', 'meta']
const FOLDER = join(packageRoot(), 'schema')

/** The files by path, as they should be now. */
export function snowflakeDdl(): Map<string, string> {
  const files = AREAS.map((area) => [join(FOLDER, `ddl_${area}.snowflake.sql`), ddlOf(area)] as const)
  return new Map([...files, [join(FOLDER, 'dynamic_agg_course_day.snowflake.sql'), dynamicTable()]])
}

/** The area's text with its comments; every CREATE is Snowflake's own. */
function ddlOf(area: string): string {
  const text = expand(readFileSync(join(FOLDER, `ddl_${area}.sql`), 'utf8'), 'snowflake')
  const made = text.replace(DECLARATION, (declaration, comments: string) => {
    const [table] = parseDdl(declaration).map(withSnowflakeTypes)
    if (!table) throw new Error(`schema/ddl_${area}.sql: cannot be read: ${declaration}`)
    return `${comments}${createTable(table)
      .map((statement) => `${statement};`)
      .join('\n\n')}`
  })
  return `${HEAD.replaceAll('AREA', area)}\n${createSchema(area)};\n\n${made}`
}

/** A CREATE, and the comments above it, which say keys and clustering. */
const DECLARATION = /((?:^--[^\n]*\n)*)^create (?:table|view) [\s\S]*?;$/gm

const HEAD = `-- AREA in Snowflake. Made by scripts/snowflake-ddl.ts from schema/ddl_AREA.sql: change that, not this.
-- lpa schema apply runs the same statements. A DBA may run them before it, in the database of the connection: it then finds
-- nothing to make, and writes down that all is there, which runs need to begin.
-- Keys are for tools to read: Snowflake enforces none, and the checks of lpa batch do. A longer time travel is yours to set
-- (Enterprise Edition): alter table core.fact_enrollment set data_retention_time_in_days = 30. lpa leaves it as it is.
`

const DYNAMIC = `-- core.agg_course_day as a dynamic table, which Snowflake itself keeps up with the facts between two runs of lpa batch.
-- Made by scripts/snowflake-ddl.ts from sql/models/agg_course_day.sql: change that, not this. lpa neither runs this nor reads
-- the table; it is a plan for a DBA, who pays for its refreshes. It has a schema of its own, since lpa schema status would call
-- it undeclared in core. Put in your warehouse, the lag you need, and metrics.session_gap_minutes if that is not 30.
`

function dynamicTable(): string {
  const select = expand(withoutIncremental(readSql('models', 'agg_course_day', 'snowflake')), 'snowflake')
  const body = select
    .replace(/^ *--.*\n/gm, '')
    .replace(/\bconfigured_session\b/g, '(select 30 * 60 as gap_seconds)')
    .replace(/\bfrom (fact_\w+)/g, 'from core.$1')
  return `${DYNAMIC}
create schema if not exists derived;

create or replace dynamic table derived.agg_course_day
target_lag = '1 hour'
warehouse = lpa_wh
refresh_mode = auto
initialize = on_schedule
cluster by (date_key, course_key)
as
${body};
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of snowflakeDdl()) writeFileSync(path, text)
}
