/** What lpa sends to Snowflake, statement by statement: reviewed like code, since much of it no emulator can run. */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { wrongStatements } from './statements.ts'

const GOLDEN = fileURLToPath(new URL('../../../fixtures/golden/snowflake', import.meta.url))

describeLpaOnSnowflake('the statements of a command', () => {
  let place: LpaPlace
  let full: ReadonlySet<string>
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
  test('of schema apply', (context) => expectGolden('schema-apply', ['schema', 'apply'], context))
  test('of a load', (context) => expectGolden('load', ['load', 'events.ndjson'], context))
  test('of a batch', async (context) => {
    full = new Set(await expectGolden('batch', ['batch'], context))
  })
  test('of a report as of a time', (context) =>
    expectGolden('query-at', ['query', 'daily', '--at', '2026-01-12T08:00:00Z'], context))
  test('of an incremental batch, without those that the full one has', async (context) => {
    await place.lpaOk(['load', 'courses.csv'])
    await expectGolden('batch-incremental', ['batch'], context, (statement) => !full.has(statement))
  })

  async function expectGolden(
    name: string,
    args: readonly string[],
    context: TestContext,
    isMeant: (statement: string) => boolean = () => true,
  ): Promise<readonly string[]> {
    const database = place.emulated(context)
    await database.forgetStatements()
    await place.lpaOk(args)
    const sent = (await database.statements()).map(({ sql }) => `${normalised(sql)};\n`).filter(isMeant)
    await expect(sent.join('\n')).toMatchFileSnapshot(join(GOLDEN, `${name}.sql`))
    return sent
  }

  test('are Snowflake’s SQL', async (context) => {
    expect(await wrongStatements(place.emulated(context))).toEqual([])
  })
})

/** Without the folder of this machine; values are binds, which are not here. */
function normalised(sql: string): string {
  return sql.trim().replace(/'file:\/\/[^']*\/([^/']+)'/g, `'file:///…/$1'`)
}
