import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { rotateKey } from '../key-rotation.ts'
import { readKey } from '../pseudonym.ts'
import { readMapping } from '../sources/mapping.ts'
import { writeSealed } from '../sources/records-elsewhere.test-support.ts'
import { stream } from './stream.ts'
import { streamTarget } from './stream-target.ts'

const MAPPING = 'campus_learning_event'
const QUERY = 'query'
const { signal } = new AbortController()

/** Of no Spark that runs: what is said and done before one is asked for. */
let its: TryWarehouse
let folder: string
beforeAll(async () => {
  its = await TryWarehouse.create()
  process.env.XDG_STATE_HOME = its.folder
  folder = await place()
}, 120_000)
afterAll(() => its[Symbol.dispose]())

function run(): Promise<void> {
  const nothing = () => {}
  const progress = {
    onStatus: nothing,
    onLine: nothing,
    onNote: nothing,
    onWarning: nothing,
    onDone: nothing,
  }
  return stream(its.config, { ...request(), runId: 'test' }, signal, progress, nothing)
}

function request() {
  return {
    ...{ target: `dir:${its.folder}/in`, mappings: [MAPPING], source: 'lms', engine: 'spark' as const },
    ...{ untilCaughtUp: true, resetOffsets: false },
  }
}

/** Where Spark was: in a folder that a run made which found none. */
async function place(): Promise<string> {
  mkdirSync(join(its.folder, 'in'))
  await expect(run()).rejects.toMatchObject({ code: 'LPA-SPARK-NONE' })
  const streams = join(its.config.warehouse.path, 'streams')
  const [name = ''] = readdirSync(streams)
  const [time = ''] = readdirSync(join(streams, name))
  const made = join(streams, name, time)
  mkdirSync(join(made, 'checkpoint', 'offsets'))
  mkdirSync(join(made, 'rows', '_spark_metadata'))
  writeFileSync(join(made, 'checkpoint', 'metadata'), JSON.stringify({ id: QUERY }))
  return made
}

/** A batch that Spark has read and nobody has taken. */
async function leave(batch: number): Promise<void> {
  const file = join(folder, 'rows', `${batch}.parquet`)
  const event = {
    ...{ event_id: `e-${batch}`, event_type: 'viewed', learner_id: 'S1', course_id: 'course-1' },
    occurred_at: '2026-03-02T09:00:00Z',
  }
  const { idSpace } = streamTarget(its.config, request())
  const key = readKey(its.config.privacy.keyFile)
  await writeSealed(file, [JSON.stringify(event)], readMapping(MAPPING), { key, idSpace })
  writeFileSync(join(folder, 'checkpoint', 'offsets', String(batch)), '')
  const line = JSON.stringify({ path: pathToFileURL(file).href, action: 'add' })
  writeFileSync(join(folder, 'rows', '_spark_metadata', String(batch)), `v1\n${line}`)
}

const events = async () =>
  (await its.rows('select event_id from staging.stg_learning_event order by all')).flat()

it('takes what waits before it asks Spark for more', async () => {
  await leave(0)
  await leave(1)
  await expect(run()).rejects.toMatchObject({ code: 'LPA-SPARK-NONE' })
  expect(await events()).toEqual(['lms:e-0', 'lms:e-1'])
}, 120_000)

it('refuses folders that were restored from before: Spark would read anew under numbers that are taken', async () => {
  const [offsets, metadata] = [
    join(folder, 'checkpoint', 'offsets', '1'),
    join(folder, 'checkpoint', 'metadata'),
  ]
  const recreated = { code: 'LPA-STREAM-RECREATED', exit: 'data' }
  rmSync(offsets)
  await expect(run()).rejects.toMatchObject(recreated)
  writeFileSync(offsets, '')
  writeFileSync(metadata, JSON.stringify({ id: 'another' }))
  await expect(run()).rejects.toMatchObject(recreated)
  writeFileSync(metadata, JSON.stringify({ id: QUERY }))
}, 120_000)

it('says what to do where records wait that were read under another key, and commits them under that', async () => {
  const { keyFile } = its.config.privacy
  const key = readFileSync(keyFile)
  await leave(2)
  rotateKey(keyFile)
  const next = expect.arrayContaining([expect.stringContaining('--until-caught-up')])
  await expect(run()).rejects.toMatchObject({ code: 'LPA-STREAM-KEY', exit: 'config', next })
  writeFileSync(keyFile, key)
  await expect(run()).rejects.toMatchObject({ code: 'LPA-SPARK-NONE' })
  expect(await events()).toEqual(['lms:e-0', 'lms:e-1', 'lms:e-2'])
}, 120_000)
