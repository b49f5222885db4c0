import { spawn, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { UserError } from '../../errors.ts'
import { findConnection, type SnowflakeConnection } from './connections.ts'
import { connect } from './driver.ts'
import { Session } from './session.ts'
import { type LoginAnswer, serveSnowflake } from './snowflake-server.test-support.ts'
import { askWhereabouts } from './whereabouts.ts'

const folder = mkdtempSync(join(tmpdir(), 'lpa-driver-'))
afterAll(() => rmSync(folder, { recursive: true }))

const { signal } = new AbortController()
const here = (file: string) => pathToFileURL(join(import.meta.dirname, file)).href
const LOAD = `const { installedDriver } = await import('${here('driver.ts')}')\nawait installedDriver()`
const QUIET = { stdout: '', stderr: '', status: 0, files: [] }

/** Runs a module in a process of its own, in an empty home. */
async function runAlone(name: string, code: string, wrapper: readonly string[] = []) {
  const home = join(folder, name)
  const cwd = join(home, 'cwd')
  mkdirSync(cwd, { recursive: true })
  const script = join(folder, `${name}.mjs`)
  writeFileSync(script, code)
  const [program = '', ...args] = [...wrapper, process.execPath, script]
  const child = spawn(program, args, { cwd, env: { PATH: process.env.PATH, HOME: home } })
  const status = new Promise((resolve) => child.once('close', resolve))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const left = readdirSync(home, { recursive: true, withFileTypes: true })
  const files = left.filter((entry) => entry.isFile()).map((entry) => entry.name)
  return { stdout, stderr, status: await status, files }
}

const failure = async (work: Promise<unknown>): Promise<UserError> => {
  const error = await work.then(
    () => new Error('It worked.'),
    (reason) => reason,
  )
  if (error instanceof UserError) return error
  throw error
}

describe('loading the driver', () => {
  test('prints nothing, leaves no file and asks nobody', async (context) => {
    expect(await runAlone('load', LOAD)).toEqual(QUIET)
    if (spawnSync('strace', ['-V']).error) return context.skip('no strace')
    const trace = join(folder, 'trace')
    const strace = ['strace', '-f', '-qq', '-e', 'trace=connect', '-o', trace]
    expect(await runAlone('traced', LOAD, strace)).toEqual(QUIET)
    expect(readFileSync(trace, 'utf8')).not.toMatch(/connect\(/)
  })

  test('says how to install it where it is missing', async () => {
    const code = `
      import { registerHooks } from 'node:module'
      registerHooks({ resolve: (name, context, next) => next(name === 'snowflake-sdk' ? 'not-installed' : name, context) })
      const { installedDriver } = await import('${here('driver.ts')}')
      const { code, exit, message, next } = await installedDriver().catch((error) => error)
      console.log(JSON.stringify({ code, exit, message, next }))`
    const { stdout } = await runAlone('missing', code)
    const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(JSON.parse(stdout)).toEqual({
      code: 'LPA-SNOWFLAKE-DRIVER',
      exit: 'unavailable',
      message: "Snowflake's driver is not installed, or not wholly.",
      next: [`npm install snowflake-sdk@${peerDependencies['snowflake-sdk']}`],
    })
  })
})

describe('a session', () => {
  const session = (connection: SnowflakeConnection) => `
    const { connect } = await import('${here('driver.ts')}')
    const { Session } = await import('${here('session.ts')}')
    const signal = new AbortController().signal
    const connection = await connect(${JSON.stringify(connection)}, { signal }).catch(() => undefined)
    if (connection) await new Session(connection).close()`

  test('prints nothing and leaves no file', async () => {
    await using server = await serveSnowflake('in')
    expect(await runAlone('session', session(server.connection()))).toEqual(QUIET)
    expect(server.asked.map(({ path }) => path)).toEqual(['/session/v1/login-request', '/session'])
    await using refusing = await serveSnowflake({ code: '390100', message: 'No.' })
    expect(await runAlone('refused', session(refusing.connection()))).toEqual(QUIET)
  })

  test('is told apart in the history, is kept alive, and reports nothing but what it asks', async () => {
    await using server = await serveSnowflake('in', ['9.1', 'LOADER', null, 'LPA'])
    const session = new Session(await connect(server.connection(), { signal, queryTag: 'lpa load 12' }))
    expect(await askWhereabouts(session)).toEqual({
      ...{ version: '9.1', role: 'LOADER', warehouse: undefined, database: 'LPA' },
    })
    await session.close()
    expect(server.asked.map(({ path }) => path)).not.toContain('/telemetry/send')
    expect(server.asked[0]?.body.data).toMatchObject({
      CLIENT_ENVIRONMENT: { APPLICATION: 'lpa', PLATFORM: ['disabled'] },
      SESSION_PARAMETERS: { QUERY_TAG: 'lpa load 12', CLIENT_SESSION_KEEP_ALIVE: true },
    })
  })
})

describe('each way to log in sends what it is made for', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(join(folder, 'key.p8'), privateKey.export({ type: 'pkcs8', format: 'pem' }))

  test.each([
    ['password = "p-value"', { AUTHENTICATOR: 'SNOWFLAKE', PASSWORD: 'p-value' }],
    [
      'password = "p-value"\npasscode = "123456"\nauthenticator = "username_password_mfa"\nclient_request_mfa_token = true\ncredential_cache_dir = "CACHE"',
      { AUTHENTICATOR: 'USERNAME_PASSWORD_MFA', PASSWORD: 'p-value', PASSCODE: '123456' },
    ],
    ['private_key_file = "KEY"', { AUTHENTICATOR: 'SNOWFLAKE_JWT', TOKEN: expect.stringMatching(/^ey.+\./) }],
    [
      'authenticator = "programmatic_access_token"\ntoken = "t-value"',
      { AUTHENTICATOR: 'PROGRAMMATIC_ACCESS_TOKEN', TOKEN: 't-value' },
    ],
    ['authenticator = "oauth"\ntoken = "t-value"', { AUTHENTICATOR: 'OAUTH', TOKEN: 't-value' }],
    [
      'authenticator = "workload_identity"\nworkload_identity_provider = "oidc"\ntoken = "t-value"',
      { AUTHENTICATOR: 'WORKLOAD_IDENTITY', PROVIDER: 'OIDC', TOKEN: 't-value' },
    ],
  ])('%s', async (written, sent) => {
    await using server = await serveSnowflake('in')
    vi.stubEnv('SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES', '127.0.0.1')
    const paths = written.replace('KEY', join(folder, 'key.p8')).replace('CACHE', folder)
    const address = `protocol = "http"\nhost = "127.0.0.1"\nport = ${server.port}\n`
    const base = 'account = "acc"\nuser = "lpa"\ndatabase = "LPA"\n'
    mkdirSync(join(folder, '.snowflake'), { recursive: true })
    writeFileSync(join(folder, '.snowflake', 'connections.toml'), `[c]\n${base}${address}${paths}\n`)
    const found = findConnection({ name: 'c', env: {}, home: folder })
    await new Session(await connect(found, { signal })).close()
    vi.unstubAllEnvs()
    expect(server.asked[0]?.body.data).toMatchObject({ ...sent, LOGIN_NAME: 'lpa', ACCOUNT_NAME: 'acc' })
  })
})

describe('a login that fails', () => {
  test.each<[LoginAnswer, string, string, string]>([
    [
      { code: '390100', message: 'Incorrect username or password was specified.' },
      'notPermitted',
      'Snowflake does not let this connection in: Incorrect username or password was specified.',
      'Check account, user and password.',
    ],
    [
      { code: '390144', message: 'JWT token is invalid. [a-b-c]' },
      'notPermitted',
      'Snowflake does not let this connection in: JWT token is invalid. [a-b-c].',
      'Check that the user has the public key of this private key (DESCRIBE USER: RSA_PUBLIC_KEY_FP), and the clock of this machine.',
    ],
    [
      { code: '390197', message: 'Multi-factor authentication is required for this account.' },
      'notPermitted',
      'Snowflake does not let this connection in: Multi-factor authentication is required for this account.',
      'A person: authenticator = "username_password_mfa", with passcode = "…" or a tap on the telephone.',
    ],
    [
      { code: '390318', message: 'OAuth access token expired' },
      'notPermitted',
      'Snowflake does not let this connection in: OAuth access token expired.',
      'The token is wrong or no longer valid: get a new one.',
    ],
    [
      {
        code: '390189',
        message: "Role 'X' specified in the connect string does not exist or not authorized.",
      },
      'notPermitted',
      "Snowflake does not let this connection in: Role 'X' specified in the connect string does not exist or not authorized.",
      'Check the role, and that the user has it.',
    ],
    [
      { code: '390999', message: 'Something else' },
      'notPermitted',
      'Snowflake does not let this connection in: Something else.',
      "Snowflake's code is 390999.",
    ],
    [
      404,
      'unavailable',
      'There is no such account, or its address is not open to this machine (HTTP 404).',
      'Write the account as Snowsight has it: account = "myorg-myaccount"',
    ],
  ])('%j', async (answer, exit, message, next) => {
    await using server = await serveSnowflake(answer)
    const error = await failure(connect(server.connection(), { signal }))
    expect(error).toMatchObject({ exit, message, where: 'test (127.0.0.1)' })
    expect(error.next[0]).toBe(next)
    expect(JSON.stringify(error) + error.stack + (error.cause as Error).stack).not.toContain('pass-of-test')
    expect(server.asked).toHaveLength(1)
  })

  test.concurrent('is tried three times while the server has trouble', async () => {
    await using server = await serveSnowflake(503)
    const error = await failure(connect(server.connection(), { signal }))
    expect(error).toMatchObject({ exit: 'unavailable', message: 'Snowflake does not work now (HTTP 503).' })
    expect(server.asked).toHaveLength(3)
  }, 30_000)

  test.concurrent('for want of a server', async () => {
    await using server = await serveSnowflake('in')
    // Where nobody listens: another test could get the port of a server that has ended.
    const options = { accessUrl: `http://127.0.0.2:${server.port}` }
    const error = await failure(connect(server.connection(options), { signal }))
    expect(error).toMatchObject({
      ...{ code: 'LPA-SNOWFLAKE-UNREACHABLE', exit: 'unavailable' },
      message: 'Snowflake cannot be reached (ECONNREFUSED).',
    })
    expect(error.next).toContain('See [test] of ~/.snowflake/connections.toml.')
  }, 30_000)

  test('because nobody answers', async () => {
    await using server = await serveSnowflake('silence')
    const error = await failure(connect(server.connection(), { signal, limitMs: 100 }))
    expect(error.message).toBe('Snowflake does not answer the login in time.')
  })

  test('for options that the driver does not take', async () => {
    await using server = await serveSnowflake('in')
    const error = await failure(connect(server.connection({ queryTag: 'x', proxyPort: 3128 }), { signal }))
    expect(error).toMatchObject({ code: 'LPA-SNOWFLAKE-FIELD', exit: 'config' })
    expect(server.asked).toEqual([])
  })

  test('because it is stopped: the reason is the signal’s', async () => {
    await using server = await serveSnowflake('silence')
    const stopped = new AbortController()
    setTimeout(() => stopped.abort(new Error('stopped by hand')), 50)
    await expect(connect(server.connection(), { signal: stopped.signal })).rejects.toThrow('stopped by hand')
  })
})
