import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { lineageFlag } from '../src/lineage-flag.ts'
import { mappingFlags } from '../src/mapping-flags.ts'
import { movesOfLoad } from '../src/pipeline/lineage.ts'
import {
  assertLoadable,
  firstRowTables,
  load,
  loadNotes,
  loadRows,
  loadSummary,
  loadTable,
} from '../src/pipeline/load.ts'
import { runRecorder } from '../src/pipeline/runs.ts'

export default class Load extends BaseCommand {
  static override summary =
    'Load files and HTTP APIs into the warehouse, pseudonymised before anything is written.'
  static override description =
    `CSV, TSV, JSON arrays, NDJSON and Parquet, each also as .gz or .zst; files, globs, folders, "-" for standard input, or names of sources in lpa.toml (all of them when none is named). What a file holds is recognised from its content and printed. Loading the same content again changes nothing. An HTTP API is loaded by its name in lpa.toml (README, "HTTP APIs").

Every file is one transaction. Files of one command that a snapshot mapping reads (-- export: snapshot) are parts of one snapshot, which replaces what their source held of that entity. Bad records go to quarantine with line, column and reason (lpa rejects); more of them than --max-rejects, and nothing is loaded: exit code 65. --json and --format csv have every field; the table leaves some to the summary line.

While earlier loads lie under another pseudonym key, a load warns (also with --quiet) and goes on: what mends it is a load too, their exports may be gone for good, and loading the same content under the right key supersedes this load. lpa batch ends with 1 until then.`
  static override examples = [
    '<%= config.bin %> load exports/',
    '<%= config.bin %> load "exports/*.csv.gz" --source lms',
    '<%= config.bin %> load grades.csv --mapping mappings/grades.sql --dry-run',
    'gunzip -c statements.json.gz | <%= config.bin %> load -',
  ]
  static override strict = false
  static override args = {
    source: Args.string({ description: 'Files, globs, folders, "-", or names of sources in lpa.toml.' }),
  }
  static override flags = {
    ...mappingFlags,
    source: Flags.string({
      helpValue: 'NAME',
      summary: 'Whose export this is: identity and id space of the load.',
    }),
    'max-rejects': Flags.string({
      helpValue: 'N|P%',
      summary: 'Bad records allowed before nothing is loaded.',
    }),
    full: Flags.boolean({ summary: 'Read HTTP APIs from their beginning, in place of what they brought.' }),
    engine: Flags.option({ options: ['spark'] as const })({
      summary:
        'Where files are read and pseudonymised, when not here: spark, which must see them under the same path.',
    }),
    address: Flags.string({
      helpValue: 'sc://HOST:PORT',
      dependsOn: ['engine'],
      summary: 'The Spark Connect server; unless said, spark.address, else that of lpa spark up.',
    }),
    ...lineageFlag,
    'dry-run': Flags.boolean({
      exclusive: ['lineage'],
      summary: 'Read, map and check, show the first rows with their types; load nothing.',
    }),
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.start(Load)
    const config = await this.settings({
      'load.max_rejects': flags['max-rejects'],
      'spark.address': flags.address,
    })
    if (!flags['dry-run']) this.recordRun(runRecorder(config))
    const lineage = await this.traceTo(flags.lineage)
    const { as: entity, mapping: mappings = [], source, full, engine, 'dry-run': dryRun } = flags
    const request = { inputs: argv as string[], entity, mappings, source, full, dryRun, engine }
    const files = await load(config, request, this.signal, {
      onFile: (input, index, total) => this.progress.step(`Loading ${input} (${index + 1} of ${total})`),
      onBytes: (read) => this.progress.update(read),
      onNote: (line) => this.note(line),
      onWarning: (...lines) => this.warning(...lines),
      onLoaded: (file) => {
        lineage?.moved(movesOfLoad(file))
        this.note(...loadNotes(file))
      },
    })
    await this.print(loadRows(files), { table: loadTable(files) })
    if (this.format() === 'table')
      for (const { title, table } of firstRowTables(files)) {
        this.note(title)
        await this.print(table)
      }
    assertLoadable(config, files)
    this.finish({ summary: loadSummary(files), details: { files } })
  }
}
