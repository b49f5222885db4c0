import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { onceOptions, onceView, renderOnce } from '../src/dash/once.ts'
import { readPanels } from '../src/dash/read-panels.ts'
import { overview } from '../src/dash/screens/overview.ts'
import { writeText } from '../src/output.ts'
import { runRecorder } from '../src/pipeline/runs.ts'
import { up } from '../src/pipeline/up.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'

export default class Up extends BaseCommand {
  static override summary =
    'From exports to a picture: init, schema, load, batch and dash, one after the other.'
  static override description =
    'Each step is shown as the command that does it, and what is done already is skipped: run it again whenever there are new exports. Without SOURCE: all sources of lpa.toml.'
  static override examples = [
    '<%= config.bin %> up --sample',
    '<%= config.bin %> up "exports/*.csv" events.ndjson.gz',
  ]
  static override strict = false
  static override args = {
    source: Args.string({ description: 'Files, globs, folders, or names of sources in lpa.toml.' }),
  }
  static override flags = {
    sample: Flags.boolean({ summary: 'Begin with the exports of a small campus in exports/.' }),
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.start(Up)
    const request = { inputs: argv as string[], sample: flags.sample, cwd: process.cwd(), runId: this.runId }
    const done = await up(request, () => this.settings(), this.signal, {
      onStep: (command) => this.note('', `$ ${command}`),
      onResult: (...lines) => this.note(...lines),
      onProgress: (label) => this.progress.step(label),
      onWarning: (...lines) => this.warning(...lines),
    })
    const config = await this.settings()
    this.recordRun(runRecorder(config))
    this.note('', '$ lpa dash --once')
    const options = onceOptions(this.terminal, process.env)
    const view = onceView(options.glyphs)
    const panels = await withWarehouse(config, 'read', this.signal, (engine) =>
      readPanels(engine, config, overview.reports(view)),
    )
    await writeText(renderOnce(overview, panels, view, options), process.stdout)
    this.note(
      '',
      flags.profile === undefined ? 'Next:' : `Next, with --profile ${flags.profile}:`,
      '  lpa query --list                     the questions it answers',
      '  lpa query funnel --format chart      one of them as a picture',
      '  lpa rejects list                     what was left in quarantine',
    )
    this.finish({ summary: done.summary, details: done, exit: done.failedChecks ? 'findings' : 'done' })
  }
}
