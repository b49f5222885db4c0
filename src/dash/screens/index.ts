import type { PageScreen } from '../page-screen.ts'
import { courses } from './courses.ts'
import { enrollments } from './enrollments.ts'
import { funnel } from './funnel.ts'
import { health } from './health.ts'
import { learners } from './learners.ts'
import { overview } from './overview.ts'
import { stream } from './stream.ts'

/** In the order of their numbers. */
export const SCREENS: readonly PageScreen[] = [
  overview,
  enrollments,
  funnel,
  courses,
  learners,
  stream,
  health,
]
