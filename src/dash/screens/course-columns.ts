import type { TableColumn } from '../page.ts'

/** Numbers of the report `course-table`. */
export function courseColumns(days: number): readonly [TableColumn, ...TableColumn[]] {
  return [
    { name: 'course_title', heading: 'COURSE', label: 'Course', kind: 'text', rank: 0 },
    { name: 'enrolled', heading: 'ENROLLED', label: 'Enrolled', kind: 'number', rank: 0 },
    { name: 'completed', heading: 'DONE', label: 'Completed', kind: 'number', rank: 5 },
    { name: 'completion_percent', heading: 'DONE%', label: 'Completion', kind: 'percent', rank: 1 },
    { name: 'mean_progress_percent', heading: 'PROGRESS', label: 'Mean progress', kind: 'bar', rank: 3 },
    {
      name: 'new_enrollments',
      heading: `NEW ${days}D`,
      label: `New in ${days} days`,
      kind: 'number',
      rank: 4,
    },
    { name: 'change_percent', heading: 'CHANGE', label: 'Change', kind: 'change', rank: 2 },
  ]
}

/** What brings facts where there are none. */
export const FILLS = 'lpa load FILE, then lpa batch'
