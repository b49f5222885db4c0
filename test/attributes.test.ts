/** Attributes of events and dimensions, from the file to the answer: JSON keeps them whole, VARIANT keeps or refuses. */

import { afterAll, describe, expect, test } from 'vitest'
import { rowJson } from '../src/output/json.ts'
import { applySchema, planSchema } from '../src/pipeline/schema.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import type { Engine } from '../src/types.ts'
import { TryWarehouse } from './try-warehouse.ts'

const warehouses: TryWarehouse[] = []
afterAll(() => {
  for (const warehouse of warehouses) warehouse[Symbol.dispose]()
})

const { signal } = new AbortController()

async function create(toml = ''): Promise<TryWarehouse> {
  const warehouse = await TryWarehouse.create(toml)
  warehouses.push(warehouse)
  return warehouse
}

/** One event a text of attributes, as it stands in the file. */
function events(attributes: readonly string[], first = 0): string {
  return attributes
    .map(
      (text, index) =>
        `{"event_id":"e${String(first + index).padStart(5, '0')}","event_type":"viewed","learner_id":"S1","course_id":"C1",` +
        `"occurred_at":"2026-01-12T08:00:00Z","attributes":${text}}\n`,
    )
    .join('')
}

const kept = (warehouse: TryWarehouse) =>
  warehouse.rows('select attributes::json::varchar from fact_learning_event order by event_id')

const TRAPS = [
  // Names that differ in case: in two rows, in one, deep inside.
  ...['{"A":1}', '{"a":"x"}', '{"a":"x","A":"y"}'],
  ...['{"o":[{"k":{"B":1}}]}', '{"o":5}', '{"o":[1,{"k":{"b":2}}]}'],
  // A name twice; integers of 64 bits and more.
  ...['{"a":1,"a":2}', '{"n":123456789012345678901234567890}', '{"n":-9223372036854775809}'],
  ...['{"n":18446744073709551615}', '{"n":-5}'],
]
const MANY = Array.from({ length: 4000 }, (_, index) => `{"key_${index % 2000}":"${index}"}`)
const rowsOf = (attributes: readonly string[]) => attributes.map((text) => [text])

describe('as JSON, unless said', () => {
  test('all is kept, with the memory that is the default', async () => {
    const warehouse = await create()
    expect(warehouse.config.warehouse.memoryLimit).toBe('600MB')
    await warehouse.load(warehouse.write('events.ndjson', events([...TRAPS, ...MANY])))
    for (const full of [false, true]) {
      await warehouse.build(full)
      expect(await kept(warehouse)).toEqual(rowsOf([...TRAPS, ...MANY]))
    }
  })

  test('prints as JSON inside JSON, and its numbers keep their digits', async () => {
    const warehouse = await create()
    const text = '{"n":123456789012345678901234567890,"o":{"A":1.5},"l":[1]}'
    await warehouse.load(warehouse.write('events.ndjson', events([text])))
    await warehouse.build()
    const printed = await warehouse.read(async (engine) => {
      const { columns, rows } = await engine.query(
        `select attributes, {whole: attributes} as nested, attributes -> '$.o' as part from fact_learning_event`,
      )
      return rows.map((row) => rowJson(row, columns, ['"attributes"', '"nested"', '"part"']))
    })
    expect(printed).toEqual([`{"attributes":${text},"nested":{"whole":${text}},"part":{"A":1.5}}`])
  })
})

describe('as VARIANT', () => {
  const VARIANT = '[warehouse]\nattributes = "variant"\n'

  test('keeps attributes, and reports read them alike', async () => {
    const warehouse = await create(VARIANT)
    await warehouse.load([
      warehouse.write('events.ndjson', events(['{"device":{"os":"iOS"}}', '{"n":9223372036854775807}'])),
      warehouse.write(
        'courses.json',
        '[{"course_id":"C1","course_title":"Cells","category_id":"bio","instructor_id":"T1","required_activities":4}]',
      ),
    ])
    await warehouse.build()
    expect(await kept(warehouse)).toEqual([['{"device":{"os":"iOS"}}'], ['{"n":9223372036854775807}']])
    expect(
      await warehouse.rows(
        `select typeof(attributes), attributes.required_activities::int from course where course_key <> 0`,
      ),
    ).toEqual([['VARIANT', 4]])
    const plan = await withWarehouse(warehouse.config, 'read', signal, (engine) => planSchema(engine))
    expect([plan.steps, plan.findings]).toEqual([[], []])
  })

  test('what it would lose is refused, and nothing is written', async () => {
    const warehouse = await create(VARIANT)
    await warehouse.load(warehouse.write('events.ndjson', events(TRAPS)))
    await expect(warehouse.build()).rejects.toMatchObject({
      code: 'LPA-VARIANT-LOSS',
      exitCode: 65,
      message: expect.stringContaining('core.fact_learning_event.attributes is VARIANT'),
      next: [expect.stringContaining('warehouse.attributes = "json"')],
    })
    expect(await warehouse.value('select count(*) from dim_learner')).toBe(0)
  })

  test('letters that only other alphabets fold are different names to DuckDB', async () => {
    const warehouse = await create(VARIANT)
    const attributes = ['{"É":1}', '{"é":2}', '{"a":{"b":1}}', '{"c":{"B":1}}']
    await warehouse.load(warehouse.write('events.ndjson', events(attributes)))
    await warehouse.build()
    expect(await kept(warehouse)).toEqual(rowsOf(attributes))
  })

  test('more names than the memory holds: says that VARIANT is why', async () => {
    const warehouse = await create(VARIANT.replace('\n', '\nmemory_limit = "300MB"\nthreads = 1\n'))
    await warehouse.load(warehouse.write('events.ndjson', events(MANY)))
    await expect(warehouse.build()).rejects.toMatchObject({
      code: 'LPA-VARIANT-MEMORY',
      exitCode: 65,
      next: [expect.stringContaining('warehouse.attributes = "json"'), expect.anything()],
    })
  }, 120_000)

  test('a payload that VARIANT cannot hold is refused by the load; as JSON the same load goes through', async () => {
    const warehouse = await create('[warehouse]\npayload = "variant"\n')
    await warehouse.load(warehouse.write('first.ndjson', events(['{"a":1}'])))
    const second = warehouse.write('second.ndjson', events(['{"A":1}', '{"a":2}'], 1))
    expect(await warehouse.failure(second)).toMatchObject({
      code: 'LPA-VARIANT-LOSS',
      exitCode: 65,
      message: expect.stringContaining('raw.raw_learning_events.payload'),
      next: [expect.stringContaining('warehouse.payload = "json"')],
    })
    const changed = { ...warehouse.config.warehouse, payload: 'json' as const }
    Object.assign(warehouse, { config: { ...warehouse.config, warehouse: changed } })
    expect(await apply(warehouse)).toEqual(['replace column raw.raw_learning_events.payload'])
    await warehouse.load(second)
    expect(
      await warehouse.rows(
        `select payload ->> '$.event_id', payload -> '$.attributes' from raw.raw_learning_events order by 1`,
      ),
    ).toEqual([
      ['e00000', '{"a":1}'],
      ['e00001', '{"A":1}'],
      ['e00002', '{"a":2}'],
    ])
  })
})

describe('lpa schema apply changes what attributes are kept as', () => {
  const COLUMNS = ['dim_course', 'dim_learner', 'fact_learning_event'].map(
    (table) => `replace column core.${table}.attributes`,
  )
  const ATTRIBUTES = ['{"A":1}', '{"a":"x"}']

  /** A warehouse as lpa made it before: VARIANT, where the second row's `a` got lost on the way. */
  async function madeBefore(): Promise<TryWarehouse> {
    const warehouse = await create('[warehouse]\nattributes = "variant"\n')
    await warehouse.load(warehouse.write('events.ndjson', events(['{"A":1}', '{"b":2}'])))
    await warehouse.build()
    await withWarehouse(warehouse.config, 'write', signal, (engine) =>
      engine.transaction(async () => {
        const lossy = `case when event_id like '%e00001' then '{"a":"x"}'::json else attributes::json end as attributes`
        await engine.execute(
          `create temp table lost as select * replace (${lossy}) from core.fact_learning_event`,
        )
        await engine.execute('delete from core.fact_learning_event')
        await engine.execute('insert into core.fact_learning_event select * from lost')
        await engine.execute(
          `update staging.stg_learning_event set attributes = '{"a":"x"}'::json where event_id like '%e00001'`,
        )
      }),
    )
    expect(await kept(warehouse)).toEqual([['{"A":1}'], ['{}']])
    return warehouse
  }

  test('from VARIANT, as an older lpa made it, to JSON: the next batch brings back what was lost', async () => {
    const warehouse = await madeBefore()
    configure(warehouse, 'json')
    expect(await apply(warehouse)).toEqual(COLUMNS)
    // Until the batch, all that the VARIANT had.
    expect(await kept(warehouse)).toEqual([['{"A":1}'], ['{}']])
    expect(await warehouse.build()).toMatchObject({ outcome: 'built', kind: 'full', loads: 1 })
    expect(await kept(warehouse)).toEqual(rowsOf(ATTRIBUTES))
    expect(await apply(warehouse)).toEqual([])
    expect(await warehouse.build()).toMatchObject({ outcome: 'unchanged' })
    await warehouse.load(warehouse.write('more.ndjson', events(['{"c":3}'], 2)))
    expect(await warehouse.build()).toMatchObject({ kind: 'incremental' })
    expect(await kept(warehouse)).toEqual(rowsOf([...ATTRIBUTES, '{"c":3}']))
    expect(await warehouse.rows('select typeof(attributes) from learner where learner_key <> 0')).toEqual([
      ['JSON'],
    ])
  })

  test('without schema apply, a batch of an older warehouse refuses what it would lose', async () => {
    const warehouse = await madeBefore()
    configure(warehouse, 'json')
    await expect(warehouse.build(true)).rejects.toMatchObject({
      code: 'LPA-VARIANT-LOSS',
      next: [expect.stringContaining('then lpa schema apply, then lpa batch')],
    })
  })

  test('from JSON to VARIANT and back', async () => {
    const warehouse = await create()
    await warehouse.load(warehouse.write('events.ndjson', events(['{"A":1}', '{"b":2}'])))
    await warehouse.build()
    for (const type of ['variant', 'json'] as const) {
      configure(warehouse, type)
      expect(await apply(warehouse)).toEqual(COLUMNS)
      expect(await warehouse.build()).toMatchObject({ kind: 'full' })
      expect(await kept(warehouse)).toEqual([['{"A":1}'], ['{"b":2}']])
      expect(await warehouse.rows('select distinct typeof(attributes) from fact_learning_event')).toEqual([
        [type.toUpperCase()],
      ])
    }
  })
})

function configure(warehouse: TryWarehouse, attributes: 'json' | 'variant'): void {
  const { config } = warehouse
  Object.assign(warehouse, { config: { ...config, warehouse: { ...config.warehouse, attributes } } })
}

async function apply(warehouse: TryWarehouse): Promise<string[]> {
  const work = (engine: Engine) => applySchema(engine)
  const { steps, findings } = await withWarehouse(warehouse.config, 'write', signal, work)
  expect(findings).toEqual([])
  return steps.map(({ kind, target }) => `${kind} ${target}`)
}
