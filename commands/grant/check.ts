import { Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { checkGrants, checkSummary, checkText, isFine } from '../../src/pipeline/grant-check.ts'
import { readPolicy, saidOf } from '../../src/pipeline/policy.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'

export default class GrantCheck extends BaseCommand {
  static override summary = 'Tell whether the warehouse still has the policy.'
  static override description =
    'Compares with the live state, so what was changed behind its back is found too. --audit tells what the policy itself leaves open: errors are personal columns without a mask, tables that a row rule leaves out, tables without tags and, on Snowflake, tables and columns that others made where a role reads, warnings roles without users and wide grants. Changes nothing. Exit code 1 when something differs, or for an error.'
  static override examples = [
    '<%= config.bin %> grant check',
    '<%= config.bin %> grant check --audit --format json',
  ]
  static override flags = {
    audit: Flags.boolean({ summary: 'Look at the policy itself too.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(GrantCheck)
    const config = await this.settings()
    const read = await readPolicy(config)
    const check = await withWarehouse(config, 'read', this.signal, (engine) =>
      checkGrants(engine, read.policy, flags.audit),
    )
    await this.printValue(check, checkText(check))
    this.finish({
      summary: `${checkSummary(check)}${saidOf(read)}`,
      details: check,
      exit: isFine(check) ? 'done' : 'findings',
    })
  }
}
