/** The policy of a project: its own folder, or the one that lpa comes with. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join, relative } from 'node:path'
import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import type { Policy } from '../policy/policy.ts'
import { packageRoot } from '../sql-files.ts'
import { readDeclared } from './declared.ts'

export interface ReadPolicy {
  readonly policy: Policy
  /** Where its files are. */
  readonly folder: string
  /** Whether it is the one that lpa comes with, since the project has none. */
  readonly isReadyMade: boolean
}

/** Of the configuration. */
interface PolicySettings extends Pick<Config, 'origin'> {
  readonly security: Pick<Config['security'], 'folder'>
  readonly privacy: Pick<Config['privacy'], 'minCell'>
}

/** @throws UserError LPA-POLICY-… (config) that lists every mistake */
export async function readPolicy(config: PolicySettings): Promise<ReadPolicy> {
  const { folder: own } = config.security
  const isReadyMade = !existsSync(own)
  const from = config.origin['security.folder'] ?? 'default'
  if (isReadyMade && from !== 'default') throw noFolder(own, from)
  const folder = isReadyMade ? join(packageRoot(), 'security') : own
  const files = yamlFiles(folder).map((file) => ({
    shown: shownPath(file),
    text: readFileSync(file, 'utf8'),
  }))
  if (files.length === 0) {
    throw new UserError('LPA-POLICY-EMPTY', `${shownPath(folder)} has no policy: no file ends in .yaml.`, {
      exit: 'config',
      next: 'Without the folder, the policy that lpa comes with is used.',
    })
  }
  const { readPolicyFiles } = await import('../policy/read.ts')
  const declared = readDeclared('duckdb').tables
  const policy = await readPolicyFiles({ files, declared, minCell: config.privacy.minCell })
  return { policy, folder, isReadyMade }
}

/** A name with a slip in it must not put another policy in the place of the project's own. */
function noFolder(folder: string, where: string): UserError {
  return new UserError('LPA-POLICY-MISSING', `There is no folder ${shownPath(folder)}.`, {
    exit: 'config',
    where,
    next: 'Mend security.folder, or leave it out: without a folder security, the policy that lpa comes with is used.',
  })
}

/** Behind a summary: that there is no policy of the project's own, and what can be copied to have one. */
export function saidOf({ isReadyMade, folder }: ReadPolicy): string {
  return isReadyMade ? `; the policy that lpa comes with: ${folder}` : ''
}

/** Whose attributes row rules take on the embedded engine. */
export function policyUser({ security }: Pick<Config, 'security'>): string {
  return security.user ?? userInfo().username
}

function yamlFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}

function shownPath(path: string): string {
  const inside = relative(process.cwd(), path)
  return inside.startsWith('..') ? path : inside
}
