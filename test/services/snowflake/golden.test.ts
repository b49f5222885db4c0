/** What lpa sends to Snowflake, statement by statement: reviewed like code, since much of it no emulator can run. */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { CLAIMS, claimOffsets, type OffsetClaim } from '../../../src/pipeline/stream-offsets.ts'
import { withWarehouse } from '../../../src/pipeline/warehouse.ts'
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
  test('of a stream’s offsets that are moved on', async (context) => {
    const claim = (partition: number, storedOffset: number | null) => ({
      ...{ topic: 'clicks', topicId: 'AAAA', partition, storedOffset },
      nextOffset: (storedOffset ?? 0) + 10,
    })
    const move = (claims: readonly OffsetClaim[]) =>
      withWarehouse(place.config(), 'write', new AbortController().signal, (engine) =>
        engine.transaction(() => claimOffsets(engine, 'clicks', claims), { uses: CLAIMS }),
      )
    await move([claim(0, null)])
    await expectGolden('stream-offsets', () => move([claim(0, 10), claim(1, null)]), context)
  })
  test('of an incremental batch, without those that the full one has', async (context) => {
    await place.lpaOk(['load', 'courses.csv'])
    await expectGolden('batch-incremental', ['batch'], context, (statement) => !full.has(statement))
  })

  async function expectGolden(
    name: string,
    asked: readonly string[] | (() => Promise<void>),
    context: TestContext,
    isMeant: (statement: string) => boolean = () => true,
  ): Promise<readonly string[]> {
    const database = place.emulated(context)
    await database.forgetStatements()
    await (typeof asked === 'function' ? asked() : place.lpaOk(asked))
    const sent = (await database.statements()).map(({ sql }) => `${normalised(sql)};\n`).filter(isMeant)
    await expect(sent.join('\n')).toMatchFileSnapshot(join(GOLDEN, `${name}.sql`))
    expect(await wrongStatements(database)).toEqual([])
    return sent
  }
})

/** Without the folder of this machine; values are binds, which are not here. */
function normalised(sql: string): string {
  return sql.trim().replace(/'file:\/\/[^']*\/([^/']+)'/g, `'file:///…/$1'`)
}
