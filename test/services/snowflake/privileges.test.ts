/** That grants of privileges which there are not are found, as sqlfluff does not. */

import { expect, test } from 'vitest'
import { nonsense } from './privileges.ts'
import { describeWithSnowflake } from './shared-emulator.ts'
import { rejections } from './sqlfluff.ts'

const NONSENSE = [
  'grant select on warehouse lpa_wh to role r',
  'grant usage on table core.dim_date to role r',
  'grant insert on view core.learner to role r',
  'grant read on sequence meta.load_ids to role r',
  'grant select, operate on all tables in schema core to role r',
  'grant create table on database lpa to role r',
  'grant usage on future tables in schema core to role r',
  'revoke select on schema core from role r',
]

const GOOD = [
  'grant select on all tables in schema core to role r',
  'grant select, insert on future tables in schema core to role r',
  'grant usage on warehouse lpa_wh to role r',
  'grant create masking policy on schema policy to role r',
  'revoke read on stage meta.staged_files from role r',
  'grant apply masking policy on account to role r',
  'grant role a to user u',
]

describeWithSnowflake('privileges and objects', () => {
  test('what does not go together is found, and only that', () => {
    expect(NONSENSE.filter((statement) => nonsense(statement) === undefined)).toEqual([])
    expect(GOOD.flatMap((statement) => nonsense(statement) ?? [])).toEqual([])
    expect(nonsense('grant select on table t from role r')).toMatch(/other's word/)
    expect(nonsense('revoke select on table t to role r')).toMatch(/other's word/)
  })

  test('which sqlfluff takes', async () => {
    const taken = (await rejections(NONSENSE)).filter((error) => error === null)
    expect(taken.length).toBeGreaterThan(4)
  })
})
