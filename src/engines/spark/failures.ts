/** What Spark's errors mean. It names each kind, `[TABLE_OR_VIEW_NOT_FOUND] …`; the way there has codes of its own. */

import { Code, ConnectError } from '@connectrpc/connect'
import { UserError } from '../../errors.ts'
import { type SparkAddress, urlOf } from './address.ts'

/** `PATH_NOT_FOUND`, or undefined where Spark has not said what it is. */
function errorClass(error: ConnectError): string | undefined {
  return /\[([A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\]/.exec(error.rawMessage)?.[1]
}

/** The server is there no more, or not the one that it was. */
export function isLost(error: unknown): boolean {
  const { code } = ConnectError.from(error)
  return code === Code.Unavailable || code === Code.Aborted
}

/** The server never heard of this execution. */
export function isUnknown(error: unknown): boolean {
  return errorClass(ConnectError.from(error)) === 'INVALID_HANDLE.OPERATION_NOT_FOUND'
}

/** The same error in words that say what to do. */
export function explained(error: unknown, address: SparkAddress): unknown {
  if (error instanceof UserError || !(error instanceof ConnectError)) return error
  const where = urlOf(address).replace(/^https?/, 'sc')
  const failure = (
    code: string,
    message: string,
    exit: 'unavailable' | 'notPermitted' | 'io' | 'config',
    ...next: string[]
  ) => new UserError(code, message, { exit, where, next, cause: error })
  const tls = codeOf(error.cause)
  if (/^ERR_SSL_/.test(tls))
    return failure(
      'LPA-SPARK-TLS',
      `What answers there speaks no TLS (${tls}).`,
      'unavailable',
      'Spark Connect has none of its own: use_ssl=true is for a proxy before it. Check the port.',
    )
  if (UNTRUSTED.test(tls))
    return failure(
      'LPA-SPARK-TLS',
      `The certificate cannot be trusted (${tls}).`,
      'unavailable',
      'If it is signed in your own house, name who signed it: ca_file = "ca.pem" under [spark]',
    )
  switch (error.code) {
    case Code.Unauthenticated:
    case Code.PermissionDenied:
      return failure(
        'LPA-SPARK-TOKEN',
        'Spark Connect refuses the token, or wants one.',
        'notPermitted',
        'Give it by SPARK_CONNECT_AUTHENTICATE_TOKEN, or in a file: spark.token_file',
      )
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return failure(
        'LPA-SPARK-NETWORK',
        `Spark Connect does not answer: ${firstLine(error.rawMessage)}`,
        'unavailable',
        'Nothing was changed. Check that it runs, and its address; the one of this machine: lpa spark status',
      )
    case Code.Canceled:
      return failure(
        'LPA-SPARK-NETWORK',
        'What answers there ends the connection.',
        'unavailable',
        'Nothing was changed. A proxy with TLS wants to be told: sc://HOST:PORT/;use_ssl=true',
      )
    case Code.Unimplemented:
      return failure(
        'LPA-SPARK-NETWORK',
        'What answers there is no Spark Connect.',
        'unavailable',
        'Check the port: Spark Connect has one of its own, 15002 unless said.',
      )
  }
  const named = errorClass(error)
  if (named !== undefined && GONE.test(named))
    return failure(
      'LPA-SPARK-GONE',
      'The session on the server has ended: Spark Connect was started anew, or gave it up.',
      'unavailable',
      'Nothing was changed. Run it again.',
    )
  if (
    (named !== undefined && UNREAD.test(named)) ||
    /FileNotFoundException|AccessDenied|Permission denied/.test(error.rawMessage)
  )
    return failure(
      'LPA-SPARK-FILES',
      `Spark cannot read or write the warehouse's files (${named ?? 'I/O'}).`,
      'io',
      'The folder of the warehouse must be there under the same path, and open to its user, for the server and every executor.',
    )
  if (MEMORY.test(error.rawMessage))
    return failure(
      'LPA-SPARK-MEMORY',
      'Spark lost executors, or their memory was not enough.',
      'unavailable',
      'Nothing was changed. Give them more: spark.executor.memory (or lpa spark up --memory 4g)',
    )
  return failure(
    'LPA-SPARK-REFUSED',
    `Spark refused${named ? ` (${named})` : ''}: ${firstLine(error.rawMessage)}`,
    'unavailable',
    'Nothing was changed.',
  )
}

const UNTRUSTED = /^(ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/
const GONE = /^INVALID_HANDLE\.(SESSION|OPERATION)/
const UNREAD = /^(PATH_NOT_FOUND|FAILED_READ_FILE|FAILED_RENAME|TASK_WRITE_FAILED|CANNOT_READ_FILE_FOOTER)/
const MEMORY = /OutOfMemory|ExecutorLostFailure|Unable to acquire \d+ bytes/

function codeOf(cause: unknown): string {
  return String((cause as { code?: string } | undefined)?.code ?? '')
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message
}
