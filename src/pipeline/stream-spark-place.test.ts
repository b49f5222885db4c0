import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  forgetPlaces,
  isOurs,
  lastPlanned,
  queryIdOf,
  type StreamPlace,
  streamPlace,
  takeOver,
} from './stream-spark-place.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-place-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** As Spark leaves it. */
function start({ checkpoint }: StreamPlace, id: string, batches = 0): void {
  mkdirSync(join(checkpoint, 'offsets'), { recursive: true })
  writeFileSync(join(checkpoint, 'metadata'), JSON.stringify({ id }))
  for (let batch = 0; batch < batches; batch += 1) {
    writeFileSync(join(checkpoint, 'offsets', String(batch)), '')
    writeFileSync(join(checkpoint, 'offsets', `.${batch}.crc`), '')
  }
}

function write({ rows }: StreamPlace, batch: number): void {
  mkdirSync(join(rows, '_spark_metadata'), { recursive: true })
  writeFileSync(join(rows, '_spark_metadata', String(batch)), 'v1')
}

it('is the same as long as its query is, and tells how far that is', () => {
  const place = streamPlace(folder)
  expect([existsSync(place.rows), queryIdOf(place.checkpoint), lastPlanned(place.checkpoint)]).toEqual([
    true,
    undefined,
    -1,
  ])
  start(place, 'a', 11)
  expect(streamPlace(folder)).toEqual(place)
  expect([queryIdOf(place.checkpoint), lastPlanned(place.checkpoint)]).toEqual(['a', 10])
})

it('is another one once it began anew, whatever an old query still writes into the old one', () => {
  const before = join(folder, '1000')
  const old = { ...streamPlace(folder), rows: join(before, 'rows'), checkpoint: join(before, 'checkpoint') }
  start(old, 'a', 3)
  expect(streamPlace(folder)).toMatchObject({ rows: old.rows })
  forgetPlaces(folder)
  const anew = streamPlace(folder)
  expect(anew.rows).not.toBe(old.rows)
  write(old, 3)
  start(anew, 'b')
  expect([streamPlace(folder), existsSync(before)]).toEqual([anew, true])
  const longAgo = new Date(Date.now() - 2 * 86_400_000)
  for (const place of [before, dirname(anew.rows)]) utimesSync(place, longAgo, longAgo)
  expect([streamPlace(folder), existsSync(before)]).toEqual([anew, false])
})

it('is refused where rows wait of which nobody knows how far they were read', () => {
  write(streamPlace(folder), 0)
  expect(() => streamPlace(folder)).toThrow(expect.objectContaining({ code: 'LPA-STREAM-RECREATED' }))
  forgetPlaces(folder)
  expect(() => streamPlace(folder)).not.toThrow()
})

it('is of the run that started its query last', async () => {
  const place = streamPlace(folder)
  await takeOver(place, 'first')
  expect(isOurs(place, 'first')).toBe(true)
  await takeOver(place, 'second')
  expect([isOurs(place, 'first'), isOurs(place, 'second')]).toEqual([false, true])
  forgetPlaces(folder)
  expect(isOurs(place, 'second')).toBe(false)
})
