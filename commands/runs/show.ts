import { Args } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { recordsOf, recordText } from '../../src/pipeline/ledger.ts'
import { showRun } from '../../src/pipeline/runs.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'

export default class RunsShow extends BaseCommand {
  static override summary = 'Show one run and what it loaded.'
  static override examples = ['<%= config.bin %> runs show 20260112-081322-4f2a91']
  static override args = {
    id: Args.string({ required: true, description: 'The run, as lpa runs lists it.' }),
  }

  async run(): Promise<void> {
    const { args } = await this.start(RunsShow)
    const { run, loads } = await withWarehouse(await this.settings(), 'read', this.signal, (engine) =>
      showRun(engine, args.id),
    )
    await this.printValue({ ...run, loads: recordsOf(loads) }, recordText(run))
    if (this.format() === 'table' && loads.rows.length > 0) await this.print(loads)
  }
}
