import { Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { onceOptions, renderOnce } from '../src/dash/once.ts'
import { overviewJson, readOverview } from '../src/dash/overview.ts'
import { UserError } from '../src/errors.ts'
import { writeText } from '../src/output.ts'
import { runReport } from '../src/pipeline/report.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'

export default class Dash extends BaseCommand {
  static override summary = 'Show enrollments, progress and completions as a picture.'
  static override description =
    `One picture of the newest days: key figures against the days before, enrollments and completions day by day, the courses. It fits the terminal: from 110 × 30 with more, below 60 × 15 with less. --format json gives the numbers.

LPA_GLYPHS=braille|block|ascii says what the terminal can show, when its locale does not.`
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
  }

  async run(): Promise<void> {
    await this.start(Dash)
    const format = this.format('chart')
    if (format !== 'chart' && format !== 'json') {
      throw new UserError('LPA-DASH-FORMAT', `A picture cannot be printed as ${format}.`, {
        exit: 'usage',
        next: 'Its numbers: lpa dash --format json. The rows of one report: lpa query daily --format csv',
      })
    }
    const config = await this.settings()
    const data = await withWarehouse(config, 'read', this.signal, (engine) =>
      readOverview((report, params) => runReport(engine, config, report, params)),
    )
    this.progress.done()
    const options = onceOptions(this.terminal, process.env)
    await writeText(format === 'json' ? overviewJson(data) : renderOnce(data, options), process.stdout)
  }
}
