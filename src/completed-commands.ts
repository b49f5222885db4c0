import type { Command } from '@oclif/core'
import { type CompletedCommand, type CompletedFlag, PROFILES, SOURCES } from './completion.ts'
import { ENTITIES } from './entities.ts'
import { listSql } from './sql-files.ts'

/** Arguments that are files or folders, or may be. */
const FILES = ['source', 'plan', 'dir']

/** The commands as completion needs them; reports, mappings and models are completed wherever one is named. */
export function completedCommands(commands: readonly Command.Loadable[]): CompletedCommand[] {
  const named: Readonly<Record<string, readonly string[]>> = {
    report: listSql('reports'),
    mapping: listSql('mappings'),
    select: listSql('models'),
    as: ENTITIES,
    source: [SOURCES],
    profile: [PROFILES],
  }
  return commands
    .filter((command) => !command.hidden)
    .map((command) => ({
      name: command.id.replaceAll(':', ' '),
      summary: oneLine(command.summary ?? command.description),
      words: Object.values(command.args).flatMap((arg) => arg.options ?? named[arg.name] ?? []),
      takesFiles: Object.keys(command.args).some((name) => FILES.includes(name)),
      flags: Object.values(command.flags)
        .filter((flag) => !flag.hidden)
        .map((flag): CompletedFlag => {
          const takesValue = flag.type === 'option'
          return {
            name: flag.name,
            ...(flag.char && { char: flag.char }),
            summary: oneLine(flag.summary ?? flag.description),
            takesValue,
            // `--report FILE` names a file; the argument of that name a report.
            values: takesValue
              ? (flag.options ?? (flag.name === 'report' ? [] : (named[flag.name] ?? [])))
              : [],
          }
        }),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function oneLine(text: string | undefined): string {
  return (text ?? '').split('\n')[0] ?? ''
}
