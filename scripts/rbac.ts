/**
 * Makes security/rbac_masking.sql from security/*.yaml: what `lpa grant apply` runs in Snowflake for the policy that lpa comes
 * with, for a DBA to read, or to run instead.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LOAD_IDS, STAGE, withSnowflakeTypes } from '../src/engines/snowflake/ddl.ts'
import { readDeclared } from '../src/pipeline/declared.ts'
import { readPolicy } from '../src/pipeline/policy.ts'
import { planPolicy } from '../src/policy/plan.ts'
import type { PolicyStep } from '../src/policy/policy.ts'
import { writeSnowflake } from '../src/policy/snowflake/statements.ts'
import { wantedOnSnowflake } from '../src/policy/snowflake/wanted.ts'
import { packageRoot } from '../src/sql-files.ts'

export const RBAC_FILE = join(packageRoot(), 'security', 'rbac_masking.sql')

/** Of the script: who runs it puts in the own ones. */
const PLACE = { database: 'LPA', warehouse: 'LPA_WH', loads: { stage: STAGE, sequence: LOAD_IDS } }

/** Of each kind of object what it is for, in the order of the statements. */
const SECTIONS: Readonly<Record<string, string>> = {
  schema: 'Where the objects of the policy are. Nobody but their owner needs to see them.',
  table: 'Users’ attributes, who was given a role, and which rows each user may see: lpa keeps them.',
  role: 'Roles. The comment says that lpa made them.',
  tag: 'Tags. Those of whole tables that masks look at are apart, since columns take over the tags of their table.',
  'masking policy': 'Masks: one for each tag or mask, and type. Roles in the condition see the value itself.',
  'row access policy':
    'Row rules: who is not of these roles sees all rows; the others those that are looked up.',
  'rows of a table': 'From here on rows are filtered: before anybody is granted anything.',
  'mask of a tag': 'From here on columns are masked. What has the tag, now or later, is masked by its value.',
  'mask of a column': 'Masks of columns that are named; they come before those of a tag.',
  'tag of a table': 'What tables hold, and how long.',
  'tag of a column': 'What columns hold.',
  grant: 'Grants.',
  'future grant': 'Grants on what comes later. A schema’s own take the place of the database’s.',
  'role in role': 'Roles that have what others have.',
  builder: 'Roles that see all that core is built from: lpa batch runs with one of them only.',
  revealer: 'Roles that may see who a pseudonym is: lpa query --reveal.',
  'row rule': 'What row rules select, for lpa to fill policy.allowed_rows.',
}

/** The script as it should be now. */
export async function rbacScript(): Promise<string> {
  const { policy } = await readPolicy({
    security: { folder: join(packageRoot(), 'security') },
    privacy: { minCell: 10 },
    origin: {},
  })
  const relations = readDeclared('snowflake').tables.map(withSnowflakeTypes)
  const { objects, notes } = wantedOnSnowflake(policy, relations, PLACE)
  const { steps } = planPolicy(objects, [], writeSnowflake)
  return [HEAD, ...notes.map((note) => `-- Note: ${note}\n`), ...sections(steps)].join('')
}

function sections(steps: readonly PolicyStep[]): string[] {
  return steps.flatMap(({ kind, sql }, index) => {
    const begins = steps[index - 1]?.kind !== kind
    const head = begins ? `\n-- ${SECTIONS[kind] ?? kind}\n\n` : ''
    return [head, ...sql.map((statement) => `${statement};\n`)]
  })
}

const HEAD = `-- Who may see what, in Snowflake. Made by scripts/rbac.ts from security/*.yaml: change those, not this.
-- lpa grant apply runs the same statements in the same order, and compares before: prefer it. A DBA may run them instead,
-- after lpa schema apply, in the database of the connection: put in its name for lpa (lpa.policy, database lpa), and your
-- warehouse for lpa_wh. lpa grant plan then finds nothing to do, and lpa grant apply or lpa batch fills policy.allowed_rows: until
-- then row rules show nothing.
-- Needs Enterprise Edition (tags, masking and row access policies), and a role that owns the tables, with
--   grant create role on account, grant manage grants on account,
--   grant apply tag on account, grant apply masking policy on account, grant apply row access policy on account,
--   grant create schema on database lpa.
-- The emulator of lpa's tests has recorded this, and sqlfluff has read it: no Snowflake account has run it.
`

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(RBAC_FILE, await rbacScript())
