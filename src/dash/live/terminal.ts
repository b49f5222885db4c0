/** The terminal can show the dashboard and read its keys. */
export function isLiveTerminal(env: Readonly<Record<string, string | undefined>>): boolean {
  return process.stdout.isTTY === true && process.stdin.isTTY === true && env.TERM !== 'dumb'
}
