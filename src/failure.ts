/** Any error as one that a user can act on, and how it is printed. */

import { didYouMean } from './did-you-mean.ts'
import { type ExitName, UserError } from './errors.ts'
import { exactJson } from './output/json.ts'
import { describeTerminal } from './output/terminal.ts'
import { wrapped } from './output/width.ts'
import { safeLines, safeText } from './safe-text.ts'
import { maskEmails, scrub } from './secrets.ts'
import { damageFailure, systemFailure } from './system-failure.ts'

/** What is known about the command line when it could not be read. */
export interface CommandLine {
  /** `schema apply`; absent when no command was found. */
  readonly command?: string
  /** All commands, as typed: `schema apply`. */
  readonly commands?: readonly string[]
  readonly flags?: readonly string[]
}

/** UserErrors as they are; oclif's and the system's errors in our words; all else is an internal error (70). */
export function asUserError(error: unknown, line: CommandLine = {}): UserError {
  if (error instanceof UserError) return error
  if (!(error instanceof Error)) return internal(new Error(String(error)))
  if ('oclif' in error || WRONG_NUMBER.test(error.message)) return usageError(error as OclifError, line)
  if ('syscall' in error && 'code' in error) return systemError(error as NodeJS.ErrnoException)
  return systemFailure(error.message, error) ?? damageFailure(error.message, error) ?? internal(error)
}

interface FailureOptions {
  readonly color: boolean
  readonly verbose: boolean
  /** Cells a line has; no wrapping when absent. */
  readonly width?: number
  /** The profile of the command line: the commands that are told to be run want it too. */
  readonly profile?: string | undefined
}

/**
 * What happened, where, what to do next, the code: for people. A stack, and what caused it, only when `verbose`.
 * Control characters are shown as escapes and secrets hidden. Only the first line begins at the left edge, so that no
 * name with a line end in it looks like another error or a summary.
 */
function failureText(error: UserError, options: FailureOptions): string {
  const label = options.color ? '\x1b[31mError:\x1b[39m' : 'Error:'
  const where = error.where === undefined ? '' : `${maskEmails(error.where)}: `
  const width = options.width ?? Number.POSITIVE_INFINITY
  // The label stands in front after wrapping, since its colour takes no place.
  const told = `Error: ${safeText(scrub(where))}${indented(safeLines(scrub(maskEmails(error.message))))}`
  const message = wrapped(told, width).slice('Error:'.length)
  const lines = [
    label + message,
    ...[...error.next, ...ofProfile(error, options.profile)].map((step) =>
      wrapped(`  ${safeText(scrub(step))}`, width),
    ),
    `  ${error.code}, exit ${error.exitCode}`,
  ]
  if (options.verbose) lines.push(`  ${indented(safeLines(scrub(stackOf(error))))}`)
  return `${lines.join('\n')}\n`
}

/** Without its profile a command would go to another warehouse, or make one. */
function ofProfile({ next }: UserError, profile: string | undefined): string[] {
  const tellsCommand = next.some((step) => /\blpa [a-z]/.test(step) && !step.includes('--help'))
  return profile !== undefined && tellsCommand ? [`Here with --profile ${profile}.`] : []
}

function indented(text: string): string {
  return text.replaceAll('\n', '\n  ')
}

/** The same for programs: one value, whose shape is public. */
export function failureJson(error: UserError): { error: Record<string, unknown> } {
  return {
    error: {
      code: error.code,
      exit: error.exitCode,
      message: scrub(maskEmails(error.message)),
      ...(error.where !== undefined && { where: scrub(maskEmails(error.where)) }),
      next: error.next.map(scrub),
    },
  }
}

/** An error of the command line as one line of JSON or as text, with its line end. */
export function failureOutput(
  error: UserError,
  options: FailureOptions & { readonly json: boolean },
): string {
  return options.json ? `${exactJson(failureJson(error))}\n` : failureText(error, options)
}

/**
 * Prints an error that no command has caught, such as that there is no such command, as the words of the command
 * line ask for it. Answers the exit code.
 */
export function reportFailure(error: unknown, argv: readonly string[], line: CommandLine = {}): number {
  const failure = asUserError(error, line)
  const { color, width } = describeTerminal(process.stderr, process.env, argv.includes('--no-color'))
  const verbose = argv.some((word) => word === '--verbose' || /^-v+$/.test(word))
  process.stderr.write(failureOutput(failure, { json: argv.includes('--json'), color, verbose, width }))
  return failure.exitCode
}

function stackOf(error: Error): string {
  const { cause } = error
  return (error.stack ?? String(error)) + (cause instanceof Error ? `\nCaused by: ${stackOf(cause)}` : '')
}

function internal(error: Error): UserError {
  return new UserError('LPA-INTERNAL', `Internal error: ${error.message}`, {
    exit: 'internal',
    next: 'This should not happen. Run it again with --verbose and report what it prints.',
    cause: error,
  })
}

// ── the command line ──────────────────────────────────────────────────────────────────────────────────────

interface OclifError extends Error {
  readonly flags?: readonly string[]
  readonly args?: readonly unknown[]
}

function usageError(error: OclifError, line: CommandLine): UserError {
  const help = `See lpa ${line.command ? `${line.command} ` : ''}--help.`
  const usage = (code: string, message: string, next: string | undefined) =>
    new UserError(code, message, { exit: 'usage', next: next ? [next, help] : [help], cause: error })

  const missing = /^[Cc]ommand (.+) not found\.?$/.exec(error.message)?.[1]
  if (missing !== undefined) return unknownCommand(missing, line.commands ?? [], error)
  switch (error.constructor.name) {
    case 'NonExistentFlagsError': {
      const flag = (error.flags?.[0] ?? '').replace(/=.*$/s, '')
      const near = didYouMean(flag.replace(/^-+/, ''), line.flags ?? [])
      return usage(
        'LPA-USAGE-FLAG',
        `${safeText(flag)} is not a flag of lpa ${line.command ?? ''}.`.replace(' .', '.'),
        near && `Did you mean --${near}?`,
      )
    }
    case 'UnexpectedArgsError':
      return usage(
        'LPA-USAGE-ARGUMENT',
        `lpa ${line.command ?? ''} takes no argument ${JSON.stringify(String(error.args?.[0]))} here.`,
        undefined,
      )
    case 'RequiredArgsError': {
      const names = (error.args ?? []).map((arg) => (arg as { name: string }).name.toUpperCase())
      return usage('LPA-USAGE-MISSING', `lpa ${line.command ?? ''} needs ${names.join(' and ')}.`, undefined)
    }
    default:
      return usage('LPA-USAGE', ...otherUsage(error))
  }
}

/** oclif's words; for an argument they come as an error of its own, for a flag behind `Parsing --limit`. */
const WRONG_NUMBER =
  /^(?:Parsing (--[\w-]+)\s+)?Expected an integer (?:greater than or equal to (\d+) )?but received: (.*?)\.?$/s

/** Message and hint. oclif: `Expected --format=jsn to be one of: table, json`. */
function otherUsage(error: Error): [message: string, next: string | undefined] {
  const message = error.message.replace(/\nSee more help with --help$/, '')
  const [isNumber, named = 'The argument', least, received] = WRONG_NUMBER.exec(message) ?? []
  if (isNumber) {
    const from = least === undefined ? '' : `, ${least} or more`
    return [`${named} is ${JSON.stringify(received)}. It is a whole number${from}.`, undefined]
  }
  const [, place = '', options] = /^Expected (.*) to be one of: (.*)$/s.exec(message) ?? []
  if (options === undefined) return [message.replace(/([^.!?])$/, '$1.'), undefined]
  const [, flag = 'The argument', value = place] = /^(--[\w-]+)=(.*)$/s.exec(place) ?? []
  const near = didYouMean(value, options.split(', '))
  return [`${flag} is ${JSON.stringify(value)}. It is one of ${options}.`, near && `Did you mean ${near}?`]
}

function unknownCommand(words: string, commands: readonly string[], cause: Error): UserError {
  const typed = words.replaceAll(':', ' ')
  if (typed.startsWith('-')) return flagFirst(typed, cause)
  const near = didYouMean(typed, commands) ?? didYouMean(typed.split(' ')[0] ?? '', commands)
  return new UserError('LPA-USAGE-COMMAND', `${typed} is not a command of lpa.`, {
    exit: 'usage',
    next: [...(near ? [`Did you mean lpa ${near}?`] : []), 'See lpa --help.'],
    cause,
  })
}

/** Flags of all commands stand behind the command too: oclif takes the first word for one. */
function flagFirst(flag: string, cause: Error): UserError {
  const near = didYouMean(flag, ['--help', '--version'])
  return new UserError('LPA-USAGE-COMMAND', `${flag} stands where the command should be.`, {
    exit: 'usage',
    next: [
      near
        ? `Did you mean lpa ${near}?`
        : 'Write the command first, then its flags: lpa query --list --format json',
      'See lpa --help.',
    ],
    cause,
  })
}

// ── the system ────────────────────────────────────────────────────────────────────────────────────────────

const SYSTEM: Readonly<Record<string, { exit: ExitName; what: string; next: string }>> = {
  ENOENT: { exit: 'noInput', what: 'is not there', next: 'Check the name.' },
  ENOTDIR: { exit: 'noInput', what: 'is not there: a part of its path is a file', next: 'Check the name.' },
  ELOOP: {
    exit: 'noInput',
    what: 'is not there: it is a link that leads back to itself',
    next: 'Check where it leads: ls -l',
  },
  ENAMETOOLONG: { exit: 'noInput', what: 'is longer than a name may be', next: 'Check the name.' },
  EISDIR: { exit: 'noInput', what: 'is a folder', next: 'Name a file.' },
  EACCES: { exit: 'notPermitted', what: 'is not permitted', next: 'Check owner and permissions.' },
  EPERM: { exit: 'notPermitted', what: 'is not permitted', next: 'Check owner and permissions.' },
  EROFS: { exit: 'cannotCreate', what: 'is on a read-only file system', next: 'Use another folder.' },
  ENOSPC: {
    exit: 'cannotCreate',
    what: 'cannot be written: the disk is full',
    next: 'Make room and run it again.',
  },
  EDQUOT: {
    exit: 'cannotCreate',
    what: 'cannot be written: the quota is used up',
    next: 'Make room and run it again.',
  },
  EMFILE: {
    exit: 'io',
    what: 'cannot be opened: too many files are open',
    next: 'Raise the limit (ulimit -n).',
  },
  ECONNREFUSED: { exit: 'unavailable', what: 'refuses connections', next: 'Check that it is running.' },
  ETIMEDOUT: { exit: 'unavailable', what: 'does not answer', next: 'Check address and network.' },
  ENOTFOUND: { exit: 'unavailable', what: 'cannot be found', next: 'Check address and network.' },
}

/** What Node answers for a folder with its parents, whatever the disk said but that it is full. */
const NOT_MADE = {
  exit: 'cannotCreate',
  what: 'cannot be made',
  next: 'Check how its disk is mounted, and its quota.',
} as const

/** Node's errors of files and sockets: exit code and words by their code. */
function systemError(error: NodeJS.ErrnoException): UserError {
  const code = error.code ?? ''
  const isNotMade = code === 'ENOENT' && error.syscall === 'mkdir'
  const known = (isNotMade ? NOT_MADE : SYSTEM[code]) ?? {
    exit: 'io',
    what: 'failed',
    next: 'Check the disk and the system log.',
  }
  const subject = error.path ?? (error as { address?: string }).address ?? `The system call ${error.syscall}`
  return new UserError(`LPA-SYSTEM-${code}`, `${subject} ${known.what} (${error.syscall}).`, {
    exit: known.exit,
    next: known.next,
    cause: error,
  })
}
