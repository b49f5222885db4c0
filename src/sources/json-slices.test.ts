import { describe, expect, test } from 'vitest'
import { Random } from '../pipeline/sample/random.ts'
import { elementsAt, sliceAt, textAt } from './json-slices.ts'

function written(json: string, path: readonly string[]): string | undefined {
  const bytes = Buffer.from(json)
  const slice = sliceAt(bytes, path)
  return slice && bytes.toString('utf8', slice.start, slice.end)
}

test('gives values as they are written', () => {
  const json = ' {"a": {"b\\u0062": 9007199254740993, "x": 1e400}, "é": [1, {"]": "\\\\\\""}], "e": {} } '
  expect(written(json, ['a', 'bb'])).toBe('9007199254740993')
  expect(written(json, ['a', 'x'])).toBe('1e400')
  expect(written(json, ['é'])).toBe('[1, {"]": "\\\\\\""}]')
  expect(written(json, ['e'])).toBe('{}')
  expect(written(json, ['nothing'])).toBeUndefined()
  expect(written(json, ['a', 'x', 'deeper'])).toBeUndefined()
  expect(written(json, ['é', '0'])).toBeUndefined()
  expect(written('{"a": 1, "a": 2}', ['a'])).toBe('2')
  expect(written(' 12 ', [])).toBe('12')
})

test.each([
  ['{"c": 9007199254740993}', '9007199254740993'],
  ['{"c": "a\\u00e9\\n"}', 'aé\n'],
  ['{"c": -1.50}', '-1.50'],
  ['{"c": ""}', ''],
  ['{"c": null}', undefined],
  ['{"c": false}', undefined],
  ['{"c": [1]}', undefined],
  ['{}', undefined],
  ['[]', undefined],
])('a text or a number of %s', (json, expected) => {
  expect(textAt(Buffer.from(json), ['c'])).toBe(expected)
})

describe('elements of an array', () => {
  test.each(['[]', ' [ ] ', '{}', '1', '"[1]"', 'null'])('%s has none', (json) => {
    expect(elementsAt(Buffer.from(json), 0) ?? []).toEqual([])
  })

  test.each([1, 2, 3])('are those that it was made of, seed %i', (seed) => {
    const random = new Random(seed, 4)
    for (let round = 0; round < 300; round += 1) {
      const values = Array.from({ length: random.below(6) }, () =>
        JSON.stringify(anything(random, 4), null, random.below(3)),
      )
      const json = Buffer.from(`{"before": [${values}], "list":\n[ ${values.join(' ,\r\n')}\t]}`)
      const elements = elementsAt(json, sliceAt(json, ['list'])?.start ?? -1) ?? []
      // Not parsed: Node 24.21 gives objects of such keys the keys of others.
      expect(elements.map(({ start, end }) => json.toString('utf8', start, end))).toEqual(values)
    }
  })
})

function anything(random: Random, depth: number): unknown {
  const texts = ['', 'a', '"', '\\', '\\"', ']', '}', ',', 'é\u2028', '[{"', '\n']
  const text = () => texts[random.below(texts.length)] ?? ''
  switch (random.below(depth > 0 ? 6 : 4)) {
    case 0:
      return text()
    case 1:
      return random.below(1000) / 7 - 50
    case 2:
      return null
    case 3:
      return random.below(2) === 0
    case 4:
      return Array.from({ length: random.below(4) }, () => anything(random, depth - 1))
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [text(), anything(random, depth - 1)]),
      )
  }
}
