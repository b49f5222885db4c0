/** Writes man/lpa.1 from what the commands say of themselves. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command, Config } from '@oclif/core'
import { commandUsage, exitCodeRows } from '../src/help.ts'
import { loadOclifConfig, ROOT } from './oclif-config.ts'

export const MAN_FILE = join(ROOT, 'man', 'lpa.1')

/** The man page in roff's man macros. No date in it, so that it changes only when a command does. */
export function manPage(config: Config): string {
  const commands = config.commands.filter((command) => !command.hidden).sort((a, b) => (a.id < b.id ? -1 : 1))
  const shared = commands[0] ? flagsOf(commands[0], true) : []
  return [
    `.TH LPA 1 "" "lpa ${config.version}" "User commands"`,
    '.SH NAME',
    `lpa \\- ${roff(lowerFirst(config.pjson.description ?? ''))}`,
    '.SH SYNOPSIS',
    '.B lpa',
    '.I COMMAND',
    '.RI [ ARGUMENT \\|.\\|.\\|. ]',
    '.RI [ FLAGS ]',
    '.SH DESCRIPTION',
    'lpa takes what a learning platform exports, makes it private, builds a warehouse of it, answers questions in SQL',
    'and shows the answers in the terminal.',
    'Data goes to standard output, everything else to standard error.',
    '.SH COMMANDS',
    ...commands.flatMap((command) => commandLines(command, config.bin)),
    '.SH GLOBAL FLAGS',
    ...shared.flatMap(flagLines),
    '.SH CONFIGURATION',
    'Flags come before',
    '.B LPA_*',
    'variables of the environment, these before the profile, the profile before the file, the file before the defaults.',
    '.B LPA_WAREHOUSE_PATH',
    'sets',
    '.B path',
    'of',
    '.BR [warehouse] ,',
    'and so for every setting.',
    '.SH EXIT STATUS',
    ...exitCodeRows().flatMap(([code, meaning]) => ['.TP', `.B ${code}`, roff(meaning)]),
    '.SH FILES',
    '.TP',
    '.I lpa.toml',
    'The configuration, looked for in the working directory and upwards.',
    '.TP',
    '.I pseudonym.key',
    'The key of the pseudonyms. Whoever loses it cannot add to the warehouse any more; keep a copy in a safe place.',
    '.SH SEE ALSO',
    '.BR crontab (5),',
    '.BR systemd.timer (5)',
    '',
  ].join('\n')
}

function commandLines(command: Command.Loadable, bin: string): string[] {
  const examples = (command.examples ?? []).map((example) =>
    (typeof example === 'string' ? example : example.command).replaceAll('<%= config.bin %>', bin),
  )
  return [
    `.SS ${roff(`${bin} ${commandUsage(command)}`)}`,
    ...paragraphs(command.summary ?? ''),
    ...(command.description ? ['.PP', ...paragraphs(command.description)] : []),
    ...flagsOf(command, false).flatMap(flagLines),
    ...(examples.length > 0
      ? ['.PP', 'Examples:', '.PP', '.nf', '.RS 4', ...examples.map(roff), '.RE', '.fi']
      : []),
  ]
}

function flagsOf(command: Command.Loadable, shared: boolean): Command.Flag.Cached[] {
  return Object.values(command.flags)
    .filter((flag) => !flag.hidden && (flag.helpGroup === 'GLOBAL') === shared)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function flagLines(flag: Command.Flag.Cached): string[] {
  const names = [...(flag.char ? [`\\fB\\-${flag.char}\\fR`] : []), `\\fB${roff(`--${flag.name}`)}\\fR`]
  const value = flag.type === 'option' ? `=\\fI${roff(flag.helpValue?.toString() ?? 'VALUE')}\\fR` : ''
  const options =
    flag.type === 'option' && flag.options && !flag.helpValue ? ` One of ${flag.options.join(', ')}.` : ''
  return [
    '.TP',
    `${names.join(', ')}${value}`,
    ...paragraphs(`${flag.summary ?? flag.description ?? ''}${options}`),
  ]
}

/** An empty line is a new paragraph, a line end stays one. */
function paragraphs(text: string): string[] {
  const lines = text.replaceAll('<%= config.bin %>', 'lpa').split('\n')
  return lines.flatMap((line, index) => {
    if (line === '') return ['.PP']
    return index > 0 && lines[index - 1] !== '' ? ['.br', roff(line)] : [roff(line)]
  })
}

/** Text that roff would take for requests, escapes or typographic marks, as text. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '\\|.\\|.\\|.')
    .replaceAll("'", '\\(aq')
    .replaceAll('"', '\\(dq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/^\./, '\\&.')
    .replace(
      /[^\x20-\x7e]/gu,
      (character) => `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(ROOT, 'man'), { recursive: true })
  writeFileSync(MAN_FILE, manPage(await loadOclifConfig()))
}
