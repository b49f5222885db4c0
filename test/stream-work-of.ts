/** The common part of a stream, in a test's own process: silent, with a commit a record. */

import { StreamStatus } from '../src/pipeline/stream-status.ts'
import { StreamWork, type StreamWorkOptions } from '../src/pipeline/stream-work.ts'
import { readKey } from '../src/pseudonym.ts'
import { NOBODY } from '../src/sources/erased.ts'
import type { Engine } from '../src/types.ts'
import type { TryWarehouse } from './try-warehouse.ts'

export function workOf(
  its: TryWarehouse,
  engine: Engine,
  options: Partial<StreamWorkOptions> = {},
): StreamWork {
  const { config } = its
  const { signal } = new AbortController()
  const silent = { onStatus() {}, onLine() {}, onNote() {}, onWarning() {}, onDone() {} }
  return new StreamWork({
    ...{
      config,
      engine,
      source: 'bus',
      signal,
      progress: silent,
      status: new StreamStatus('bus'),
      runId: 'r',
    },
    ...{ commitRows: 1, commitEveryMs: 60_000, untilCaughtUp: false },
    fileRequest: {
      ...{ source: 'bus', idSpace: 'bus', mappings: [], entity: undefined, signal, scratch: engine.scratch },
      erased: NOBODY,
      ...{ key: readKey(config.privacy.keyFile), timezone: 'UTC', memoryLimit: '200MB', threads: 1 },
      nextLoadId: () => engine.nextLoadId(),
    },
    ...options,
  })
}
