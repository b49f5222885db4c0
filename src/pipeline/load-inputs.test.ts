import { expect, test } from 'vitest'
import { planInputs } from './load-inputs.ts'

test('a name that is no file may be a source with a slip', () => {
  const config = { sources: { lms: { uri: 'exports/*' } } } as unknown as Parameters<typeof planInputs>[0]
  const plan = (name: string) => () => planInputs(config, { inputs: [name], mappings: [] })
  expect(plan('lmss')).toThrow(
    expect.objectContaining({
      code: 'LPA-INPUT-MISSING',
      next: expect.arrayContaining(['Did you mean the source lms?']),
    }),
  )
  expect(plan('january.csv')).toThrow(
    expect.objectContaining({ next: [expect.not.stringContaining('source')] }),
  )
})

test('what is streamed says how', () => {
  const plan = (name: string) => () => planInputs({ sources: {} } as never, { inputs: [name], mappings: [] })
  expect(plan('kafka://localhost:9092/campus')).toThrow(
    expect.objectContaining({ code: 'LPA-LOAD-TOPICS', exit: 'usage' }),
  )
  expect(plan('dir:my exports')).toThrow(
    expect.objectContaining({
      code: 'LPA-LOAD-DIRECTORY',
      next: ["What is in it now: lpa load 'my exports'", "What appears in it: lpa stream dir:'my exports'"],
    }),
  )
})
