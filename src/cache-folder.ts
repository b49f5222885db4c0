import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Where this user's programs keep what can be fetched again; of XDG_CACHE_HOME a relative path is to be ignored. */
export function cacheFolder(...names: readonly string[]): string {
  const xdg = process.env.XDG_CACHE_HOME
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'lpa', ...names)
}
