import { UserError } from '../errors.ts'

/** What an update of lpa brought is missing in the warehouse; `first` is said before what always helps. */
export function olderTables(cause: unknown, first: readonly string[] = []): UserError {
  return new UserError('LPA-SCHEMA-OLD', 'The tables of this warehouse are not those of this lpa.', {
    exit: 'config',
    next: [...first, 'See what is to be changed: lpa schema plan', 'Change it, rows stay: lpa schema apply'],
    cause,
  })
}
