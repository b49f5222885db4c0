/** Random cases that can be made again: a failure prints how, and the smallest case that still fails. */

import { relative } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import { ROOT } from '../../scripts/oclif-config.ts'
import { EXIT } from '../../src/errors.ts'
import { asUserError, failureOutput } from '../../src/failure.ts'
import { rawCharacters } from '../hostile/terminal.ts'
import { TEXTS } from '../hostile/texts.ts'

/** 100: all properties together get a million cases. */
const TIMES = Number(process.env.LPA_FUZZ_TIMES ?? 1)
const SEED = Number(process.env.LPA_FUZZ_SEED ?? 1)

export const LIMIT_MS = 300_000 * TIMES

/** Tries a property on so many cases, more with LPA_FUZZ_TIMES, others with LPA_FUZZ_SEED. */
export async function tryCases<T>(
  cases: number,
  arbitrary: fc.Arbitrary<T>,
  property: (value: T) => void | Promise<void>,
): Promise<void> {
  try {
    await fc.assert(
      fc.asyncProperty(arbitrary, async (value) => property(value)),
      { numRuns: cases * TIMES, seed: SEED },
    )
  } catch (error) {
    if (error instanceof Error) error.message = `${error.message}\n\nTo replay it: ${replay()}`
    throw error
  }
}

/** A command that tries the same cases. */
function replay(): string {
  const { testPath = '', currentTestName = '' } = expect.getState()
  const times = TIMES === 1 ? '' : `LPA_FUZZ_TIMES=${TIMES} `
  return `${times}LPA_FUZZ_SEED=${SEED} npm test -- ${relative(ROOT, testPath)} -t '${currentTestName}'`
}

/** Codes that help and the man page tell, but for what should never happen. */
const DOCUMENTED: readonly number[] = Object.values(EXIT).filter((code) => code !== EXIT.internal)

export function expectDocumented(code: number | null, said: string): void {
  expect(DOCUMENTED, said).toContain(code)
  expect(said).not.toContain('LPA-INTERNAL')
  expect(said).not.toMatch(/^\s+at .*(:\d+|\))$/m)
  expect(rawCharacters(said.replaceAll('\r\n', '\n'))).toEqual([])
}

/** What a command would say of an error, and end with. */
export function expectTold(error: unknown): void {
  const failure = asUserError(error)
  const cause = failure.cause instanceof Error ? failure.cause.stack : ''
  if (failure.exit === 'internal') throw new Error(`An internal error: ${failure.message}\n${cause}`)
  for (const json of [false, true]) {
    const said = failureOutput(failure, { json, color: false, verbose: false, width: 80 })
    expectDocumented(failure.exitCode, said)
    if (json) expect(JSON.parse(said)).toMatchObject({ error: { exit: failure.exitCode } })
  }
}

/** Texts of all kinds: of any characters, of those that mean something somewhere, and of those that attack. */
export const wild: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(...'"\'\\,;|=:()[]{}<>$%&*?-#@/. \t\r\n\0'), maxLength: 12 }),
  fc.constantFrom(...TEXTS),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e400',
    'NaN',
    '9007199254740993',
    '2026-02-30',
    'null',
    '__proto__',
    'constructor',
  ),
)

/** One change of some bytes; places are shares of their length. */
type Change =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'put'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'again'; readonly at: number; readonly length: number }

const place = fc.double({ min: 0, max: 1, noNaN: true })
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({
    kind: fc.constant('put' as const),
    at: place,
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 6 }),
      wild.map((text) => new Uint8Array(Buffer.from(text))),
    ),
  }),
  fc.record({ kind: fc.constant('again' as const), at: place, length: fc.nat(40) }),
)
export const changes = fc.array(change, { maxLength: 4 })

export function changed(bytes: Buffer, all: readonly Change[]): Buffer {
  return all.reduce(changedOnce, bytes)
}

function changedOnce(bytes: Buffer, one: Change): Buffer {
  const at = Math.floor(one.at * bytes.length)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (one.kind) {
    case 'flip': {
      const flipped = Buffer.from(bytes)
      if (at < flipped.length) flipped[at] = (flipped[at] as number) ^ (1 << one.bit)
      return flipped
    }
    case 'cut':
      return before
    case 'put':
      return Buffer.concat([before, one.bytes, after])
    case 'again':
      return Buffer.concat([before, after.subarray(0, one.length), after])
  }
}
