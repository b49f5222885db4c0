/** What Spark's errors mean. It names each kind, `[TABLE_OR_VIEW_NOT_FOUND] …`; the way there has codes of its own. */

import { BinaryReader } from '@bufbuild/protobuf/wire'
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

/** By which the server tells what caused an error, if it does. */
export function errorIdOf(error: unknown): string | undefined {
  if (!(error instanceof ConnectError)) return undefined
  for (const detail of error.details)
    if ('type' in detail && detail.type === 'google.rpc.ErrorInfo')
      return metadataOf(detail.value).get('errorId')
  return undefined
}

/** Its third field, a map of texts; of a map's entry the first is the key. */
function metadataOf(errorInfo: Uint8Array): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>()
  for (const [field, entry] of fieldsOf(errorInfo)) {
    if (field !== 3) continue
    const [key = '', value = ''] = fieldsOf(entry).map(([, text]) => new TextDecoder().decode(text))
    metadata.set(key, value)
  }
  return metadata
}

/** Of a message that has texts and messages only. */
function fieldsOf(message: Uint8Array): readonly [field: number, value: Uint8Array][] {
  const reader = new BinaryReader(message)
  const fields: [number, Uint8Array][] = []
  while (reader.pos < reader.len) fields.push([reader.tag()[0], reader.bytes()])
  return fields
}

export interface ErrorContext {
  /** What caused it, in Spark's words. */
  readonly causes?: readonly string[]
  /** It may quote what was read: nothing but its name is told. */
  readonly mayQuote?: boolean
}

/** The same error in words that say what to do. */
export function explained(
  error: unknown,
  address: SparkAddress,
  { causes = [], mayQuote = false }: ErrorContext = {},
): unknown {
  if (error instanceof UserError || !(error instanceof ConnectError)) return error
  const where = urlOf(address).replace(/^https?/, 'sc')
  const failure = (
    code: string,
    message: string,
    exit: 'unavailable' | 'notPermitted' | 'io' | 'cannotCreate',
    ...next: string[]
  ) => new UserError(code, message, { exit, where, next, ...(!mayQuote && { cause: error }) })
  const tls = codeOf(error.cause)
  if (PLAIN.test(tls))
    return failure(
      'LPA-SPARK-TLS',
      `What answers there speaks no TLS (${tls}).`,
      'unavailable',
      'Spark Connect has none of its own: use_ssl=true is for a proxy before it. Check the port.',
    )
  if (/^ERR_SSL_/.test(tls))
    return failure(
      'LPA-SPARK-TLS',
      `TLS with what answers there fails (${tls}).`,
      'unavailable',
      'A proxy that wants a certificate of lpa, or has no protocol of TLS in common with it, cannot be used.',
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
        `${AS_IT_WAS} Check that it runs, and its address; the one of this machine: lpa spark status`,
      )
    case Code.Canceled:
      return failure(
        'LPA-SPARK-NETWORK',
        'What answers there ends the connection.',
        'unavailable',
        `${AS_IT_WAS}${address.isEncrypted ? '' : ' A proxy with TLS wants to be told: sc://HOST:PORT/;use_ssl=true'}`,
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
      `${AS_IT_WAS} Run it again.`,
    )
  // What a task says of a file may only be how room or memory came to an end.
  const all = [error.rawMessage, ...causes].join('\n')
  const short = shortOf(all)
  if (short) return failure(short.code, short.message, short.exit, short.next)
  if (
    (named !== undefined && UNREAD.test(named)) ||
    /FileNotFoundException|AccessDenied|Permission denied/.test(all)
  )
    return failure(
      'LPA-SPARK-FILES',
      `Spark cannot read or write the warehouse's files (${named ?? 'I/O'}).`,
      'io',
      'The folder of the warehouse must be there under the same path, and open to its user, for the server and every executor.',
    )
  const refused = `Spark refused${named ? ` (${named})` : ''}`
  return mayQuote
    ? failure('LPA-SPARK-REFUSED', `${refused}.`, 'unavailable', `${AS_IT_WAS} Why is in its log.`)
    : failure('LPA-SPARK-REFUSED', `${refused}: ${firstLine(error.rawMessage)}`, 'unavailable', AS_IT_WAS)
}

/** A run may have committed before: each load of several, each batch of a stream. */
const AS_IT_WAS = 'What was committed stays, all else is as it was.'
/** What Spark came to the end of, by all that it says of an error; nothing of that is quoted. */
export function shortOf(said: string): (typeof SHORT)[number] | undefined {
  return SHORT.find(({ signs }) => signs.test(said))
}

/** What answers TLS with something else. */
const PLAIN = /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)/
const UNTRUSTED = /^(ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/
const GONE = /^INVALID_HANDLE\.(SESSION|OPERATION)/
const UNREAD = /^(PATH_NOT_FOUND|FAILED_READ_FILE|FAILED_RENAME|TASK_WRITE_FAILED|CANNOT_READ_FILE_FOOTER)/
const SHORT = [
  {
    signs: /No space left on device|Disk quota exceeded/,
    code: 'LPA-SPARK-DISK',
    message: 'A disk is full where Spark writes.',
    exit: 'cannotCreate',
    next: `${AS_IT_WAS} Make room where the warehouse is, and in spark.local.dir of server and executors.`,
  },
  {
    signs: /OutOfMemory|ExecutorLostFailure|Unable to acquire \d+ bytes/,
    code: 'LPA-SPARK-MEMORY',
    message: 'Spark lost executors, or their memory was not enough.',
    exit: 'unavailable',
    next: `${AS_IT_WAS} Give them more: spark.executor.memory (or lpa spark up --memory 4g)`,
  },
] as const

function codeOf(cause: unknown): string {
  return String((cause as { code?: string } | undefined)?.code ?? '')
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message
}
