/** Learners leave Snowflake's tables by the same statements; what it keeps of the past itself is told by its days. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pseudonym, readKey } from '../../../src/pseudonym.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { wrongStatements } from './statements.ts'

const EVENT = (id: string, learner: string, seen: string) =>
  `{"event_id":"${id}","event_type":"viewed","learner_id":"${learner}","course_id":"C1","occurred_at":"2026-03-02T08:00:00Z","attributes":{"at":"${seen}"}}`

describeLpaOnSnowflake('erasing on Snowflake', () => {
  let place: LpaPlace
  beforeAll(async () => {
    place = await LpaPlace.create()
    await place.lpaOk(['schema', 'apply', '--quiet'])
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  test('rows go, names in rows of others too, and the next load leaves them out', async () => {
    const { root } = place.folder
    const named = pseudonym(readKey(join(root, 'pseudonym.key')), 'learner', 'files', 'S1') ?? ''
    writeFileSync(join(root, 'a.ndjson'), `${EVENT('e1', 'S1', 'x')}\n${EVENT('e2', 'S2', named)}\n`)
    await place.lpaOk(['load', 'a.ndjson', '--quiet'])
    await place.lpaOk(['batch', '--quiet'])
    writeFileSync(join(root, 'ids.txt'), 'S1\n')
    // As of a run that was killed while it copied.
    await place.sql(
      'copy into @meta.staged_files/unload_killed/ from (select learner_id as "learner_id" from core.dim_learner) file_format = (type = parquet) header = true max_file_size = 250000000',
    )
    const staged = async () => (await place.sql('list @meta.staged_files')).rows.length
    expect(await staged()).toBeGreaterThan(0)
    const { stdout } = await place.lpaOk(['erase', '--from', 'ids.txt', '--apply', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ ids: 1, known: 1, left: [] },
      past: { timeTravelUntil: expect.stringMatching(/^2/), failSafeUntil: expect.stringMatching(/^2/) },
    })
    expect(await staged()).toBe(0)
    const rows = async (sql: string) => Number(await place.value(sql))
    expect(await rows('select count(*) from core.fact_learning_event')).toBe(1)
    expect(await rows('select count(*) from raw.raw_learning_events')).toBe(1)
    expect(
      await rows(
        `select count(*) from core.fact_learning_event where contains(cast(attributes as varchar), '${named}')`,
      ),
    ).toBe(0)
    writeFileSync(join(root, 'b.ndjson'), `${EVENT('e3', 'S1', 'x')}\n${EVENT('e4', 'S3', 'x')}\n`)
    await place.lpaOk(['load', 'b.ndjson', '--quiet'])
    expect(await rows('select count(*) from staging.stg_learning_event')).toBe(2)
    const full = await place.lpaOk(['batch', '--full'])
    expect(full.stderr).toContain('fact_learning_event: 1 added, 0 removed, 0 changed')
  })

  test('was sent as Snowflake’s SQL', async (context) => {
    expect(await wrongStatements(place.emulated(context))).toEqual([])
  })
})
