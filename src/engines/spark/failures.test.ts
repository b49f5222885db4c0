import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { Code, ConnectError } from '@connectrpc/connect'
import { expect, it } from 'vitest'
import { errorIdOf, explained } from './failures.ts'

const ADDRESS = { host: 'spark.example.org', port: 15_002, isEncrypted: true, user: 'lpa' }
const WRITE_FAILED = '[TASK_WRITE_FAILED] Task failed while writing rows to file:/w/t. SQLSTATE: 58030'

/** As Spark 4.2 told it: what was wrong is in the causes only. */
it.each([
  [
    ['Unable to close resource', 'java.io.IOException: No space left on device', 'No space left on device'],
    'LPA-SPARK-DISK',
  ],
  [['Java heap space', 'java.lang.OutOfMemoryError: Java heap space'], 'LPA-SPARK-MEMORY'],
  [['/w/t/part-0 (Permission denied)'], 'LPA-SPARK-FILES'],
])('a task that cannot write for %j', (causes, code) => {
  expect(explained(new ConnectError(WRITE_FAILED, Code.Internal), ADDRESS, { causes })).toMatchObject({
    ...{ code, where: 'sc://spark.example.org:15002' },
  })
})

it('tells of an error that may quote what was read nothing but its name', () => {
  const error = new ConnectError(
    '[CAST_INVALID_INPUT] The value \'jane@example.org\' of "STRING" …',
    Code.Internal,
  )
  const told = explained(error, ADDRESS, { mayQuote: true }) as Error
  expect([told.message, told.cause]).toEqual(['Spark refused (CAST_INVALID_INPUT).', undefined])
})

it('finds the id of an error among what its google.rpc.ErrorInfo has', () => {
  const pair = (key: string, value: string) =>
    new BinaryWriter().tag(1, 2).string(key).tag(2, 2).string(value).finish()
  const info = new BinaryWriter()
    .tag(1, 2)
    .string('org.apache.spark.SparkException')
    .tag(2, 2)
    .string('org.apache.spark')
  for (const entry of [pair('classes', '[]'), pair('errorId', 'db4aaaab')]) info.tag(3, 2).bytes(entry)
  const error = new ConnectError('wrong')
  error.details.push({ type: 'google.rpc.ErrorInfo', value: info.finish() })
  expect([errorIdOf(error), errorIdOf(new ConnectError('wrong')), errorIdOf(new Error('wrong'))]).toEqual([
    'db4aaaab',
    undefined,
    undefined,
  ])
})
