import { type Command, CommandHelp, Help } from '@oclif/core'
import type { ExitName } from './errors.ts'
import { EXIT } from './errors.ts'

/** What each exit code means, as in every help and in the man page. */
const EXIT_MEANINGS: Readonly<Record<ExitName, string>> = {
  done: 'Done. Rejected records within the limit are reported.',
  findings: 'Findings: failed checks, drift.',
  usage: 'The command line is wrong.',
  data: 'Bad data, more rejects, time or memory than the limit; nothing committed.',
  noInput: 'The input is missing.',
  unavailable: 'An engine or broker cannot be reached.',
  internal: 'Internal error.',
  cannotCreate: 'A file cannot be created, or the disk is full.',
  io: 'Reading or writing failed.',
  locked: 'Another run holds the warehouse; try again.',
  notPermitted: 'Not permitted.',
  config: 'The configuration is wrong.',
  sigint: 'Stopped by SIGINT.',
  sigpipe: 'The reader of the output went away.',
  sigterm: 'Stopped by SIGTERM.',
}

/** The same in a few words, for the help of one command. */
const EXIT_BRIEF: Readonly<Record<ExitName, string>> = {
  done: 'done',
  findings: 'findings',
  usage: 'usage',
  data: 'bad data',
  noInput: 'no input',
  unavailable: 'not reachable',
  internal: 'internal error',
  cannotCreate: 'cannot create',
  io: 'input/output',
  locked: 'locked',
  notPermitted: 'not permitted',
  config: 'configuration',
  sigint: 'SIGINT',
  sigpipe: 'SIGPIPE',
  sigterm: 'SIGTERM',
}

export function exitCodeRows(): [string, string][] {
  return Object.entries(EXIT_MEANINGS).map(([name, meaning]) => [String(EXIT[name as ExitName]), meaning])
}

/** A command's words and arguments: `load [SOURCE…]`. */
export function commandUsage(command: Command.Loadable): string {
  const args = Object.values(command.args ?? {})
    .filter((arg) => !arg.hidden)
    .map((arg) => {
      const name = `${arg.name.toUpperCase()}${arg.multiple || command.strict === false ? '…' : ''}`
      return arg.required ? name : `[${name}]`
    })
  return [command.id.replaceAll(':', ' '), ...args].join(' ')
}

class LpaCommandHelp extends CommandHelp {
  /** The arguments only: all flags are listed right below. */
  protected override usage(): string {
    return `$ ${this.config.bin} ${commandUsage(this.command)} [FLAGS]`
  }

  /** The summary is printed above already. */
  protected override description(): string | undefined {
    const { description } = this.command
    return description && this.wrap(description)
  }

  /** All are commands, also those that begin with another. One longer than a line goes on in the next. */
  protected override examples(examples: Command.Example[] | string | undefined): string | undefined {
    const width = this.opts.maxWidth - this.indentSpacing
    return super
      .examples(examples)
      ?.split('\n')
      .map((line) => (/^\s*(\$|$)/.test(line) ? line : line.replace(/^\s*/, '$&$ ')))
      .flatMap((line) => continued(line, width))
      .join('\n')
  }

  protected override sections() {
    const brief = Object.entries(EXIT_BRIEF).map(([name, words]) => `${EXIT[name as ExitName]} ${words}`)
    const exitCodes = {
      header: 'EXIT CODES',
      generate: () => this.wrap(`${brief.join(' · ')}. See lpa --help.`),
    }
    return [...super.sections(), exitCodes]
  }
}

function continued(line: string, width: number): string[] {
  if (line.length <= width) return [line]
  const end = line.lastIndexOf(' ', width - 2)
  if (end <= 6) return [line]
  return [`${line.slice(0, end)} \\`, ...continued(`    ${line.slice(end + 1)}`, width)]
}

/** oclif's help with all commands on one page and the exit codes; set as `oclif.helpClass`. */
export default class LpaHelp extends Help {
  protected override CommandHelpClass = LpaCommandHelp

  override formatRoot(): string {
    const { bin, pjson } = this.config
    const usage = this.section('USAGE', `$ ${bin} COMMAND [FLAGS]\n$ ${bin} COMMAND --help`)
    return `${pjson.description}\n\n${usage}`
  }

  override async showCommandHelp(command: Command.Loadable): Promise<void> {
    const below = this.sortedCommands.filter(({ id }) => id.startsWith(`${command.id}:`))
    this.log(`${this.wrap(this.summary(command) ?? '', 0)}\n`)
    this.log(`${this.formatCommand(command)}\n`)
    if (below.length > 0) this.log(`${this.formatCommands(below)}\n`)
  }

  protected override async showRootHelp(): Promise<void> {
    this.log(`${this.formatRoot()}\n`)
    this.log(`${this.formatCommands(this.sortedCommands)}\n`)
    this.log(this.section('EXIT CODES', exitCodeRows()))
  }
}
