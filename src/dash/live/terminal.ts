type Environment = Readonly<Record<string, string | undefined>>

/** Sentences are asked for instead of pictures. */
export function isSpoken(env: Environment): boolean {
  return env.INK_SCREEN_READER === 'true'
}

/** The terminal can show the dashboard and read its keys. */
export function isLiveTerminal(env: Environment): boolean {
  return process.stdout.isTTY === true && process.stdin.isTTY === true && env.TERM !== 'dumb'
}
