/** Errors that a user can act on: what, where, why, what next, a stable code and an exit code. */

/** Exit codes of every command, as in `--help` and the man page. */
export const EXIT = {
  done: 0,
  findings: 1,
  usage: 2,
  data: 65,
  noInput: 66,
  unavailable: 69,
  internal: 70,
  cannotCreate: 73,
  io: 74,
  locked: 75,
  notPermitted: 77,
  config: 78,
  sigint: 130,
  sigpipe: 141,
  sigterm: 143,
} as const

export type ExitName = keyof typeof EXIT

/** Signals that stop a run, and the exit code of each. */
export const STOP_SIGNALS = { SIGINT: EXIT.sigint, SIGTERM: EXIT.sigterm, SIGHUP: 129 } as const

export interface UserErrorOptions {
  /** Names the exit code. */
  readonly exit: ExitName
  /** `file:line:column` or `topic-partition-offset`. */
  readonly where?: string
  /** What to do next, one step a line. */
  readonly next?: string | readonly string[]
  readonly cause?: unknown
}

/**
 * An error whose message is written for the user. `code` is stable (`LPA-LOAD-REJECTS`) and documented;
 * the message quotes no personal value.
 */
export class UserError extends Error {
  readonly code: string
  readonly exit: ExitName
  readonly where: string | undefined
  readonly next: readonly string[]

  constructor(code: string, message: string, options: UserErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'UserError'
    this.code = code
    this.exit = options.exit
    this.where = options.where
    this.next = typeof options.next === 'string' ? [options.next] : (options.next ?? [])
  }

  get exitCode(): number {
    return EXIT[this.exit]
  }
}
