/** One run of a command, as `meta.runs` and `--report` tell it. */
export interface RunRecord {
  readonly runId: string
  /** `schema apply` */
  readonly command: string
  /** The arguments as one text, without values that may be personal or secret. */
  readonly arguments: string
  readonly role?: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly finishedAt: string
  readonly exitCode: number
  readonly summary: string
}

/** Sorts by time and is short enough to type: `20260112-081322-4f2a91`. */
export function newRunId(startedAt: Date): string {
  const digits = startedAt.toISOString().replace(/\D/g, '')
  // Not a secret, and node:crypto takes milliseconds to load.
  const chance = Math.floor(Math.random() * 0x1000000)
    .toString(16)
    .padStart(6, '0')
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}-${chance}`
}
