import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Where this user's programs keep what goes on from run to run; of XDG_STATE_HOME a relative path is to be ignored. */
export function stateFolder(...names: readonly string[]): string {
  const xdg = process.env.XDG_STATE_HOME
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'state'), 'lpa', ...names)
}
