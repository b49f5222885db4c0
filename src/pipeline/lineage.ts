/** What loads and builds read and write, for `--lineage`. */

import { viewBody } from '../ddl.ts'
import type { Dataset, Moves } from '../lineage.ts'
import { listSql, readSql, withoutIncremental } from '../sql-files.ts'
import { isCode, sqlTokens } from '../sql-tokens.ts'
import type { TableDeclaration } from '../types.ts'
import type { BuildSummary } from './build.ts'
import { readDeclared } from './declared.ts'
import type { LoadedFile } from './load.ts'

/** From a source to raw and staging. */
export function movesOfLoad({ source, outcome, mappings }: LoadedFile): Moves {
  if (outcome !== 'loaded') return { inputs: [], outputs: [] }
  const tables = declaredTables()
  const outputs = mappings.flatMap(({ written }) =>
    written.map(({ table, rows }) => ({ ...datasetOf(tables, table), rows })),
  )
  return { inputs: [{ name: `sources.${source}` }], outputs }
}

/** By table of core that was built. */
export function movesOfBuild({ models }: Pick<BuildSummary, 'models'>): Map<string, Moves> {
  const tables = declaredTables()
  return new Map(
    models.map(({ name, rows }) => [
      name,
      {
        inputs: readBy(tables, name).map((table) => datasetOf(tables, table)),
        outputs: [{ ...datasetOf(tables, `core.${name}`), rows }],
      },
    ]),
  )
}

type Tables = ReadonlyMap<string, TableDeclaration>

function declaredTables(): Tables {
  return new Map(readDeclared('duckdb').tables.map((table) => [table.name, table]))
}

function datasetOf(tables: Tables, name: string): Dataset {
  const columns = tables.get(name)?.columns.map(({ name, type }) => ({ name, type })) ?? []
  return { name, columns }
}

/** Tables of the warehouse that a model reads, through views and temporary models: as its SQL names them, sorted. */
function readBy(tables: Tables, model: string): string[] {
  const models = listSql('models')
  const read = new Set<string>()
  const looked = new Set<string>()
  const look = (sql: string): void => {
    for (const name of namesIn(sql)) {
      const table = tables.get(name) ?? tables.get(`core.${name}`)
      const key = table?.name ?? name
      if (looked.has(key)) continue
      looked.add(key)
      if (table?.kind === 'view') look(viewBody(table))
      else if (table) read.add(key)
      else if (models.includes(name)) look(textOf(name))
    }
  }
  look(textOf(model))
  read.delete(`core.${model}`)
  return [...read].filter((name) => !name.startsWith('meta.')).sort()
}

const textOf = (model: string) => withoutIncremental(readSql('models', model))

/** Every word, and words with the schema before them. */
function namesIn(sql: string): string[] {
  const words = sqlTokens(sql).filter(isCode)
  return words.flatMap(({ kind, text }, index) => {
    if (kind !== 'word') return []
    const [dot, next] = words.slice(index + 1, index + 3)
    return dot?.text === '.' && next ? [`${text}.${next.text}`, text] : [text]
  })
}
