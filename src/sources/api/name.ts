/** Addresses of an API, and how messages and the ledger name it: without its query, which may be secret or personal. */

import type { ApiSettings } from '../../config/api.ts'
import { maskEmails } from '../../secrets.ts'

export function apiName({ url }: ApiSettings): string {
  return shownAddress(new URL(url))
}

export function shownAddress({ origin, pathname }: URL): string {
  return maskEmails(`${origin}${pathname}`)
}

export function withParameter(url: URL, parameter: string, value: string): URL {
  const changed = new URL(url)
  changed.searchParams.set(parameter, value)
  return changed
}
