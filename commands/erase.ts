import { Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { erase, erasureSummary, erasureText, isProven } from '../src/pipeline/erase.ts'
import { runRecorder } from '../src/pipeline/runs.ts'

export default class Erase extends BaseCommand {
  static override summary = 'Erase learners: from every table, file and older state, for good.'
  static override description =
    `Their ids come from standard input, one a line, or from a file, never from the command line; an e-mail address is an id too. The id space of an account of xAPI is the address of its home page, as the statements have it. With --apply their rows go, others that name them name nobody, facts are built anew, all older states of the warehouse are taken away with their files, and every file is searched for what is left. Where nothing names them, nothing is taken away. Loads and streams leave them out from then on, also under a new key while the old one is kept. Loads and streams on Spark are refused from then on: it does not know who is not to come back. Run again after it was killed, it ends what is left to do.

On Snowflake older states stay readable for the days of Time Travel, and are kept in Fail-safe for seven more: it tells until when.

Exit code 1 when something still names them.`
  static override examples = [
    '<%= config.bin %> erase --from requests.csv:student_no --plan',
    '<%= config.bin %> erase --from requests.csv:student_no --id-space lms --apply',
    '<%= config.bin %> erase --from accounts.txt --id-space https://lms.example.edu --plan',
    '<%= config.bin %> erase --from - --apply < ids.txt',
  ]
  static override flags = {
    from: Flags.string({
      required: true,
      helpValue: '-|FILE|FILE:COLUMN',
      summary: 'Whose: ids, one a line, or a column of a CSV file.',
    }),
    'id-space': Flags.string({
      multiple: true,
      helpValue: 'NAME',
      summary: 'Whose ids these are, where sources have several id spaces.',
    }),
    plan: Flags.boolean({ exactlyOne: ['plan', 'apply'], summary: 'Tell what names them; change nothing.' }),
    apply: Flags.boolean({ exactlyOne: ['plan', 'apply'], summary: 'Erase them.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(Erase)
    const config = await this.settings()
    if (flags.apply) this.recordRun(runRecorder(config))
    const erasure = await erase(
      config,
      {
        ...{ from: flags.from, idSpaces: flags['id-space'] ?? [], runId: this.runId },
        apply: flags.apply === true,
      },
      this.signal,
      {
        onStep: (what) => this.progress.step(what),
        onModel: (name, index, total) => this.progress.step(`Building ${name} (${index + 1} of ${total})`),
      },
    )
    await this.printValue(erasure, erasureText(erasure))
    this.finish({
      summary: erasureSummary(erasure),
      details: erasure,
      exit: isProven(erasure) ? 'done' : 'findings',
    })
  }
}
