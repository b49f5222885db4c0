import { afterAll, describe, expect, test } from 'vitest'
import { withInnerRecords } from './inner-records.ts'
import type { Input } from './input.ts'
import { MessageLines } from './kafka/message-lines.ts'
import { StageFolder } from './stage.test-support.ts'

const folder = new StageFolder()
afterAll(() => folder[Symbol.dispose]())

const MAPPING = `-- entity: learning_event
-- records: $.data
-- columns: id, who, since
-- personal: who(learner)
select id as event_id, who as learner_id, since as occurred_at, 'viewed' as event_type from source`
const event = (id: string | undefined) => ({ id, who: 'w', since: '2026-01-12T08:00:00Z', note: 'a\n"b" {[' })

function inputOf(head: string, more: Partial<Input> = {}): Input {
  return {
    ...{ name: 'x.json', format: 'ndjson', compression: 'none', hasBom: false, delimiter: ',', head },
    async *open() {},
    stats: undefined,
    ...more,
  }
}

/** The lines of a text that comes in pieces of so many bytes, and the place of each. */
function rewritten(text: string, size: number, more: Partial<Input> = {}): string[] {
  const input = withInnerRecords(inputOf(text, more), ['data'])
  const rewriter = input.rewrite?.()
  const bytes = Buffer.from(text)
  let lines = ''
  for (let at = 0; at < bytes.length; at += size)
    lines += rewriter?.push(bytes.subarray(at, at + size)).toString()
  lines += rewriter?.end().toString()
  return lines
    .trimEnd()
    .split('\n')
    .map((line, index) => `${line.trim()} ${input.placeOf?.(index + 1)}`)
}

describe('the same records from any layout, in pieces of any size', () => {
  const envelope = { sensor: 's', data: [event('1'), 7, event('é')] }
  const [one, two, bare] = [envelope, { data: [] }, event('bare')].map((value) => JSON.stringify(value))
  const [first, second, third] = envelope.data.map((value) => JSON.stringify(value))

  test.each([1, 7, 64, 100_000])('lines, %i bytes', (size) => {
    expect(rewritten(`${one}\n\n${two}\r\n${bare}\n{"data": [\n${bare}`, size)).toEqual([
      ...[`${first} x.json:1:record-1`, `${second} x.json:1:record-2`, `${third} x.json:1:record-3`],
      ...[`${bare} x.json:4`, '{"data": [ x.json:5', `${bare} x.json:6`],
    ])
  })

  test.each([1, 7, 64, 100_000])('an array, %i bytes', (size) => {
    const text = ` [\n${one},\n${two} ,${bare}\n, 5]\n`
    expect(rewritten(text, size, { format: 'json' })).toEqual([
      ...[`${first} x.json:2:record-1`, `${second} x.json:2:record-2`, `${third} x.json:2:record-3`],
      ...[`${bare} x.json:3`, '5 x.json:4'],
    ])
  })

  test.each([1, 7, 64, 100_000])('values over several lines, %i bytes', (size) => {
    const text = `${JSON.stringify(envelope, null, 2)}\n${JSON.stringify(event('bare'), null, 2)}\n`
    const places = rewritten(text, size, { isSpread: true }).map((line) => line.replace(/.* /, ''))
    expect(places).toEqual(['x.json:1:record-1', 'x.json:1:record-2', 'x.json:1:record-3', 'x.json:19'])
  })
})

test.each([
  ['[{"data":[', 'JSON that is not closed', 'x.json:1'],
  ['[{}]\n{}', 'something behind the array', 'x.json:2'],
])('%s is refused', (text, what, where) => {
  expect(() => rewritten(text, 3, { format: 'json' })).toThrow(
    expect.objectContaining({ code: 'LPA-INPUT-BROKEN', message: `There is ${what}.`, where }),
  )
})

test('the head of a value that is cut off shows the records that are there', () => {
  const text = JSON.stringify({ data: [event('1'), event('2'), event('3')] })
  for (const [format, head] of [
    ['ndjson', text.slice(0, -20)],
    ['json', `[${text.slice(0, -20)}`],
  ] as const)
    expect(withInnerRecords(inputOf(head, { format }), ['data']).head.split('\n').length).toBe(3)
})

test('a file is staged by its records, and hashed and counted as it lies', async () => {
  const text = JSON.stringify([{ data: [event('1'), event(undefined)] }, event(undefined)], null, 1)
  const staged = await folder.stage('whole.json', text, MAPPING)
  expect(staged.batch.load.counts).toMatchObject({ read: 3, mapped: 3 })
  expect(staged.batch.load.bytes).toBe(Buffer.byteLength(text))
  const start = `test:${staged.batch.load.contentSha256.slice(0, 16)}`
  expect(await folder.rows(staged, 'event_id')).toEqual([
    { event_id: 'test:1' },
    { event_id: `${start}:2` },
    { event_id: `${start}:3` },
  ])
})

test('without such a mapping, JSON over several lines is still refused', async () => {
  const text = JSON.stringify({ data: [event('1')] }, null, 1)
  const mapping = MAPPING.replace('-- records: $.data\n', '')
  for (const named of [mapping, undefined])
    await expect(folder.stage('spread.json', text, named)).rejects.toMatchObject({
      code: 'LPA-INPUT-UNREADABLE',
    })
})

test('several records of one message are named by its offset and their place in it', () => {
  const messages = new MessageLines('t', 'T')
  const value = (json: unknown) => Buffer.from(JSON.stringify(json))
  messages.add(0, [
    { offset: '40', value: value({ data: [event(undefined), event(undefined)] }) },
    { offset: '41', value: value(event(undefined)) },
    { offset: '43', value: value({ data: [event(undefined)] }) },
  ])
  const input = withInnerRecords(messages.input('kafka://t'), ['data'])
  const rewriter = input.rewrite?.()
  rewriter?.push(
    Buffer.from(
      [event('a'), event('b'), event('c')]
        .map((one, index) => JSON.stringify(index === 1 ? one : { data: index === 0 ? [one, one] : [one] }))
        .join('\n'),
    ),
  )
  rewriter?.end()
  expect(input.places).toEqual([
    { record: 1, id: 'T-0-40', offset: 0 },
    { record: 3, id: 'T-0', offset: 41 },
    { record: 4, id: 'T-0-43', offset: 0 },
  ])
  expect([1, 2, 3, 4].map((record) => input.placeOf?.(record))).toEqual([
    ...['t-0-40:record-1', 't-0-40:record-2', 't-0-41', 't-0-43:record-1'],
  ])
})
