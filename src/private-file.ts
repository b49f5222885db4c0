/** Files that hold a secret: readable by their owner only. */

import { readFileSync, statSync } from 'node:fs'
import { UserError } from './errors.ts'

/**
 * The text of a file, without white space at its ends.
 * @throws UserError notPermitted (77) with this code when others can read it; what the system says when it cannot be read
 */
export function readPrivate(file: string, code: string): string {
  const { mode } = statSync(file)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new UserError(code, `${file} can be read by others.`, {
      exit: 'notPermitted',
      next: `chmod 600 ${file}`,
    })
  }
  return readFileSync(file, 'utf8').trim()
}
