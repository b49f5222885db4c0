/** What the sources of lpa.toml that are asked over the network have in common. */

import { join } from 'node:path'
import type { UserError } from '../errors.ts'
import type { Setting } from './settings.ts'

export interface SourcePlace {
  readonly name: string
  /** What was typed in place of a source of lpa.toml, as messages call it: `The address`. */
  readonly typed?: string
  readonly root: string
  /** Where a key of the source stands. */
  readonly where: (key: string) => string
  /** The error of a key whose value is not what is expected. */
  readonly wrong: (key: string, expected: string, value?: unknown) => UserError
  /** The folder in which systemd hands over secrets. */
  readonly credentials: string | undefined
}

type Read<S> = S extends { read: (...args: never[]) => infer R } ? Exclude<R, undefined> : never

/** A key's value, checked; undefined when it is not there. */
export function readKey<
  Keys extends Readonly<Record<string, Setting<unknown>>>,
  K extends keyof Keys & string,
>(
  keys: Keys,
  key: K,
  source: Readonly<Record<string, unknown>>,
  place: SourcePlace,
): Read<Keys[K]> | undefined {
  const written = source[key]
  if (written === undefined) return undefined
  const known: Setting<unknown> = keys[key] as Setting<unknown>
  const value = known.read(written, { folder: place.root })
  // What stands in headers may be what should not be shown.
  if (value === undefined) throw place.wrong(key, known.expected, key === 'headers' ? '…' : written)
  return value as Read<Keys[K]>
}

/** Where the secret of a source lies: in its variable, else in a file that is named or that systemd hands over. */
export function secretOf(
  { name, credentials }: SourcePlace,
  file: string | undefined,
  isAsked: boolean,
): { readonly secretVariable: string; readonly secretFile?: string } {
  const found = file ?? (credentials && isAsked ? join(credentials, `${name}.secret`) : undefined)
  return {
    secretVariable: `LPA_SOURCES_${name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_SECRET`,
    ...(found !== undefined && { secretFile: found }),
  }
}

export function isLoopbackName(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
