/** The ways in which one may log in to Snowflake, and what each of them needs to know. */

/** Options of the driver that hold a credential: those of other ways than the chosen one are left out. */
const CREDENTIALS = [
  'password',
  'passcode',
  'privateKey',
  'privateKeyPass',
  'token',
  'oauthClientSecret',
] as const

type Credential = (typeof CREDENTIALS)[number]

interface Way {
  /** Options that have to be there; of those in one list, one. */
  readonly needs: readonly (readonly string[])[]
  readonly uses: readonly Credential[]
}

const PASSWORD: Way = { needs: [['username'], ['password']], uses: ['password', 'passcode'] }

const WAYS: Readonly<Record<string, Way>> = {
  SNOWFLAKE: PASSWORD,
  USERNAME_PASSWORD_MFA: PASSWORD,
  SNOWFLAKE_JWT: { needs: [['username'], ['privateKey']], uses: ['privateKey', 'privateKeyPass'] },
  PROGRAMMATIC_ACCESS_TOKEN: { needs: [['token', 'password']], uses: ['token', 'password'] },
  OAUTH: { needs: [['token']], uses: ['token'] },
  OAUTH_AUTHORIZATION_CODE: { needs: [], uses: ['oauthClientSecret'] },
  OAUTH_CLIENT_CREDENTIALS: {
    needs: [['oauthClientId'], ['oauthClientSecret']],
    uses: ['oauthClientSecret'],
  },
  EXTERNALBROWSER: { needs: [], uses: [] },
  WORKLOAD_IDENTITY: { needs: [['workloadIdentityProvider']], uses: ['token'] },
}

export const AUTHENTICATORS = Object.keys(WAYS).map((name) => name.toLowerCase())

export const PROVIDERS = ['AWS', 'AZURE', 'GCP', 'OIDC']

/** Ways that wait for a person at a browser. */
export function opensBrowser(authenticator: string | undefined): boolean {
  return authenticator === 'EXTERNALBROWSER' || authenticator === 'OAUTH_AUTHORIZATION_CODE'
}

/**
 * As the driver spells it; undefined for one that it does not have. An address is Okta's. A key without a word of the
 * authenticator is meant to be used, as in the Python connector.
 */
export function authenticatorOf(written: string | undefined, hasKey: boolean): string | undefined {
  if (written !== undefined && /^https:\/\/[^/]/i.test(written)) return written
  const name = written?.toUpperCase() ?? 'SNOWFLAKE'
  if (name === 'SNOWFLAKE' && hasKey) return 'SNOWFLAKE_JWT'
  return Object.hasOwn(WAYS, name) ? name : undefined
}

/** What has to be said for this authenticator and is not: options of the driver, of which one is enough. */
export function missingFor(
  authenticator: string,
  options: Readonly<Record<string, unknown>>,
): readonly string[][] {
  const isOidc = String(options.workloadIdentityProvider).toUpperCase() === 'OIDC'
  const needs = [['account'], ...wayOf(authenticator).needs, ...(isOidc ? [['token']] : [])]
  return needs
    .filter((some) => some.every((option) => options[option] === undefined))
    .map((some) => [...some])
}

/** Whether this authenticator reads an option; what is no credential, all do. */
export function usesOption(authenticator: string, option: string): boolean {
  return (
    !CREDENTIALS.includes(option as Credential) || wayOf(authenticator).uses.includes(option as Credential)
  )
}

function wayOf(authenticator: string): Way {
  return WAYS[authenticator] ?? PASSWORD
}
