import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { MemoryWatch } from '../src/memory-watch.ts'
import { drawAnswer, explainReport, questionOf, tableOf } from '../src/pipeline/question.ts'
import { type Answer, ask, askSpark, listReports, tooLarge, tooLong } from '../src/pipeline/report.ts'
import { withMarks } from '../src/pipeline/role-answers.ts'
import { recordQuestion, recordRefusal, runRecorder } from '../src/pipeline/runs.ts'
import { roleFlag } from '../src/role-flag.ts'
import { TimeLimit } from '../src/time-limit.ts'

export default class Query extends BaseCommand {
  static override summary = 'Answer a question: a named report, or any SELECT over the warehouse.'
  static override description =
    `Reports have one definition each, shown by --explain; a check is asked by its name too, and answers with what it finds. A table of some leaves columns out that the other formats have. SQL is the engine's own and read-only: one SELECT over the warehouse's tables (fact_enrollment, course, learner, dim_date, staging.…, meta.…). The owner of the warehouse may change it with --write. With --role it is asked as a role of the policy that lpa grant apply wrote: the embedded engine then shows what that role may see, and records who asked; Spark shows the same, which is advisory: who reaches the cluster or the files can read all of it.`
  static override examples = [
    '<%= config.bin %> query --list',
    '<%= config.bin %> query funnel --format chart',
    '<%= config.bin %> query at-risk --param days=14 --format csv',
    '<%= config.bin %> query --sql "select status, count(*) as enrollments from fact_enrollment group by status"',
    '<%= config.bin %> query enrollments --at 2026-01-12',
    '<%= config.bin %> query drop-off --engine spark',
  ]
  static override args = {
    report: Args.string({ description: 'A named report or check; --list tells them.' }),
  }
  static override flags = {
    sql: Flags.string({ helpValue: 'TEXT', summary: 'A SELECT, as text.', exclusive: ['file', 'list'] }),
    file: Flags.string({
      char: 'f',
      helpValue: 'FILE|-',
      summary: 'A SELECT, from a file or standard input.',
      exclusive: ['list'],
    }),
    param: Flags.string({ multiple: true, helpValue: 'K=V', summary: 'A parameter of the report.' }),
    at: Flags.string({
      helpValue: 'VERSION|TIME',
      summary: 'As the warehouse was then; a day means its end.',
    }),
    list: Flags.boolean({ summary: 'List the reports and checks.' }),
    explain: Flags.boolean({ summary: 'Tell what the report means and show its SQL, without running it.' }),
    timeout: Flags.string({
      helpValue: 'DURATION',
      summary:
        'Stop a question that takes longer: 30s, 1h; 0s for no limit. 10m unless query.timeout says else.',
    }),
    role: roleFlag('Ask as a role of the policy: only what it may see.'),
    reveal: Flags.string({
      helpValue: 'FILE:COLUMN',
      summary: "Say who the learners of a report are, by a roster's column of ids.",
      exclusive: ['sql', 'file', 'list', 'write'],
    }),
    'id-space': Flags.string({
      helpValue: 'NAME',
      summary: "Whose ids the roster's are, where sources have several id spaces.",
      dependsOn: ['reveal'],
    }),
    write: Flags.boolean({ summary: 'Run SQL that changes the warehouse.' }),
    engine: Flags.option({ options: ['spark'] as const })({
      exclusive: ['at', 'write', 'list', 'reveal'],
      summary: "Who answers, when not the warehouse: spark, over the warehouse's own files.",
    }),
    address: Flags.string({
      helpValue: 'sc://HOST:PORT',
      dependsOn: ['engine'],
      summary: 'The Spark Connect server; unless said, spark.address, else that of lpa spark up.',
    }),
    raw: Flags.boolean({ summary: 'CSV without escaping spreadsheet formulas.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.start(Query)
    const config = await this.settings({ 'query.timeout': flags.timeout, 'spark.address': flags.address })
    if (flags.list) {
      await this.print(listReports(config))
      return
    }
    const question = await questionOf({ ...flags, report: args.report }, config)
    if (flags.explain && question.report) {
      const explained = explainReport(question, this.terminal.width)
      await this.printValue(explained, explained.text)
      return
    }
    if (flags.write) this.recordRun(runRecorder(config))
    const { reveal: from, 'id-space': idSpace } = flags
    const reveal = from === undefined ? undefined : await import('../src/pipeline/reveal.ts')
    const roster =
      from === undefined
        ? undefined
        : reveal?.readRoster(config, question, { from, idSpace, format: this.format() })
    let read: readonly string[] = []
    // Nobody is shown before it is recorded that somebody was asked for.
    if (roster) {
      await recordQuestion(config, this.runSoFar(roster.summary, flags.role))
      this.auditAs(flags.role, (run) => recordRefusal(config, run))
    } else if (flags.role !== undefined) this.auditAs(flags.role, (run) => recordQuestion(config, run, read))
    const options = {
      ...{ at: flags.at, role: flags.role, reveals: roster !== undefined, write: flags.write },
      exports: this.format() === 'parquet',
    }
    const isForPeople = ['table', 'markdown'].includes(this.format())
    using _memory = new MemoryWatch(config.warehouse.memoryLimit, () => this.stop(tooLarge(), 300))
    using limit = new TimeLimit(config.query.timeoutMs, () => this.stop(tooLong(config)))
    const show = async ({ rows, unknown, withheld, tables, toParquet }: Answer) => {
      read = tables
      const [first, ...more] = unknown
      if (first !== undefined) this.warning(first, ...more)
      this.note(...withheld)
      const shown = isForPeople ? withMarks(rows) : rows
      const answer = limit.pausedByReader(reveal && roster ? reveal.revealed(shown, roster) : shown)
      await this.print(answer, {
        table: tableOf(question, answer, roster ? [roster.column] : []),
        raw: flags.raw,
        draw: (result, size, terminal) => drawAnswer(question, result, size, terminal),
        ...(toParquet && { parquet: toParquet }),
      })
      if (reveal && roster) this.note(...reveal.noneNamed(roster))
      if (options.exports) this.finish({ summary: 'written as Parquet' })
    }
    if (flags.engine === 'spark') await askSpark(config, question, options, this.signal, show)
    else await ask(config, question, options, this.signal, show)
  }
}
