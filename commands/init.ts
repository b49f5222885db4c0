import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { init } from '../src/pipeline/init.ts'
import { safeText } from '../src/safe-text.ts'

export default class Init extends BaseCommand {
  static override summary = 'Write lpa.toml and the pseudonym key: the first thing to do.'
  static override description =
    `Writes lpa.toml with every setting explained, the key that pseudonyms are made with (only you can read it), and a .gitignore for the key and the warehouse. What is there already is kept as it is.`
  static override examples = ['<%= config.bin %> init', '<%= config.bin %> init campus --sample']
  static override args = {
    dir: Args.string({ default: '.', description: 'Where to begin.' }),
  }
  static override flags = {
    sample: Flags.boolean({ summary: 'Also put the exports of a small campus into exports/.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.start(Init)
    const done = init({ cwd: process.cwd(), folder: args.dir, sample: flags.sample })
    const lines = [
      ...done.created.map((path) => `created ${safeText(path)}`),
      ...done.kept.map((path) => `kept    ${safeText(path)}`),
    ]
    await this.printDone(done, lines.join('\n'))
    this.note('Next:', ...done.next.map((step) => `  ${step}`))
    this.finish({ details: done })
  }
}
