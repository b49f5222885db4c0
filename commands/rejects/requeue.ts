import { Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { loadNotes } from '../../src/pipeline/load.ts'
import { requeue, requeueNotes, requeueRows, requeueSummary } from '../../src/pipeline/requeue.ts'
import { runRecorder } from '../../src/pipeline/runs.ts'

export default class RejectsRequeue extends BaseCommand {
  static override summary = 'Read files with rejected records again, after their mapping or they were mended.'
  static override description =
    `The new load takes the place of the earlier one, so that nothing counts twice, and what has no time of its own keeps that of the earlier one. When the mapping was mended, the file must be byte for byte what it was. When the file was mended, every record that counted must still be at its line, and the mapping the same. lpa batch brings it to the facts.

It tells for each load how many records are mended, and of those that are still rejected why. Exit code 1: some files could not be read again.`
  static override examples = [
    '<%= config.bin %> rejects requeue',
    '<%= config.bin %> rejects requeue --load 12',
    '<%= config.bin %> rejects requeue --source lms --mapping mappings/grades.sql',
  ]
  static override flags = {
    source: Flags.string({ helpValue: 'NAME', summary: 'Only those of this source.' }),
    load: Flags.integer({ helpValue: 'ID', summary: 'Only the file of this load.' }),
    mapping: Flags.string({
      ...{ multiple: true, helpValue: 'NAME|FILE.sql' },
      summary: 'In place of the mapping of this name, or of this entity, that read it before.',
    }),
    'max-rejects': Flags.string({
      helpValue: 'N|P%',
      summary: 'Bad records allowed; as many as before always are.',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(RejectsRequeue)
    const config = await this.settings({ 'load.max_rejects': flags['max-rejects'] })
    this.recordRun(runRecorder(config))
    const { source, load: loadId, mapping: mappings = [] } = flags
    const loads = await requeue(config, { source, loadId, mappings }, this.signal, {
      onFile: (input, index, total) =>
        this.progress.step(`Reading ${input} again (${index + 1} of ${total})`),
      onLoaded: (file) => this.note(...loadNotes(file)),
    })
    await this.print(requeueRows(loads))
    this.note(...requeueNotes(loads))
    const isLeft = loads.some(({ outcome }) => outcome === 'left')
    const summary = requeueSummary(loads)
    this.finish({ summary, details: { loads }, exit: isLeft ? 'findings' : 'done' })
  }
}
