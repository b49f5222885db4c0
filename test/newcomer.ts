/** Commands as somebody types them who has only just come, and has nothing of lpa's but what was given. */

import { spawn, spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import { ROOT } from '../scripts/oclif-config.ts'

export interface Typed {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a line of bash with nothing of this environment but a PATH without this checkout, and how npm reaches its registry. */
export async function typed(
  line: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Typed> {
  const path = (process.env.PATH ?? '').split(delimiter).filter((one) => !one.startsWith(ROOT))
  const npm = Object.entries(process.env).filter(([name]) =>
    /^npm_config_(registry|.*proxy|cafile)$/i.test(name),
  )
  const child = spawn('bash', ['-c', line], {
    cwd: folder,
    env: {
      ...Object.fromEntries(npm),
      ...{ PATH: path.join(delimiter), LANG: 'C.UTF-8', COLUMNS: '80' },
      // What npm has fetched before it need not fetch again.
      ...{ npm_config_cache: npmConfig('cache'), npm_config_userconfig: npmConfig('userconfig') },
      npm_config_prefer_offline: 'true',
      ...env,
    },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, stdout, stderr }
}

function npmConfig(name: string): string {
  return spawnSync('npm', ['config', 'get', name], { cwd: ROOT, encoding: 'utf8' }).stdout.trim()
}
