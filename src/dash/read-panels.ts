/** What a screen asks for, read from an open warehouse. */

import type { Config } from '../config.ts'
import { runReport } from '../pipeline/report.ts'
import { runningStreams } from '../pipeline/stream-status-file.ts'
import type { Reader, Result } from '../types.ts'
import type { Panels, ReportRequest } from './screen.ts'

/** What streams that run now say of themselves: no report of the warehouse, asked for like one. */
export const STREAM_STATUS = 'stream-status'

export async function readReport(
  reader: Reader,
  config: Config,
  { report, params }: ReportRequest,
): Promise<Result> {
  return report === STREAM_STATUS ? runningStreams(reader.scratch) : runReport(reader, config, report, params)
}

/** Reads them one after the other: they share a connection. The first that fails ends it. */
export async function readPanels(
  reader: Reader,
  config: Config,
  requests: readonly ReportRequest[],
): Promise<Panels> {
  const panels = new Map<string, { result: Result }>()
  for (const request of requests)
    panels.set(request.report, { result: await readReport(reader, config, request) })
  return panels
}
