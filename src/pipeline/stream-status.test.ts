import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StreamStatus } from './stream-status.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-28T08:13:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

const counts = (mapped: number, rejected = 0) => ({
  ...{ read: mapped + rejected, mapped, rejected, filtered: 0, doubled: 0 },
})

test('the line tells rate, rejects, lag by partition and the last commit', () => {
  const status = new StreamStatus('clicks')
  expect(status.line()).toBe('0 records, 0/s, 0 rejected, lag unknown, nothing committed yet')
  vi.advanceTimersByTime(2000)
  status.committed([counts(1200, 3), counts(797)])
  status.lagging([
    { name: 'clicks-0', behind: 2 },
    { name: 'clicks-1', behind: 1010 },
    { name: 'clicks-2', behind: 0 },
  ])
  expect(status.line()).toBe(
    '2,000 records, 1,000/s, 3 rejected, lag 1,012 (clicks-1 1,010, clicks-0 2), committed 08:13:02Z',
  )
  vi.advanceTimersByTime(8000)
  expect(status.rate).toBe(200)
  vi.advanceTimersByTime(2000)
  status.lagging([{ name: 'clicks-0', behind: 0 }])
  expect(status.line()).toBe('2,000 records, 0/s, 3 rejected, lag 0, committed 08:13:02Z')
})

/** The samples of OpenMetrics text by family, of which each is told once, in one piece, with its type. */
function familiesOf(text: string): Map<string, readonly string[]> {
  expect(text).toMatch(/\n# EOF\n$/)
  const families = new Map<string, string[]>()
  let open: { name: string; type: string } | undefined
  for (const line of text.split('\n').slice(0, -2)) {
    const [, word, name = '', rest = ''] = /^# (TYPE|HELP|UNIT) (\w+) (.+)$/.exec(line) ?? []
    if (word === 'TYPE') {
      expect([...families.keys()]).not.toContain(name)
      open = { name, type: rest }
      families.set(name, [])
      continue
    }
    if (word) {
      expect(name).toBe(open?.name)
      if (word === 'UNIT') expect(name).toMatch(new RegExp(`_${rest}$`))
      continue
    }
    expect(line).toMatch(
      /^[a-z_]+\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\} \d+(\.\d+)?$/,
    )
    const suffix = open?.type === 'counter' ? '_total' : ''
    expect(/^\w+/.exec(line)?.[0]).toBe(`${open?.name}${suffix}`)
    families.get(open?.name ?? '')?.push(line)
  }
  return families
}

test('metrics are OpenMetrics, before anything came and after', () => {
  const status = new StreamStatus('a "b"\\c', 'files')
  expect(familiesOf(status.metrics()).get('lpa_stream_lag')).toEqual([])
  status.committed([counts(9, 3)])
  status.overtaken()
  status.built(2)
  status.bad(1)
  status.lagging([{ name: '/exports/"new"', behind: 4 }])
  const families = familiesOf(status.metrics())
  const source = 'source="a \\"b\\"\\\\c"'
  expect(families.get('lpa_stream_records')).toEqual([
    `lpa_stream_records_total{${source},fate="mapped"} 9`,
    `lpa_stream_records_total{${source},fate="rejected"} 3`,
    `lpa_stream_records_total{${source},fate="filtered"} 0`,
    `lpa_stream_records_total{${source},fate="doubled"} 0`,
  ])
  expect(families.get('lpa_stream_lag')).toEqual([`lpa_stream_lag{${source},place="/exports/\\"new\\""} 4`])
  expect([...families].filter(([, samples]) => samples.length === 0)).toEqual([])
  expect([...families.keys()]).toEqual(
    expect.arrayContaining([
      ...['lpa_stream_read', 'lpa_stream_commits', 'lpa_stream_overtaken', 'lpa_stream_bad_files'],
      ...['lpa_stream_last_commit_time_seconds', 'lpa_stream_last_build_time_seconds'],
    ]),
  )
})
