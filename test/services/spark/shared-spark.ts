/** The Spark that test/setup/spark.ts started, and folders of lpa that know of it. */

import { describe, inject, test } from 'vitest'
import { addressOf, findLocalServer, type LocalServer } from '../../../src/engines/spark/local-server.ts'
import { SparkSession } from '../../../src/engines/spark/session.ts'

export interface SparkPlace {
  /** What XDG_STATE_HOME is for it. */
  readonly state: string
  /** The folder of what it logs of its work. */
  readonly events: string
  /** Where it shows its work. */
  readonly pages: string
}

export const SPARK_SETTINGS = {
  // It ends each stream of answers after this, as it does after two minutes: so that every test takes some up again.
  'spark.connect.execute.reattachable.senderMaxStreamDuration': '1s',
  'spark.sql.shuffle.partitions': '2',
  // As on a cluster that has HDFS: where a path without a scheme would be looked for.
  'spark.hadoop.fs.defaultFS': 'hdfs://nowhere.invalid:8020',
}

/** For a Java whose statements run once: half of what it does would be to compile itself. */
export const QUICK_JAVA = { JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1' } as const

/** Tests that need Spark: skipped with the reason where it cannot run. */
export function describeWithSpark(name: string, tests: (spark: SparkPlace) => void): void {
  const spark = inject('spark')
  describe(name, () => {
    if ('missing' in spark) test('needs Spark', (context) => context.skip(spark.missing))
    else {
      process.env.XDG_STATE_HOME = spark.state
      tests(spark)
    }
  })
}

export function sharedServer(): LocalServer {
  const server = findLocalServer()
  if (!server) throw new Error('The Spark of the tests has ended.')
  return server
}

/** A session of the test's own. */
export function openSession(signal = new AbortController().signal): Promise<SparkSession> {
  const server = sharedServer()
  return SparkSession.open({ address: addressOf(server), token: server.token, signal })
}
