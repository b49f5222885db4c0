/** Where Spark is on this machine. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../../cache-folder.ts'
import { UserError } from '../../errors.ts'

/** What lpa is tested with, and whose protocol its client speaks. */
export const SPARK_VERSION = '4.2.0'

/** Where `scripts/spark-jars.ts` puts it. */
export function cachedSpark(): string {
  return cacheFolder('spark', `v${SPARK_VERSION}`)
}

/**
 * The folder that has Spark's `jars`: $SPARK_HOME, else the cache.
 * @throws UserError unavailable (69) where it is in neither
 */
export function sparkHome(env: NodeJS.ProcessEnv = process.env): string {
  const home = env.SPARK_HOME || cachedSpark()
  if (existsSync(join(home, 'jars'))) return home
  throw new UserError('LPA-SPARK-MISSING', 'There is no Spark on this machine.', {
    exit: 'unavailable',
    where: join(home, 'jars'),
    next: [
      `Unpack Spark ${SPARK_VERSION} (spark.apache.org, or pip download pyspark==${SPARK_VERSION}) and name its folder: SPARK_HOME=…`,
      'In a checkout of lpa: node scripts/spark-jars.ts',
      'Or use one that runs elsewhere: lpa batch --engine spark --address sc://HOST:15002',
    ],
  })
}
