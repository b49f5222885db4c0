import { Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { listRuns, runsTable } from '../../src/pipeline/runs.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'

export default class Runs extends BaseCommand {
  static override summary = 'List the last runs that wrote the warehouse.'
  static override examples = ['<%= config.bin %> runs', '<%= config.bin %> runs --limit 5 --json']
  static override flags = {
    limit: Flags.integer({ default: 20, min: 1, helpValue: 'N', summary: 'How many, newest first.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(Runs)
    const config = await this.settings()
    const runs = await withWarehouse(config, 'read', this.signal, (engine) => listRuns(engine, flags.limit))
    await this.print(runs, { table: runsTable(runs) })
  }
}
