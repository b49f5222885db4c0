import { expect, test } from 'vitest'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { assertReadable, replaceReread } from './stream-offsets.ts'
import { withWarehouse } from './warehouse.ts'

const load = (id: number, key: string) => `insert into meta.loads
  values (${id}, 'clicks', 'xapi', 'kafka://127.0.0.1/clicks', '${id}', 0, 1, 1, 0, 0, 0, '', '${key}', null, now()::timestamp,
    now()::timestamp, null)`
const takesBack = (id: number, event: string) => `insert into staging.stg_deletion by name
  select 'learning_event' as entity, '${event}' as event_id, timestamp '2026-01-01' as effective_at, 'clicks' as source,
    ${id} as load_id, 1 as position`

test('loads that only take events back, or hold nothing, are found again under another key', async () => {
  using its = await TryWarehouse.create()
  await withWarehouse(its.config, 'write', new AbortController().signal, async (engine) => {
    await engine.transaction(async () => {
      for (const id of [1, 2, 3]) await engine.execute(load(id, 'old'))
      await engine.execute(takesBack(1, 'a'))
      await engine.execute(takesBack(2, 'b'))
    })
    expect(await replaceReread(engine, 'clicks', 'new')).toEqual({ replaced: 0, left: 3 })
    await engine.transaction(async () => {
      await engine.execute(load(4, 'new'))
      await engine.execute(takesBack(4, 'a'))
    })
    expect(await replaceReread(engine, 'clicks', 'new')).toEqual({ replaced: 2, left: 1 })
    const { rows } = await engine.query(
      'select load_id from meta.loads where superseded_by is null order by 1',
    )
    expect(rows.map(([id]) => Number(id))).toEqual([2, 4])
  })
}, 60_000)

test.each([
  [4, 'The next message is 4, the topic begins at 5'],
  [5, undefined],
  [9, undefined],
  [10, 'The next message is 10, the topic ends at 9'],
])('an offset of %i in a topic from 5 to 9', (nextOffset, message) => {
  const id = { topic: 'clicks', partition: 0, topicId: 'id' }
  const look = () => assertReadable([{ ...id, nextOffset }], [{ ...id, begin: 5, end: 9 }])
  if (message === undefined) expect(look).not.toThrow()
  else expect(look).toThrow(expect.objectContaining({ code: 'LPA-STREAM-GONE', exit: 'data' }))
  if (message !== undefined) expect(look).toThrow(message)
})
