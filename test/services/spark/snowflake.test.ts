/** lpa batch --engine spark for a warehouse on Snowflake: copies there, files back by the stage, one transaction. */

import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isFull } from '../../faults/lpa.ts'
import { until } from '../../faults/until.ts'
import { coreRows, expectSameTables } from '../same-cells.ts'
import { describeLpaOnSnowflake, LpaPlace } from '../snowflake/lpa-place.ts'
import { wrongStatements } from '../snowflake/statements.ts'
import { describeWithSpark } from './shared-spark.ts'

/** Spark's part of it, on a machine that does other things. */
const SENT_MS = isFull ? 900_000 : 150_000
const CAMPUS = fileURLToPath(new URL('../../../fixtures/campus', import.meta.url))

describeWithSpark('a batch on Spark', ({ state }) => {
  describeLpaOnSnowflake('of a warehouse on Snowflake', () => {
    let place: LpaPlace
    const env = { XDG_STATE_HOME: state }
    const batch = (...flags: string[]) =>
      place.lpa(['batch', '--engine', 'spark', '--quiet', ...flags], { env })
    /** The same command with either engine. */
    const both = (args: readonly string[]) => Promise.all([place.embedded(args), place.lpaOk(args)])
    const loadRest = () => both(['load', '--quiet', '--source', 'lms', 'exports'])
    const expectSame = async () =>
      expectSameTables(await place.engine(coreRows, undefined), await place.engine(coreRows))
    async function expectNothingLeft(): Promise<void> {
      expect((await place.sql('list @meta.staged_files')).rows).toEqual([])
      for (const folder of [join(place.folder.root, 'prod', 'tmp'), place.folder.tmp])
        expect(readdirSync(folder)).toEqual([])
    }
    beforeAll(async () => {
      place = await LpaPlace.create()
      cpSync(CAMPUS, join(place.folder.root, 'exports'), { recursive: true })
      await both(['schema', 'apply', '--quiet'])
      const first = readdirSync(CAMPUS).filter((name) => !/^(completions|xapi)/.test(name))
      await both(['load', '--quiet', '--source', 'lms', ...first.map((name) => `exports/${name}`)])
      await both(['batch', '--quiet'])
    })
    afterAll(() => place?.[Symbol.asyncDispose]())

    test('that fails before its end has changed nothing', async (context) => {
      const copy = { on: 'statement', match: 'copy into core\\.dim_course_category' } as const
      await place.emulated(context).fault({ ...copy, kind: 'answer', code: '000603', message: 'no luck' })
      const ran = await batch('--full')
      expect(ran).toMatchObject({ code: 69, stderr: expect.stringContaining('no luck') })
      await expectSame()
      await expectNothingLeft()
    })

    test.for(['copy into core\\.fact_learning_event', ...(isFull ? ['commit'] : [])])(
      'that is killed at “%s” has changed nothing',
      async (statement, context) => {
        await loadRest()
        const database = place.emulated(context)
        await database.forgetStatements()
        await database.fault({ kind: 'slow', match: `^${statement}`, seconds: 60 })
        const { child, ended } = place.start(['batch', '--engine', 'spark'], { env })
        const isHeld = async () => (await database.statements()).some(({ outcome }) => outcome === 'fault')
        await until(isHeld, 'the statement was sent', SENT_MS)
        child.kill('SIGKILL')
        expect((await ended).signal).toBe('SIGKILL')
        await place.endSessions()
        await expectSame()
        expect((await place.sql('list @meta.staged_files')).rows).not.toEqual([])
      },
    )

    test('after a killed one makes the cells of the embedded engine, all of core in one transaction', async (context) => {
      await loadRest()
      await place.emulated(context).forgetStatements()
      const [embedded, ran] = await Promise.all([place.embedded(['batch', '--quiet']), batch()])
      expect([embedded.code, ran.code, ran.stderr]).toEqual([0, 0, ''])
      await expectSame()
      await expectNothingLeft()
      const statements = (await place.emulated(context).statements()).map(({ sql }) => sql)
      const places = (pattern: RegExp) =>
        statements.flatMap((sql, index) => (pattern.test(sql) ? [index] : []))
      const writes = places(/^(copy into|delete from|insert into) core\./)
      expect(writes.length).toBeGreaterThan(10)
      const isBetween = (index: number) => index > (writes[0] ?? 0) && index < (writes.at(-1) ?? 0)
      expect(places(/^(begin|commit|rollback)/).filter(isBetween)).toEqual([])
    })

    // Spark says the same of every model once more.
    if (isFull)
      test('and so it does where every row is made anew', async () => {
        expect(await batch('--full')).toMatchObject({ code: 0, stderr: '' })
        await expectSame()
      })

    test('and a question is Snowflake’s own to answer', async () => {
      const ran = await place.lpa(['query', 'drop-off', '--engine', 'spark'], { env })
      expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('LPA-SPARK-WAREHOUSE') })
    })

    test('was sent as Snowflake’s SQL', async (context) => {
      expect(await wrongStatements(place.emulated(context))).toEqual([])
    })
  })
})
