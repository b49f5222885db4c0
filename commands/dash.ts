import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { exportFormat, exportPage, exportScreen } from '../src/dash/export.ts'
import { isLiveTerminal, isSpoken } from '../src/dash/live/terminal.ts'
import { onceOptions, onceView, panelsJson, renderOnce } from '../src/dash/once.ts'
import { problemNotes, rowsOf } from '../src/dash/page.ts'
import { readPanels } from '../src/dash/read-panels.ts'
import { SCREENS } from '../src/dash/screens/index.ts'
import { UserError } from '../src/errors.ts'
import { writeText } from '../src/output.ts'
import { withheldFrom } from '../src/pipeline/role-answers.ts'
import { recordQuestion } from '../src/pipeline/runs.ts'
import { withReader } from '../src/pipeline/table-files.ts'
import { roleFlag } from '../src/role-flag.ts'

export default class Dash extends BaseCommand {
  static override summary = 'Show enrollments, progress and completions, live.'
  static override description =
    `On a terminal a dashboard that follows the warehouse until q; ? tells its keys. With --once, or where there is no terminal, one picture of the newest 28 days: key figures against the days before, charts day by day, a table. It fits the terminal: from 110 × 29 with more, below 60 × 14 with less. --format json gives the numbers, --format csv the rows of the screen's table.

Files in place of the warehouse: Parquet or CSV that are shaped like the tables of core and named after them, as fact_enrollment.parquet, or a folder of them. They are read where they lie; a table without a file is empty.

LPA_THEME=ansi|dark|light|high-contrast|mono says how the dashboard is coloured (dash.theme in lpa.toml), INK_SCREEN_READER=true asks for sentences instead of pictures. LPA_GLYPHS=braille|block|ascii says what the terminal can show, when its locale does not.`
  static override examples = [
    '<%= config.bin %> dash',
    '<%= config.bin %> dash --screen funnel --once > today.txt',
    '<%= config.bin %> dash --format json',
    '<%= config.bin %> dash --screen courses --export courses.html',
    '<%= config.bin %> dash core/ --once',
  ]
  static override strict = false
  static override args = {
    files: Args.string({
      description: 'Parquet or CSV files named after tables of core, or folders of them.',
    }),
  }
  static override flags = {
    export: Flags.string({
      helpValue: 'FILE',
      summary: 'Write the screen into FILE.svg, .html, .png or .csv instead.',
    }),
    mouse: Flags.boolean({
      summary: 'Take clicks and the wheel; what the terminal selects is then selected with Shift.',
    }),
    once: Flags.boolean({ summary: 'Print one picture and leave.' }),
    screen: Flags.option({ options: SCREENS.map(({ name }) => name) })({
      default: 'overview',
      helpValue: 'SCREEN',
      summary: `What to show: ${SCREENS.map(({ name }) => name).join(', ')}.`,
    }),
    role: roleFlag('Show what a role of the policy may see.'),
    refresh: Flags.string({
      helpValue: 'DURATION',
      summary: 'How often to look for new data, 2s unless said.',
    }),
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.start(Dash)
    const files = argv as string[]
    if (flags.export !== undefined) exportFormat(flags.export)
    const config = await this.settings({
      'dash.refresh': flags.refresh,
      'dash.mouse': flags.mouse ? 'true' : undefined,
    })
    const { role } = flags
    if (role !== undefined) this.auditAs(role, (run) => recordQuestion(config, run))
    const isOnce = flags.once || flags.json || flags.format !== undefined || flags.export !== undefined
    if (!isOnce && isLiveTerminal(process.env)) {
      // Only here when bin/run.js has not started it: with flags that it leaves to oclif, and without a build.
      const { runLive } = await import('../src/dash/live/live.ts')
      const how = await runLive({
        ...{
          screens: SCREENS,
          screen: flags.screen,
          config,
          files,
          role,
          root: this.config.root,
          signal: this.signal,
        },
        noColor: flags['no-color'],
        exportScreen: exportPage,
      })
      if (how === 'interrupted') this.finish({ exit: 'sigint' })
      return
    }
    const format = this.format('chart')
    if (format !== 'chart' && format !== 'json' && format !== 'csv') {
      throw new UserError('LPA-DASH-FORMAT', `A picture cannot be printed as ${format}.`, {
        exit: 'usage',
        next: 'Its numbers: lpa dash --format json. The rows of one report: lpa query daily --format csv',
      })
    }
    const options = onceOptions(this.terminal, process.env)
    const view = onceView(options.glyphs)
    const screen = SCREENS.find(({ name }) => name === flags.screen) ?? SCREENS[0]
    if (screen === undefined) return
    const panels = await withReader(
      ...([config, files, this.signal] as const),
      async (reader) => {
        if (reader.role) this.note(...withheldFrom(reader.role))
        return readPanels(reader, config, screen.reports(view))
      },
      role,
    )
    this.progress.done()
    // A picture says so itself.
    if (format !== 'chart') this.note(...problemNotes(panels))
    if (flags.export !== undefined) {
      await exportScreen(screen, panels, view, flags.export)
      this.finish({ summary: `${flags.export} written` })
      return
    }
    if (format === 'csv') {
      await this.print(rowsOf(panels, screen.page(view, panels).table.report))
      return
    }
    const draw = () =>
      isSpoken(process.env)
        ? screen.describe(panels, view).join('\n')
        : renderOnce(screen, panels, view, options)
    await writeText(format === 'json' ? panelsJson(panels) : draw(), process.stdout)
  }
}
