/** From the entry in bin/ to the exit code: runs oclif, and leaves only when all output has been written. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Config, run, settings } from '@oclif/core'
import { EXIT } from './errors.ts'
import { exitWhenWritten, watchOutputs } from './exit.ts'

interface StartOptions {
  /** The folder of package.json. */
  readonly root: string
  /** Where the commands are when not built: their TypeScript, without a manifest. */
  readonly commands?: string
}

/** Runs the command line of this process and ends the process with the command's exit code. */
export async function start(options: StartOptions): Promise<never> {
  // What lpa writes is its user's only; DuckDB, SQLite and Node's cache set no permissions of their own.
  process.umask(0o077)
  watchOutputs()
  const fail = async (error: unknown) => exitWhenWritten(await report(error, options))
  process.on('uncaughtException', (error) => void fail(error))
  // oclif would look for TypeScript when NODE_ENV is test or development.
  settings.enableAutoTranspile = false
  try {
    await run(process.argv.slice(2), loadOptions(options))
  } catch (error) {
    return fail(error)
  }
  return exitWhenWritten(Number(process.exitCode ?? EXIT.done))
}

function loadOptions({ root, commands }: StartOptions) {
  // No plugins: oclif would run what lies in the user's data folder.
  const options = { root, userPlugins: false, devPlugins: false }
  if (commands === undefined) return options
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  pjson.oclif.commands = commands
  pjson.oclif.helpClass = './src/help.ts'
  return { ...options, pjson, ignoreManifest: true }
}

/** Prints what no command could: an unknown command, an error outside of any. Answers the exit code. */
async function report(error: unknown, options: StartOptions): Promise<number> {
  // `this.exit(code)` of oclif is an error too, with nothing to print.
  const { code, oclif } = error as { code?: string; oclif?: { exit?: number } }
  if (code === 'EEXIT') return oclif?.exit ?? EXIT.done
  const [{ reportFailure }, commands] = await Promise.all([import('./failure.ts'), commandNames(options)])
  return reportFailure(error, process.argv.slice(2), { commands })
}

async function commandNames(options: StartOptions): Promise<string[]> {
  try {
    const config = await Config.load(loadOptions(options))
    return config.commandIDs.map((id) => id.replaceAll(':', ' '))
  } catch {
    // What cannot be loaded is the error that is being reported.
    return []
  }
}
