/** Every screen of the dashboard from Snowflake, beside the same one from the embedded engine. */

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SCREENS } from '../../../src/dash/screens/index.ts'
import { OFFSETS } from '../same-cells.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { wrongStatements } from './statements.ts'

const CAMPUS = fileURLToPath(new URL('../../../fixtures/campus', import.meta.url))
/** Of loads and checks: not the same in two warehouses. */
const TIMES = /\d{4}-\d\d-\d\d \d\d:\d\d/g

describeLpaOnSnowflake('lpa dash', () => {
  let place: LpaPlace
  beforeAll(async () => {
    place = await LpaPlace.create()
    cpSync(CAMPUS, join(place.folder.root, 'exports'), { recursive: true })
    const offsets = ['query', '--write', '--sql', OFFSETS]
    for (const args of [['schema', 'apply'], ['load', 'exports'], offsets, ['batch']]) {
      await Promise.all([place.embedded([...args, '--quiet']), place.lpaOk([...args, '--quiet'])])
    }
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  test.each(SCREENS.map(({ name }) => name))('%s is the same from both engines', async (screen) => {
    const args = ['dash', '--once', '--screen', screen]
    const [embedded, snowflake] = await Promise.all([place.embedded(args), place.lpaOk(args)])
    const untimed = (text: string) => text.replace(TIMES, (time) => '#'.repeat(time.length))
    expect(untimed(snowflake.stdout)).toBe(untimed(embedded.stdout))
  })

  test('were asked as Snowflake’s SQL', async (context) => {
    expect(await wrongStatements(place.emulated(context))).toEqual([])
  })

  test('follows the ledger, half a minute apart at least, by questions that metadata answers', async (context) => {
    const database = place.emulated(context)
    await place.engine(async (engine) => {
      expect(engine.leastPollMs).toBeGreaterThanOrEqual(30_000)
      const before = await engine.version()
      await database.forgetStatements()
      expect(await engine.version()).toBe(before)
      for (const { sql } of await database.statements()) {
        expect(sql).toMatch(/^select count\(\*\) as \w+, max\(\w+\) as \w+ from meta\.\w+$/)
      }
      await place.lpaOk(['batch', '--full', '--quiet'])
      expect(await engine.version()).not.toBe(before)
    })
  })
})
