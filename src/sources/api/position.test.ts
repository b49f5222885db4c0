import { describe, expect, test } from 'vitest'
import type { ApiSettings } from '../../config/api.ts'
import { elementsAt } from '../json-slices.ts'
import { testKey } from '../stage.test-support.ts'
import type { Page } from './pages.ts'
import { findPosition, type GoOn, seal, unseal } from './position.ts'

const STARTED = new Date('2026-02-01T00:00:00Z')

function settings(more: Partial<ApiSettings>): ApiSettings {
  return { since: 'since', overlapMs: 0, resume: false, ...more } as ApiSettings
}

function pageOf(values: readonly unknown[], cursor?: string): Page {
  const json = Buffer.from(`[${values.map((value) => `{"at": ${JSON.stringify(value)}}`).join(',')}]`)
  return { number: 1, where: 'api, page 1', json, records: elementsAt(json, 0) ?? [], cursor }
}

function found(more: Partial<ApiSettings>, pages: readonly Page[], before?: GoOn): string | undefined {
  const finder = findPosition(settings(more), before, { at: STARTED, latest: STARTED })
  for (const page of pages) finder?.add(page)
  return finder?.end()?.value
}

const path = { sincePath: '$.at' }

describe('from where the next run goes on', () => {
  test('the largest time, as it is written', () => {
    // The last one is the latest: half past midnight of the third.
    const times = ['2026-01-02T00:00:00Z', '2026-01-03T00:00:00.123456Z', '2026-01-02T23:30:00-01:00']
    expect(found(path, [pageOf(times), pageOf(times.slice(0, 1))])).toBe('2026-01-02T23:30:00-01:00')
  })

  test('microseconds count', () => {
    expect(found(path, [pageOf(['2026-01-02T00:00:00.000002Z', '2026-01-02T00:00:00.000001Z'])])).toBe(
      '2026-01-02T00:00:00.000002Z',
    )
  })

  test('the largest whole number, beyond 2^53 too', () => {
    const json = Buffer.from('[{"at": 9007199254740993}, {"at": 9007199254740992}, {"at": null}, {}]')
    const page = { ...pageOf([]), json, records: elementsAt(json, 0) ?? [] }
    expect(found(path, [page])).toBe('9007199254740993')
  })

  test('minus the overlap', () => {
    expect(found({ ...path, overlapMs: 600_000 }, [pageOf(['2026-01-02T00:05:00Z'])])).toBe(
      '2026-01-01T23:55:00.000Z',
    )
  })

  test('never in the future, and never back', () => {
    expect(found(path, [pageOf(['9999-01-01T00:00:00Z'])])).toBe('2026-02-01T00:00:00.000Z')
    const before = { parameter: 'since', value: '2026-01-05T00:00:00Z' }
    expect(found(path, [pageOf(['2026-01-02T00:00:00Z'])], before)).toBe(before.value)
    expect(found(path, [pageOf([])], before)).toBe(before.value)
    expect(found(path, [pageOf([])])).toBeUndefined()
  })

  test('the start of the run, without a path', () => {
    expect(found({ overlapMs: 60_000 }, [pageOf([1])])).toBe('2026-01-31T23:59:00.000Z')
  })

  test('the last cursor', () => {
    const resume = { since: undefined, resume: true, parameter: 'after' } as unknown as Partial<ApiSettings>
    expect(found(resume, [pageOf([1], 'a'), pageOf([2], 'b')])).toBe('b')
    expect(found(resume, [pageOf([], undefined)], { parameter: 'after', value: 'z' })).toBe('z')
    expect(found({ since: undefined } as unknown as Partial<ApiSettings>, [pageOf([1])])).toBeUndefined()
  })

  test.each([[['soon']], [[1, '2026-01-01']], [[1.5]], [['2026-13-01']], [['12/01/2026']]])(
    'refuses %j',
    (values) => {
      expect(() => found(path, [pageOf(values)])).toThrow(
        expect.objectContaining({
          code: 'LPA-API-PAGE',
          exitCode: 65,
          where: expect.stringMatching(/^api, page 1, record \d$/),
        }),
      )
    },
  )
})

describe('a position is kept sealed', () => {
  const position = { parameter: 'since', value: 'learner-7@example.org & more' }

  test('and opened under its key only', () => {
    const sealed = seal(testKey, position)
    expect(sealed).toMatch(/^[\w-]+$/)
    expect(sealed).toBe(seal(testKey, position))
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('example')
    expect(unseal(testKey, sealed, settings({}))).toEqual(position)
    const other = { secret: Buffer.alloc(32, 7), id: 'other' }
    expect(() => unseal(other, sealed, settings({}))).toThrow(
      expect.objectContaining({ code: 'LPA-API-POSITION' }),
    )
    const changed = Buffer.from(sealed, 'base64url')
    changed[20] = (changed[20] ?? 0) ^ 1
    expect(() => unseal(testKey, changed.toString('base64url'), settings({}))).toThrow(
      /another pseudonym key/,
    )
  })

  test('for its parameter only', () => {
    expect(unseal(testKey, seal(testKey, position), settings({ since: 'from' }))).toBeUndefined()
  })
})
