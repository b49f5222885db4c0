import { expect, it } from 'vitest'
import { DroppedDoubles } from './stream-spark-doubles.ts'
import { StreamStatus } from './stream-status.ts'

const batch = (number: number, doubled: number, behind?: number) => ({
  batch: number,
  doubled,
  late: 0,
  behind,
})

it('doubles are counted once, however often Spark tells of their batch, and the lag is that of the last one', () => {
  const status = new StreamStatus('bus')
  const dropped = new DroppedDoubles(status, 'kafka://host:9092/clicks')
  dropped.tell([])
  expect(status.line()).toContain('0 records, 0/s, 0 rejected, lag unknown')
  dropped.tell([batch(0, 2, 900), batch(1, 0, 600)])
  dropped.tell([batch(1, 0, 600), batch(2, 3, 12)])
  expect(status.counts).toMatchObject({ read: 5, doubled: 5, mapped: 0 })
  expect(status.line()).toContain('5 records, 0/s, 0 rejected, lag 12, nothing committed yet')
  expect(status.lags).toEqual([{ name: 'kafka://host:9092/clicks', behind: 12 }])
})

it('of files nobody counts what waits', () => {
  const status = new StreamStatus('in')
  new DroppedDoubles(status, 'dir:in').tell([batch(0, 1)])
  expect(status.line()).toContain('1 records, 0/s, 0 rejected, lag unknown')
})

it('what was left out and is no double ends the stream', () => {
  const dropped = new DroppedDoubles(new StreamStatus('bus'), 'kafka://host:9092/clicks')
  expect(() => dropped.tell([batch(0, 0), { ...batch(1, 0), late: 7 }])).toThrow(
    expect.objectContaining({ code: 'LPA-SPARK-CLOCK', exit: 'data', where: 'kafka://host:9092/clicks' }),
  )
})
