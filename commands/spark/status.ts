import { BaseCommand } from '../../src/base-command.ts'
import { answers, findLocalServer, serverRecord } from '../../src/engines/spark/local-server.ts'
import { recordText } from '../../src/pipeline/ledger.ts'

export default class SparkStatus extends BaseCommand {
  static override summary = 'Tell whether the Spark of this machine runs, and where.'
  static override description = 'Exit code 1 where it does not run, or does not answer.'
  static override examples = ['<%= config.bin %> spark status']

  async run(): Promise<void> {
    await this.start(SparkStatus)
    const server = findLocalServer()
    const isSilent = server !== undefined && !(await answers(server, this.signal))
    const record = { ...serverRecord(server), ...(isSilent && { state: 'silent' }) }
    await this.printValue(record, recordText(record))
    if (record.state === 'stopped') this.finish({ summary: 'Spark does not run', exit: 'findings' })
    if (isSilent) this.finish({ summary: 'Spark does not answer', exit: 'findings' })
  }
}
