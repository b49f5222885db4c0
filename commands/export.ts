import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../src/base-command.ts'
import { exportCore, exportSummary } from '../src/pipeline/export.ts'
import { recordQuestion } from '../src/pipeline/runs.ts'
import { roleFlag } from '../src/role-flag.ts'

export default class Export extends BaseCommand {
  static override summary = 'Write dimensions and facts as Parquet or CSV files, for other tools.'
  static override description =
    `The folder has a file for each table of core, of one state of the warehouse, and a datapackage.json (Frictionless) that tells columns, types, keys, row counts and SHA-256. It is there when it is whole. attributes is JSON text in it, instants are UTC.

With --role it is what that role may see, masked, without keys; roles that may not see small counts get reports only. Who exports as a role is recorded, where the warehouse can be written.

Whoever is erased later is still in what was exported before: export anew then.`
  static override examples = [
    '<%= config.bin %> export campus-2026-01',
    '<%= config.bin %> export for-excel --format csv --select fact_enrollment --select course',
    '<%= config.bin %> export campus-2026-01 --at 2026-02-01 --force',
  ]
  static override args = {
    dir: Args.string({ required: true, description: 'Folder for the files; made by this.' }),
  }
  static override flags = {
    select: Flags.string({
      multiple: true,
      helpValue: 'TABLE',
      summary: 'Only this table or view of core.',
    }),
    format: Flags.option({ options: ['parquet', 'csv'] as const })({
      helpValue: 'FORMAT',
      default: 'parquet',
      summary: 'Format of the files: parquet, csv.',
    }),
    at: Flags.string({
      helpValue: 'VERSION|TIME',
      summary: 'As the warehouse was then; a day means its end.',
    }),
    role: roleFlag('Export as a role of the policy: only what it may see.'),
    force: Flags.boolean({ summary: 'Replace an earlier export, once the new one is whole.' }),
    raw: Flags.boolean({ summary: 'CSV without escaping spreadsheet formulas.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.start(Export)
    const config = await this.settings()
    const { select: tables = [], format, at, role, force, raw } = flags
    let read: readonly string[] = []
    if (role !== undefined) this.auditAs(role, (run) => recordQuestion(config, run, read))
    const request = { folder: args.dir, tables, format, at, role, force, raw }
    const written = await exportCore(config, request, this.signal, (table, index, total) =>
      this.progress.step(`Writing ${table} (${index + 1} of ${total})`),
    )
    read = written.tables.map(({ table }) => table)
    this.note(...written.withheld)
    if (flags.json) await this.printValue(written, '')
    this.finish({ summary: exportSummary(written), details: written })
  }
}
