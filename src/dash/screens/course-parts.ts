/** Charts of all courses or of one, which more than one screen shows. */

import type { ChartPart } from '../page.ts'
import type { View } from '../screen.ts'
import { FILLS } from './course-columns.ts'

/** From enrollment to certificate; in the other style as shares. */
export function funnelPart({ style, glyphs }: View): ChartPart {
  const title = 'From enrollment to certificate'
  const drawn =
    style % 2 === 1 ? { kind: 'progress', y: ['of_enrolled_percent'] } : { kind: 'funnel', y: ['pairs'] }
  return {
    ...{ kind: 'chart', report: 'funnel', title },
    chart: (result) => ({ result, spec: { ...drawn, title, x: 'step', glyphs } }),
    empty: { text: 'No enrollments yet.', command: FILLS },
  }
}

export function mediansPart({ glyphs }: View): ChartPart {
  const title = 'Median days to completion'
  return {
    ...{ kind: 'chart', report: 'time-to-completion', title },
    chart: (result) => ({
      result,
      spec: { kind: 'bar', title, x: 'course_title', y: ['median_days'], glyphs },
    }),
    empty: { text: 'No enrollments yet.', command: FILLS },
  }
}
