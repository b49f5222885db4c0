import { Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { countRejects } from '../../src/pipeline/rejects.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'

export default class Rejects extends BaseCommand {
  static override summary = 'Count rejected records by source and reason.'
  static override description = 'Each record is listed by lpa rejects list, with its file and line.'
  static override examples = ['<%= config.bin %> rejects', '<%= config.bin %> rejects --source lms']
  static override flags = {
    source: Flags.string({ helpValue: 'NAME', summary: 'Only those of this source.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(Rejects)
    const config = await this.settings()
    await this.print(
      await withWarehouse(config, 'read', this.signal, (engine) => countRejects(engine, flags.source)),
    )
  }
}
