/** The engine's thread, since importing the engine and converting rows would hold up keys. */

import { parentPort, workerData } from 'node:worker_threads'
import { withReader } from '../../pipeline/table-files.ts'
import { readReport } from '../read-panels.ts'
import { Follower } from './follower.ts'
import type { ToEngine, WorkerOptions } from './messages.ts'

const { config, files, pollMs } = workerData as WorkerOptions
const port = parentPort
if (port === null) throw new Error('This file is a worker thread.')

const follower = new Follower({
  pollMs,
  open: (signal, work) => withReader(config, files, signal, work),
  readReport: (reader, request) => readReport(reader, config, request),
  post: (message) => port.postMessage(message),
})
port.on('message', (message: ToEngine) => follower.receive(message))
await follower.run()
port.close()
