import { Flags } from '@oclif/core'

export const lineageFlag = {
  lineage: Flags.string({
    helpValue: 'FILE',
    summary: 'Append what this run reads and writes to a file, as OpenLineage events.',
  }),
}
