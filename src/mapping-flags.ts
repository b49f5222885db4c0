import { Flags } from '@oclif/core'

/** How records are read: of every command that reads some. */
export const mappingFlags = {
  as: Flags.string({
    helpValue: 'ENTITY',
    summary: 'What the records are: learner, course, enrollment, …',
  }),
  mapping: Flags.string({
    ...{ multiple: true, helpValue: 'NAME|FILE.sql' },
    summary: 'How to read them: a packaged mapping or your own; several make several entities.',
  }),
}
