import { expect, test } from 'vitest'
import { csvHead } from './csv-head.ts'
import { randomCsv, randomNumbers } from './random-csv.test-support.ts'

test.each([1, 2, 3, 4])('random texts, seed %i', (seed) => {
  const random = randomNumbers(seed)
  for (let round = 0; round < 50; round++) {
    const { text, delimiter, header, rows } = randomCsv(random)
    expect(csvHead(text, delimiter), JSON.stringify(text)).toEqual([header, ...rows])
  }
})

test('stops after the records that were asked for', () => {
  expect(csvHead('a\nb\nc\n', ',', 2)).toEqual([['a'], ['b']])
})

test('takes a text that is cut off anywhere', () => {
  const text = 'a,b\n"x ""y""\n","z"\n1,'
  for (let end = 0; end <= text.length; end++) {
    const records = csvHead(text.slice(0, end), ',')
    if (end > 4) expect(records[0]).toEqual(['a', 'b'])
  }
})
