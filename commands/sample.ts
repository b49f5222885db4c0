import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { campusSummary, generateCampus } from '../src/pipeline/sample/campus.ts'

export default class Sample extends BaseCommand {
  static override summary = 'Make the exports of a synthetic campus of any size, to try things with.'
  static override description =
    `Learners, instructors, categories, courses, enrollments, completions, an event log and a few xAPI statements; with a weekly rhythm, drop-off, second attempts, late events, events sent twice and bad rows. Nobody in it exists.

The same arguments give the same files on every machine. An existing file is never overwritten.`
  static override examples = [
    '<%= config.bin %> sample exports --learners 1000 --events 50000',
    '<%= config.bin %> sample big --learners 200000 --events 5000000 --bad-rows 0.1% --compress zst',
  ]
  static override args = {
    dir: Args.string({ required: true, description: 'Folder for the files; made when it is missing.' }),
  }
  static override flags = {
    learners: Flags.integer({ helpValue: 'N', default: 1000, summary: 'People in the roster.' }),
    events: Flags.integer({ helpValue: 'N', summary: 'Good events. [default: 25 a learner]' }),
    seed: Flags.integer({ helpValue: 'N', default: 1, summary: 'Another seed, another campus.' }),
    format: Flags.option({ options: ['ndjson', 'csv', 'parquet', 'xapi'] as const })({
      helpValue: 'FORMAT',
      summary:
        'Format of the event log: ndjson, csv, parquet, xapi (statements as NDJSON). [default: ndjson]',
    }),
    'bad-rows': Flags.string({
      helpValue: 'P',
      default: '0.1%',
      summary: 'Share of bad rows in events, enrollments and learners.',
    }),
    compress: Flags.option({ options: ['gz', 'zst'] as const })({
      helpValue: 'KIND',
      summary: 'Compress the event log: gz, zst.',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.start(Sample)
    const { learners, seed, format, compress } = flags
    const events = flags.events ?? 25 * learners
    const badRows = Number(flags['bad-rows'].replace(/%$/, 'e-2'))
    let step = ''
    const campus = await generateCampus(
      args.dir,
      { learners, events, seed, badRows, ...(format && { format }), ...(compress && { compress }) },
      {
        signal: this.signal,
        onProgress: ({ file, events: done }) => {
          if (file !== step) this.progress.step(`Writing ${file}`)
          step = file
          this.progress.update({ rows: done, share: events === 0 ? 1 : done / events })
        },
      },
    )
    const { text, summary } = campusSummary(campus)
    if (flags.json) await this.printValue(campus, '')
    else this.note(...text.split('\n'))
    this.finish({ summary, details: campus })
  }
}
