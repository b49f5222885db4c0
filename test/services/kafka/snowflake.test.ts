/** `lpa stream kafka://…` into Snowflake: a real broker, and the emulator, which is DuckDB underneath. */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lpaOk, newPlace, type Place, removePlaces, startLpa } from '../../faults/lpa.ts'
import { until } from '../../faults/until.ts'
import { EmulatorDatabase } from '../snowflake/database.ts'
import { describeWithSnowflake } from '../snowflake/shared-emulator.ts'
import { wrongStatements } from '../snowflake/statements.ts'
import { KafkaClient } from './client.ts'
import { eventMessages, expectedOf } from './events.ts'
import { describeWithKafka } from './shared-broker.ts'

const SEED = 20_261_127

describeWithKafka('lpa stream', (kafka) => {
  describeWithSnowflake('into Snowflake', (snowflake) => {
    let client: KafkaClient
    const databases: EmulatorDatabase[] = []
    beforeAll(async () => {
      client = await KafkaClient.connect(kafka.plaintext)
    })
    afterAll(async () => {
      await client[Symbol.asyncDispose]()
      removePlaces()
    })

    /** A warehouse of its own, and a topic with messages that a platform sends when it is not well. */
    async function start(topic: string, count: number) {
      const place = newPlace(topic)
      const database = await EmulatorDatabase.create(snowflake)
      databases.push(database)
      const home = database.connectionsToml(join(place.root, '.snowflake'))
      const env = { LPA_WAREHOUSE_ENGINE: 'snowflake', SNOWFLAKE_HOME: home }
      await lpaOk(place, ['init'], { env })
      await lpaOk(place, ['schema', 'apply', '--quiet'], { env })
      await client.createTopic(topic, 2, {})
      const options = { duplicates: 80, disorder: 300, poison: 3, tombstones: 10, nullKeys: 100 }
      const messages = [...eventMessages({ seed: SEED, count, ...options })]
      const words = ['stream', `kafka://${kafka.plaintext}/${topic}`, '--until-caught-up']
      return { place, database, env, messages, words }
    }

    async function column(place: Place, env: Record<string, string>, sql: string): Promise<unknown[]> {
      const { stdout } = await lpaOk(place, ['query', '--sql', sql, '--json', '--quiet'], { env })
      return JSON.parse(stdout).map((row: object) => Object.values(row)[0])
    }
    const ids = async (place: Place, env: Record<string, string>) => {
      const found = await column(place, env, 'select event_id from fact_learning_event')
      return found.map((id) => String(id).replace(/^kafka:/, '')).sort()
    }

    test('every event once, with the offsets in Snowflake; the facts follow each commit', async () => {
      const { place, env, messages, words } = await start('snow-whole', 1500)
      const half = messages.length >> 1
      await client.produce('snow-whole', messages.slice(0, half))
      await lpaOk(place, words, { env })
      await client.produce('snow-whole', messages.slice(half))
      await lpaOk(place, [...words, '--commit-rows', '300'], { env })
      expect(await ids(place, env)).toEqual([...expectedOf(messages).ids].sort())
      const stored = 'select next_offset from meta.stream_offsets order by partition'
      expect(await column(place, env, stored)).toEqual((await client.endOffsets('snow-whole')).map(Number))
      const again = await lpaOk(place, words, { env })
      expect(again.stderr).toMatch(/^lpa stream: nothing new \(/)
    })

    test('kill -9 between and in commits: nothing lost, nothing doubled', async () => {
      const { place, database, env, messages, words } = await start('snow-kill', 2000)
      await client.produce('snow-kill', messages)
      const commits = async () =>
        (await database.statements()).filter(({ sql }) => /^commit$/i.test(sql)).length
      for (const more of [1, 3]) {
        const before = await commits()
        const running = startLpa(place, [...words, '--commit-rows', '200'], { env })
        await until(async () => (await commits()) >= before + more, `${more} commits more`)
        await sleep(37 * more)
        running.child.kill('SIGKILL')
        await running.ended
        await database.endSessions()
      }
      await lpaOk(place, words, { env })
      expect(await ids(place, env)).toEqual([...expectedOf(messages).ids].sort())
      const counted = 'select sum(records_read) as records_read from meta.loads'
      expect(await column(place, env, counted)).toEqual([messages.length])
    })

    test('the answer to a commit that is lost: the ledger is read back, and nothing is doubled', async () => {
      const { place, database, env, messages, words } = await start('snow-lost', 400)
      await client.produce('snow-lost', messages)
      // The commit of the first load: after a 502 the driver would ask again for a minute, after a 400 once.
      await database.fault({ kind: 'slow', seconds: 3, match: 'into meta.load_entities' })
      const running = startLpa(place, words, { env })
      const isLoading = async () => (await database.statements()).some(({ sql }) => /^copy into/i.test(sql))
      await until(isLoading, 'a COPY')
      await database.fault({ kind: 'lose-reply', status: 400, match: '^commit', times: 2 })
      expect(await running.ended).toMatchObject({ code: 0 })
      expect(await ids(place, env)).toEqual([...expectedOf(messages).ids].sort())
      const counted = 'select sum(records_read) as records_read from meta.loads'
      expect(await column(place, env, counted)).toEqual([messages.length])
      const asked = (await database.statements()).map(({ sql }) => sql)
      expect(asked.filter((sql) => /from meta\.loads where load_id in/.test(sql))).toHaveLength(1)
    })

    test('was sent as Snowflake’s SQL', async () => {
      expect(databases.length).toBeGreaterThan(0)
      for (const database of databases) expect(await wrongStatements(database)).toEqual([])
    })
  })
})
