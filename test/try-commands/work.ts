import { setTimeout as sleep } from 'node:timers/promises'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../../src/base-command.ts'
import { writeWhole } from '../../src/report-file.ts'

/** Works for ten seconds or until it is asked to stop, and records its run in a file. */
export default class Work extends BaseCommand {
  static override flags = {
    deaf: Flags.boolean({ summary: 'Goes on when asked to stop.' }),
    findings: Flags.boolean(),
    ms: Flags.integer({ default: 10_000 }),
    record: Flags.string(),
    break: Flags.string({ options: ['bug', 'missing-file', 'secret'] }),
  }

  async run(): Promise<void> {
    const { flags } = await this.start(Work)
    if (flags.record) {
      const file = flags.record
      this.recordRun((run) => writeWhole(file, JSON.stringify(run)))
    }
    if (flags.break === 'bug') throw new TypeError('x is not a function')
    if (flags.break === 'secret') throw new Error(`cannot log in with ${process.env.LPA_TRY_TOKEN}`)
    if (flags.break === 'missing-file')
      await import('node:fs/promises').then((fs) => fs.readFile('no/such/file'))
    this.progress.step('Working')
    process.stderr.write('ready\n')
    const end = Date.now() + flags.ms
    for (let rows = 0; Date.now() < end; rows += 1000) {
      this.progress.update({ rows })
      if (flags.deaf) await sleep(20)
      else await sleep(20, undefined, { signal: this.signal })
    }
    await this.print({ columns: [{ name: 'step', type: 'text' }], rows: [['worked']] })
    this.finish({ summary: 'worked', exit: flags.findings ? 'findings' : 'done' })
  }
}
