import { Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { serverRecord, startLocalServer } from '../../src/engines/spark/local-server.ts'
import { UserError } from '../../src/errors.ts'
import { recordText } from '../../src/pipeline/ledger.ts'

export default class SparkUp extends BaseCommand {
  static override summary = 'Start Spark on this machine, for lpa batch --engine spark.'
  static override description =
    'A Spark Connect server on a free port of the loopback, with a token of its own, which goes on until lpa spark down. It needs Java 17, and Spark: $SPARK_HOME, else what a checkout of lpa has fetched. Where it runs already, nothing is done.'
  static override examples = ['<%= config.bin %> spark up', '<%= config.bin %> spark up --memory 8g']
  static override flags = {
    memory: Flags.string({
      helpValue: 'SIZE',
      default: '2g',
      summary: 'How much memory Java may use: 512m, 8g; 2g unless said.',
    }),
    conf: Flags.string({
      multiple: true,
      helpValue: 'NAME=VALUE',
      summary: 'A setting of Spark itself, as spark.sql.shuffle.partitions=64.',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(SparkUp)
    if (!/^[1-9]\d*[mg]$/i.test(flags.memory)) {
      throw new UserError(
        'LPA-USAGE',
        `--memory is ${JSON.stringify(flags.memory)}. It is a size: 512m, 8g.`,
        {
          exit: 'usage',
        },
      )
    }
    const settings = (flags.conf ?? []).map((text) => {
      const [, name, value] = /^(spark\.[^\s=]+)=(.*)$/s.exec(text) ?? []
      if (name === 'spark.driver.memory') {
        throw new UserError('LPA-USAGE', `--conf ${text} would change nothing: --memory says how much.`, {
          exit: 'usage',
        })
      }
      if (name !== undefined && value !== undefined) return [name, value] as const
      throw new UserError('LPA-USAGE', `--conf ${text} is no setting of Spark.`, {
        exit: 'usage',
        next: 'Write --conf spark.sql.shuffle.partitions=64',
      })
    })
    this.progress.step('Starting Spark')
    const { server, isNew } = await startLocalServer({
      memory: flags.memory,
      settings: Object.fromEntries(settings),
      signal: this.signal,
    })
    const record = serverRecord(server)
    await this.printDone(record, recordText(record))
    this.finish({ summary: isNew ? 'Spark answers' : 'Spark runs already', details: record })
  }
}
