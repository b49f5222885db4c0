import { BaseCommand } from '../../src/base-command.ts'
import { keyAdvice, loadsOfOtherKeys, showKey } from '../../src/pipeline/key.ts'
import { recordText } from '../../src/pipeline/ledger.ts'

export default class KeyShow extends BaseCommand {
  static override summary = 'Show which pseudonym key is used, never the key itself.'
  static override description =
    'The id of the key is kept with each load. Loads under another key have other pseudonyms for the same people: exit code 1, and the commands that load their inputs again. To change the key: lpa key rotate.'
  static override examples = ['<%= config.bin %> key show']

  async run(): Promise<void> {
    await this.start(KeyShow)
    const key = await showKey(await this.settings(), this.signal)
    const others = loadsOfOtherKeys(key)
    const loads = key.loads.map(({ keyId, loads }) => `${loads} under ${keyId}`).join(', ') || 'none'
    await this.printValue(key, recordText({ file: key.file, key_id: key.keyId, loads }))
    const advice = keyAdvice(key)
    if (advice.length > 0) this.note(...advice)
    if (others > 0)
      this.finish({
        summary: `${others} ${others === 1 ? 'load was' : 'loads were'} made with another key`,
        exit: 'findings',
      })
  }
}
