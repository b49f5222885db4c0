/** What a stream on Spark leaves out before the warehouse sees it: doubles, which count as read, and nothing else. */

import type { StreamProgress } from '../engines/spark/streaming.ts'
import { UserError } from '../errors.ts'
import type { StreamStatus } from './stream-status.ts'

export class DroppedDoubles {
  readonly #status: StreamStatus
  readonly #uri: string
  /** The last batch that was told of. */
  #told = -1

  constructor(status: StreamStatus, uri: string) {
    this.#status = status
    this.#uri = uri
  }

  /**
   * What of Spark's own numbers the warehouse cannot know, each batch once.
   * @throws UserError data (65) for records that were left out and are no doubles
   */
  tell(progress: readonly StreamProgress[]): void {
    const behind = progress.at(-1)?.behind
    if (behind !== undefined) this.#status.lagging([{ name: this.#uri, behind }])
    for (const { batch, doubled, late } of progress) {
      if (batch <= this.#told) continue
      this.#told = batch
      this.#status.dropped(doubled)
      if (late > 0) throw tooLate(late, this.#uri)
    }
  }
}

/** The clock of the server went back by more than keys are remembered. */
function tooLate(rows: number, where: string): UserError {
  return new UserError('LPA-SPARK-CLOCK', `Spark left ${rows} records out: its clock went back.`, {
    ...{ exit: 'data', where },
    next: 'Set its clock right, then read from the beginning: --reset-offsets. Events that are there already stay as they are.',
  })
}
