import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { forgetBatch, sinkBatches, sweepSink } from './sink-log.ts'

let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'lpa-sink-')), 'rows é')
  mkdirSync(join(folder, '_spark_metadata'), { recursive: true })
  mkdirSync(join(folder, 'lpa_day=2026-11-27'))
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

/** A file as Spark leaves it, with its checksum. */
function file(name: string): string {
  const path = join(folder, 'lpa_day=2026-11-27', name)
  writeFileSync(path, '')
  writeFileSync(join(folder, 'lpa_day=2026-11-27', `.${name}.crc`), '')
  return path
}

function log(batch: number, ...files: string[]): void {
  const lines = files.map((path) => JSON.stringify({ path: pathToFileURL(path).href, action: 'add' }))
  writeFileSync(join(folder, '_spark_metadata', String(batch)), ['v1', ...lines].join('\n'))
  writeFileSync(join(folder, '_spark_metadata', `.${batch}.crc`), '')
}

test('batches come in order, from one on, each with its files', () => {
  const [a, b] = [file('a.parquet'), file('b.parquet')]
  for (const [batch, ...files] of [[9], [10, a, b], [2]] as const) log(batch, ...files)
  writeFileSync(join(folder, '_spark_metadata', '.11.tmp'), '')
  expect(sinkBatches(folder, 9)).toEqual([
    { number: 9, files: [] },
    { number: 10, files: [a, b] },
  ])
  expect(sinkBatches(join(folder, 'nowhere'), 0)).toEqual([])
  // As one that another run takes away after it was seen.
  symlinkSync(join(folder, 'gone'), join(folder, '_spark_metadata', '11'))
  expect(sinkBatches(folder, 10).map(({ number }) => number)).toEqual([10])
})

test('a batch that was taken leaves its log only, by which Spark knows the next', () => {
  const [a, b] = [file('a.parquet'), file('b.parquet')]
  log(0, a)
  log(1, b)
  forgetBatch(folder, { number: 1, files: [b] })
  expect(readdirSync(join(folder, '_spark_metadata')).sort()).toEqual(['.1.crc', '1'])
  expect(existsSync(a)).toBe(true)
  expect(readdirSync(join(folder, 'lpa_day=2026-11-27'))).toEqual(['.a.parquet.crc', 'a.parquet'])
})

test('of what no batch has, only the old goes: the new may be of one that is being written', () => {
  const [old, recent, taken, waiting] = ['old', 'new', 'taken', 'waiting'].map((name) =>
    file(`${name}.parquet`),
  )
  for (const path of [old, taken, waiting]) utimesSync(path as string, 0, 0)
  log(4, taken as string)
  log(5, waiting as string)
  sweepSink(folder, 5)
  const left = readdirSync(join(folder, 'lpa_day=2026-11-27')).filter((name) => name.endsWith('.parquet'))
  expect(left.sort()).toEqual(['new.parquet', 'waiting.parquet'])
  expect(recent && existsSync(recent)).toBe(true)
})

test('a log of another version is refused', () => {
  writeFileSync(join(folder, '_spark_metadata', '0'), 'v2\n')
  expect(() => sinkBatches(folder, 0)).toThrow('a log that lpa does not know: v2')
})
