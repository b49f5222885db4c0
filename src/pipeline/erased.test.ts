import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { erasedHash } from '../pseudonym.ts'
import { writeLedger } from './ledger.ts'
import { withWarehouse } from './warehouse.ts'

const LEARNERS = 'learner_id,email,country,signed_up_on\nanna,anna@x.example,DE,2026-01-01\n'

it('of whom Spark does not know: what it left goes, and it loads no more', async () => {
  using its = await TryWarehouse.create()
  const learners = its.write('learners.csv', LEARNERS)
  await its.load(learners, { source: 'lms' })
  const streams = join(its.config.warehouse.path, 'streams')
  const write = () => {
    mkdirSync(join(streams, 's', 'rows'), { recursive: true })
    writeFileSync(join(streams, 's', 'rows', 'torn.parquet'), '')
  }
  write()

  const remembered = { hash: erasedHash('a'.repeat(64)), now: new Date().toISOString() }
  await withWarehouse(its.config, 'write', new AbortController().signal, async (engine) => {
    await engine.transaction(() => writeLedger(engine, 'add-erased', remembered))
    await engine.forgetPast?.()
  })
  expect(existsSync(streams)).toBe(false)

  // A task of a query that is still there.
  write()
  await withWarehouse(its.config, 'write', new AbortController().signal, (engine) =>
    engine.transaction(async () => {}),
  )
  expect(existsSync(streams)).toBe(false)

  const failure = await its.failure(learners, { source: 'lms', engine: 'spark' })
  expect(failure).toMatchObject({ code: 'LPA-SPARK-ERASED', exit: 'config' })
}, 60_000)
