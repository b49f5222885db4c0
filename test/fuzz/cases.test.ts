import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tryCases } from './cases.ts'

test('a failure tells the smallest case, and the command that tries it again', async () => {
  const failing = tryCases(100, fc.nat(), (number) => {
    expect(number).toBeLessThan(7)
  })
  const command = `LPA_FUZZ_SEED=${process.env.LPA_FUZZ_SEED ?? 1} npm test -- test/fuzz/cases.test.ts -t 'a failure tells`
  await expect(failing).rejects.toThrow(/Counterexample: \[7\]/)
  await expect(failing).rejects.toThrow(command)
})
