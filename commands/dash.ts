import { Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { isLiveTerminal } from '../src/dash/live/terminal.ts'
import { onceOptions, renderOnce } from '../src/dash/once.ts'
import { overviewJson, readOverview } from '../src/dash/overview.ts'
import { SCREENS } from '../src/dash/screens/index.ts'
import { UserError } from '../src/errors.ts'
import { writeText } from '../src/output.ts'
import { runReport } from '../src/pipeline/report.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'

export default class Dash extends BaseCommand {
  static override summary = 'Show enrollments, progress and completions, live.'
  static override description =
    `On a terminal a dashboard that follows the warehouse until q; ? tells its keys. With --once, or where there is no terminal, one picture of the newest days: key figures against the days before, enrollments and completions day by day, the courses. It fits the terminal: from 110 × 30 with more, below 60 × 15 with less. --format json gives the numbers.

LPA_THEME=ansi|dark|light|high-contrast|mono says how the dashboard is coloured (dash.theme in lpa.toml), INK_SCREEN_READER=true asks for sentences instead of pictures. LPA_GLYPHS=braille|block|ascii says what the terminal can show, when its locale does not.`
  static override examples = [
    '<%= config.bin %> dash',
    '<%= config.bin %> dash --once > today.txt',
    '<%= config.bin %> dash --format json',
  ]
  static override flags = {
    once: Flags.boolean({ summary: 'Print one picture and leave.' }),
    screen: Flags.option({ options: ['overview'] as const })({
      default: 'overview',
      helpValue: 'SCREEN',
      summary: 'What to show: overview.',
    }),
    refresh: Flags.string({
      helpValue: 'DURATION',
      summary: 'How often to look for new data, 2s unless said.',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(Dash)
    const config = await this.settings({ 'dash.refresh': flags.refresh })
    if (!flags.once && !flags.json && flags.format === undefined && isLiveTerminal(process.env)) {
      // Only here when bin/run.js has not started it: with flags that it leaves to oclif, and without a build.
      const { runLive } = await import('../src/dash/live/live.ts')
      const how = await runLive({
        ...{ screens: SCREENS, screen: flags.screen, config, root: this.config.root, signal: this.signal },
        noColor: flags['no-color'],
      })
      if (how === 'interrupted') this.finish({ exit: 'sigint' })
      return
    }
    const format = this.format('chart')
    if (format !== 'chart' && format !== 'json') {
      throw new UserError('LPA-DASH-FORMAT', `A picture cannot be printed as ${format}.`, {
        exit: 'usage',
        next: 'Its numbers: lpa dash --format json. The rows of one report: lpa query daily --format csv',
      })
    }
    const data = await withWarehouse(config, 'read', this.signal, (engine) =>
      readOverview((report, params) => runReport(engine, config, report, params)),
    )
    this.progress.done()
    const options = onceOptions(this.terminal, process.env)
    await writeText(format === 'json' ? overviewJson(data) : renderOnce(data, options), process.stdout)
  }
}
