import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { UserError } from '../../errors.ts'
import { scrub } from '../../secrets.ts'
import type { Environment } from './connection-files.ts'
import { findConnection } from './connections.ts'

const root = mkdtempSync(join(tmpdir(), 'lpa-connections-'))
let home = root
let count = 0
beforeEach(() => {
  home = join(root, String(++count))
  mkdirSync(home)
})
afterAll(() => rmSync(root, { recursive: true }))

const put = (path: string, text: string, mode = 0o600) => {
  const file = join(home, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}
const find = (name?: string, env: Environment = {}) => findConnection({ name, env, home })
const refusal = (name?: string, env: Environment = {}) => {
  try {
    find(name, env)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('It was found.')
}

const PLAIN = 'account = "org-acc"\nuser = "lpa"\npassword = "correct horse"\ndatabase = "LPA"\n'

describe('which connection', () => {
  test('of config.toml, with every field under the name that the driver has for it', () => {
    put(
      '.snowflake/config.toml',
      `[connections.prod]\n${PLAIN}schema = "PUBLIC"\nwarehouse = "WH"\nrole = "LOADER"\nport = 443\n`,
    )
    expect(find('prod')).toEqual({
      name: 'prod',
      options: {
        account: 'org-acc',
        username: 'lpa',
        password: 'correct horse',
        database: 'LPA',
        schema: 'PUBLIC',
        warehouse: 'WH',
        role: 'LOADER',
        port: 443,
        authenticator: 'SNOWFLAKE',
      },
      database: 'LPA',
      origin: '[connections.prod] of ~/.snowflake/config.toml',
      warnings: [],
    })
  })

  test('connections.toml takes the place of all connections of config.toml', () => {
    put('.snowflake/config.toml', `[connections.prod]\n${PLAIN}[connections.old]\n${PLAIN}`)
    put('.snowflake/connections.toml', `[prod]\n${PLAIN.replace('org-acc', 'newer')}`)
    expect(find('prod').options.account).toBe('newer')
    const error = refusal('old')
    expect(error).toMatchObject({ code: 'LPA-SNOWFLAKE-CONNECTION', exit: 'config' })
    expect(error.next).toContain('While there is a connections.toml, those of config.toml do not count.')
  })

  test('the default: of the environment, of config.toml, else the one of that name', () => {
    const file = `[connections.a]\n${PLAIN}[connections.b]\n${PLAIN}[connections.default]\n${PLAIN}`
    put('.snowflake/config.toml', file)
    expect(find().name).toBe('default')
    put('.snowflake/config.toml', `default_connection_name = "a"\n${file}`)
    expect(find().name).toBe('a')
    expect(find(undefined, { SNOWFLAKE_DEFAULT_CONNECTION_NAME: 'b' }).name).toBe('b')
    expect(find('default', { SNOWFLAKE_DEFAULT_CONNECTION_NAME: 'b' }).name).toBe('default')
    put('.snowflake/connections.toml', `[a]\n${PLAIN}`)
    expect(find().origin).toBe('[a] of ~/.snowflake/connections.toml')
  })

  test('the folder: SNOWFLAKE_HOME, ~/.snowflake, else where the platform keeps configuration', () => {
    put('.config/snowflake/connections.toml', `[prod]\n${PLAIN}role = "XDG"\n`)
    put('chosen/connections.toml', `[prod]\n${PLAIN}role = "CHOSEN"\n`)
    if (process.platform === 'linux') {
      expect(find('prod').options.role).toBe('XDG')
      expect(refusal('prod', { XDG_CONFIG_HOME: join(home, 'none') }).where).toBe('~/none/snowflake')
    }
    expect(find('prod', { SNOWFLAKE_HOME: '~/chosen' }).options.role).toBe('CHOSEN')
    put('.snowflake/connections.toml', `[prod]\n${PLAIN}role = "HOME"\n`)
    expect(find('prod').options.role).toBe('HOME')
  })

  test('variables go before the file, whichever of its names a field has there, and may be all there is', () => {
    put('.snowflake/config.toml', `[connections.my-prod]\n${PLAIN}private_key_file = "~/none.p8"\n`)
    const found = find('my-prod', {
      SNOWFLAKE_CONNECTIONS_MY_PROD_USERNAME: 'other',
      'SNOWFLAKE_CONNECTIONS_MY-PROD_ROLE': 'R',
      SNOWFLAKE_CONNECTIONS_MY_PROD_PORT: '8443',
      SNOWFLAKE_CONNECTIONS_MY_PROD_PASSWORD: '',
      SNOWFLAKE_CONNECTIONS_MY_PROD_AUTHENTICATOR: 'username_password_mfa',
      SNOWFLAKE_CONNECTIONS_MY_PROD_CLIENT_REQUEST_MFA_TOKEN: 'true',
    })
    expect(found.options).toMatchObject({
      username: 'other',
      role: 'R',
      port: 8443,
      password: 'correct horse',
      clientRequestMFAToken: true,
    })
    const alone = find('ci', {
      SNOWFLAKE_CONNECTIONS_CI_ACCOUNT: 'org-acc',
      SNOWFLAKE_CONNECTIONS_CI_AUTHENTICATOR: 'Programmatic_Access_Token',
      SNOWFLAKE_CONNECTIONS_CI_TOKEN: 'pat-value',
      SNOWFLAKE_CONNECTIONS_CI_DATABASE: 'LPA',
      SNOWFLAKE_CONNECTIONS_CI_EU_PASSWORD: 'of another connection',
    })
    expect(alone.options).toEqual({
      account: 'org-acc',
      authenticator: 'PROGRAMMATIC_ACCESS_TOKEN',
      token: 'pat-value',
      database: 'LPA',
    })
    expect(alone.warnings).toEqual([])
  })

  test('none of that name: the known ones are named', () => {
    put('.snowflake/connections.toml', `[prod]\n${PLAIN}[dev]\n${PLAIN}`)
    const error = refusal('prdo')
    expect(error).toMatchObject({ code: 'LPA-SNOWFLAKE-CONNECTION', where: '~/.snowflake/connections.toml' })
    expect(error.next).toEqual(expect.arrayContaining(['Did you mean prod?', 'There are: prod, dev.']))
    expect(refusal('constructor').code).toBe('LPA-SNOWFLAKE-CONNECTION')
  })
})

describe('ways to log in', () => {
  const base = 'account = "org-acc"\ndatabase = "LPA"\n'
  const options = (more: string) => {
    put('.snowflake/connections.toml', `[c]\n${base}${more}`)
    return find('c').options
  }
  const missing = (more: string) => {
    put('.snowflake/connections.toml', `[c]\n${base}${more}`)
    return refusal('c').message
  }

  test.each([
    ['user = "u"\npassword = "p-value"', { authenticator: 'SNOWFLAKE', username: 'u', password: 'p-value' }],
    [
      'authenticator = "username_password_mfa"\nuser = "u"\npassword = "p-value"\npasscode = "123456"',
      { authenticator: 'USERNAME_PASSWORD_MFA', username: 'u', password: 'p-value', passcode: '123456' },
    ],
    ['authenticator = "OAuth"\ntoken = "o-value"', { authenticator: 'OAUTH', token: 'o-value' }],
    [
      'authenticator = "programmatic_access_token"\npassword = "p-value"',
      { authenticator: 'PROGRAMMATIC_ACCESS_TOKEN', password: 'p-value' },
    ],
    ['authenticator = "externalbrowser"\npassword = "unused"', { authenticator: 'EXTERNALBROWSER' }],
    [
      'authenticator = "oauth_authorization_code"\noauth_client_id = "i"\noauth_client_secret = "s-value"',
      { authenticator: 'OAUTH_AUTHORIZATION_CODE', oauthClientId: 'i', oauthClientSecret: 's-value' },
    ],
    [
      'authenticator = "oauth_client_credentials"\noauth_client_id = "i"\noauth_client_secret = "s-value"\noauth_token_request_url = "https://idp.example/token"',
      {
        authenticator: 'OAUTH_CLIENT_CREDENTIALS',
        oauthClientId: 'i',
        oauthClientSecret: 's-value',
        oauthTokenRequestUrl: 'https://idp.example/token',
      },
    ],
    [
      'authenticator = "workload_identity"\nworkload_identity_provider = "aws"\nworkload_identity_impersonation_path = ["a", "b"]',
      {
        authenticator: 'WORKLOAD_IDENTITY',
        workloadIdentityProvider: 'AWS',
        workloadIdentityImpersonationPath: ['a', 'b'],
      },
    ],
    [
      'authenticator = "https://acme.okta.com"\nuser = "u"\npassword = "p-value"',
      { authenticator: 'https://acme.okta.com', username: 'u', password: 'p-value' },
    ],
  ])('%s', (written, expected) => {
    expect(options(written)).toEqual({ account: 'org-acc', database: 'LPA', ...expected })
  })

  test.each([
    ['user = "u"', 'The connection c has no password, which snowflake needs.'],
    ['password = "p-value"', 'The connection c has no user, which snowflake needs.'],
    [
      'authenticator = "snowflake_jwt"\nuser = "u"',
      'The connection c has no private_key_file, which snowflake_jwt needs.',
    ],
    ['authenticator = "oauth"', 'The connection c has no token_file_path, which oauth needs.'],
    [
      'authenticator = "programmatic_access_token"',
      'The connection c has no token_file_path or password, which programmatic_access_token needs.',
    ],
    [
      'authenticator = "workload_identity"',
      'The connection c has no workload_identity_provider, which workload_identity needs.',
    ],
    [
      'authenticator = "workload_identity"\nworkload_identity_provider = "OIDC"',
      'The connection c has no token_file_path, which workload_identity needs.',
    ],
    [
      'authenticator = "oauth_client_credentials"\noauth_client_id = "i"',
      'The connection c has no oauth_client_secret, which oauth_client_credentials needs.',
    ],
  ])('%s: what is missing is told', (written, message) => {
    expect(missing(written)).toBe(message)
  })

  test('an authenticator that nobody has', () => {
    put('.snowflake/connections.toml', `[c]\n${base}authenticator = "snowflake_jtw"`)
    const error = refusal('c')
    expect(error).toMatchObject({
      code: 'LPA-SNOWFLAKE-AUTHENTICATOR',
      where: '~/.snowflake/connections.toml:4',
    })
    expect(error.next[0]).toBe('Did you mean snowflake_jwt?')
  })

  test('a token file is read without its line end, and told of when others can read it', () => {
    const file = put('pat', 'pat-of-a-file\n', 0o644)
    put(
      '.snowflake/connections.toml',
      `[c]\n${base}authenticator = "programmatic_access_token"\ntoken_file_path = "~/pat"`,
    )
    const { options, warnings } = find('c')
    expect(options.token).toBe('pat-of-a-file')
    expect(warnings).toEqual([
      {
        code: 'LPA-SNOWFLAKE-MODE',
        message: '~/pat can be read by others: its mode is 644.',
        next: [`chmod 600 ${file}`],
      },
    ])
  })

  describe('key pairs', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const locked = privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'open sesame',
    })
    const plain = String(privateKey.export({ type: 'pkcs8', format: 'pem' })).trim()
    const withKey = (more = '') => {
      put('.snowflake/connections.toml', `[c]\n${base}user = "u"\nprivate_key_file = "~/key.p8"\n${more}`)
    }

    test('a key means snowflake_jwt, and is unlocked here', () => {
      put('key.p8', String(locked))
      withKey('private_key_file_pwd = "open sesame"')
      expect(find('c').options).toEqual({
        account: 'org-acc',
        database: 'LPA',
        username: 'u',
        authenticator: 'SNOWFLAKE_JWT',
        privateKey: plain,
      })
      put('key.p8', String(privateKey.export({ type: 'pkcs1', format: 'pem' })).replaceAll('\n', '\r\n'))
      expect(find('c').options.privateKey).toBe(plain)
    })

    test.each([
      ['no passphrase', String(locked), '', 'The private key has a passphrase, and none is given.'],
      [
        'a wrong one',
        String(locked),
        'private_key_file_pwd = "open barley"',
        'The passphrase does not open the private key.',
      ],
      ['no key', 'ssh-rsa AAAA', '', 'This is not a private key in PEM format.'],
      [
        'not RSA',
        String(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })),
        '',
        'Snowflake takes RSA keys only.',
      ],
    ])('%s', (_, text, more, message) => {
      put('key.p8', text)
      withKey(more)
      expect(refusal('c')).toMatchObject({
        code: 'LPA-SNOWFLAKE-KEY',
        message,
        where: '~/.snowflake/connections.toml:5',
      })
    })

    test('a file that is not there', () => {
      withKey()
      expect(refusal('c')).toMatchObject({
        code: 'LPA-SNOWFLAKE-FILE',
        message: 'The file of private_key_file is not there: ~/key.p8.',
      })
    })
  })
})

describe('what is refused', () => {
  test.each([
    ['account', 'The connection c has no account, which snowflake needs.'],
    ['database', 'The connection c has no database, which lpa keeps its schemas in.'],
  ])('without %s: told with the places where it may stand', (field, message) => {
    put('.snowflake/config.toml', `[connections.c]\n${PLAIN.replace(new RegExp(`^${field} .*\n`, 'm'), '')}`)
    expect(refusal('c')).toMatchObject({
      code: 'LPA-SNOWFLAKE-MISSING',
      exit: 'config',
      message,
      next: [
        `Add it to [connections.c] of ~/.snowflake/config.toml: ${field} = "…"`,
        `Or to the environment: SNOWFLAKE_CONNECTIONS_C_${field.toUpperCase()}`,
      ],
    })
  })

  test('a misspelt field is named, as a warning and where the right one is missing', () => {
    const text = `[c]\n${PLAIN}rol = "R"\nsession_parameters = {A = "b"}\n`
    put('.snowflake/connections.toml', text)
    expect(find('c', { SNOWFLAKE_CONNECTIONS_C_WAREHUOSE: 'W' }).warnings).toEqual([
      {
        code: 'LPA-SNOWFLAKE-FIELD',
        message: '~/.snowflake/connections.toml:6: rol is not a field of a connection that lpa knows.',
        next: ['Did you mean role?'],
      },
      {
        code: 'LPA-SNOWFLAKE-FIELD',
        message:
          'SNOWFLAKE_CONNECTIONS_C_WAREHUOSE: warehuose is not a field of a connection that lpa knows.',
        next: ['Did you mean warehouse?'],
      },
    ])
    put('.snowflake/connections.toml', text.replace('account', 'acount'))
    expect(refusal('c').next).toContain('Did you mean account?')
  })

  test.each(['https://org-acc.snowflakecomputing.com', 'org-acc.snowflakecomputing.com'])(
    'an address for the account: %s',
    (account) => {
      put('.snowflake/connections.toml', `[c]\n${PLAIN.replace('org-acc', account)}`)
      expect(refusal('c').message).toBe('This is not the identifier of an account.')
    },
  )

  test.each([
    ['protocol = "http"', 'LPA-SNOWFLAKE-CLEAR'],
    ['protocol = "HTTP"\nhost = "snow.example"', 'LPA-SNOWFLAKE-CLEAR'],
    ['access_url = "http://snow.example:80"', 'LPA-SNOWFLAKE-CLEAR'],
    ['protocol = "http"\nhost = "localhost.example"', 'LPA-SNOWFLAKE-CLEAR'],
    ['access_url = "ftp://snow.example"', 'LPA-SNOWFLAKE-FIELD'],
  ])('without TLS, off this machine: %s', (more, code) => {
    put('.snowflake/connections.toml', `[c]\n${PLAIN}${more}\n`)
    expect(refusal('c')).toMatchObject({ code, exit: 'config' })
  })

  test('without TLS on this machine it is allowed', () => {
    put('.snowflake/connections.toml', `[c]\n${PLAIN}protocol = "http"\nhost = "127.0.0.1"\nport = 8080\n`)
    expect(find('c').options).toMatchObject({ protocol: 'http', host: '127.0.0.1', port: 8080 })
  })

  test.each([
    ['port = "many"', 'port should be a whole number.'],
    ['role = 7', 'role should be a text, in quotes.'],
    ['client_request_mfa_token = "yes"', 'client_request_mfa_token should be true or false.'],
  ])('a wrong value: %s', (more, message) => {
    put('.snowflake/connections.toml', `[c]\n${PLAIN}${more}\n`)
    expect(refusal('c')).toMatchObject({
      code: 'LPA-SNOWFLAKE-FIELD',
      message,
      where: '~/.snowflake/connections.toml:6',
    })
  })

  test('what is not TOML is told by its line, and the line is shown nowhere', () => {
    put('.snowflake/connections.toml', '[c]\naccount = "a"\npassword = hunter2-unquoted\n')
    const error = refusal('c')
    expect(error).toMatchObject({ code: 'LPA-SNOWFLAKE-FILE', exit: 'config' })
    expect(error.where).toMatch(/^~\/\.snowflake\/connections\.toml:3:\d+$/)
    expect(`${error.stack} ${error.cause} ${error.next}`).not.toContain('hunter2')
  })
})

test('files that are used are told of when others can read or change them, and no others', () => {
  put('.snowflake/config.toml', 'default_connection_name = "c"\n', 0o644)
  put('.snowflake/connections.toml', `[c]\n${PLAIN}`, 0o640)
  expect(find('c').warnings.map(({ message }) => message)).toEqual([
    '~/.snowflake/connections.toml can be read by others: its mode is 640.',
  ])
  expect(find().warnings).toHaveLength(2)
  put('.snowflake/connections.toml', `[c]\n${PLAIN}`, 0o620)
  expect(find('c').warnings[0]?.message).toMatch('can be changed by others: its mode is 620.')
  expect(find('c', { SF_SKIP_WARNING_FOR_READ_PERMISSIONS_ON_CONFIG_FILE: 'true' }).warnings).toEqual([])
})

test('every secret is hidden in all output from then on', () => {
  put(
    '.snowflake/connections.toml',
    `[c]\n${PLAIN.replace('correct horse', 'battery staple')}proxy_password = "proxy-value"\npasscode = "987654"\n`,
  )
  find('c')
  expect(scrub('battery staple proxy-value 987654')).toBe('[secret] [secret] [secret]')
})
