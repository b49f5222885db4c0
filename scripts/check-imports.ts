/**
 * Imports run commands → dash → pipeline → sources | engines | policy | charts → src/*.ts, never back, and
 * packages that take long to load are imported by the function that needs them.
 */

import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A layer may import the layers after it, and itself. */
const LAYERS: readonly (readonly string[])[] = [
  ['commands'],
  ['src/dash'],
  ['src/pipeline'],
  ['src/sources', 'src/engines', 'src/policy', 'src/charts'],
  ['src'],
]

/** These import nothing, so everything may import them. */
const LEAVES = ['src/types.ts', 'src/errors.ts']

/** Milliseconds each: most commands need none of them. */
const LATE = [
  '@duckdb/node-api',
  '@resvg/resvg-js',
  'snowflake-sdk',
  'pino',
  'cli-table3',
  'asciichart',
  'csv-stringify',
  'zod',
  'yaml',
  'ink',
  'react',
]

interface Import {
  readonly file: string
  readonly line: number
  readonly target: string
  /** Runs when the file is loaded. */
  readonly eager: boolean
}

const IMPORT =
  /(?:^|[;}\n])\s*(?:import|export)\s+(type\s)?[^'"();]*?from\s*['"]([^'"]+)['"]|import\s*\(\s*['"]([^'"]+)['"]|(?:^|\n)import\s*['"]([^'"]+)['"]/g

export function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => {
    const target = match[2] ?? match[3] ?? match[4] ?? ''
    return {
      file,
      line: text.slice(0, match.index + match[0].length).split('\n').length,
      target: target.startsWith('.') ? normalize(join(dirname(file), target)) : target,
      eager: match[3] === undefined && match[1] === undefined,
    }
  })
}

/** The reason against an import, if there is one. */
export function objection({ file, target, eager }: Import): string | undefined {
  if (!target.startsWith('src/') && !target.startsWith('commands/')) {
    if (/^(scripts|test|bench|bin)\//.test(target)) return `${target} is no part of lpa itself`
    // A .tsx file draws with Ink, and is late itself.
    if (eager && LATE.includes(packageOf(target)) && !file.endsWith('.tsx'))
      return `${packageOf(target)} is slow to load: use await import() in the function that needs it`
    return LEAVES.includes(file) ? `${file} imports nothing` : undefined
  }
  if (eager && target.endsWith('.tsx') && !file.endsWith('.tsx'))
    return `${target} loads Ink: use await import() in the function that needs it`
  if (LEAVES.includes(target)) return undefined
  if (LEAVES.includes(file)) return `${file} imports nothing`
  const [from, to] = [layerOf(file), layerOf(target)]
  if (from.folder === to.folder || from.depth < to.depth) return undefined
  return `${from.folder} must not import ${to.folder}`
}

const packageOf = (target: string) => target.split('/', target.startsWith('@') ? 2 : 1).join('/')

function layerOf(file: string): { folder: string; depth: number } {
  for (const [depth, folders] of LAYERS.entries())
    for (const folder of folders) if (file.startsWith(`${folder}/`)) return { folder, depth }
  throw new Error(`${file}: its folder is in no layer; add it to scripts/check-imports.ts`)
}

function main(): void {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const files = globSync('{src,commands}/**/*.{ts,tsx}', { cwd: root }).filter(
    (file) => !/\.test(-support)?\.tsx?$/.test(file),
  )
  const found = files
    .flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')))
    .flatMap((one) => {
      const reason = objection(one)
      return reason ? [`${one.file}:${one.line}: ${reason}`] : []
    })
  for (const line of found) console.error(line)
  if (found.length > 0) process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
