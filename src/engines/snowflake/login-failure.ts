/** Why a login to Snowflake failed, in words for users. */

import { type ExitName, UserError } from '../../errors.ts'
import type { SnowflakeConnection } from './connections.ts'

/** As the driver throws them: `code` is its own number, or Snowflake's as a text. */
interface LoginError extends Error {
  readonly code?: number | string
  readonly cause?: { readonly code?: string }
  readonly response?: { readonly statusCode?: number }
}

interface Explanation {
  readonly code: string
  readonly exit: ExitName
  readonly message: string
  readonly next: readonly string[]
}

const [NETWORK, REQUEST_FAILED] = [401001, 401002]
/** The driver's own objections to the options of a connection. */
const isOptionCode = (code: unknown) => typeof code === 'number' && code >= 404000 && code < 405000
const CERTIFICATE = /CERT|SIGNATURE|SELF_SIGNED/

/** Snowflake's messages name users and roles, never what proves who one is. */
export function loginFailure(error: unknown, connection: SnowflakeConnection): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error
  const { code, exit, message, next } = explain(error as LoginError, connection)
  const { host, account } = connection.options
  return new UserError(code, message, {
    exit,
    where: `${connection.name} (${host ?? account})`,
    next,
    cause: error,
  })
}

function explain(error: LoginError, { options, origin }: SnowflakeConnection): Explanation {
  const { code } = error
  const look = `See ${origin}.`
  if (code === 'LOGIN_TIME' || code === NETWORK || code === REQUEST_FAILED) return unreachable(error, look)
  if (isOptionCode(code) || code === undefined) {
    const where = { code: 'LPA-SNOWFLAKE-FIELD', exit: 'config' as const, next: [look] }
    return {
      ...where,
      message: `The Snowflake driver does not log in with this connection: ${error.message}`,
    }
  }
  const said = `Snowflake does not let this connection in: ${sentence(error.message)}`
  const refused = { code: 'LPA-SNOWFLAKE-LOGIN', exit: 'notPermitted' as const, message: said }
  switch (String(code)) {
    case '390100':
      return { ...refused, next: ['Check account, user and password.', look] }
    case '390144':
      return {
        ...refused,
        next: [
          'Check that the user has the public key of this private key (DESCRIBE USER: RSA_PUBLIC_KEY_FP), and the clock of this machine.',
          look,
        ],
      }
    // A second factor that was denied, locked, late or wrong, and one that is asked for.
    case '390120':
    case '390122':
    case '390123':
    case '390126':
    case '390127':
    case '390129':
    case '390197':
      return {
        ...refused,
        next: [
          'A person: authenticator = "username_password_mfa", with passcode = "…" or a tap on the telephone.',
          'A program: a key pair (authenticator = "snowflake_jwt") or a programmatic access token.',
          look,
        ],
      }
    case '390195':
    case '390303':
    case '390318':
    case '394400':
    case '394401':
      return { ...refused, next: ['The token is wrong or no longer valid: get a new one.', look] }
    case '390186':
    case '390189':
      return { ...refused, next: [`Check the role${named(options.role)}, and that the user has it.`, look] }
    case '390201':
      return { ...refused, next: ['Check database, schema, warehouse and role.', look] }
    case '390420':
    case '390422':
    case '390432':
      return {
        ...refused,
        next: ["Ask for this machine's address to be allowed: a network policy is in the way."],
      }
    default:
      return { ...refused, next: [`Snowflake's code is ${code}.`, look] }
  }
}

function unreachable(error: LoginError, look: string): Explanation {
  const away = { code: 'LPA-SNOWFLAKE-UNREACHABLE', exit: 'unavailable' as const }
  const status = error.response?.statusCode
  const why = String(error.cause?.code ?? '')
  if (status === 403 || status === 404)
    return {
      ...away,
      message: `There is no such account, or its address is not open to this machine (HTTP ${status}).`,
      next: ['Write the account as Snowsight has it: account = "myorg-myaccount"', look],
    }
  if (status !== undefined)
    return {
      ...away,
      message: `Snowflake does not work now (HTTP ${status}).`,
      next: ['Try it again later.'],
    }
  if (error.code === 'LOGIN_TIME')
    return { ...away, message: 'Snowflake does not answer the login in time.', next: [NETWORK_ADVICE, look] }
  if (why === 'ENOTFOUND' || why === 'EAI_AGAIN')
    return {
      ...away,
      message: 'The address of the account cannot be found.',
      next: ['Check account and host.', NETWORK_ADVICE, look],
    }
  if (CERTIFICATE.test(why))
    return {
      ...away,
      message: `The certificate is not trusted (${why}).`,
      next: ['Behind a proxy that looks into TLS, name its certificate: NODE_EXTRA_CA_CERTS=proxy.pem'],
    }
  const reason = why === '' ? '' : ` (${why})`
  return { ...away, message: `Snowflake cannot be reached${reason}.`, next: [NETWORK_ADVICE, look] }
}

const NETWORK_ADVICE =
  'Check the network; a proxy is taken from HTTPS_PROXY, or proxy_host of the connection.'

const named = (value: string | undefined) => (value === undefined ? '' : ` ${value}`)

/** One line with a full stop. */
function sentence(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return /[.!?]$/.test(line) ? line : `${line}.`
}
