/** Settings that change what lpa does: set in lpa.toml, and seen in what comes out. */

import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { diagnose } from '../src/pipeline/doctor.ts'
import { questionOf } from '../src/pipeline/question.ts'
import { ask, listReports, type Question } from '../src/pipeline/report.ts'
import { applySchema, planSchema } from '../src/pipeline/schema.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import { TryWarehouse } from './try-warehouse.ts'

const warehouses: TryWarehouse[] = []
afterAll(() => {
  for (const warehouse of warehouses) warehouse[Symbol.dispose]()
})

const { signal } = new AbortController()
const event = (id: string, more: object = {}) =>
  `${JSON.stringify({ event_id: id, event_type: 'viewed', learner_id: 'S1', course_id: 'C1', occurred_at: '2026-01-12T08:00:00Z', ...more })}\n`

test('warehouse.payload = "variant" keeps payloads as VARIANT', async () => {
  const warehouse = await TryWarehouse.create('[warehouse]\npayload = "variant"\n')
  warehouses.push(warehouse)
  warehouse.write(
    'events.ndjson',
    event('e1', { score: 0.5, attributes: { device: { os: 'iOS' } } }) + event('e2'),
  )
  await warehouse.load(`${warehouse.folder}/events.ndjson`)
  await warehouse.build()

  const rows = await warehouse.rows(
    `select payload.event_id::varchar, payload.attributes.device.os::varchar, payload.score::double, typeof(payload)
     from raw.raw_learning_events order by position`,
  )
  expect(rows).toEqual([
    ['e1', 'iOS', 0.5, 'VARIANT'],
    ['e2', null, null, 'VARIANT'],
  ])
  const { findings } = await diagnose(
    warehouse.config,
    { verify: true, fix: false, lpaVersion: '1' },
    signal,
    () => {},
  )
  expect(findings).toEqual([])
  const plan = await withWarehouse(warehouse.config, 'read', signal, (engine) => planSchema(engine))
  expect([plan.steps, plan.findings]).toEqual([[], []])
})

test('changed after the warehouse was made, warehouse.payload is drift that schema plan shows', async () => {
  const warehouse = await TryWarehouse.create()
  warehouses.push(warehouse)
  const changed = {
    ...warehouse.config,
    warehouse: { ...warehouse.config.warehouse, payload: 'variant' as const },
  }
  const plan = await withWarehouse(changed, 'read', signal, (engine) => planSchema(engine))
  expect(plan.findings).toMatchObject([{ kind: 'different type', target: 'raw.raw_learning_events.payload' }])
})

test('metrics.* are what report parameters are unless given', async () => {
  const toml = '[metrics]\nat_risk_days = 14\nsession_gap_minutes = 45\n'
  const warehouse = await TryWarehouse.create(toml)
  warehouses.push(warehouse)
  const { config } = warehouse
  expect((await questionOf({ report: 'at-risk' }, config)).values).toMatchObject({ days: 14 })
  expect((await questionOf({ report: 'at-risk', param: ['days=3'] }, config)).values).toMatchObject({
    days: 3,
  })
  expect((await questionOf({ report: 'time-on-task' }, config)).values).toMatchObject({
    short_minutes: 5,
    long_minutes: 45,
  })
  const unset = loadConfig({ cwd: '/', env: {} })
  expect((await questionOf({ report: 'time-on-task' }, unset)).values).toMatchObject({ long_minutes: 30 })
  const listed = (its: typeof config) => listReports(its).rows.find(([report]) => report === 'at-risk')?.[2]
  const rest = 'course= category= country= since= until= most='
  expect([listed(unset), listed(config)]).toEqual([`days=7 ${rest}`, `days=14 ${rest}`])
})

test('a warehouse of an older lpa asks for schema apply, and is whole after it', async () => {
  const warehouse = await TryWarehouse.create()
  warehouses.push(warehouse)
  const change = (sql: string) =>
    withWarehouse(warehouse.config, 'write', signal, (engine) =>
      engine.transaction(() => engine.execute(sql)),
    )
  await change('alter table meta.built_loads drop column session_gap_minutes')
  await change('drop view core.newest_day')
  const old = expect.objectContaining({ code: 'LPA-SCHEMA-OLD', exit: 'config' })
  await expect(warehouse.build()).rejects.toEqual(old)
  await expect(warehouse.rows('from core.newest_day')).rejects.toEqual(old)
  const asked = (question: Question) =>
    ask(warehouse.config, question, { write: false, exports: false }, signal, async () => {})
  await expect(asked(await questionOf({ report: 'at-risk' }, warehouse.config))).rejects.toEqual(old)
  await expect(asked({ sql: 'from newest_day', values: {} })).rejects.toEqual(old)
  await withWarehouse(warehouse.config, 'write', signal, (engine) => applySchema(engine))
  await expect(warehouse.rows('from core.no_such_table')).rejects.toThrow('no_such_table')
  await warehouse.build()
  expect(await warehouse.rows('from core.newest_day')).toHaveLength(1)
})
