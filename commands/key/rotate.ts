import { BaseCommand } from '../../src/base-command.ts'
import { replaceKey, rotationAdvice } from '../../src/pipeline/key.ts'
import { reloadRows } from '../../src/pipeline/reload.ts'

export default class KeyRotate extends BaseCommand {
  static override summary = 'Make a new pseudonym key, and tell what has to be loaded again.'
  static override description =
    `The old key is kept beside the new one, as KEYFILE.ID. A new key is a reload: nothing maps old pseudonyms to new ones, so until every input is loaded again the same learners count twice, and lpa batch, lpa load and lpa doctor say so. Loading an input again supersedes its load under the old key in one transaction.

What it prints are the commands that load everything again; those that remain are shown by lpa key show, which also says when the old key can be deleted. To go back, rename the old key.`
  static override examples = ['<%= config.bin %> key rotate']

  async run(): Promise<void> {
    await this.start(KeyRotate)
    const rotated = await replaceKey(await this.settings(), this.signal)
    const commands = rotated.reload.map(({ command }) => command)
    // People copy the commands, which a table would break into lines.
    if (!['table', 'json'].includes(this.format())) await this.print(reloadRows(rotated.reload))
    else if (this.format() === 'json' || commands.length > 0)
      await this.printValue(rotated, commands.join('\n'))
    this.note(...rotationAdvice(rotated))
    const loads = rotated.reload.reduce((sum, step) => sum + step.loads, 0)
    this.finish({
      summary: `key ${rotated.oldKeyId} is now ${rotated.newKeyId}; ${loads} ${loads === 1 ? 'load' : 'loads'} to load again`,
      details: rotated,
    })
  }
}
