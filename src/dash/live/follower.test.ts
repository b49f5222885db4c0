import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { UserError } from '../../errors.ts'
import type { Reader, Result } from '../../types.ts'
import type { ReportRequest } from '../screen.ts'
import { Follower } from './follower.ts'
import { type FromEngine, keyOf } from './messages.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const ROWS: Result = { columns: [], rows: [] }
const HIDDEN = [0, 1, 2].map((row) => [row, 0] as const)
const request = (report: string): ReportRequest => ({ report, params: {} })

/** A warehouse that counts what it is asked. */
class Asked {
  version = '1'
  looks = 0
  readonly reports: string[] = []
  readonly posted: FromEngine[] = []
  readonly stored: [report: string, version: string][] = []
  readonly follower: Follower

  isAway: boolean

  constructor({ leastPollMs }: Pick<Reader, 'leastPollMs'> = {}, isAway = false, pollMs = 2000) {
    this.isAway = isAway
    const reader = {
      version: async () => {
        this.looks += 1
        if (this.isAway) throw new UserError('LPA-TEST', 'It is away.', { exit: 'unavailable' })
        return this.version
      },
      ...(leastPollMs === undefined ? {} : { leastPollMs }),
    } as Reader
    this.follower = new Follower({
      pollMs,
      open: (_, work) => work(reader),
      readReport: async (_, { report }) => {
        this.reports.push(report)
        return ROWS
      },
      post: (message) => this.posted.push(message),
      store: ({ report }, { version }) => this.stored.push([report, version]),
    })
    void this.follower.run()
    this.want('daily')
  }

  /** As a shell does that keeps every answer. */
  want(report: string, isAnew = false): void {
    const answer = this.posted.findLast(
      (message) => message.kind === 'panel' && message.key === keyOf(request(report)),
    )
    const answeredAt = answer?.kind === 'panel' ? answer.version : undefined
    this.follower.receive({ kind: 'want', requests: [request(report)], answeredAt: [answeredAt], isAnew })
  }

  pass(ms: number): Promise<unknown> {
    return vi.advanceTimersByTimeAsync(ms)
  }
}

it('looks for a new version every so often, and runs reports only when there is one', async () => {
  const asked = new Asked()
  await asked.pass(0)
  const first = asked.looks
  await asked.pass(10_000)
  expect(asked.looks).toBe(first + 5)
  expect(asked.reports).toEqual(['daily'])
  asked.version = '2'
  await asked.pass(2000)
  expect(asked.reports).toEqual(['daily', 'daily'])
  expect(asked.posted.at(-1)).toMatchObject({ kind: 'panel', version: '2' })
})

it('lets a warehouse be suspended that asks for it, whatever screens are looked at meanwhile', async () => {
  const asked = new Asked({ leastPollMs: 30_000 })
  await asked.pass(0)
  expect(asked.posted[0]).toEqual({ kind: 'checked', version: '1', nextMs: 30_000 })
  // Another screen runs its reports, and its second look runs nothing.
  asked.want('funnel')
  await asked.pass(5000)
  const first = asked.looks
  for (const report of ['daily', 'funnel']) {
    asked.want(report)
    await asked.pass(5000)
  }
  expect(asked.looks).toBe(first)
  expect(asked.reports).toEqual(['daily', 'funnel'])
  asked.want('funnel', true)
  await asked.pass(0)
  expect(asked.looks).toBe(first + 1)
  expect(asked.reports).toEqual(['daily', 'funnel', 'funnel'])
  await asked.pass(29_000)
  expect(asked.looks).toBe(first + 1)
  await asked.pass(2000)
  expect(asked.looks).toBe(first + 2)
})

it('keeps answers for the next start, of each report once a minute at most, and none that change without a commit', async () => {
  const asked = new Asked()
  await asked.pass(0)
  for (let version = 2; version <= 32; version += 1) {
    asked.version = `${version}`
    await asked.pass(2000)
  }
  expect(asked.stored).toEqual([
    ['daily', '1'],
    ['daily', '31'],
  ])
  asked.follower.receive({
    ...{ kind: 'want', requests: [{ ...request('streams'), isVolatile: true }] },
    ...{ answeredAt: [undefined], isAnew: false },
  })
  await asked.pass(2000)
  expect(asked.reports).toContain('streams')
  expect(asked.stored).toHaveLength(2)
})

it('looks at nothing while it is paused', async () => {
  const asked = new Asked()
  await asked.pass(0)
  asked.follower.receive({ kind: 'pause', isPaused: true })
  await asked.pass(0)
  const before = asked.looks
  await asked.pass(60_000)
  expect(asked.looks).toBe(before)
  asked.follower.receive({ kind: 'pause', isPaused: false })
  await asked.pass(0)
  expect(asked.looks).toBe(before + 1)
})

it('while it is paused runs what nobody has seen yet, and says of which version that is', async () => {
  const asked = new Asked()
  await asked.pass(0)
  asked.follower.receive({ kind: 'pause', isPaused: true })
  asked.version = '2'
  asked.want('funnel')
  await asked.pass(10_000)
  asked.want('daily')
  await asked.pass(10_000)
  expect(asked.reports).toEqual(['daily', 'funnel'])
  expect(asked.posted.slice(-2)).toMatchObject([
    { kind: 'checked', version: '2' },
    { kind: 'panel', version: '2' },
  ])
  asked.want('daily', true)
  await asked.pass(0)
  expect(asked.reports).toEqual(['daily', 'funnel', 'daily'])
})

it('asks for what changes without a commit twice a second at most, and not while it is paused', async () => {
  const asked = new Asked({}, false, 250)
  asked.follower.receive({
    ...{ kind: 'want', requests: [{ ...request('streams'), isVolatile: true }] },
    ...{ answeredAt: [undefined], isAnew: false },
  })
  await asked.pass(0)
  await asked.pass(5000)
  expect(asked.reports.filter((report) => report === 'streams')).toHaveLength(11)
  asked.follower.receive({ kind: 'pause', isPaused: true })
  await asked.pass(5000)
  expect(asked.reports.filter((report) => report === 'streams')).toHaveLength(11)
})

it('tries again, ever more seldom, what has gone away, and not what was never there', async () => {
  const asked = new Asked()
  await asked.pass(0)
  asked.isAway = true
  await asked.pass(2000)
  expect(asked.posted.at(-1)).toEqual({ kind: 'lost', reason: 'It is away.' })
  const before = asked.looks
  await asked.pass(1000 + 2000 + 4000)
  expect(asked.looks).toBe(before + 3)
  asked.isAway = false
  await asked.pass(8000)
  expect(asked.posted.at(-1)).toMatchObject({ kind: 'panel', version: '1' })

  const never = new Asked({}, true)
  await never.pass(0)
  expect(never.posted).toEqual([
    { kind: 'failed', failure: expect.objectContaining({ code: 'LPA-TEST', message: 'It is away.' }) },
  ])
  await never.pass(60_000)
  expect(never.looks).toBe(1)
})

it('tells of what a role may not see, and of what is left out', async () => {
  vi.useRealTimers()
  const posted: FromEngine[] = []
  const follower = new Follower({
    pollMs: 2000,
    open: (_, work) => work({ version: async () => '1' } as Reader),
    async readReport(_, { report }) {
      if (report === 'daily') return { ...ROWS, hidden: HIDDEN }
      throw new UserError('LPA-TEST', 'The role may not.', { exit: 'notPermitted' })
    },
    post: (message) => posted.push(message),
  })
  follower.receive({
    ...{ kind: 'want', isAnew: false, answeredAt: [undefined, undefined] },
    requests: [request('daily'), request('at-risk')],
  })
  void follower.run()
  await vi.waitFor(() => expect(posted.filter(({ kind }) => kind === 'panel')).toHaveLength(2))
  follower.receive({ kind: 'stop' })
  expect(posted.flatMap((message) => (message.kind === 'panel' ? [message.panel] : []))).toEqual([
    {
      result: { ...ROWS, hidden: HIDDEN },
      problem: { kind: 'suppressed', text: '3 values left out' },
    },
    { problem: { kind: 'denied', text: 'The role may not.' } },
  ])
})
