// What the demo and the tests need before anything else: dependencies, a Node that is new enough, child processes.
// Plain JavaScript without dependencies for Node 20: it runs before anything is installed.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

const LEAST_NODE = [22, 19]
const BIN = join(ROOT, 'node_modules', '.bin')

/** Runs `npm ci` when node_modules is not what package-lock.json says. Returns false when it was there. */
export function install() {
  const missing = firstMissing()
  if (missing === undefined) {
    linkLpa()
    return false
  }
  console.error(`npm ci: ${missing}`)
  // npm tells its children where it is; npm.cmd on Windows could not be started without a shell.
  const npm = process.env.npm_execpath
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = npm
    ? runToEnd(process.execPath, [npm, ...args], { cwd: ROOT })
    : runToEnd('npm', args, { cwd: ROOT, shell: process.platform === 'win32' })
  if (status !== 0) fail('npm ci failed: see its message above. Is the npm registry reachable?', status ?? 1)
  linkLpa()
  return true
}

/** Ctrl-C reaches what was started here too: that ends first, so that nothing goes on behind the prompt. */
export function runToEnd(command, args, options) {
  const stay = () => {}
  process.on('SIGINT', stay)
  const ended = spawnSync(command, args, { stdio: 'inherit', ...options })
  process.off('SIGINT', stay)
  return ended
}

/** What is not installed as locked, or undefined. */
function firstMissing() {
  const locked = readJson('package-lock.json')
  const installed = readJson('node_modules/.package-lock.json')
  if (!installed) return 'node_modules is missing'
  for (const [path, { version, optional }] of Object.entries(locked.packages)) {
    const found = installed.packages[path]
    // An optional package that is absent is for another platform.
    if (path === '' || (optional && !found)) continue
    if (found?.version !== version) return `${path.slice('node_modules/'.length)} ${version} is missing`
  }
  return undefined
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(join(ROOT, file), 'utf8'))
  } catch {
    return undefined
  }
}

/** `lpa` beside the locked Node: one folder on the PATH is enough to try it. */
function linkLpa() {
  const link = join(BIN, 'lpa')
  if (process.platform !== 'win32' && !existsSync(link)) symlinkSync('../../bin/run.js', link)
}

/** The locked Node 24, else this one when it is new enough. */
export function nodePath() {
  const locked = join(ROOT, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (spawnSync(locked, ['--version']).status === 0) return locked
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return process.execPath
  return fail(
    `Node ${process.versions.node} is too old and the locked one (${locked}) does not run: its install script was probably not allowed. Try npm rebuild node, or install Node 24.`,
    78,
  )
}

/** The script behind a command of an installed package. */
export function binOf(name, packageName = name) {
  const { bin } = readJson(`node_modules/${packageName}/package.json`)
  return join(ROOT, 'node_modules', packageName, typeof bin === 'string' ? bin : bin[name])
}

/** The environment of children: the locked Node first on the PATH. */
export function environment(more = {}) {
  return { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH}`, ...more }
}

export function fail(message, code) {
  console.error(message)
  process.exit(code)
}
