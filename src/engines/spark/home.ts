/** Where Spark is on this machine. */

import { cacheFolder } from '../../cache-folder.ts'

/** What lpa is tested with, and whose protocol its client speaks. */
export const SPARK_VERSION = '4.2.0'

/** Where `scripts/spark-jars.ts` puts it. */
export function cachedSpark(): string {
  return cacheFolder('spark', `v${SPARK_VERSION}`)
}
