/**
 * The engine's thread: opens the warehouse to read, asks for its version now and then, and runs the reports of the
 * shown screen when that has changed. A thread, since importing the engine and converting rows would hold up keys.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { UserError } from '../../errors.ts'
import { asUserError } from '../../failure.ts'
import { withReader } from '../../pipeline/table-files.ts'
import type { Reader } from '../../types.ts'
import { readReport } from '../read-panels.ts'
import type { Panel, ReportRequest } from '../screen.ts'
import { type FromEngine, keyOf, type ToEngine, type WorkerOptions } from './messages.ts'

const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 30_000

const { config, files, pollMs } = workerData as WorkerOptions
const port = parentPort
if (port === null) throw new Error('This file is a worker thread.')

let wanted: readonly ReportRequest[] = []
/** By key: at which version of the warehouse a report was run. */
const answered = new Map<string, string>()
let isPaused = false
const stop = new AbortController()
let wake: () => void = () => {}
let isAwake = false

const post = (message: FromEngine) => port.postMessage(message)

port.on('message', (message: ToEngine) => {
  switch (message.kind) {
    case 'want':
      wanted = message.requests
      if (message.isAnew) answered.clear()
      break
    case 'pause':
      isPaused = message.isPaused
      break
    case 'stop':
      stop.abort(new Error('stopped'))
  }
  isAwake = true
  wake()
})

/** Waits so long, or until there is a message. */
async function rest(ms: number): Promise<void> {
  if (!isAwake) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  isAwake = false
}

/** Goes on until it is stopped, or the warehouse does not answer. */
async function follow(reader: Reader, onAnswer: () => void): Promise<void> {
  let isFirst = true
  let version = ''
  // What is there now may be another warehouse with the same numbers.
  answered.clear()
  while (!stop.signal.aborted) {
    if (isFirst || !isPaused) {
      version = await reader.version()
      onAnswer()
      post({ kind: 'checked', version })
      isFirst = false
    }
    await answer(reader, version)
    await rest(pollMs)
  }
}

/** Runs what is wanted and not answered yet; begins anew when something else is wanted meanwhile. */
async function answer(reader: Reader, version: string): Promise<void> {
  for (const request of wanted) {
    const key = keyOf(request)
    if (answered.get(key) === version && !request.isVolatile) continue
    const panel = await read(reader, request)
    answered.set(key, version)
    post({ kind: 'panel', key, version, panel })
    if (stop.signal.aborted || isAwake) return
  }
}

async function read(reader: Reader, request: ReportRequest): Promise<Panel> {
  try {
    return { result: await readReport(reader, config, request) }
  } catch (error) {
    // One report that fails is its panel's problem, unless nothing answers any more.
    await reader.version()
    const { exit, message } = asUserError(error)
    return { problem: { kind: exit === 'notPermitted' ? 'denied' : 'failed', text: message } }
  }
}

let hasAnswered = false
let retryMs = FIRST_RETRY_MS
while (!stop.signal.aborted) {
  try {
    await withReader(config, files, stop.signal, (reader) =>
      follow(reader, () => {
        hasAnswered = true
        retryMs = FIRST_RETRY_MS
      }),
    )
  } catch (error) {
    if (stop.signal.aborted) break
    const { code, message, exit, next } = asUserError(error)
    if (!hasAnswered) {
      post({ kind: 'failed', failure: { code, message, exit, next } })
      break
    }
    post({
      kind: 'lost',
      reason: error instanceof UserError ? message : 'The warehouse cannot be read.',
    })
    await rest(retryMs)
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
  }
}
port.close()
