/** What lpa sends to Snowflake, statement by statement: reviewed like code, since much of it no emulator can run. */

import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { wrongStatements } from './statements.ts'

const GOLDEN = fileURLToPath(new URL('../../../fixtures/golden/snowflake', import.meta.url))

describeLpaOnSnowflake('the statements of a command', () => {
  let place: LpaPlace
  beforeAll(async () => {
    place = await LpaPlace.create()
    place.write('courses.csv', 'course_id,course_title\nC1,Intro to SQL\n')
    place.write(
      'events.ndjson',
      '{"event_id":"E1","event_type":"viewed","learner_id":"S1","course_id":"C1","occurred_at":"2026-01-12T08:13:22Z"}\n',
    )
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  // In this order: each needs what those before it made.
  test.each([
    ['schema-apply', ['schema', 'apply']],
    ['load', ['load', 'events.ndjson']],
    ['batch', ['batch']],
    ['query-at', ['query', 'daily', '--at', '2026-01-12T08:00:00Z']],
    ['load-courses', ['load', 'courses.csv']],
    ['batch-incremental', ['batch']],
  ])('%s: fixtures/golden/snowflake', async (name, args) => {
    if (place.database === undefined) return
    await place.database.forgetStatements()
    await place.lpaOk(args)
    const sent = (await place.database.statements()).map(({ sql }) => `${normalised(sql)};\n`)
    await expect(sent.join('\n')).toMatchFileSnapshot(join(GOLDEN, `${name}.sql`))
  })

  test('are Snowflake’s SQL', async (context) => {
    expect(await wrongStatements(place.emulated(context))).toEqual([])
  })
})

/** Without the folder of this machine; values are binds, which are not here. */
function normalised(sql: string): string {
  return sql.trim().replace(/'file:\/\/[^']*\/([^/']+)'/g, (_, name) => `'file:///…/${basename(name)}'`)
}
