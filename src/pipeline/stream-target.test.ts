import { expect, test } from 'vitest'
import { streamTarget } from './stream-target.ts'

test('an address without a topic is told as it was typed, not as a key of lpa.toml', () => {
  const config = { sources: {} } as never
  expect(() => streamTarget(config, { target: 'kafka://localhost:9092', mappings: [] })).toThrow(
    expect.objectContaining({ where: 'kafka://localhost:9092', message: 'The address names no topic.' }),
  )
})
