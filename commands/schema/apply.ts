import { Args } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { runRecorder } from '../../src/pipeline/runs.ts'
import { applySchema, planSummary, planText, readPlan } from '../../src/pipeline/schema.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'

export default class SchemaApply extends BaseCommand {
  static override summary = 'Make the warehouse, or bring it to its declared schema.'
  static override description =
    `One transaction: all of the plan or nothing. When the schema is up to date, nothing changes.
Exit code 1 when drift is left, or when the plan named is stale.`
  static override examples = [
    '<%= config.bin %> schema apply',
    '<%= config.bin %> schema plan --out plan.json && <%= config.bin %> schema apply plan.json',
  ]
  static override args = {
    plan: Args.string({ description: 'A plan saved by schema plan --out; else it is made now.' }),
  }

  async run(): Promise<void> {
    const { args } = await this.start(SchemaApply)
    const saved = args.plan === undefined ? undefined : readPlan(args.plan)
    const config = await this.settings()
    this.recordRun(runRecorder(config))
    const applied = await withWarehouse(config, 'create', this.signal, (engine) => applySchema(engine, saved))
    await this.printValue(applied, planText(applied))
    this.finish({
      summary: planSummary(applied),
      details: applied,
      exit: applied.findings.length > 0 ? 'findings' : 'done',
    })
  }
}
