import { Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { listRejects, rejectsTable } from '../../src/pipeline/rejects.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'

export default class RejectsList extends BaseCommand {
  static override summary = 'List rejected records with file, line and reason.'
  static override examples = [
    '<%= config.bin %> rejects list',
    '<%= config.bin %> rejects list --source lms --limit 1000 --format csv',
  ]
  static override flags = {
    source: Flags.string({ helpValue: 'NAME', summary: 'Only those of this source.' }),
    reason: Flags.string({ helpValue: 'CODE', summary: 'Only those with this reason code.' }),
    load: Flags.integer({ helpValue: 'ID', summary: 'Only those of this load.' }),
    limit: Flags.integer({ default: 100, min: 1, helpValue: 'N', summary: 'How many, newest load first.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(RejectsList)
    const { source, reason, load: loadId, limit } = flags
    const rows = await withWarehouse(await this.settings(), 'read', this.signal, (engine) =>
      listRejects(engine, { source, reason, loadId, limit }),
    )
    await this.print(rows, { table: rejectsTable(rows) })
    if (rows.rows.length === limit) this.note(`There may be more: --limit ${limit * 10}`)
  }
}
