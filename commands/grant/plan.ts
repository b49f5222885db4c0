import { Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { exactJson } from '../../src/output.ts'
import { grantPlanText, grantSummary, planGrants } from '../../src/pipeline/grant.ts'
import { readPolicy, saidOf } from '../../src/pipeline/policy.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'
import { writeWhole } from '../../src/report-file.ts'

export default class GrantPlan extends BaseCommand {
  static override summary = 'Show what grant apply would change.'
  static override description =
    `Compares the policy of security/*.yaml with what the warehouse has of it: roles, grants, masks, row rules, tags, users. Shows every statement in the order in which it would run; changes nothing.

What others made is told, and left alone without --prune. A saved plan is applied as it is, or refused when the warehouse needs another one by then.`
  static override examples = [
    '<%= config.bin %> grant plan',
    '<%= config.bin %> grant plan --format json',
    '<%= config.bin %> grant plan --out grants.json && <%= config.bin %> grant apply grants.json',
  ]
  static override flags = {
    out: Flags.string({ helpValue: 'FILE', summary: 'Save the plan, to be applied as it is.' }),
    prune: Flags.boolean({ summary: 'Remove also what lpa did not make.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(GrantPlan)
    const config = await this.settings()
    const read = await readPolicy(config)
    const { known: _, ...plan } = await withWarehouse(config, 'read', this.signal, (engine) =>
      planGrants(engine, read.policy, flags.prune),
    )
    if (flags.out !== undefined) await writeWhole(flags.out, `${exactJson(plan, 2)}\n`)
    await this.printValue(plan, grantPlanText(plan))
    this.finish({ summary: `${grantSummary(plan)}${saidOf(read)}`, details: plan })
  }
}
