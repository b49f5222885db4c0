// npm run demo: from a fresh checkout to a picture of the sample campus, with npm and Python 3 only.
// Works in ./demo; what is there already is skipped.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { environment, fail, install, nodePath, ROOT, runToEnd } from './house.mjs'

const started = Date.now()
const folder = join(ROOT, 'demo')

step('npm ci', 'what is missing in node_modules')
if (!install()) console.error('  all there')
const node = nodePath()
step('node scripts/fetch-extensions.ts', "DuckDB's extension files, once for this user")
run(['scripts/fetch-extensions.ts'], ROOT)
step('node scripts/build.ts', 'TypeScript into dist/, when it has changed')
run(['scripts/build.ts', '--when-stale'], ROOT)

mkdirSync(folder, { recursive: true })
lpa('up', '--sample')

const seconds = ((Date.now() - started) / 1000).toFixed(1)
console.error(`
Done in ${seconds} s. The warehouse is in demo/. To type these commands yourself:
  export PATH="$PWD/node_modules/.bin:$PATH"; cd demo`)

function lpa(...args) {
  step(`lpa ${args.join(' ')}`)
  run([join(ROOT, 'bin', 'run.js'), ...args], folder)
}

function step(command, why) {
  console.error(`\n$ ${command}${why ? `   # ${why}` : ''}`)
}

function run(args, cwd) {
  const { status } = runToEnd(node, args, { cwd, env: demoEnvironment() })
  if (status !== 0) fail(`\nThe demo stopped: the command above ended with exit code ${status}.`, status ?? 1)
}

/** Without the user's own LPA_* settings: the demo must never write to a real warehouse. */
function demoEnvironment() {
  const kept = Object.entries(environment()).filter(
    ([name]) => !name.startsWith('LPA_') || name === 'LPA_EXTENSIONS',
  )
  return Object.fromEntries(kept)
}
