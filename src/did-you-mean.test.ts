import { describe, expect, it } from 'vitest'
import { didYouMean } from './did-you-mean.ts'

const commands = ['load', 'batch', 'query', 'schema apply', 'schema plan', 'rejects']

describe('didYouMean', () => {
  it.each([
    ['lod', 'load'],
    ['laod', 'load'],
    ['BATCH', 'batch'],
    ['quer', 'query'],
    ['shcema plan', 'schema plan'],
    ['reject', 'rejects'],
    ['rej', 'rejects'],
  ])('suggests for %s: %s', (word, wanted) => {
    expect(didYouMean(word, commands)).toBe(wanted)
  })

  it('suggests the shorter of two that the word begins', () => {
    expect(didYouMean('dim_cours', ['dim_course_category', 'dim_course'])).toBe('dim_course')
  })

  it('suggests what the word is behind a prefix', () => {
    expect(didYouMean('analyst', ['lpa_admin', 'lpa_analyst'])).toBe('lpa_analyst')
  })

  it.each(['', 'x', 'export', 'zzzzzz'])('suggests nothing for %j', (word) => {
    expect(didYouMean(word, commands)).toBeUndefined()
  })
})
