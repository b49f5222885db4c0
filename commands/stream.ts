import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { parseDuration } from '../src/duration.ts'
import { mappingFlags } from '../src/mapping-flags.ts'
import { runRecorder } from '../src/pipeline/runs.ts'
import { stream, streamSummary } from '../src/pipeline/stream.ts'

export default class Stream extends BaseCommand {
  static override summary =
    'Stream Kafka topics or a directory into the warehouse, each message and file exactly once.'
  static override description =
    `kafka://host:9092/topic[,topic], dir:PATH, or the name of a source in lpa.toml. Messages are JSON records as lpa load takes them, plain or in CloudEvents, and pseudonymised before anything is written. Rows, rejected rows and offsets are one transaction of the warehouse: after a crash, a rebalance or a broker's restart the stream goes on from there. Several processes share the partitions out. Facts follow each commit.

Of a directory, data files in it and below are loaded as lpa load loads them, once they were the same in two looks; one that grew later takes the place of what it was. Which were loaded is known by their content, so they may be renamed or taken away. A file that cannot be loaded is told and left, and tried again when it changes; with --until-caught-up the exit code is 65 then, after all others were loaded.

With --engine spark one process reads, not several. Of a directory it reads .ndjson and .jsonl, and knows files by their path: they must be moved in whole, and one that changes is not read again.

Without --until-caught-up it goes on until it is stopped. A topic that was made anew, messages that were deleted before they were read, and more bad records than --max-rejects end it: exit code 65. A share of rejects is held against the last 10,000 records, and at least 1,000.`
  static override examples = [
    '<%= config.bin %> stream kafka://localhost:9092/statements',
    '<%= config.bin %> stream bus --until-caught-up --quiet',
    '<%= config.bin %> stream dir:exports --until-caught-up',
    '<%= config.bin %> stream bus --commit-every 1s --metrics-file /var/lib/node_exporter/lpa.prom',
  ]
  static override args = {
    source: Args.string({
      required: true,
      description: 'kafka://…, dir:PATH, or the name of a source in lpa.toml.',
    }),
  }
  static override flags = {
    ...mappingFlags,
    source: Flags.string({ helpValue: 'NAME', summary: 'Whose records these are: offsets are kept by it.' }),
    'until-caught-up': Flags.boolean({ summary: 'End when what is there now is committed: for cron.' }),
    from: Flags.string({
      helpValue: 'earliest|latest|TIME',
      summary: 'Where topics begin that were never read: earliest, unless said.',
    }),
    'commit-rows': Flags.integer({
      ...{ min: 1, helpValue: 'N' },
      summary: 'Commit when so many messages are there (50000).',
    }),
    'commit-every': Flags.string({
      helpValue: 'DURATION',
      summary: 'Commit when a message has waited so long (5s); look at a directory so often (1s).',
    }),
    'max-rejects': Flags.string({
      helpValue: 'N|P%',
      summary: 'Bad records allowed before the stream ends.',
    }),
    'reset-offsets': Flags.boolean({ summary: 'Forget how far the topics were read, and begin at --from.' }),
    engine: Flags.option({ options: ['spark'] as const })({
      summary: 'What reads, when not lpa itself: spark, which leaves pseudonyms beside the warehouse.',
    }),
    address: Flags.string({
      helpValue: 'sc://HOST:PORT',
      dependsOn: ['engine'],
      summary: 'The Spark Connect server; unless said, spark.address, else that of lpa spark up.',
    }),
    'metrics-file': Flags.string({ helpValue: 'FILE', summary: 'Keep an OpenMetrics text file up to date.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.start(Stream)
    const config = await this.settings({
      'load.max_rejects': flags['max-rejects'],
      'spark.address': flags.address,
    })
    this.recordRun(runRecorder(config))
    const every = flags['commit-every']
    const request = {
      ...{ target: args.source, mappings: flags.mapping ?? [], entity: flags.as, source: flags.source },
      ...{ untilCaughtUp: flags['until-caught-up'], from: flags.from, runId: this.runId },
      ...{ commitRows: flags['commit-rows'], resetOffsets: flags['reset-offsets'] },
      commitEveryMs: every === undefined ? undefined : parseDuration(every, '--commit-every'),
      metricsFile: flags['metrics-file'],
      engine: flags.engine,
    }
    await stream(
      config,
      request,
      this.signal,
      {
        onStatus: (line) => this.progress.step(line),
        onLine: (line) => process.stderr.isTTY || this.note(line),
        onNote: (line) => this.note(line),
        onWarning: (...lines) => this.warning(...lines),
        onDone: (step, fields) => this.runLog.info(step, fields),
      },
      (summary) => {
        const exit = summary.failedChecks ? 'findings' : 'done'
        this.finish({ summary: streamSummary(summary), details: summary, exit })
      },
    )
  }
}
