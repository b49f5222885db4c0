/** What the terminal's thread and the engine's thread say to each other. */

import type { Config } from '../../config.ts'
import type { ExitName } from '../../errors.ts'
import type { Panel, ReportRequest } from '../screen.ts'

/** Given to the engine's thread when it starts. */
export interface WorkerOptions {
  readonly config: Config
  /** Files and folders in place of the warehouse. */
  readonly files: readonly string[]
  readonly role?: string | undefined
  readonly pollMs: number
  /** The folder of package.json. */
  readonly root: string
}

export type ToEngine =
  /**
   * What the shown screen needs, in place of what was wanted before, and at which version each of it was answered, if it
   * is still known; `isAnew`: all of it again.
   */
  | {
      readonly kind: 'want'
      readonly requests: readonly ReportRequest[]
      readonly answeredAt: readonly (string | undefined)[]
      readonly isAnew: boolean
    }
  | { readonly kind: 'pause'; readonly isPaused: boolean }
  | { readonly kind: 'stop' }

export type FromEngine =
  /** The warehouse was looked at, is at this version, and is looked at again after so long. */
  | { readonly kind: 'checked'; readonly version: string; readonly nextMs: number }
  | { readonly kind: 'panel'; readonly key: string; readonly version: string; readonly panel: Panel }
  /** The warehouse does not answer any more, and is tried again after a while. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** It could not be opened at all. */
  | { readonly kind: 'failed'; readonly failure: Failure }

/** A UserError as it can be sent. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly exit: ExitName
  readonly next: readonly string[]
}

/** Names a request: the same report with the same parameters. */
export function keyOf({ report, params }: ReportRequest): string {
  return JSON.stringify([report, ...Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))])
}
