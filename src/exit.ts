import { EXIT } from './errors.ts'

/** Leaves with this code once everything printed has been taken: process.exit() alone drops what a pipe has not. */
export async function exitWhenWritten(code: number): Promise<never> {
  await Promise.all([written(process.stdout), written(process.stderr)])
  process.exit(code)
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve()
    else stream.write('', () => resolve())
  })
}

/**
 * What happens when an output takes no more. Nobody reads it (`lpa … | head`): ends as SIGPIPE would (141), which
 * Node ignores. A full disk or a broken one: says so and ends with 73 or 74.
 */
export function watchOutputs(): void {
  for (const [stream, name] of [
    [process.stdout, 'standard output'],
    [process.stderr, 'standard error'],
  ] as const) {
    // Before oclif's own listener, which throws.
    stream.prependListener('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT.sigpipe)
      const full = error.code === 'ENOSPC' || error.code === 'EDQUOT'
      if (stream !== process.stderr) {
        process.stderr.write(
          `Error: ${name} cannot be written: ${full ? 'the disk is full' : error.code}.\n  LPA-OUTPUT-WRITE, exit ${full ? EXIT.cannotCreate : EXIT.io}\n`,
        )
      }
      process.exit(full ? EXIT.cannotCreate : EXIT.io)
    })
  }
}
