/** Who signed the certificates of servers, besides those that everybody trusts. */

import { readFileSync } from 'node:fs'
import { UserError } from './errors.ts'

/** @throws UserError noInput (66) */
export function readCaFile(file: string, code: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new UserError(code, `The certificates of ca_file cannot be read: ${file}.`, {
      exit: 'noInput',
      next: 'Check the path and its permissions.',
      cause,
    })
  }
}
