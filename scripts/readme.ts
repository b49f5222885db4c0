/** Makes the parts of README.md that say again what the code says: each from its `<!-- name -->` to the next empty line. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command, Config } from '@oclif/core'
import { CAN as DUCKDB } from '../src/engines/duckdb/engine.ts'
import { CAN as SNOWFLAKE } from '../src/engines/snowflake/engine.ts'
import { ENTITIES, type Entity } from '../src/entities.ts'
import { commandUsage } from '../src/help.ts'
import { inputsOf } from '../src/sources/entities.ts'
import type { Capabilities } from '../src/types.ts'
import { loadOclifConfig, ROOT } from './oclif-config.ts'

export const README = join(ROOT, 'README.md')

/** What a reader needs first, in the order of use; all others come after these by name. */
const FIRST = ['up', 'init', 'schema', 'load', 'batch', 'query', 'dash']

const ENGINES: readonly (readonly [string, Capabilities])[] = [
  ['embedded (DuckDB, DuckLake)', DUCKDB],
  ['Snowflake', SNOWFLAKE],
]

const CAPABILITIES: Readonly<Record<keyof Capabilities, string>> = {
  transactions: 'transactions',
  transactionalDdl: 'DDL in transactions',
  timeTravel: 'time travel',
  variant: 'VARIANT',
  clustering: 'clustering',
  files: 'files to verify',
  roles: 'roles',
  masking: 'masks',
  tags: 'tags',
}

/** The text with its made parts as they should be now. */
export function readme(text: string, config: Config): string {
  const parts = {
    mapping: ['```sql', read('docs/examples/oulad-registrations.sql').trimEnd(), '```'],
    json: ['```sql', read('docs/examples/json-events.sql').trimEnd(), '```'],
    needs: needsTable(),
    commands: commandTable(config),
    engines: engineTable(),
  }
  return Object.entries(parts).reduce((before, [name, lines]) => {
    const part = new RegExp(`(<!-- ${name}: [^\n]* -->\n)(?:[^\n]+\n)*`)
    if (!part.test(before)) throw new Error(`README.md has no <!-- ${name}: … -->`)
    return before.replace(part, (_, mark) => `${mark}${lines.join('\n')}\n`)
  }, text)
}

/** A line for each command, those of one topic together. */
function commandTable({ bin, commands }: Config): string[] {
  const shown = commands
    .filter(({ id, hidden }) => !hidden && id !== 'help')
    .sort((a, b) => place(a) - place(b) || (a.id < b.id ? -1 : 1))
  const topics = Map.groupBy(shown, topicOf)
  const rows = [...topics].map(([topic, together]) => {
    const usages = together.map((command, index) =>
      index === 0 ? `${bin} ${commandUsage(command)}` : commandUsage(command).slice(topic.length + 1),
    )
    const summaries = together.map(({ summary }) => (summary ?? '').replace(/\.$/, ''))
    return [usages.map((usage) => `\`${usage}\``).join(' · '), summaries.join(' · ')]
  })
  return table(['command', 'does'], rows)
}

/** What a mapping gives of each entity. */
function needsTable(): string[] {
  const names = (entity: Entity, isRequired: boolean) =>
    inputsOf(entity)
      .filter(({ required }) => required === isRequired)
      .map(({ name }) => name)
      .join(', ')
  const rows = ENTITIES.map((entity) => [entity, names(entity, true), names(entity, false)])
  return table(['entity', 'a mapping must give', 'and may give'], rows)
}

function engineTable(): string[] {
  const names = Object.keys(CAPABILITIES) as (keyof Capabilities)[]
  const word = (has: boolean | string) => (typeof has === 'string' ? has : has ? 'yes' : 'no')
  const rows = ENGINES.map(([engine, can]) => [engine, ...names.map((name) => word(can[name]))])
  return table(['engine', ...names.map((name) => CAPABILITIES[name])], rows)
}

function topicOf({ id }: Command.Loadable): string {
  return id.split(':')[0] ?? id
}

function place(command: Command.Loadable): number {
  const index = FIRST.indexOf(topicOf(command))
  return index < 0 ? FIRST.length : index
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)]
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(README, readme(read('README.md'), await loadOclifConfig()))
}
