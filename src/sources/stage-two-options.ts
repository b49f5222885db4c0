/** What stage two needs of an input and its mapping. */

import type { Field } from './fields.ts'
import type { RecordPlace } from './input.ts'
import type { Mapping } from './mapping.ts'
import type { BrokenRow } from './stage-one.ts'

export interface StageTwoOptions {
  readonly mapping: Mapping
  readonly fields: readonly Field[]
  readonly header: readonly string[]
  /** What stage one wrote, as a SELECT of the records with their numbers. */
  readonly records: string
  readonly folder: string
  readonly loadId: number
  readonly source: string
  readonly idSpace: string
  readonly format: string
  readonly uri: string
  readonly contentSha256: string
  readonly timezone: string
  readonly loadedAt: string
  /** Of what is read again because of its rejected records. */
  readonly requeuedAt?: string | undefined
  readonly memoryLimit: string
  readonly threads?: number | undefined
  /** Rows of a Parquet row group. */
  readonly groupRows: number
  readonly parquetVersion: 'v1' | 'v2'
  readonly broken: readonly BrokenRow[]
  /** The line of a well-formed or broken record (from 1). */
  readonly lineOf: (record: number) => number
  /** Where a line stands: `file:line`. */
  readonly placeOf: (line: number) => string
  /** Of messages: where each record stands. */
  readonly places?: readonly RecordPlace[] | undefined
  /** Of an API, which may answer a record again: events count once by their ids, and each needs one. */
  readonly mayComeAgain?: boolean
  /** Of records that raw kept: they have their numbers with them. */
  readonly isReplay?: boolean
  /** Whether records may name somebody who was erased. */
  readonly mayBeErased?: boolean
  readonly signal: AbortSignal
}
