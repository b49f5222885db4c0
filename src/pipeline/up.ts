/** up: what a new user would type one after the other; steps that are done already change nothing. */

import { existsSync } from 'node:fs'
import type { Config } from '../config.ts'
import { shellWord } from '../shell-word.ts'
import { build, buildSummary } from './build.ts'
import { init } from './init.ts'
import { load, loadNotes, loadSummary } from './load.ts'
import { applySchema, planSummary } from './schema.ts'
import { withWarehouse } from './warehouse.ts'

export interface UpRequest {
  readonly inputs: readonly string[]
  readonly sample: boolean
  readonly cwd: string
  readonly runId: string
}

export interface UpProgress {
  /** The command that does the step. */
  onStep(command: string): void
  onResult(...lines: readonly string[]): void
  onProgress(label: string): void
  onWarning(...lines: readonly [string, ...string[]]): void
}

export interface UpSummary {
  readonly summary: string
  readonly failedChecks: boolean
}

/** Runs init (where nothing is), schema apply, load and batch. `settings` is read anew after init. */
export async function up(
  request: UpRequest,
  settings: () => Promise<Config>,
  signal: AbortSignal,
  progress: UpProgress,
): Promise<UpSummary> {
  const before = await settings()
  if (before.file === undefined || request.sample || !existsSync(before.privacy.keyFile)) {
    progress.onStep(`lpa init${request.sample ? ' --sample' : ''}`)
    const { created } = init({ cwd: request.cwd, folder: '.', sample: request.sample })
    progress.onResult(
      ...(created.length > 0 ? created.map((path) => `created ${path}`) : ['nothing to make']),
    )
  }
  const config = await settings()
  progress.onStep('lpa schema apply')
  const schema = await withWarehouse(config, 'create', signal, (engine) => applySchema(engine))
  progress.onResult(planSummary(schema))

  progress.onStep(['lpa load', ...request.inputs.map(shellWord)].join(' '))
  const files = await load(config, { inputs: request.inputs, mappings: [], dryRun: false }, signal, {
    onFile: (input) => progress.onProgress(`Loading ${input}`),
    onBytes: () => {},
    onNote: (line) => progress.onResult(line),
    onWarning: (...lines) => progress.onWarning(...lines),
    onLoaded: (file) => {
      const rows = file.mappings.map(
        ({ counts: { mapped, read }, entity }) =>
          `${mapped} of ${read} ${read === 1 ? 'record' : 'records'} as ${entity}`,
      )
      progress.onResult(`${file.input}: ${rows.join(', ') || 'loaded before, nothing changed'}`)
      for (const note of loadNotes(file)) progress.onResult(`  ${note}`)
    },
  })
  progress.onStep('lpa batch')
  const built = await build(config, { select: [], full: false, runId: request.runId }, signal, {
    onModel: (name) => progress.onProgress(`Building ${name}`),
  })
  progress.onResult(buildSummary(built))
  return {
    summary: `${loadSummary(files)}; ${buildSummary(built)}`,
    failedChecks: built.checks.some((check) => check.severity === 'error' && check.failures > 0),
  }
}
