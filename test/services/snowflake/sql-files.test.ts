/** Every statement of `sql` that Snowflake gets: in its grammar, and those of the quarantine as it runs them. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { ledgerRows } from '../../../src/pipeline/ledger.ts'
import { listRejects, showReject } from '../../../src/pipeline/rejects.ts'
import { expand } from '../../../src/sql-expand.ts'
import { listSql, readSql, withIncremental, withoutIncremental } from '../../../src/sql-files.ts'
import { NOT_FOR_SNOWFLAKE } from '../../../src/sql-lint.ts'
import { sqlTokens } from '../../../src/sql-tokens.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { describeWithSnowflake } from './shared-emulator.ts'
import { malformed } from './sqlfluff.ts'

const KINDS = ['ledger', 'models', 'checks', 'reports', 'snowflake'] as const

/** As Snowflake gets it, with a bind for each value. */
function sent(sql: string): string {
  const tokens = sqlTokens(expand(sql, 'snowflake'), 'snowflake')
  return tokens.map(({ kind, text }) => (kind === 'parameter' ? '?' : text)).join('')
}

describeWithSnowflake('the .sql files', () => {
  // Beside what is known to be good this is a minute: sqlfluff takes a second for a long one.
  test.each(KINDS)('of sql/%s are well-formed', { timeout: 300_000 }, async (kind) => {
    const files = listSql(kind).map((name) => readSql(kind, name, 'snowflake'))
    const asked = files.filter(({ name }) => !NOT_FOR_SNOWFLAKE.has(name))
    const statements = asked.flatMap((file) =>
      kind === 'models' ? [withoutIncremental(file), withIncremental(file)] : [file.body],
    )
    expect(await malformed(statements.map(sent))).toEqual([])
  })
})

describeLpaOnSnowflake('the quarantine on Snowflake', () => {
  let place: LpaPlace
  beforeAll(async () => {
    place = await LpaPlace.create()
    await place.lpaOk(['schema', 'apply'])
    const rejected = (load: number, position: string) =>
      `(${load}, 'campus', '${position}', 'TYPE_score', 'score', 'no number')`
    await place.sql(
      `insert into raw.rejected_rows (load_id, source, position, reason_code, column_name, reason) values
        ${[rejected(1, 'a.csv:10'), rejected(1, 'a.csv:9'), rejected(1, 'b%.csv:2'), rejected(2, 'a.csv:1')].join(', ')}`,
    )
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  test('is listed in the order of its files, the newest load first', async () => {
    const { rows } = await place.engine((engine) => listRejects(engine, { limit: 10 }))
    expect(rows.map(([load, , position]) => `${load} ${position}`)).toEqual([
      '2 a.csv:1',
      '1 a.csv:9',
      '1 a.csv:10',
      '1 b%.csv:2',
    ])
  })

  test('shows a record by its place in the file, and takes nothing for a pattern', async () => {
    const places = (position: string) =>
      place.engine(async (engine) => (await showReject(engine, 1, position)).map((found) => found.position))
    expect(await places('9')).toEqual(['a.csv:9'])
    expect(await places('b%.csv:2')).toEqual(['b%.csv:2'])
    for (const position of ['0', '_', '%', '%0'])
      await expect(places(position)).rejects.toMatchObject({ code: 'LPA-REJECTS-UNKNOWN' })
  })

  test('can be asked for what was read again under another key', async () => {
    const values = { source: 'campus', key_id: 'k' }
    expect(await place.engine((engine) => ledgerRows(engine, 'reread-loads', values))).toEqual([])
  })
})
