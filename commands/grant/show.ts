import { Args } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { showRole, showRoles } from '../../src/pipeline/grant-show.ts'
import { policyUser, readPolicy, saidOf } from '../../src/pipeline/policy.ts'

export default class GrantShow extends BaseCommand {
  static override summary = 'Show what a role may see, or which roles there are.'
  static override description =
    'For every table and column: clear, masked and how, filtered and by what. As security/*.yaml declares it, before it is applied too.'
  static override examples = [
    '<%= config.bin %> grant show',
    '<%= config.bin %> grant show lpa_analyst',
    '<%= config.bin %> grant show lpa_instructor --format csv',
  ]
  static override args = { role: Args.string({ description: 'A role; else all are listed.' }) }

  async run(): Promise<void> {
    const { args } = await this.start(GrantShow)
    const config = await this.settings()
    const read = await readPolicy(config)
    const shown =
      args.role === undefined ? showRoles(read.policy) : showRole(read.policy, args.role, policyUser(config))
    await this.print(shown)
    if (config.warehouse.engine !== 'duckdb')
      this.note('This is what the policy says. What Snowflake keeps otherwise, lpa grant plan notes.')
    this.finish({ summary: `${shown.rows.length} rows${saidOf(read)}` })
  }
}
