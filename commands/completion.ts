import { Args } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { completedCommands } from '../src/completed-commands.ts'
import { completionScript, SHELLS, type Shell } from '../src/completion.ts'

export default class Completion extends BaseCommand {
  static override summary = 'Print a completion script for bash, zsh or fish.'
  static override description = `Completes commands, flags, report names and the profiles of lpa.toml.

bash: add this line to ~/.bashrc: source <(lpa completion bash)
zsh: add this line to ~/.zshrc, after compinit: source <(lpa completion zsh)
fish: lpa completion fish > ~/.config/fish/completions/lpa.fish`
  static override examples = ['<%= config.bin %> completion bash']
  static override args = {
    shell: Args.string({ options: [...SHELLS], required: true, description: 'Whose script.' }),
  }

  async run(): Promise<void> {
    const { args } = await this.start(Completion)
    const shell = args.shell as Shell
    const script = completionScript(shell, completedCommands(this.config.commands))
    await this.printValue({ shell, script }, script)
  }
}
