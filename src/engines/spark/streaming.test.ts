import { expect, it, test } from 'vitest'
import { type Ask, StreamingQuery } from './streaming.ts'

type Told = Awaited<ReturnType<Ask>>

/** A query of which Spark tells this. */
function query(told: unknown): StreamingQuery {
  const queryId = { $typeName: 'spark.connect.StreamingQueryInstanceId' as const, id: 'q', runId: 'r' }
  return new StreamingQuery(queryId, async () => told as Told)
}

const QUERY_FAILED = 'org.apache.spark.sql.streaming.StreamingQueryException: '
/** As Spark 4.2 goes on after the error: with what it was asked, in full. */
const PLAN = `
=== Streaming Query ===
Identifier: lpa_stream [id = 65d575bf, runId = 83e98863]
Logical Plan:
+- StreamingRelation kafka, [kafka.bootstrap.servers=127.0.0.1:9, failOnDataLoss=true, path=file:/in/gzip]`
const broken = (file: string) =>
  `[FAILED_READ_FILE.NO_HINT] Encountered error while reading file ${file}.  SQLSTATE: KD001`
const CUT = broken('file:///srv/in/day%201.ndjson.gz')

/** The first three as Spark 4.2 told them of such files. */
test.each([
  [CUT, 'java.io.EOFException: Unexpected end of input stream', 'LPA-STREAM-FILE', 65],
  [CUT, 'java.io.IOException: not a gzip file', 'LPA-STREAM-FILE', 65],
  [CUT, 'java.io.IOException: invalid distance too far back', 'LPA-STREAM-FILE', 65],
  [CUT, 'java.io.IOException: Input/output error', 'LPA-SPARK-STREAM', 69],
  ['[TASK_WRITE_FAILED] Task failed.', 'java.io.IOException: No space left on device', 'LPA-SPARK-DISK', 73],
  ['Job aborted.', 'java.lang.OutOfMemoryError: Java heap space', 'LPA-SPARK-MEMORY', 69],
  ['[USER_RAISED_EXCEPTION] jane@example.org', '', 'LPA-SPARK-STREAM', 69],
  ['Call failed.', 'org.apache.kafka.common.errors.TimeoutException: Timed out', 'LPA-KAFKA-NETWORK', 69],
  [
    'Failed.',
    'org.apache.kafka.common.config.ConfigException: No resolvable bootstrap urls',
    'LPA-KAFKA-NETWORK',
    69,
  ],
  ['[KAFKA_DATA_LOSS.COULD_NOT_READ_OFFSET_RANGE] Gone.', '', 'LPA-STREAM-GONE', 65],
])('a query that failed with %j for %j is %s', async (message, cause, code, exitCode) => {
  const exceptionMessage = `${QUERY_FAILED}${message}${PLAN}`
  const stackTrace = `${exceptionMessage}\n\tat org.apache.spark\nCaused by: ${cause}\n\tat java.base`
  const failed = query({ case: 'exception', value: { exceptionMessage, stackTrace } }).assertWell()
  const error = await failed.then(
    () => undefined,
    (reason) => reason,
  )
  expect(error).toMatchObject({ code, exitCode })
  expect(`${error.message} ${error.where} ${error.next}`).not.toContain('jane')
  if (code === 'LPA-STREAM-FILE') expect(error.where).toBe('/srv/in/day 1.ndjson.gz')
})

it('is well where Spark tells of no error', async () => {
  await expect(query({ case: 'exception', value: {} }).assertWell()).resolves.toBeUndefined()
})

test('of a batch: doubles, rows that were too late, and how many records of all partitions wait', async () => {
  const state = { numRowsDroppedByWatermark: 1, customMetrics: { numDroppedDuplicateRows: 4 } }
  const source = {
    endOffset: { clicks: { 0: 10, 1: 20 } },
    latestOffset: { clicks: { 0: 15, 1: 20, 2: 7 } },
  }
  const json = [
    { batchId: 3, sources: [source], stateOperators: [state] },
    { batchId: 4, sources: [{ latestOffset: null }], stateOperators: [{}] },
  ].map((told) => JSON.stringify(told))
  const told = await query({ case: 'recentProgress', value: { recentProgressJson: json } }).progress()
  expect(told).toEqual([
    { batch: 3, doubled: 4, late: 1, behind: 12 },
    { batch: 4, doubled: 0, late: 0, behind: undefined },
  ])
})
