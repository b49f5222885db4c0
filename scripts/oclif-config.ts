import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config, settings } from '@oclif/core'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** What oclif knows of the commands, from their TypeScript: no build is needed. */
export function loadOclifConfig(): Promise<Config> {
  settings.enableAutoTranspile = false
  const pjson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  pjson.oclif.commands = './commands'
  pjson.oclif.helpClass = './src/help.ts'
  return Config.load({ root: ROOT, pjson, ignoreManifest: true })
}
