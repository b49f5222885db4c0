/** What a screen asks for, read from an open warehouse. */

import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { runReport } from '../pipeline/report.ts'
import { withheldFrom } from '../pipeline/role-answers.ts'
import { runningStreams } from '../pipeline/stream-status-file.ts'
import { readSql } from '../sql-files.ts'
import type { Reader, Result } from '../types.ts'
import type { Panel, Panels, ReportRequest } from './screen.ts'

/** What streams that run now say of themselves: no report of the warehouse, asked for like one. */
export const STREAM_STATUS = 'stream-status'

export async function readReport(
  reader: Reader,
  config: Config,
  { report, params }: ReportRequest,
): Promise<Result> {
  return report === STREAM_STATUS ? runningStreams(reader.scratch) : runReport(reader, config, report, params)
}

/** What came of a report: its rows, and why a role does not see all of them, or none. */
export function panelOf({ role }: Pick<Reader, 'role'>, report: string, result: Result): Panel {
  if (result.hidden) {
    return { result, problem: { kind: 'suppressed', text: `${result.hidden.length} values left out` } }
  }
  const [reason] = role && result.rows.length === 0 && isOfLearners(report) ? withheldFrom(role) : []
  return reason === undefined ? { result } : { result, problem: { kind: 'denied', text: reason } }
}

function isOfLearners(report: string): boolean {
  return report !== STREAM_STATUS && readSql('reports', report).header.cells?.[0] !== 'none'
}

/**
 * Reads them one after the other: they share a connection. The first that fails ends it, but for what the role may not see,
 * which is its panel's problem.
 */
export async function readPanels(
  reader: Reader,
  config: Config,
  requests: readonly ReportRequest[],
): Promise<Panels> {
  const panels = new Map<string, Panel>()
  for (const request of requests) panels.set(request.report, await readPanel(reader, config, request))
  return panels
}

async function readPanel(reader: Reader, config: Config, request: ReportRequest): Promise<Panel> {
  try {
    return panelOf(reader, request.report, await readReport(reader, config, request))
  } catch (error) {
    if (!reader.role || !(error instanceof UserError) || error.exit !== 'notPermitted') throw error
    return { problem: { kind: 'denied', text: error.message } }
  }
}
