import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { UserError } from '../../src/errors.ts'
import { safeText } from '../../src/safe-text.ts'

/** Prints rows, then fails if asked to. */
export default class Rows extends BaseCommand {
  static override args = { report: Args.string() }
  static override flags = {
    count: Flags.integer({ default: 2 }),
    text: Flags.string({ default: 'Intro to SQL' }),
    param: Flags.string({ multiple: true }),
    sql: Flags.string(),
    fail: Flags.boolean(),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.start(Rows)
    const config = await this.settings()
    async function* chunks() {
      for (let row = 0; row < flags.count; row += 1000) {
        const rows = Math.min(1000, flags.count - row)
        yield Array.from({ length: rows }, (_, index) => [row + index, flags.text])
      }
    }
    const columns = [
      { name: 'n', type: 'integer' },
      { name: 'text', type: 'text' },
    ] as const
    await this.print({ columns, chunks: chunks() })
    if (args.report)
      this.note(`argument ${safeText(args.report)}, parameters ${flags.param?.join(' ') ?? 'none'}`)
    if (config.load.lockWaitMs > 0) this.note(`waits ${config.load.lockWaitMs} ms`)
    this.runLog.debug('printed', { rows: flags.count })
    if (flags.fail) {
      throw new UserError('LPA-TRY-REJECTS', 'Too many records were rejected.', {
        exit: 'data',
        where: 'grades.csv:12',
        next: ['Look at them: lpa rejects list', 'Allow more: --max-rejects 5%'],
        cause: new Error('the cause'),
      })
    }
    this.finish({ details: { rows: 2n ** 60n } })
  }
}
