import { Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { serverRecord, startLocalServer } from '../../src/engines/spark/local-server.ts'
import { UserError } from '../../src/errors.ts'
import { recordText } from '../../src/pipeline/ledger.ts'

/** What would take the server away from where lpa looks for it, or say nothing to it. */
const NOT_TAKEN: Readonly<Record<string, string>> = {
  'spark.connect.grpc.binding.address':
    'This server is for this machine only. One for others is started as docs/spark.md says.',
  'spark.connect.authenticate.token': 'It has one of its own, and a command line is read by others.',
  'spark.driver.memory': 'Write --memory 8g',
}

export default class SparkUp extends BaseCommand {
  static override summary = 'Start Spark on this machine, for lpa batch --engine spark.'
  static override description =
    'A Spark Connect server on a free port of the loopback, with a token of its own, which goes on until lpa spark down. It needs Java 17, and Spark: $SPARK_HOME, else what a checkout of lpa has fetched. Where it runs already, nothing is done.'
  static override examples = ['<%= config.bin %> spark up', '<%= config.bin %> spark up --memory 8g']
  static override flags = {
    memory: Flags.string({
      helpValue: 'SIZE',
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
    const { memory = '2g' } = flags
    if (!/^[1-9]\d*[mg]$/i.test(memory)) {
      throw new UserError('LPA-USAGE', `--memory is ${JSON.stringify(memory)}. It is a size: 512m, 8g.`, {
        exit: 'usage',
      })
    }
    const settings = (flags.conf ?? []).map(settingOf)
    this.progress.step('Starting Spark')
    const { server, isNew } = await startLocalServer({
      memory,
      settings: Object.fromEntries(settings),
      signal: this.signal,
    })
    const record = serverRecord(server)
    await this.printDone(record, recordText(record))
    if (!isNew && (flags.memory !== undefined || settings.length > 0))
      this.note(
        'It goes on as it was started. To start it with these flags: lpa spark down, then lpa spark up',
      )
    this.finish({ summary: isNew ? 'Spark answers' : 'Spark runs already', details: record })
  }
}

function settingOf(text: string): readonly [name: string, value: string] {
  const [, name, value] = /^(spark\.[^\s=]+)=(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) {
    throw new UserError('LPA-USAGE', `--conf ${text} is no setting of Spark.`, {
      exit: 'usage',
      next: 'Write --conf spark.sql.shuffle.partitions=64',
    })
  }
  const next = NOT_TAKEN[name]
  if (next !== undefined)
    throw new UserError('LPA-USAGE', `--conf ${name} is not for lpa spark up.`, { exit: 'usage', next })
  return [name, value]
}
