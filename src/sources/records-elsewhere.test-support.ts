/** What Spark leaves of records that only lpa may read. */

import { createCipheriv, randomBytes } from 'node:crypto'
import { openDuckDB, quoteName, quoteText } from '../duckdb.ts'
import type { PseudonymKey } from '../pseudonym.ts'
import { fieldsOf } from './fields.ts'
import type { FileRequest } from './files.ts'
import type { Mapping } from './mapping.ts'
import { PLACE, READ_BY, readBy } from './records-elsewhere.ts'
import { sealingKey } from './spark/seal.ts'

/** As Spark's aes_encrypt does. */
export function sealedLikeSpark(key: PseudonymKey, text: string): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', sealingKey(key), nonce)
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()])
}

/** A Parquet file of sealed records, all of the file `one.ndjson`. */
export async function writeSealed(
  file: string,
  lines: readonly string[],
  mapping: Mapping,
  request: Pick<FileRequest, 'key' | 'idSpace'>,
): Promise<void> {
  await using database = await openDuckDB({ memoryLimit: '100MB', spillFolder: '', timezone: 'UTC' })
  const columns = fieldsOf(mapping, undefined).map(
    ({ name }) => `cast(null as varchar) as ${quoteName(name)}`,
  )
  const rows = lines.map((line) => `(from_hex('${sealedLikeSpark(request.key, line).toString('hex')}'))`)
  await database.connection.run(
    `copy (select ${columns.join(', ')}, 'one.ndjson' as ${PLACE.name}, 0 as ${PLACE.part}, cast(null as bigint) as ${PLACE.number},
       lpa_sealed, ${quoteText(readBy(mapping, request))} as ${READ_BY}
     from (values ${rows.join(', ')}) as s(lpa_sealed)) to ${quoteText(file)} (format parquet)`,
  )
}
