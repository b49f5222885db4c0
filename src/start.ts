/** From the entry in bin/ to the exit code: runs oclif, and leaves only when all output has been written. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, settings } from '@oclif/core'
import { EXIT, UserError } from './errors.ts'

interface StartOptions {
  /** The folder of package.json. */
  readonly root: string
  /** Where the commands are when not built: their TypeScript, without a manifest. */
  readonly commands?: string
}

/** Runs the command line of this process and ends the process with the command's exit code. */
export async function start(options: StartOptions): Promise<never> {
  endQuietlyWithoutReader()
  process.on('uncaughtException', (error) => void leave(error))
  // oclif would look for TypeScript when NODE_ENV is test or development.
  settings.enableAutoTranspile = false
  try {
    await run(process.argv.slice(2), loadOptions(options))
  } catch (error) {
    return leave(error)
  }
  return leave()
}

function loadOptions({ root, commands }: StartOptions) {
  if (commands === undefined) return { root }
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  pjson.oclif.commands = commands
  return { root, pjson, ignoreManifest: true }
}

/** `lpa … | head`: as if SIGPIPE had ended it, which Node ignores. */
function endQuietlyWithoutReader(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT.sigpipe)
      throw error
    })
}

async function leave(error?: unknown): Promise<never> {
  let code = Number(process.exitCode ?? EXIT.done)
  if (error !== undefined) {
    code = exitCodeOf(error)
    if (!isExit(error)) process.stderr.write(`${describe(error)}\n`)
  }
  // process.exit() drops what a slow reader has not taken yet.
  await Promise.all([written(process.stdout), written(process.stderr)])
  process.exit(code)
}

const written = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => {
    stream.write('', () => resolve())
  })

/** oclif's errors carry their code; `this.exit(code)` is an error too, with nothing to print. */
interface OclifError extends Error {
  readonly code?: string
  readonly oclif?: { readonly exit?: number }
}

const isExit = (error: unknown) => (error as OclifError).code === 'EEXIT'

function exitCodeOf(error: unknown): number {
  if (error instanceof UserError) return error.exitCode
  return (error as OclifError).oclif?.exit ?? EXIT.internal
}

function describe(error: unknown): string {
  if (error instanceof UserError) return [`${error.code}: ${error.message}`, ...error.next].join('\n  ')
  const { message, oclif, stack } = error as OclifError
  return oclif ? message : (stack ?? String(error))
}
