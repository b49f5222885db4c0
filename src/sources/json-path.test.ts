import { expect, test } from 'vitest'
import { formatJsonPath, isPrefix, parseJsonPath } from './json-path.ts'

test.each([
  ['$', [], true],
  ['$.a', ['a'], true],
  ['$.a.b-c_1', ['a', 'b-c_1'], true],
  [
    '$.context.extensions."https://w3id.org/xapi/x"',
    ['context', 'extensions', 'https://w3id.org/xapi/x'],
    true,
  ],
  [String.raw`$."a \"quoted\" \\ key"`, [String.raw`a "quoted" \ key`], true],
  ['$."a.b".c', ['a.b', 'c'], true],
  ['$."".c', ['', 'c'], true],
  ['$.parent[0].id', ['parent'], false],
  ['$[3]', [], false],
  ['$.extensions.*', ['extensions'], false],
] as const)('%s', (text, keys, isWhole) => {
  expect(parseJsonPath(text)).toEqual({ keys, isWhole })
})

test.each(['', 'a', '.a', '$a', '$.', '$..a', '$.a[', '$.a[x]', '$."open', '$.a b', '$.a.'])(
  '%j is no path',
  (text) => {
    expect(parseJsonPath(text)).toBeUndefined()
  },
)

test('a path is written as it is read', () => {
  for (const keys of [['a'], ['a b', 'c'], ['"', '\\', '\\"', '.', '']])
    expect(parseJsonPath(formatJsonPath(keys))).toEqual({ keys, isWhole: true })
})

test('a path holds those that begin with it, and itself', () => {
  expect(isPrefix(['a'], ['a', 'b'])).toBe(true)
  expect(isPrefix(['a'], ['a'])).toBe(true)
  expect(isPrefix([], ['a'])).toBe(true)
  expect(isPrefix(['a', 'b'], ['a'])).toBe(false)
  expect(isPrefix(['a'], ['ab'])).toBe(false)
})
