/** The fields of a connection as Snowflake's tools write them, and the options of the Node driver that they mean. */

import type { ConnectionOptions } from 'snowflake-sdk'

interface Field {
  readonly option: keyof ConnectionOptions
  readonly kind: keyof typeof KINDS | 'contents'
  /** Never to be shown. */
  readonly isSecret?: true
}

/** What a value may be, also as the text of an environment variable; undefined when it is not. */
export const KINDS = {
  text: {
    expected: 'a text, in quotes',
    read: (value: unknown) => (typeof value === 'string' ? value : undefined),
  },
  number: {
    expected: 'a whole number',
    read: (value: unknown) => {
      const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
      return Number.isSafeInteger(number) ? number : undefined
    },
  },
  flag: {
    expected: 'true or false',
    read: (value: unknown) =>
      ({ true: true, '1': true, false: false, '0': false })[String(value).toLowerCase()],
  },
  list: {
    expected: 'a list of texts',
    read: (value: unknown) => {
      const parts = typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value
      return Array.isArray(parts) && parts.every((part) => typeof part === 'string') ? parts : undefined
    },
  },
} as const

const text = (option: Field['option']): Field => ({ option, kind: 'text' })
const secret = (option: Field['option']): Field => ({ option, kind: 'text', isSecret: true })
const flag = (option: Field['option']): Field => ({ option, kind: 'flag' })
const number = (option: Field['option']): Field => ({ option, kind: 'number' })
/** The path of a file that holds the option's value. */
const contents = (option: Field['option']): Field => ({ option, kind: 'contents', isSecret: true })

/** Of several names of an option, the first is the one that messages suggest. */
export const FIELDS: Readonly<Record<string, Field>> = {
  account: text('account'),
  user: text('username'),
  username: text('username'),
  password: secret('password'),
  authenticator: text('authenticator'),
  host: text('host'),
  port: number('port' as Field['option']),
  protocol: text('protocol' as Field['option']),
  access_url: text('accessUrl'),
  region: text('region'),
  database: text('database'),
  schema: text('schema'),
  warehouse: text('warehouse'),
  role: text('role'),
  passcode: secret('passcode'),
  passcode_in_password: flag('passcodeInPassword'),
  client_request_mfa_token: flag('clientRequestMFAToken'),
  client_store_temporary_credential: flag('clientStoreTemporaryCredential'),
  credential_cache_dir: text('credentialCacheDir'),
  private_key_file: contents('privateKey'),
  private_key_path: contents('privateKey'),
  private_key: secret('privateKey'),
  private_key_raw: secret('privateKey'),
  private_key_file_pwd: secret('privateKeyPass'),
  private_key_passphrase: secret('privateKeyPass'),
  private_key_pass: secret('privateKeyPass'),
  token_file_path: contents('token'),
  token: secret('token'),
  oauth_client_id: text('oauthClientId'),
  oauth_client_secret: secret('oauthClientSecret'),
  oauth_authorization_url: text('oauthAuthorizationUrl'),
  oauth_token_request_url: text('oauthTokenRequestUrl'),
  oauth_redirect_uri: text('oauthRedirectUri'),
  oauth_scope: text('oauthScope'),
  oauth_enable_single_use_refresh_tokens: flag('oauthEnableSingleUseRefreshTokens'),
  workload_identity_provider: text('workloadIdentityProvider'),
  workload_identity_entra_resource: text('workloadIdentityAzureEntraIdResource'),
  workload_identity_azure_entra_id_resource: text('workloadIdentityAzureEntraIdResource'),
  workload_identity_azure_client_id: text('workloadIdentityAzureClientId'),
  workload_identity_impersonation_path: { option: 'workloadIdentityImpersonationPath', kind: 'list' },
  workload_identity_aws_use_outbound_token: flag('workloadIdentityAwsUseOutboundToken'),
  disable_saml_url_check: flag('disableSamlURLCheck'),
  proxy_host: text('proxyHost'),
  proxy_port: number('proxyPort'),
  proxy_user: text('proxyUser'),
  proxy_password: secret('proxyPassword'),
  no_proxy: text('noProxy'),
  cert_revocation_check_mode: text('certRevocationCheckMode'),
}

/** What other tools read in the same files and lpa decides itself, or has no use for. */
export const OTHERS: ReadonlySet<string> = new Set([
  'application',
  'autocommit',
  'client_prefetch_threads',
  'client_session_keep_alive',
  'client_session_keep_alive_heartbeat_frequency',
  'external_browser_timeout',
  'login_timeout',
  'network_timeout',
  'numpy',
  'paramstyle',
  'secondary_roles',
  'session_parameters',
  'socket_timeout',
  'timezone',
  'validate_default_parameters',
])

export function fieldNamed(name: string): Field | undefined {
  return Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
}

/** `private_key_file` for `privateKey`. */
export function fieldOf(option: string): string {
  const found = Object.entries(FIELDS).find(([, field]) => field.option === option)
  return found?.[0] ?? option
}
