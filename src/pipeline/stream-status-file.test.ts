import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { StreamStatus } from './stream-status.ts'
import { removeStatusFile, runningStreams, writeStatusFile } from './stream-status-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-stream-status-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function runningStatus(): StreamStatus {
  const status = new StreamStatus('clicks')
  status.committed([{ read: 12, mapped: 9, rejected: 3, filtered: 0, doubled: 0 }])
  status.lagging([
    { name: 'clicks-0', behind: 10 },
    { name: 'clicks-1', behind: 0 },
  ])
  return status
}

const told = (name: string, behind: number | null) => [
  ...[process.pid, 'clicks', name, behind, 'records', expect.any(Number), 12, 3, 1],
]

it('tells a row for each partition while the stream runs, and nothing once it has ended', () => {
  expect(runningStreams(folder).rows).toEqual([])
  writeStatusFile(folder, runningStatus())
  writeStatusFile(folder, runningStatus())
  expect(readdirSync(folder)).toHaveLength(1)
  const { columns, rows } = runningStreams(folder)
  expect(columns.map(({ name }) => name)).toEqual(
    'pid source place behind unit rate read rejected commits'.split(' '),
  )
  expect(rows).toEqual([told('clicks-0', 10), told('clicks-1', 0)])
  removeStatusFile(folder)
  expect(readdirSync(folder)).toEqual([])
})

it('tells of a stream that has not asked its broker yet', () => {
  writeStatusFile(folder, new StreamStatus('clicks'))
  expect(runningStreams(folder).rows[0]?.slice(1, 4)).toEqual(['clicks', 'clicks', null])
})

it('does not believe a process that is gone, nor a file that nobody writes any more', () => {
  writeStatusFile(folder, runningStatus())
  const [own = ''] = readdirSync(folder)
  const { pid } = spawnSync(process.execPath, ['--version'])
  const content = JSON.stringify({
    ...JSON.parse(readFileSync(join(folder, own), 'utf8')),
    told_at: Date.now(),
  })
  writeFileSync(join(folder, `stream-status-${pid}`), content)
  expect(runningStreams(folder).rows).toHaveLength(2)
  writeFileSync(join(folder, own), JSON.stringify({ ...JSON.parse(content), told_at: Date.now() - 60_000 }))
  expect(runningStreams(folder).rows).toEqual([])
})
