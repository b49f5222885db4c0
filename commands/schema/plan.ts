import { Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { exactJson } from '../../src/output.ts'
import { planConfigured, planSummary, planText } from '../../src/pipeline/schema.ts'
import { writeWhole } from '../../src/report-file.ts'

export default class SchemaPlan extends BaseCommand {
  static override summary = 'Show what schema apply would change.'
  static override description =
    `Compares the declared tables with the live ones: tables and columns to add, types to widen, numbered changes that are pending, drift. Changes nothing. Exit code 1 when there is drift, which no step can mend.

A saved plan is applied as it is, or refused when the warehouse needs another one by then.`
  static override examples = [
    '<%= config.bin %> schema plan',
    '<%= config.bin %> schema plan --out plan.json && <%= config.bin %> schema apply plan.json',
  ]
  static override flags = {
    out: Flags.string({ helpValue: 'FILE', summary: 'Save the plan, to be applied as it is.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(SchemaPlan)
    const plan = await planConfigured(await this.settings(), this.signal)
    if (flags.out !== undefined) await writeWhole(flags.out, `${exactJson(plan, 2)}\n`)
    await this.printValue(plan, planText(plan))
    this.finish({
      summary: planSummary(plan),
      details: plan,
      exit: plan.findings.length > 0 ? 'findings' : 'done',
    })
  }
}
