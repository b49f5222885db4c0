/** The oldest Node that lpa promises to run on, for the tests: fetched once for this user, by npm. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../src/cache-folder.ts'
import { fetchInto, runTool } from './fetched.ts'

const FETCH_LIMIT_MS = 300_000
const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const VERSION = `${engines.node.replace('>=', '')}.0`

/** The folder of its `node`. Several processes may call it at once. */
export async function leastNode(): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`
  const folder = cacheFolder('node', `v${VERSION}`)
  await fetchInto(folder, (temporary) =>
    runTool('npm', ['install', '--prefix', temporary, '--no-save', `${name}@${VERSION}`], FETCH_LIMIT_MS),
  )
  return join(folder, 'node_modules', name, 'bin')
}
