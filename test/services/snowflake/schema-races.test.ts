/** Who applies the schema while somebody else does, or sees less of it than its owner. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ledgerRows } from '../../../src/pipeline/ledger.ts'
import { applySchema, planSchema, type SchemaPlan } from '../../../src/pipeline/schema.ts'
import { withWarehouse } from '../../../src/pipeline/warehouse.ts'
import { packageRoot } from '../../../src/sql-files.ts'
import { until } from '../../faults/until.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'

describeLpaOnSnowflake('lpa schema apply beside others on Snowflake', () => {
  let place: LpaPlace
  beforeAll(async () => {
    place = await LpaPlace.create('[load]\nlock_wait = "60s"')
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  const plan = async () => {
    const { steps, findings } = await place.engine(planSchema)
    return [...steps, ...findings].map(({ kind, target }) => `${kind} ${target}`)
  }

  // One after the other: the emulator's catalog takes no two changes at once.
  test('somebody else who makes the same tables at the same time is no failure', async () => {
    await withWarehouse(place.config(), 'create', new AbortController().signal, async (engine) => {
      const execute: typeof engine.execute = async (statement, values) => {
        if (statement.startsWith('create')) await place.sql(statement)
        return engine.execute(statement, values)
      }
      await applySchema({ ...engine, execute })
    })
    expect(await plan()).toEqual([])
  })

  test('waits for the writer, and does not do again what that has done', async (context) => {
    const database = place.emulated(context)
    await place.sql('drop table core.bridge_course_instructor')
    const other = await place.session()
    await other.run('begin transaction')
    const lock = 'update meta.schema_changes set applied_at = applied_at where number = 0'
    await other.run(lock)
    await database.forgetStatements()
    const waiting = place.start(['schema', 'apply', '--json', '--quiet'])
    const isWaiting = async () => (await database.statements()).some(({ sql }) => sql === lock)
    await until(isWaiting, 'it waits')
    const made = readFileSync(join(packageRoot(), 'schema/ddl_core.snowflake.sql'), 'utf8')
    const [, create = ''] =
      /^(create table if not exists core.bridge_course_instructor[^;]*);/m.exec(made) ?? []
    await place.sql(create)
    await other.run('rollback')
    await other.close()
    const { code, stdout } = await waiting.ended
    expect([code, (JSON.parse(stdout) as SchemaPlan).steps]).toEqual([0, []])
  })

  test('numbers that are narrower are widened', async () => {
    await place.sql('alter table core.dim_course drop column duration_hours')
    await place.sql('alter table core.dim_course add column duration_hours number(5,2)')
    expect(await plan()).toEqual(['widen column core.dim_course.duration_hours'])
    await place.lpaOk(['schema', 'apply', '--quiet'])
    expect(await plan()).toEqual([])
  })

  test('a view whose text the role may not see is still a view, and no drift', async (context) => {
    const rows = (await place.engine((engine) => ledgerRows(engine, 'live-columns'))).filter(
      ([name]) => name === 'core.newest_day',
    )
    const types = ['VARCHAR', 'VARCHAR', 'VARCHAR', 'BOOLEAN', 'VARCHAR', 'VARCHAR'] as const
    await place.emulated(context).fault({
      kind: 'rows',
      match: 'view_definition',
      columns: types.map((type, index) => [`C${index}`, type]),
      rows: rows.map((row) => [...row.slice(0, 5).map(String), null]),
    })
    expect(await plan()).not.toContain('different kind core.newest_day')
    expect(rows.map(([, , , , kind]) => kind)).toEqual(['view'])
  })
})
