/** The package that npm makes of lpa: what is in it, and that it works where it is installed, with nothing else of lpa there. */

import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leastNode } from '../scripts/least-node.ts'
import { ROOT } from '../scripts/oclif-config.ts'
import { newPlace, removePlaces } from './faults/lpa.ts'
import { type Typed, typed } from './newcomer.ts'

const { root, tmp } = newPlace('package')
const HOME = join(root, 'home')
const PREFIX = join(root, 'für alle, a prefix')
const INSTALLED = join(PREFIX, 'lib', 'node_modules', 'lpa')

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

interface Component {
  readonly 'bom-ref': string
  readonly properties: readonly { readonly name: string }[]
}

let packed: Packed
let tarball = ''
/** Whoever runs it must not write to what was installed: it may be read-only. */
let installed = ''

const run = (line: string, folder: string, env: Record<string, string> = {}): Promise<Typed> =>
  typed(line, folder, { HOME, TMPDIR: tmp, npm_config_update_notifier: 'false', ...env })

function fingerprint(folder: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const { size, mtimeMs, mode } = lstatSync(join(folder, name))
    hash.update(`${name} ${size} ${mtimeMs} ${mode}\n`)
  }
  return hash.digest('hex')
}

beforeAll(async () => {
  for (const folder of [HOME, PREFIX]) mkdirSync(folder)
  const pack = await run(`npm pack --silent --json --pack-destination '${root}'`, ROOT)
  expect(pack).toMatchObject({ code: 0 })
  packed = Object.values<Packed>(JSON.parse(pack.stdout))[0] as Packed
  tarball = join(root, packed.filename)
  const install = await run(`npm install --silent --global --prefix '${PREFIX}' '${tarball}'`, root)
  expect(install).toMatchObject({ code: 0, stderr: '' })
  installed = fingerprint(INSTALLED)
  // Of a registry that npm has not asked before: it asks for each package that lpa depends on.
}, 600_000)
afterAll(removePlaces)

test('has what its users need, and nothing else', async () => {
  const paths = packed.files.map(({ path }) => path)
  const shared = paths.filter((path) => path.startsWith('dist/chunks/'))
  expect(shared.length).toBeGreaterThan(50)
  const others = paths.filter((path) => !shared.includes(path)).sort()
  await expect(`${others.join('\n')}\n`).toMatchFileSnapshot('../fixtures/golden/package.txt')
})

test('is as npm wants packages to be', async () => {
  const { buffer, byteOffset, byteLength } = readFileSync(tarball)
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
  expect((await publint({ pack: { tarball: bytes }, strict: true })).messages).toEqual([])
})

test('runs nothing when it is installed, nor does what it depends on', () => {
  const { scripts } = JSON.parse(readFileSync(join(INSTALLED, 'package.json'), 'utf8'))
  const atInstall = ['preinstall', 'install', 'postinstall', 'prepare']
  expect(Object.keys(scripts).filter((name) => atInstall.includes(name))).toEqual([])
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  const withScripts = Object.entries<{ dev?: boolean; peer?: boolean; hasInstallScript?: boolean }>(packages)
    .filter(([, { dev, peer, hasInstallScript }]) => hasInstallScript && !dev && !peer)
    .map(([path]) => path)
  expect(withScripts).toEqual([])
})

test('its bill of materials tells what it depends on from what only its makers need', async () => {
  const made = await run('npm run --silent sbom', ROOT)
  expect(made.code).toBe(0)
  const { components } = JSON.parse(made.stdout) as { components: readonly Component[] }
  const forMakers = (name: string) =>
    components
      .filter((one) => one['bom-ref'].startsWith(`${name}@`))
      .map(({ properties }) => properties.some((one) => one.name === 'cdx:npm:package:development'))
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) expect([name, ...forMakers(name)]).toContain(false)
  expect(forMakers('vitest')).toEqual([true])
})

describe.each([
  ['this Node', async () => dirname(process.execPath)],
  ['the oldest Node that is promised', leastNode],
])('with %s', (name, find) => {
  const folder = join(root, name)
  let path = ''
  beforeAll(async () => {
    path = `${await find()}:${join(PREFIX, 'bin')}:${process.env.PATH}`
    mkdirSync(folder)
  }, 300_000)

  test('works from the sample to the dashboard', async () => {
    const version = await run('node --version && lpa --version', folder, { PATH: path })
    const [node = '', lpa = ''] = version.stdout.split('\n')
    expect(lpa).toContain(`node-${node}`)
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    if (find === leastNode) expect(node).toBe(`v${engines.node.replace('>=', '')}.0`)

    for (const line of ['lpa init --sample', 'lpa schema apply', 'lpa load', 'lpa batch'])
      expect(await run(line, folder, { PATH: path }), line).toMatchObject({ code: 0 })
    const funnel = await run('lpa query funnel --json', folder, { PATH: path })
    expect(JSON.parse(funnel.stdout).length).toBeGreaterThan(0)
    const picture = await run('lpa dash --once', folder, { PATH: path })
    expect(picture).toMatchObject({ code: 0, stdout: expect.stringContaining('Enrollments/day') })
  })

  test('changes nothing of what was installed', () => {
    expect(fingerprint(INSTALLED)).toBe(installed)
  })
})
