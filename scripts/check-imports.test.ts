import { expect, test } from 'vitest'
import { importsOf, objection } from './check-imports.ts'

const reasons = (file: string, text: string) => importsOf(file, text).map(objection)

test('arrows run from commands down to src/*.ts', () => {
  const text = "import { load } from '../src/pipeline/load.ts'\nimport type { Row } from '../src/types.ts'\n"
  expect(reasons('commands/load.ts', text)).toEqual([undefined, undefined])
})

test('an arrow back, between siblings or out of a leaf is refused', () => {
  expect(reasons('src/charts/line.ts', "import { build } from '../pipeline/build.ts'\n")).toEqual([
    'src/charts must not import src/pipeline',
  ])
  expect(reasons('src/sources/file.ts', "const x = await import('../engines/duckdb/open.ts')\n")).toEqual([
    'src/sources must not import src/engines',
  ])
  expect(reasons('src/errors.ts', "import { readFileSync } from 'node:fs'\n")).toEqual([
    'src/errors.ts imports nothing',
  ])
})

test('slow packages are imported late, or as types', () => {
  const text = "import type pino from 'pino'\nexport const x = 1\nconst table = await import('cli-table3')\n"
  expect(reasons('src/output.ts', text)).toEqual([undefined, undefined])
  expect(reasons('src/output.ts', "import Table from 'cli-table3'\n")[0]).toContain('slow to load')
  expect(reasons('src/output.ts', "import {\n  a,\n  b,\n} from 'csv-stringify/sync'\n")[0]).toContain(
    'slow to load',
  )
})

test('the line is that of the import', () => {
  expect(importsOf('src/dash/view.ts', "\n\nimport { x } from './state.ts'\n")[0]?.line).toBe(3)
})

test('a .tsx file may import Ink, and is imported late itself', () => {
  expect(reasons('src/dash/live/app.tsx', "import { render } from 'ink'\n")).toEqual([undefined])
  expect(reasons('src/dash/live/live.ts', "import { render } from 'ink'\n")[0]).toContain('slow to load')
  expect(reasons('src/dash/live/live.ts', "import { startApp } from './app.tsx'\n")[0]).toContain('loads Ink')
  expect(reasons('src/dash/live/live.ts', "import type { App } from './app.tsx'\n")).toEqual([undefined])
})
