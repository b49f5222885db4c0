import { Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { build, buildRows, buildSummary } from '../src/pipeline/build.ts'
import { runRecorder } from '../src/pipeline/runs.ts'

export default class Batch extends BaseCommand {
  static override summary = 'Build dimensions and facts from what was loaded.'
  static override description =
    `Staging becomes the star in one transaction, incrementally: only what new loads touch is made anew.
--full rebuilds everything, with the same result. Then the checks run: exit code 1 when one fails, and again until it passes.`
  static override examples = [
    '<%= config.bin %> batch',
    '<%= config.bin %> batch --full',
    '<%= config.bin %> batch --select dim_course --select dim_learner',
  ]
  static override flags = {
    select: Flags.string({
      multiple: true,
      helpValue: 'MODEL',
      summary: 'Make only this model anew; every load must be built.',
    }),
    full: Flags.boolean({ summary: 'Make every row anew.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(Batch)
    const config = await this.settings()
    this.recordRun(runRecorder(config))
    const summary = await build(
      config,
      { select: flags.select ?? [], full: flags.full, runId: this.runId },
      this.signal,
      { onModel: (name, index, total) => this.progress.step(`Building ${name} (${index + 1} of ${total})`) },
    )
    if (this.format() !== 'table' || summary.outcome === 'built') await this.print(buildRows(summary))
    for (const check of summary.checks.filter(({ failures }) => failures > 0)) {
      this.note(
        `${check.severity}: ${check.title}: ${check.failures} ${check.failures === 1 ? 'row' : 'rows'}`,
      )
    }
    const failed = summary.checks.some((check) => check.severity === 'error' && check.failures > 0)
    this.finish({ summary: buildSummary(summary), details: summary, exit: failed ? 'findings' : 'done' })
  }
}
