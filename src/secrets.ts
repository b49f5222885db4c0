/** Secret values of this run: whatever reads one says so here, and no output, log, error or record shows it. */

import { EMAIL_SHAPE } from './email-shape.ts'

const SHORTEST = 6
const secrets = new Set<string>()

/** From now on `scrub` hides this value, also as base64, as hex and as in a URL. Short values are not secrets. */
export function rememberSecret(value: string): void {
  if (value.trim().length < SHORTEST) return
  const bytes = Buffer.from(value.trim())
  for (const form of [
    value.trim(),
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    encodeURIComponent(value.trim()),
    JSON.stringify(value.trim()).slice(1, -1),
  ]) {
    secrets.add(form)
  }
}

/** Remembers what the environment holds under names of secrets, not of files of theirs: `LPA_…_TOKEN`, `SNOWFLAKE_…_PASSWORD`. */
export function rememberSecretVariables(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) {
    const isSecret =
      /PASSWORD|PASSPHRASE|SECRET|TOKEN|PRIVATE_KEY|_PWD$/i.test(name) && !/_(FILE|PATH)$/i.test(name)
    if (value && isSecret) rememberSecret(value)
  }
}

/** A parameter or a header of such a name holds a secret. */
export const SECRET_NAME = /token|secret|passw|pwd|api[-_]?key|^key$|signature|^sig$|authorization|^cookie$/i

/**
 * Remembers what is secret in addresses that were typed: `kafka://user:password@host`, `https://token@host/path?api_key=…`,
 * `sc://host/;token=…`.
 */
export function rememberTypedSecrets(words: readonly string[]): void {
  for (const word of words) {
    const [, password] = /^[\w+.-]*:\/\/[^:@]*:(.*)@/.exec(word) ?? []
    const [, token] = /^[\w+.-]*:\/\/([^:@/?#]+)@/.exec(word) ?? []
    const parameters = [
      ...word.matchAll(word.startsWith('sc://') ? /;([^=;]+)=([^;]*)/g : /[?&]([^=&#]+)=([^&#]*)/g),
    ]
    const values = parameters.flatMap(([, name = '', value]) => (SECRET_NAME.test(name) ? [value] : []))
    for (const secret of [password, token, ...values]) if (secret !== undefined) rememberSecret(secret)
  }
}

/** The text with every remembered secret replaced by `[secret]`. */
export function scrub(text: string): string {
  let scrubbed = text
  for (const secret of secrets) {
    if (scrubbed.includes(secret)) scrubbed = scrubbed.replaceAll(secret, '[secret]')
  }
  return scrubbed
}

const EMAIL = new RegExp(`${EMAIL_SHAPE}(?![^\\s"]*/)`, 'gu')
const ENDINGS = /(?:\.(?:csv|tsv|txt|json|ndjson|jsonl|parquet|sql|gz|zst))+$/i

/** The text with e-mail addresses, as in names of files, replaced by `***@***`. Folders keep their names. */
export function maskEmails(text: string): string {
  return text.replace(EMAIL, (email) => `***@***${ENDINGS.exec(email)?.[0] ?? ''}`)
}
