import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Count, counterFor, hasher, MAX_RECORD_BYTES, type TextFormat } from './measure.ts'
import { plainCsv } from './plain-csv.ts'
import { randomCsv, randomNumbers } from './random-csv.test-support.ts'

function count(format: TextFormat, text: string | Buffer, options: Partial<Counting> = {}): Counted {
  const { delimiter = ',', hasHeader = true, chunkBytes = 1 << 20 } = options
  const counter = counterFor(format, delimiter, hasHeader)
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += chunkBytes) counter.push(bytes.subarray(at, at + chunkBytes))
  return counter.end()
}
interface Counting {
  delimiter: string
  hasHeader: boolean
  chunkBytes: number
}
type Counted = Count & { badLine?: { line: number; why: string } }

/** All that a count says, in a shape that can be compared. */
function facts(counted: Counted, records = counted.records) {
  const { lineOf, recordAt, ...rest } = counted
  return { ...rest, lines: Array.from({ length: records }, (_, index) => lineOf(index + 1)) }
}

describe('CSV', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'random texts, seed %i: records and their lines, in chunks of any size',
    (seed) => {
      const random = randomNumbers(seed)
      for (let round = 0; round < 25; round++) {
        const { text, delimiter, lines, blankLines } = randomCsv(random)
        const whole = facts(count('csv', text, { delimiter }))
        expect(whole, JSON.stringify(text)).toMatchObject({ records: lines.length, lines, blankLines })
        for (const chunkBytes of [1, 2, 3, 5, 17]) {
          expect(facts(count('csv', text, { delimiter, chunkBytes })), JSON.stringify(text)).toEqual(whole)
        }
      }
    },
  )

  test('a cut at every byte changes nothing', () => {
    const bytes = Buffer.from('a,"b ""x"" y"\r\n\r\n1,"two\r\nlines"\r3,é\n\n"",""\n')
    const whole = facts(count('csv', bytes))
    expect(whole).toMatchObject({ records: 3, lines: [3, 5, 7], blankLines: 2 })
    for (let at = 1; at < bytes.length; at++) {
      const counter = counterFor('csv', ',', true)
      counter.push(bytes.subarray(0, at))
      counter.push(bytes.subarray(at))
      expect(facts(counter.end()), `cut at ${at}`).toEqual(whole)
    }
  })

  test.each([
    ['without a header', 'a,b\n1,2\n', { hasHeader: false }, 2],
    ['a header only', 'a,b\n', {}, 0],
    ['a header only, no line end', 'a,b', {}, 0],
    ['no final line end', 'a,b\n1,2\n3,4', {}, 2],
    ['nothing', '', {}, 0],
    ['blank lines first', '\n\na,b\n1,2\n', {}, 1],
    ['a quote inside a field', 'a,b\n1x"y,2\n3,4\n', {}, 2],
    ['a field that goes on after its quote', 'a,b\n"1"x,2\n3,4\n', {}, 2],
    ['a line feed after a field that went on', 'a,b\n"1"x"\n3,4\n', {}, 2],
    ['a line of blanks', 'a,b\n  \n1,2\n', {}, 2],
    ['semicolons', 'a;b\n"1;\n";2\n', { delimiter: ';' }, 1],
    ['a quote after another delimiter', 'a;b\n1,"\n;2\n', { delimiter: ';' }, 2],
  ] as const)('%s', (_, text, options, records) => {
    expect(count('csv', text, options).records).toBe(records)
  })

  test('finds a quote that is never closed, by the line of its record', () => {
    expect(count('csv', 'a,b\n1,2\n3,"4\n5,6\n').badLine).toEqual({
      line: 3,
      why: 'a quote that is never closed',
    })
  })

  test('tells a file that begins with a blank line, and carriage returns', () => {
    expect(count('csv', '\na,b\n')).toMatchObject({ beginsBlank: true, hasCarriageReturns: false })
    expect(count('csv', 'a,b\r\n1,2\r\n')).toMatchObject({ beginsBlank: false, hasCarriageReturns: true })
  })

  test('names records that are too long for the engine', () => {
    const long = 'x'.repeat(MAX_RECORD_BYTES)
    expect(count('csv', `a,b\n1,2\n${long},2\n"${long}",2\n1,2\n`).tooLong).toEqual([2, 3])
  })
})

describe('plain CSV', () => {
  test.each([1, 2, 3, 4])(
    'seed %i: the same records with nothing between them, in chunks of any size',
    (seed) => {
      const random = randomNumbers(seed + 100)
      for (let round = 0; round < 25; round++) {
        const { text, delimiter, plain } = randomCsv(random)
        for (const chunkBytes of [1, 2, 7, 1 << 20]) {
          const rewrite = plainCsv(delimiter)
          const bytes = Buffer.from(text)
          const parts: Buffer[] = []
          for (let at = 0; at < bytes.length; at += chunkBytes)
            parts.push(rewrite(bytes.subarray(at, at + chunkBytes)))
          expect(Buffer.concat(parts).toString(), JSON.stringify(text)).toBe(plain)
        }
      }
    },
  )
})

describe('lines', () => {
  test.each([1, 2, 3, 4])('seed %i: against the text split at its line feeds', (seed) => {
    const random = randomNumbers(seed + 200)
    for (let round = 0; round < 40; round++) {
      const parts = Array.from(
        { length: random(30) },
        () => ['{"a":1}', '', ' \t', '\f\v', 'é"\\'][random(5)] ?? '',
      )
      const text = parts.map((part) => part + (random(2) ? '\n' : '\r\n')).join('') + (random(2) ? '{}' : '')
      const lines = text
        .split('\n')
        .flatMap((line, index) => (/^[ \t\r\f\v]*$/.test(line) ? [] : [index + 1]))
      for (const chunkBytes of [1, 2, 3, 1 << 20]) {
        const counted = count('ndjson', text, { chunkBytes })
        expect(facts(counted), JSON.stringify(text)).toMatchObject({ records: lines.length, lines })
        expect(lines.map((line) => counted.recordAt(line))).toEqual(lines.map((_, index) => index + 1))
        expect(counted.badLine).toBeUndefined()
      }
    }
  })

  test.each([
    ['in a line', '{}\n{"a":\r1}\n{}\n', 2],
    ['as the only line ends', '{}\r{}\r{}', 1],
    ['twice before a line feed', '{}\n{}\r\r\n{}', 2],
  ])('a carriage return %s is found, wherever chunks end', (_, text, line) => {
    for (let chunkBytes = 1; chunkBytes <= text.length; chunkBytes++) {
      expect(count('ndjson', text, { chunkBytes }).badLine).toEqual({
        line,
        why: 'a carriage return inside a line',
      })
    }
  })

  test('names records that are too long for the engine', () => {
    const long = 'x'.repeat(MAX_RECORD_BYTES + 1)
    expect(count('ndjson', `{}\n\n${long}\n{}\n`, { chunkBytes: 100_000 }).tooLong).toEqual([2])
  })
})

describe('arrays', () => {
  test.each([1, 2, 3, 4])('seed %i: against JSON.parse', (seed) => {
    const random = randomNumbers(seed + 300)
    const value = (depth: number): unknown =>
      [
        () => random(1000),
        () => 'a "quoted\\" [text], {with} \n everything\\\\',
        () => null,
        () => (depth > 3 ? {} : Array.from({ length: random(4) }, () => value(depth + 1))),
        () => (depth > 3 ? [] : { a: value(depth + 1), 'b,[{"': value(depth + 1) }),
      ][random(5)]?.()
    for (let round = 0; round < 40; round++) {
      const elements = Array.from({ length: random(12) }, () => value(0))
      const text = JSON.stringify(elements, null, random(3)) + (random(2) ? ' \n' : '')
      for (const chunkBytes of [1, 3, 1 << 20]) {
        const counted = count('json', text, { chunkBytes })
        expect(counted.records, text).toBe(elements.length)
        expect(counted.badLine).toBeUndefined()
      }
    }
  })

  test('gives the line on which an element starts', () => {
    expect(facts(count('json', '[\n  {\n "a": 1\n },\n\n  {}, 3,\n[]]')).lines).toEqual([2, 6, 6, 7])
  })

  test.each([
    ['cut off in an element', '[{"a":1},\n{"b"', 2, 'an array that is not closed'],
    ['cut off in a text', '[{"a":"x', 1, 'an array that is not closed'],
    ['cut off between elements', '[{},\n', 2, 'an array that is not closed'],
    ['two arrays', '[{}]\n[{}]\n', 2, 'something behind the array'],
    ['text behind', '[{}]\n\nx', 3, 'something behind the array'],
  ])('%s', (_, text, line, why) => {
    expect(count('json', text).badLine).toEqual({ line, why })
  })
})

test('hashes and measures the bytes as they are', () => {
  const hash = hasher()
  for (const part of ['ab', '', 'ç']) hash.push(Buffer.from(part))
  expect(hash.end()).toEqual({ sha256: createHash('sha256').update('abç').digest('hex'), bytes: 4 })
})
