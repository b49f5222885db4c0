/**
 * Bundles src/ and commands/ into dist/ and writes oclif.manifest.json; does nothing when no input has changed.
 * Bundled because oclif alone is 160 files: docs/decisions/0002-start-up.md has the measurement.
 */

import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin as BuildPlugin } from 'esbuild'
import { NARROW } from '../src/text-width.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DIST = join(ROOT, 'dist')
const STAMP = join(DIST, '.stamp')

/** Native code, packages that start files of their own, and what may be missing: loaded from node_modules. */
const EXTERNAL = ['@duckdb/node-api', '@resvg/resvg-js', 'pino', 'snowflake-sdk']

/** Bundled CommonJS (oclif) still expects these names. */
const COMMONJS_NAMES = `import { createRequire as lpaRequire } from 'node:module'
import { dirname as lpaDirname } from 'node:path'
import { fileURLToPath as lpaPath } from 'node:url'
const require = lpaRequire(import.meta.url), __filename = lpaPath(import.meta.url), __dirname = lpaDirname(__filename)`

/**
 * Two things that oclif does at every start and lpa has no use for: asking whether this is WSL (7 ms), and sorting
 * the commands by the rules of a language, which loads them (10 ms).
 */
const quickerOclif: BuildPlugin = {
  name: 'quicker-oclif',
  setup(build) {
    build.onResolve({ filter: /^wsl-utils$/ }, ({ path }) => ({ path, namespace: 'quicker-oclif' }))
    build.onLoad({ filter: /./, namespace: 'quicker-oclif' }, () => ({
      contents: 'export const isWsl = false',
    }))
    build.onLoad({ filter: /@oclif\/core\/lib\/config\/plugin\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const contents = text.replace('a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)')
      if (contents === text) throw new Error(`${path} no longer sorts as scripts/build.ts expects`)
      return { contents }
    })
  },
}

/**
 * Ink at its start loads React's developer tools, and Node's HTTP client by asking whether there is one.
 */
const quickerInk: BuildPlugin = {
  name: 'quicker-ink',
  setup(build) {
    build.onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: 'quicker-ink' }))
    build.onLoad({ filter: /./, namespace: 'quicker-ink' }, () => ({ contents: 'export default {}' }))
    build.onLoad({ filter: /yoga-wasm-base64-esm\.js$/ }, ({ path }) => ({
      contents: `const fetch = undefined\n${readFileSync(path, 'utf8')}`,
    }))
  },
}

/**
 * The rules of all writing, which string-width goes by, take 15 ms to be loaded and 20 to be used for the first time. Narrow
 * text needs none of them.
 */
const quickerWidth: BuildPlugin = {
  name: 'quicker-width',
  setup(build) {
    // Older ones lie below other packages.
    const whole = join(ROOT, 'node_modules', 'string-width', 'index.js')
    build.onResolve({ filter: /^whole-string-width$/ }, () => ({ path: whole, suffix: '?whole' }))
    build.onLoad({ filter: /string-width\/index\.js$/ }, ({ path, suffix }) => {
      if (path !== whole) return undefined
      if (suffix === '?whole') {
        // The table of all emoji takes longest, and is made when it is needed, which no text of letters does.
        const text = readFileSync(path, 'utf8')
        const made = 'const rgiEmojiRegex = /^\\p{RGI_Emoji}$/v;'
        const late = `const MAYBE_EMOJI = /\\p{Emoji}/u
          let allEmoji
          const rgiEmojiRegex = { test: (text) => MAYBE_EMOJI.test(text) && (allEmoji ??= /^\\p{RGI_Emoji}$/v).test(text) }`
        const contents = text.replace(made, () => late)
        if (contents === text) throw new Error(`${path} no longer knows emoji as scripts/build.ts expects`)
        return { contents }
      }
      return {
        contents: `
          const NARROW = ${NARROW}
          export default (input, options) =>
            NARROW.test(input) ? input.length : require('whole-string-width').default(input, options)`,
      }
    })
  },
}

/** Builds when an input changed; says whether it did. */
export async function buildWhenStale(): Promise<boolean> {
  const wanted = inputsFingerprint()
  if (read(STAMP) === wanted) return false
  mkdirSync(DIST, { recursive: true })
  const written = await Promise.all(bundles().map(bundle))
  removeOthers(new Set(written.flat()))
  await writeManifest()
  writeFileSync(STAMP, wanted)
  return true
}

const notTest = (file: string) => !/\.test(-support)?\.tsx?$/.test(file)

const sources = (pattern: string) => globSync(pattern, { cwd: ROOT }).filter(notTest).sort()

function inputsFingerprint(): string {
  const hash = createHash('sha256')
  const inputs = [
    ...sources('{src,commands}/**/*.{ts,tsx}'),
    'package.json',
    'package-lock.json',
    'scripts/build.ts',
  ]
  for (const file of inputs) {
    const { size, mtimeMs } = statSync(join(ROOT, file))
    hash.update(`${file} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** The dashboard shares nothing with the commands, which would cut it into forty files: they take 20 ms to be found. */
const bundles = () => [
  ['src/start.ts', 'src/help.ts', 'src/dash/live/engine-thread.ts', ...sources('commands/**/*.{ts,tsx}')],
  ['src/dash/live/start.ts'],
]

async function bundle(entryPoints: string[]): Promise<string[]> {
  const { build } = await import('esbuild')
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints,
    outbase: '.',
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node22.19',
    keepNames: true,
    external: EXTERNAL,
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [quickerOclif, quickerInk, quickerWidth],
    banner: { js: COMMONJS_NAMES },
    logLevel: 'warning',
  })
  return Object.keys(metafile.outputs).map((file) => resolve(ROOT, file))
}

/** Afterwards, so that a process that runs meanwhile still finds its chunks until then. */
function removeOthers(written: ReadonlySet<string>): void {
  for (const file of globSync('**/*.js', { cwd: DIST }))
    if (!written.has(join(DIST, file))) rmSync(join(DIST, file), { force: true })
}

/** What oclif knows of every command without loading it. */
async function writeManifest(): Promise<void> {
  const { Plugin } = await import('@oclif/core/config')
  const plugin = new Plugin({ name: 'lpa', root: ROOT, ignoreManifest: true, errorOnManifestCreate: true })
  await plugin.load()
  writeFileSync(join(ROOT, 'oclif.manifest.json'), `${JSON.stringify(plugin.manifest)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--when-stale')) rmSync(STAMP, { force: true })
  const started = performance.now()
  const built = await buildWhenStale()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stderr.write(built ? `  built dist/ in ${seconds} s\n` : '  dist/ is up to date\n')
}
