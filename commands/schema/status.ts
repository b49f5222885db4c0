import { BaseCommand } from '../../src/base-command.ts'
import { planSummary, schemaStatus, statusText } from '../../src/pipeline/schema.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'

export default class SchemaStatus extends BaseCommand {
  static override summary = 'Show what is applied, pending and drifted.'
  static override description = 'Exit code 1 when something is pending or has drifted.'
  static override examples = ['<%= config.bin %> schema status']

  async run(): Promise<void> {
    await this.start(SchemaStatus)
    const status = await withWarehouse(await this.settings(), 'read', this.signal, schemaStatus)
    await this.printValue(status, statusText(status))
    this.finish({
      summary: planSummary(status),
      details: status,
      exit: status.upToDate ? 'done' : 'findings',
    })
  }
}
