/**
 * What runs read and write, as OpenLineage events, a JSON object a line. They name sources and tables, with columns and row
 * counts: no paths, no values, of errors the code.
 */

import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { EXIT } from './errors.ts'
import { withPath } from './new-file.ts'
import type { RunRecord } from './run-record.ts'
import { maskEmails, scrub } from './secrets.ts'

export interface Dataset {
  /** `sources.lms`, `core.fact_enrollment` */
  readonly name: string
  readonly columns?: readonly { readonly name: string; readonly type: string }[]
  /** Written to it. */
  readonly rows?: number
}

export interface Moves {
  readonly inputs: readonly Dataset[]
  readonly outputs: readonly Dataset[]
}

export interface LineageOptions {
  readonly file: string
  readonly runId: string
  /** The command: `load`. */
  readonly job: string
  /** Of lpa. */
  readonly version: string
  /** Of jobs and datasets: what tells one warehouse from another. */
  readonly namespace: string
}

const SPEC = 'https://openlineage.io/spec'
const RUN_EVENT = `${SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent`

/** The facets that events have, with the version of each. */
const FACETS = {
  processing_engine: '1-1-1/ProcessingEngineRunFacet',
  parent: '1-2-0/ParentRunFacet',
  errorMessage: '1-0-1/ErrorMessageRunFacet',
  schema: '1-2-0/SchemaDatasetFacet',
  outputStatistics: '1-0-2/OutputStatisticsOutputDatasetFacet',
} as const

const NOTHING: Moves = { inputs: [], outputs: [] }

export class Lineage {
  readonly #options: LineageOptions
  readonly #moves: Moves[] = []

  /** Writes the first event: a file that cannot be written is told before anything is done. */
  constructor(options: LineageOptions) {
    this.#options = options
    this.#write('START', this.#run({}), this.#job(options.job), NOTHING)
  }

  /** What is told with the end of this run. */
  moved(moves: Moves): void {
    this.#moves.push(moves)
  }

  /** A part of this run, which is a run of its own to who reads the events. */
  part(name: string, moves: Moves): void {
    const { runId, namespace, job } = this.#options
    const parent = { run: { runId: uuidOf(runId) }, job: { namespace, name: job } }
    const run = { runId: uuidOf(runId, name), facets: this.#facets({ parent }) }
    this.#write('START', run, this.#job(`${job}.${name}`), NOTHING)
    this.#write('COMPLETE', run, this.#job(`${job}.${name}`), moves)
  }

  end({ exitCode, summary }: RunRecord): void {
    const type = endOf(exitCode)
    const error = { message: summary, programmingLanguage: 'TypeScript' }
    const run = this.#run(type === 'FAIL' ? { errorMessage: error } : {})
    this.#write(type, run, this.#job(this.#options.job), {
      inputs: this.#moves.flatMap(({ inputs }) => inputs),
      outputs: this.#moves.flatMap(({ outputs }) => outputs),
    })
  }

  #write(eventType: string, run: object, job: object, { inputs, outputs }: Moves): void {
    const event = {
      ...{ eventType, eventTime: new Date().toISOString(), producer: this.#producer, schemaURL: RUN_EVENT },
      ...{ run, job },
      inputs: byName(inputs).map((dataset) => this.#dataset(dataset)),
      outputs: byName(outputs).map((dataset) => ({
        ...this.#dataset(dataset),
        ...(dataset.rows !== undefined && {
          outputFacets: this.#facets({ outputStatistics: { rowCount: dataset.rows } }),
        }),
      })),
    }
    const { file } = this.#options
    try {
      appendFileSync(file, `${scrub(maskEmails(JSON.stringify(event)))}\n`, { mode: 0o600 })
    } catch (error) {
      throw withPath(error, file)
    }
  }

  #run(facets: Partial<Record<keyof typeof FACETS, object>>): object {
    const engine = { version: this.#options.version, name: 'lpa' }
    const all = this.#facets({ processing_engine: engine, ...facets })
    return { runId: uuidOf(this.#options.runId), facets: all }
  }

  #job(name: string): object {
    return { namespace: this.#options.namespace, name, facets: {} }
  }

  #dataset({ name, columns }: Dataset): object {
    const facets = columns ? this.#facets({ schema: { fields: columns } }) : {}
    return { namespace: this.#options.namespace, name, facets }
  }

  #facets(facets: Partial<Record<keyof typeof FACETS, object>>): object {
    return Object.fromEntries(
      Object.entries(facets).map(([name, facet]) => {
        const place = FACETS[name as keyof typeof FACETS]
        const schema = `${SPEC}/facets/${place}.json#/$defs/${place.split('/')[1]}`
        return [name, { _producer: this.#producer, _schemaURL: schema, ...facet }]
      }),
    )
  }

  get #producer(): string {
    return `urn:lpa:${this.#options.version}`
  }
}

function endOf(exitCode: number): 'COMPLETE' | 'ABORT' | 'FAIL' {
  if (exitCode === EXIT.done || exitCode === EXIT.findings) return 'COMPLETE'
  return exitCode > 128 ? 'ABORT' : 'FAIL'
}

/** One for each name, in the order in which they come, with all rows that were written to it. */
function byName(datasets: readonly Dataset[]): Dataset[] {
  const all = new Map<string, Dataset>()
  for (const dataset of datasets) {
    const rows = all.get(dataset.name)?.rows
    all.set(dataset.name, rows === undefined ? dataset : { ...dataset, rows: rows + (dataset.rows ?? 0) })
  }
  return [...all.values()]
}

/** The same UUID (version 7) for the same run, and part of it. */
export function uuidOf(runId: string, part = ''): string {
  const [, date = '', time = ''] = /^(\d{8})-(\d{6})/.exec(runId) ?? []
  const iso = `${date}T${time}`.replace(/(....)(..)(..)T(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z')
  const milliseconds = (Date.parse(iso) || 0).toString(16).padStart(12, '0')
  const chance = createHash('sha256').update(`${runId}\n${part}`).digest('hex')
  const variant = (8 + (Number.parseInt(chance[3] ?? '0', 16) % 4)).toString(16)
  return [
    milliseconds.slice(0, 8),
    milliseconds.slice(8),
    `7${chance.slice(0, 3)}`,
    `${variant}${chance.slice(4, 7)}`,
    chance.slice(7, 19),
  ].join('-')
}
