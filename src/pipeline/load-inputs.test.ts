import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { passedOverNotes, planInputs } from './load-inputs.ts'

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

test('of archives in a folder it is said that they are passed over', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lpa-inputs-'))
  for (const name of ['a.csv', 'b.zip', 'c.ZIP']) writeFileSync(join(folder, name), 'a,b\n')
  const notes = (...inputs: string[]) => passedOverNotes({ sources: {} } as never, { inputs, mappings: [] })
  expect(notes(folder, join(folder, 'b.zip'))).toEqual([
    `${folder}: 2 archives in it are passed over, since archives are loaded by name: ${join(folder, 'b.zip')}`,
  ])
  rmSync(folder, { recursive: true })
})
