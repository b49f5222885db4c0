import { expect, test } from 'vitest'
import { nextLink } from './link-header.ts'

test.each([
  ['<https://a.example/?page=2>; rel="next"', 'https://a.example/?page=2'],
  ['<https://a.example/?page=2>; rel=next', 'https://a.example/?page=2'],
  ['<https://a.example/?p=9>; rel="last", <https://a.example/?p=2>;rel="next"', 'https://a.example/?p=2'],
  // Commas and semicolons inside an address, and inside a quoted parameter.
  ['</x?a=1,2;b>; title="a, <b>; rel=\\"next\\""; rel="prev", </x?a=3,4>; rel="NEXT nofollow"', '/x?a=3,4'],
  ['</a>; rel="prev"; rel="next"', undefined],
  ['</a>; rel="prev"', undefined],
  ['</a>; anchor="next"', undefined],
  ['</a>; rel="nextish"', undefined],
  ['<>; rel="next"', ''],
  ['', undefined],
  [undefined, undefined],
  ['</a; rel="next"', undefined],
])('%j', (header, expected) => {
  expect(nextLink(header)).toBe(expected)
})

test('takes no long time for what is none', () => {
  const started = performance.now()
  nextLink(`<a>${'; a="'.repeat(20_000)}`)
  nextLink('<'.repeat(20_000))
  nextLink(`<a>${' ; '.repeat(20_000)}`)
  expect(performance.now() - started).toBeLessThan(2000)
})
