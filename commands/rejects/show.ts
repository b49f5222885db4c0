import { Args } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { recordText } from '../../src/pipeline/ledger.ts'
import { showReject } from '../../src/pipeline/rejects.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'

export default class RejectsShow extends BaseCommand {
  static override summary = 'Show what is kept of one rejected record.'
  static override description =
    'Only the paths that its mapping keeps, with pseudonyms for people; nothing of a record that cannot be read.'
  static override examples = ['<%= config.bin %> rejects show 12 events.ndjson:345']
  static override args = {
    load: Args.integer({ required: true, description: 'The load, as lpa rejects list names it.' }),
    position: Args.string({ required: true, description: 'file:line, or only the line.' }),
  }

  async run(): Promise<void> {
    const { args } = await this.start(RejectsShow)
    const config = await this.settings()
    const records = await withWarehouse(config, 'read', this.signal, (engine) =>
      showReject(engine, args.load, args.position),
    )
    await this.printValue(records, records.map(recordText).join('\n\n'))
  }
}
