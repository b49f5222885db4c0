import { Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { lineageFlag } from '../src/lineage-flag.ts'
import { build, buildRows, buildSummary, changeNotes } from '../src/pipeline/build.ts'
import { movesOfBuild } from '../src/pipeline/lineage.ts'
import { checkNotes } from '../src/pipeline/quality.ts'
import { runRecorder } from '../src/pipeline/runs.ts'

export default class Batch extends BaseCommand {
  static override summary = 'Build dimensions and facts from what was loaded.'
  static override description =
    `Staging becomes the star in one transaction, incrementally: only what new loads touch is made anew.
--full rebuilds everything, with the same result, and so does another engine. It first maps again what raw kept of events, where their mapping changed since they were loaded, and says how many facts are others by it; what raw does not keep has to be loaded again, and it says by which commands. Then the checks run: exit code 1 when one fails, and again until it passes.`
  static override examples = [
    '<%= config.bin %> batch',
    '<%= config.bin %> batch --full',
    '<%= config.bin %> batch --select dim_course --select dim_learner',
    '<%= config.bin %> batch --engine spark',
    '<%= config.bin %> batch --engine spark --address "sc://spark.example.org/;use_ssl=true"',
  ]
  static override flags = {
    select: Flags.string({
      multiple: true,
      helpValue: 'MODEL',
      summary: 'Make only this model anew; every load must be built.',
    }),
    full: Flags.boolean({ summary: 'Make every row anew.' }),
    ...lineageFlag,
    engine: Flags.option({ options: ['spark'] as const })({
      summary: "Where models run, when not in the warehouse: spark, over the warehouse's own files.",
    }),
    address: Flags.string({
      helpValue: 'sc://HOST:PORT',
      dependsOn: ['engine'],
      summary: 'The Spark Connect server; unless said, spark.address, else that of lpa spark up.',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(Batch)
    const config = await this.settings({ 'spark.address': flags.address })
    this.recordRun(runRecorder(config))
    const lineage = await this.traceTo(flags.lineage)
    const summary = await build(
      config,
      {
        select: flags.select ?? [],
        full: flags.full,
        replays: flags.full,
        runId: this.runId,
        engine: flags.engine,
      },
      this.signal,
      { onModel: (name, index, total) => this.progress.step(`Building ${name} (${index + 1} of ${total})`) },
    )
    if (this.format() !== 'table' || summary.outcome === 'built') await this.print(buildRows(summary))
    this.note(...changeNotes(summary))
    this.note(...checkNotes(summary.checks))
    const failed = summary.checks.some((check) => check.severity === 'error' && check.failures > 0)
    this.finish({ summary: buildSummary(summary), details: summary, exit: failed ? 'findings' : 'done' })
    for (const [model, moves] of lineage ? movesOfBuild(summary) : []) {
      lineage?.part(model, moves)
      lineage?.moved(moves)
    }
  }
}
