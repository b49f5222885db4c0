/** Python with the peers' packages, in an environment of its own: fetched once for this user, by pip from PyPI. */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchInto, runTool } from '../../scripts/fetched.ts'
import { cacheFolder } from '../../src/cache-folder.ts'

const REQUIREMENTS = fileURLToPath(new URL('peers/requirements.txt', import.meta.url))
/** 300 MB. */
const FETCH_LIMIT_MS = 900_000

/**
 * The Python that has them, fetched when it is not in the cache. Only it is found from there, the packages' own scripts are not.
 * @throws Error without Python 3.11 and its venv, or when the packages cannot be fetched
 */
export async function peersPython(): Promise<string> {
  const program = 'import sys; assert sys.version_info >= (3, 11); print("%d.%d" % sys.version_info[:2])'
  const { status, stdout } = spawnSync('python3', ['-c', program], { encoding: 'utf8' })
  if (status !== 0) throw new Error('the peers need Python 3.11: apt-get install python3-venv')
  const hash = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex')
  const folder = cacheFolder('bench', `python${stdout.trim()}-${hash.slice(0, 12)}`)
  await fetchInto(folder, async (temporary) => {
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:']
    await runTool('python3', ['-m', 'venv', temporary], FETCH_LIMIT_MS)
    const install = ['-m', 'pip', 'install', ...options, '-r', REQUIREMENTS]
    await runTool(join(temporary, 'bin', 'python'), install, FETCH_LIMIT_MS)
  })
  return join(folder, 'bin', 'python')
}
