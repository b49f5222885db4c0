/** Token or password of a source: never in lpa.toml, never in anything that is shown. */

import { UserError } from '../errors.ts'
import { readPrivate } from '../private-file.ts'
import { rememberSecret } from '../secrets.ts'

/**
 * The secret, from the environment or from its file.
 * @throws UserError config (78) without one, or when it is not one line of ASCII; noInput (66) without its file;
 *   notPermitted (77) when others can read it
 */
export function readSecret(
  { secretVariable, secretFile }: { readonly secretVariable: string; readonly secretFile?: string },
  where: string,
): string {
  const secret = process.env[secretVariable]?.trim() || (secretFile && readSecretFile(secretFile))
  if (!secret) {
    throw new UserError('LPA-SOURCE-SECRET', 'There is no secret for this source.', {
      ...{ exit: 'config', where },
      next: [
        'Put it into a file that only you can read, and name that: secret_file = "lms.secret"',
        `Or into the environment: ${secretVariable}`,
      ],
    })
  }
  if (!/^[\x20-\x7e]+$/.test(secret)) {
    throw new UserError('LPA-SOURCE-SECRET', 'The secret of this source is not one line of ASCII letters.', {
      ...{ exit: 'config', where },
      next: 'Write it anew, as it was given to you.',
    })
  }
  rememberSecret(secret)
  return secret
}

function readSecretFile(file: string): string {
  try {
    return readPrivate(file, 'LPA-SOURCE-SECRET-OPEN')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw new UserError('LPA-SOURCE-SECRET', `The file of the secret is not there: ${file}.`, {
      exit: 'noInput',
      next: `Make it so that only you can read it: (umask 077; cat > ${file})`,
      cause,
    })
  }
}
