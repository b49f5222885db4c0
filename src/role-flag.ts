import { Flags } from '@oclif/core'
import { UserError } from './errors.ts'

/** `--role`, or LPA_ROLE. One that is set to nothing is a mistake of who wanted less to be seen, not the wish to see all. */
export const roleFlag = (summary: string) =>
  Flags.string({
    env: 'LPA_ROLE',
    helpValue: 'ROLE',
    summary,
    // Asked for where neither says anything.
    async default() {
      if (process.env.LPA_ROLE === '') throw noRole('LPA_ROLE', 'config')
      return undefined
    },
    async parse(role) {
      if (role === '') throw noRole('--role', 'usage')
      return role
    },
  })

function noRole(where: string, exit: 'config' | 'usage'): UserError {
  return new UserError('LPA-ROLE-EMPTY', `${where} is set, and names no role.`, {
    exit,
    next: 'Name one, or unset it to see what the owner sees.',
  })
}
