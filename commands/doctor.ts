import { Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { diagnosisText } from '../src/pipeline/diagnosis.ts'
import { diagnose } from '../src/pipeline/doctor.ts'

export default class Doctor extends BaseCommand {
  static override summary = 'Tell what lpa runs on, what is configured, and what is wrong.'
  static override description =
    `Versions, every setting and where it came from, the key, the warehouse's files and schema, of Snowflake the connection and what a login says, free disk. Exit code 1 when something is wrong, with what to do about it.

--verify also reads every byte of the warehouse: each changed bit is found. --fix mends what can be mended without loss: permissions, files of killed runs, missing checksums, views. It keeps house, too: small files are merged. States for --at all stay, unless warehouse.time_travel is set: then of those older than an hour the last of each hour stays, for so long. Readers and streams go on meanwhile. What it would do is told without it. With --verify it also goes on with a catalog that was damaged, and tells it.`
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor --verify --lock-wait 1m',
    '<%= config.bin %> doctor --fix --lock-wait 5m --quiet',
  ]
  static override flags = {
    verify: Flags.boolean({ summary: 'Hold every file of the warehouse against its checksum.' }),
    fix: Flags.boolean({ summary: 'Mend what can be mended without loss, and keep the warehouse small.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(Doctor)
    const config = await this.settings()
    if (flags.verify) this.progress.step('Verifying')
    else if (flags.fix) this.progress.step('Mending')
    const { verify, fix } = flags
    const request = { verify, fix, lpaVersion: this.config.version }
    const diagnosis = await diagnose(config, request, this.signal, (bytes) => this.progress.update({ bytes }))
    await this.printValue(diagnosis, diagnosisText(diagnosis, this.terminal.width))
    const { length } = diagnosis.findings
    this.finish({
      summary: length === 1 ? '1 finding' : `${length} findings`,
      details: diagnosis,
      exit: length > 0 ? 'findings' : 'done',
    })
  }
}
