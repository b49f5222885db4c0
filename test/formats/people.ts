/** Who is in fixtures that several tests read. */

import type { Person } from './format-campus.ts'

export const XAPI_PEOPLE: readonly Person[] = [
  ...[950001, 950002, 950003, 950005, 950009].map((number) => ({
    id: `learner-${number}`,
    space: 'https://lrs.example',
  })),
  { id: 'saoirse.kelly@lrs.example', class: 'email' },
  { id: 'ebd31e95054c018b10727ccffd2ef2ec3a016ee9' },
  { id: 'https://openid.example/learner-950004' },
]
