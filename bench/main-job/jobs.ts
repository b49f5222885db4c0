/** The main job by lpa and by others: what each runs, what it leaves out, what it found. */

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Measured, measured, together } from '../measured.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LPA = join(ROOT, 'bin', 'run.js')
const HERE = join(ROOT, 'bench', 'main-job')
const PEERS = join(HERE, 'peers')

/** What must be the same whoever did it. */
export interface Answer {
  readonly learners: number
  readonly courses: number
  readonly enrollments: number
  readonly completions: number
  readonly events: number
  /** Events only. */
  readonly rejected: number
  /** The ten courses that most learners complete: id, learners, of these completed. */
  readonly ranking: readonly (readonly [string, number, number])[]
}

export interface Done extends Measured {
  readonly answer: Answer
  readonly steps: Readonly<Record<string, Measured>>
}

export interface Job {
  readonly name: string
  /** Of lpa's work. */
  readonly leavesOut: string
  /** Whether what it finds must be what lpa finds. */
  readonly sameAnswer: boolean
  /** Does it in an empty folder. */
  run(exports: string, folder: string): Promise<Done>
}

const lpaJob: Job = {
  name: 'lpa',
  leavesOut: '',
  sameAnswer: true,
  async run(exports, folder) {
    const lpa = (...args: string[]) => measured([process.execPath, LPA, ...args, '-q'], { cwd: folder })
    await lpa('init')
    const steps = {
      schema: await lpa('schema', 'apply'),
      load: await lpa('load', exports, '--source', 'campus'),
      batch: await lpa('batch'),
      report: await lpa('query', 'course-ranking', '--format', 'csv'),
    }
    const { stdout } = await lpa('query', '--file', join(HERE, 'answer-of-lpa.sql'), '--json')
    return { ...together(Object.values(steps)), steps, answer: JSON.parse(JSON.parse(stdout)[0].answer) }
  },
}

function plain(name: string, kind: string, leavesOut: string, sameAnswer: boolean): Job {
  return {
    ...{ name, leavesOut, sameAnswer },
    async run(exports, folder) {
      const script = join(HERE, 'plain-duckdb.ts')
      return finish(
        await measured([process.execPath, script, kind, exports, join(folder, kind)], { cwd: ROOT }),
      )
    },
  }
}

function script(python: string, name: string, file: string, leavesOut: string): Job {
  return {
    ...{ name, leavesOut, sameAnswer: true },
    async run(exports, folder) {
      const env = { RUNTIME__DLTHUB_TELEMETRY: 'false', DLT_DATA_DIR: folder }
      return finish(await measured([python, join(PEERS, file), exports, folder], { cwd: folder, env }))
    },
  }
}

function dbt(python: string): Job {
  return {
    name: 'dbt-duckdb',
    leavesOut:
      'no lake (one DuckDB file, sorted, no months); the key stands in its compiled SQL; no recorded rejects of CSV',
    sameAnswer: true,
    async run(exports, folder) {
      const project = join(folder, 'dbt')
      cpSync(join(PEERS, 'dbt'), project, { recursive: true })
      const database = join(folder, 'campus.duckdb')
      const env = { BENCH_EXPORTS: exports, BENCH_DATABASE: database, DO_NOT_TRACK: '1' }
      const build = await measured([python, '-m', 'dbt.cli.main', '--quiet', 'run'], { cwd: project, env })
      const { stdout } = await measured([python, join(PEERS, 'read_answer.py'), database], { cwd: folder })
      return finish({ ...build, stdout })
    },
  }
}

function finish({ stdout, ...cost }: Measured & { readonly stdout: string }): Done {
  return { ...cost, steps: {}, answer: JSON.parse(stdout) }
}

const NO_RECORD = 'bad rows of CSV fall out unrecorded'
const NO_LAKE = 'no lake: nothing is one transaction'

/** lpa first; the floors after it. */
export const FLOORS: readonly Job[] = [
  lpaJob,
  plain(
    'same work',
    'same-work',
    `made for these very files; no ledger, checks or history; ${NO_RECORD}`,
    true,
  ),
  plain(
    'bare minimum',
    'bare-minimum',
    'only dimensions and facts: no staging, raw, rejects, doubles, aggregate, clustering',
    false,
  ),
]

export function peers(python: string): readonly Job[] {
  return [
    dbt(python),
    script(
      python,
      'Polars',
      'polars_job.py',
      `${NO_LAKE}, files instead; attributes of named keys only; ${NO_RECORD}`,
    ),
    script(python, 'pandas', 'pandas_job.py', `${NO_LAKE}, files instead; ${NO_RECORD}`),
    script(
      python,
      'dlt',
      'dlt_job.py',
      `${NO_LAKE}, one DuckDB file, sorted, no months; staged by Polars; ${NO_RECORD}`,
    ),
  ]
}
