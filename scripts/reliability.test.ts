import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './oclif-config.ts'

const text = readFileSync(join(ROOT, 'docs', 'reliability.md'), 'utf8')

/** Every file of tests that the page names, with the names of tests behind it. */
const named = [...text.matchAll(/`([\w/-]+\.test\.ts)`((?:[:;,]? "[^"]+"(?: \(test:faults\))?)*)/g)].map(
  ([, file = '', tests = '']) => ({
    file,
    tests: [...tests.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name),
  }),
)

test('every test that docs/reliability.md names is there', () => {
  expect(named.length).toBeGreaterThan(40)
  const missing = named.flatMap(({ file, tests }) => {
    const path = join(ROOT, file)
    if (!existsSync(path)) return [file]
    const source = readFileSync(path, 'utf8')
    return tests.filter((name) => !source.includes(name)).map((name) => `${file}: ${name}`)
  })
  expect(missing).toEqual([])
})

test('every name in quotes is looked for', () => {
  expect(named.flatMap(({ tests }) => tests)).toHaveLength([...text.matchAll(/"[^"]+"/g)].length)
})
