/** What Snowflake does with transactions of its own accord, as far as the emulator can be told to do it. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { EmulatorDatabase } from './database.ts'
import { LpaPlace } from './lpa-place.ts'
import { describeWithSnowflake } from './shared-emulator.ts'

describeWithSnowflake('transactions on Snowflake', () => {
  let place: LpaPlace
  let database: EmulatorDatabase
  beforeAll(async () => {
    place = await LpaPlace.create()
    database = place.database as EmulatorDatabase
    await place.lpaOk(['schema', 'apply', '--quiet'])
  })
  afterAll(() => place[Symbol.asyncDispose]())

  const write = (name: string, ...lines: readonly string[]): string => {
    writeFileSync(join(place.folder.root, name), `${lines.join('\n')}\n`)
    return name
  }
  const event = (id: string, attributes: string): string =>
    `{"event_id":"${id}","event_type":"viewed","learner_id":"S1","course_id":"C1","occurred_at":"2026-03-02T08:00:00Z","attributes":${attributes}}`
  const rowsOf = async (table: string) => Number(await place.value(`select count(*) from ${table}`))
  const loads = () => rowsOf('meta.loads')
  const written = async () => [
    await loads(),
    await rowsOf('meta.load_entities'),
    await rowsOf('staging.stg_learning_event'),
  ]

  test('one that the server has ended is not committed: what came before would be missing', async () => {
    const file = write('ended.ndjson', event('e1', '{}'))
    // Another one is open than the one that was begun.
    const columns = [['id', 'VARCHAR']] as const
    await database.fault({ kind: 'rows', match: '^select current_transaction', columns, rows: [['other']] })
    const ran = await place.lpa(['load', file])
    expect(ran).toMatchObject({ code: 69, stderr: expect.stringContaining('LPA-SNOWFLAKE-ABORTED') })
    expect(await loads()).toBe(0)
    await place.lpaOk(['load', file])
    expect(await loads()).toBe(1)
  })

  test.each(['^copy into staging', '^insert into meta.load_entities'])(
    'one that somebody else has ended before %s leaves nothing of what came after',
    async (match) => {
      const before = await written()
      const file = write(`aborted${match.length}.ndjson`, event(`a${match.length}`, '{}'))
      await database.fault({ kind: 'abort', match })
      const ran = await place.lpa(['load', file])
      expect(ran).toMatchObject({ code: 69, stderr: expect.stringContaining('LPA-SNOWFLAKE-ABORTED') })
      expect(await written()).toEqual(before)
      await place.lpaOk(['load', file])
      expect(await written()).toEqual(before.map((rows) => rows + 1))
    },
  )

  test('one whose rollback was lost is not gone on with', async () => {
    const file = write('lost.ndjson', event('e2', '{}'))
    const before = await loads()
    await database.forgetStatements()
    await database.fault({
      kind: 'answer',
      match: '^insert into meta.load_entities',
      code: '000630',
      message: 'too long',
    })
    await database.fault({ kind: 'answer', match: '^rollback', code: '000630', message: 'too long' })
    const ran = await place.lpa(['load', file])
    expect(ran).toMatchObject({ code: 69, stderr: expect.stringContaining('LPA-SNOWFLAKE-REFUSED') })
    await place.endSessions()
    expect(await loads()).toBe(before)
  })

  test('a name that is there twice in JSON counts once, and stops nothing', async () => {
    await place.lpaOk(['load', write('twice.ndjson', event('e3', '{"a":1,"a":2,"b":"\\u00e9"}'))])
    await place.lpaOk(['batch', '--quiet'])
    const sql = "select attributes:a::integer as a from fact_learning_event where event_id like '%e3'"
    const { stdout } = await place.lpaOk(['query', '--sql', sql, '--json'])
    // Snowflake takes the last one, DuckDB under the emulator the first.
    expect([[{ a: 1 }], [{ a: 2 }]]).toContainEqual(JSON.parse(stdout))
  })
})
