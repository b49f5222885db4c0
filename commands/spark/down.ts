import { BaseCommand } from '../../src/base-command.ts'
import { serverRecord, stopLocalServer } from '../../src/engines/spark/local-server.ts'
import { recordText } from '../../src/pipeline/ledger.ts'

export default class SparkDown extends BaseCommand {
  static override summary = 'Stop the Spark of this machine.'
  static override description =
    'Stops what lpa spark up started, and no other process. Where it does not run, nothing is done.'
  static override examples = ['<%= config.bin %> spark down']

  async run(): Promise<void> {
    await this.start(SparkDown)
    this.progress.step('Stopping Spark')
    const stopped = await stopLocalServer()
    const record = serverRecord(undefined)
    await this.printDone(record, recordText(record))
    this.finish({ summary: stopped ? 'Spark is stopped' : 'Spark did not run', details: record })
  }
}
