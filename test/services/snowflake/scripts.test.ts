/** That the scripts in schema/, for a DBA, are well-formed, run, and leave to `schema apply` nothing but to write it down. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Config, loadConfig } from '../../../src/config.ts'
import { alterTable, withSnowflakeTypes } from '../../../src/engines/snowflake/ddl.ts'
import { readDeclared } from '../../../src/pipeline/declared.ts'
import { applySchema, schemaStatus } from '../../../src/pipeline/schema.ts'
import { statementsOf } from '../../../src/pipeline/schema-changes.ts'
import { withWarehouse } from '../../../src/pipeline/warehouse.ts'
import { packageRoot } from '../../../src/sql-files.ts'
import type { TableChange } from '../../../src/types.ts'
import { EmulatorDatabase } from './database.ts'
import { DriverSession } from './driver.ts'
import { describeWithSnowflake } from './shared-emulator.ts'
import { parseSnowflake } from './sqlfluff.ts'

const FOLDER = join(packageRoot(), 'schema')
const SCRIPTS = readdirSync(FOLDER).filter((name) => name.endsWith('.snowflake.sql'))
const statementsIn = (name: string) => statementsOf(readFileSync(join(FOLDER, name), 'utf8'))

describeWithSnowflake('the scripts of schema/', (snowflake) => {
  const folder = mkdtempSync(join(tmpdir(), 'lpa-scripts-'))
  const signal = new AbortController().signal
  let database: EmulatorDatabase
  let config: Config
  beforeAll(async () => {
    database = await EmulatorDatabase.create(snowflake)
    vi.stubEnv('SNOWFLAKE_HOME', database.connectionsToml(join(folder, 'home'), 'dev'))
    writeFileSync(
      join(folder, 'lpa.toml'),
      '[warehouse]\nengine = "snowflake"\nconnection = "dev"\npath = "warehouse"\n',
    )
    config = loadConfig({ cwd: folder, env: {} })
  })
  afterAll(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })

  test('are well-formed', async () => {
    expect(SCRIPTS).toEqual([
      'ddl_core.snowflake.sql',
      'ddl_meta.snowflake.sql',
      'ddl_raw.snowflake.sql',
      'ddl_staging.snowflake.sql',
      'dynamic_agg_course_day.snowflake.sql',
    ])
    const [table] = readDeclared('snowflake').tables.map(withSnowflakeTypes)
    const changes: TableChange[] = [
      { kind: 'add column', column: 'a', type: 'text' },
      { kind: 'widen column', column: 'a', type: 'number(38,0)' },
      { kind: 'allow null', column: 'a' },
      { kind: 'cluster' },
    ]
    const altered = table ? changes.flatMap((change) => alterTable(table, change)) : []
    expect(altered).toHaveLength(4)
    const own = ['undrop table core.dim_course']
    const parsed = await parseSnowflake([...SCRIPTS.flatMap(statementsIn), ...altered, ...own])
    expect(parsed.filter(({ error }) => error !== null)).toEqual([])
  })

  test('make a warehouse that only waits for schema apply to write it down', async () => {
    await using session = await DriverSession.signIn(database)
    for (const name of ['raw', 'staging', 'core', 'meta'].map((area) => `ddl_${area}.snowflake.sql`))
      for (const statement of statementsIn(name)) await session.query(statement)
    const status = await withWarehouse(config, 'read', signal, schemaStatus)
    expect(status).toMatchObject({ upToDate: true, steps: [], findings: [], applied: [] })

    // Without the row that transactions lock, none begins.
    await expect(
      withWarehouse(config, 'write', signal, (engine) => engine.transaction(async () => {})),
    ).rejects.toMatchObject({ code: 'LPA-WAREHOUSE-UNFINISHED', exitCode: 78 })
    await database.forgetStatements()
    expect(await withWarehouse(config, 'create', signal, (engine) => applySchema(engine))).toMatchObject({
      steps: [],
      findings: [],
    })
    // A role that may make no schema is refused also where there is one.
    expect((await database.statements()).filter(({ sql }) => /^create/i.test(sql))).toEqual([])
    const after = await withWarehouse(config, 'read', signal, schemaStatus)
    expect(after.applied).toMatchObject([{ number: 0, name: 'base' }])
    expect(
      await withWarehouse(config, 'write', signal, (engine) => engine.transaction(async () => 'done')),
    ).toBe('done')
    // Once more: nothing is written.
    const { version } = await withWarehouse(config, 'create', signal, (engine) => applySchema(engine))
    expect(version).toBe(after.baseVersion)
  })
})
