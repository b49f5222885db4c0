/** Who may see what, on Snowflake: planned, applied, and compared with what is there. Recorded by the emulator, not enforced. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { applyGrants, type GrantPlan, planGrants } from '../../../src/pipeline/grant.ts'
import { readPolicy } from '../../../src/pipeline/policy.ts'
import { withWarehouse } from '../../../src/pipeline/warehouse.ts'
import type { Engine } from '../../../src/types.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { wrongStatements } from './statements.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

describeLpaOnSnowflake('lpa grant on Snowflake', () => {
  let place: LpaPlace
  beforeAll(async () => {
    place = await LpaPlace.create()
    await place.lpaOk(['schema', 'apply'])
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  const plan = () => place.json<GrantPlan>(['grant', 'plan'])
  const steps = async () => (await plan()).steps.map(({ action, kind, name }) => `${action} ${kind} ${name}`)

  test('apply does what plan showed, after which there is nothing to do', async () => {
    const planned = await plan()
    const applied = await place.json<GrantPlan>(['grant', 'apply'])
    expect(applied.steps).toEqual(planned.steps)
    expect(await steps()).toEqual([])
    expect((await place.lpaOk(['grant', 'check'])).stdout).toContain('The warehouse has the policy.')
  })
})
