import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { applyGrants, grantPlanText, grantSummary, readGrantPlan } from '../../src/pipeline/grant.ts'
import { readPolicy, saidOf } from '../../src/pipeline/policy.ts'
import { runRecorder } from '../../src/pipeline/runs.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'

export default class GrantApply extends BaseCommand {
  static override summary = 'Bring the warehouse to the policy of security/*.yaml.'
  static override description =
    `On the embedded engine one transaction. On Snowflake a statement after the other, in an order in which nobody sees more in between than before or after; a run that ended early goes on when it is run again. Where the warehouse has the policy, nothing changes.

Exit code 1 when the plan named is stale.`
  static override examples = [
    '<%= config.bin %> grant apply',
    '<%= config.bin %> grant plan --out grants.json && <%= config.bin %> grant apply grants.json',
  ]
  static override args = {
    plan: Args.string({ description: 'A plan saved by grant plan --out; else it is made now.' }),
  }
  static override flags = {
    prune: Flags.boolean({ summary: 'Remove also what lpa did not make.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.start(GrantApply)
    const saved = args.plan === undefined ? undefined : readGrantPlan(args.plan)
    const config = await this.settings()
    const read = await readPolicy(config)
    this.recordRun(runRecorder(config))
    const { known: _, ...applied } = await withWarehouse(config, 'write', this.signal, (engine) =>
      applyGrants(engine, read.policy, {
        ...{ saved, prune: flags.prune, log: this.runLog },
        lockWaitMs: config.load.lockWaitMs,
      }),
    )
    await this.printValue(applied, grantPlanText(applied))
    this.finish({ summary: `${grantSummary(applied, true)}${saidOf(read)}`, details: applied })
  }
}
