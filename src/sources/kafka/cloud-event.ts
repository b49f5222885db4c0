/** CloudEvents in structured mode: an envelope of JSON around the record (CloudEvents 1.0, JSON format). */

import { sliceAt, textAt } from '../json-slices.ts'

const MARK = Buffer.from('"specversion"')

/** What an envelope holds, as it is written; undefined when the value is no envelope or an empty one. */
export function cloudEventData(value: Buffer): Buffer | undefined {
  if (!value.includes(MARK)) return undefined
  try {
    JSON.parse(value.toString('utf8'))
  } catch {
    return undefined
  }
  if (textAt(value, ['specversion']) === undefined) return undefined
  const encoded = textAt(value, ['data_base64'])
  if (encoded !== undefined) return Buffer.from(encoded, 'base64')
  const slice = sliceAt(value, ['data'])
  return slice && value.subarray(slice.start, slice.end)
}
