/** The engine's thread, since importing the engine and converting rows would hold up keys. */

import { parentPort, workerData } from 'node:worker_threads'
import { withReader } from '../../pipeline/table-files.ts'
import { readReport } from '../read-panels.ts'
import { Follower } from './follower.ts'
import type { ToEngine, WorkerOptions } from './messages.ts'
import { StoredResults } from './stored-results.ts'

const { config, files, role, pollMs, root } = workerData as WorkerOptions
const port = parentPort
if (port === null) throw new Error('This file is a worker thread.')

const stored = new StoredResults(config, root)
const follower = new Follower({
  pollMs,
  open: (signal, work) => withReader(config, files, signal, work, role),
  readReport: (reader, request) => readReport(reader, config, request),
  post: (message) => port.postMessage(message),
  // Of files in place of a warehouse nothing is kept: they have no place for it. Nor for a role: others read what is kept.
  ...(files.length === 0 &&
    role === undefined && { store: (request, result) => stored.write(request, result) }),
})
port.on('message', (message: ToEngine) => follower.receive(message))
await follower.run()
port.close()
