/** What each role sees of the embedded engine, against the table that was written by hand (fixtures/access). */

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { TryWarehouse } from '../../test/try-warehouse.ts'
import { accessWarehouse } from '../policy/access.test-support.ts'
import { seenAndExpected, WHO } from '../policy/access-seen.test-support.ts'
import type { Engine } from '../types.ts'
import { readAs } from './role.ts'
import { withWarehouse } from './warehouse.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let warehouse: TryWarehouse
beforeAll(async () => {
  warehouse = await accessWarehouse()
})
afterAll(() => warehouse[Symbol.dispose]())

function as<T>(role: string, user: string, work: (engine: Engine) => Promise<T>): Promise<T> {
  const { config } = warehouse
  const asked = { ...config, security: { ...config.security, user } }
  return withWarehouse(asked, 'confined', new AbortController().signal, work, readAs(asked, role))
}

describe.each(WHO)('%s', (who) => {
  test('sees what is expected, and nothing else', async () => {
    const [role = '', user = ''] = who.split('/')
    const [found, expected] = await as(role, user, (engine) =>
      seenAndExpected(who, async (sql) => {
        try {
          await engine.assertReadOnly(sql)
        } catch (error) {
          // What the checker refuses must not be there either.
          await expect(engine.query(sql)).rejects.toThrow(/Catalog Error/)
          expect((error as Error).message).toMatch(/or the role \w+ may not read it/)
          return undefined
        }
        return engine.query(sql)
      }),
    )
    expect(found).toEqual(expected)
  })
})
