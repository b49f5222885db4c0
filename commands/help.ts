import { Args, loadHelpClass } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'

export default class Help extends BaseCommand {
  static override summary = 'Show the help of a command; the same as its --help.'
  static override examples = ['<%= config.bin %> help schema apply']
  static override strict = false
  static override args = { command: Args.string({ description: 'The words of the command.' }) }

  async run(): Promise<void> {
    const { argv } = await this.start(Help)
    const HelpClass = await loadHelpClass(this.config)
    await new HelpClass(this.config).showHelp(argv as string[])
  }
}
