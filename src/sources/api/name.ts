/** How messages and the ledger name an API: without its query, which may be secret or personal. */

import type { ApiSettings } from '../../config/api.ts'
import { maskEmails } from '../../secrets.ts'

export function apiName({ url }: ApiSettings): string {
  return shownAddress(new URL(url))
}

export function shownAddress({ origin, pathname }: URL): string {
  return maskEmails(`${origin}${pathname}`)
}
