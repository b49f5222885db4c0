import { describe, expect, test } from 'vitest'
import { type Message, MessageLines } from './message-lines.ts'

const message = (offset: number, value: string | Buffer | null): Message => ({
  offset: String(offset),
  value: typeof value === 'string' ? Buffer.from(value) : value,
})

async function textOf(lines: MessageLines): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of lines.input('kafka://b/t').open()) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

describe('messages as lines', () => {
  test('one each, line ends inside JSON made blanks', async () => {
    const lines = new MessageLines('t', 'id')
    lines.add(0, [message(0, '{"a":1}'), message(1, '{\r\n  "a": "é"\n}'), message(2, '{"b":1e400}')])
    expect(await textOf(lines)).toBe('{"a":1}\n{    "a": "é" }\n{"b":1e400}\n')
    expect(lines).toMatchObject({ records: 3, tombstones: 0 })
  })

  test('of values that no line can hold, one that is no object', async () => {
    const lines = new MessageLines('t', 'id')
    const bad = ['', ' \n', Buffer.from([0xff, 0xfe, 10, 13]), Buffer.from('{"a":"\0"}')]
    lines.add(0, [...bad.map((value, index) => message(index, value)), message(4, 'x')])
    expect(await textOf(lines)).toBe('""\n""\n""\n""\nx\n')
  })

  test('tell where each stands: partitions, gaps and tombstones', () => {
    const lines = new MessageLines('t', 'id')
    lines.add(3, [message(10, '{}'), message(11, '{}'), message(12, null), message(13, '{}')])
    lines.add(0, [message(2, '{}'), message(7, '{}')])
    lines.add(3, [message(14, '{}')])
    const input = lines.input('kafka://b/t')
    expect([1, 2, 3, 4, 5, 6].map((line) => input.placeOf?.(line))).toEqual([
      ...['t-3-10', 't-3-11', 't-3-13', 't-0-2', 't-0-7', 't-3-14'],
    ])
    expect(input.places?.map(({ record, id, offset }) => [record, id, offset])).toEqual([
      [1, 'id-3', 10],
      [3, 'id-3', 13],
      [4, 'id-0', 2],
      [5, 'id-0', 7],
      [6, 'id-3', 14],
    ])
    expect(lines).toMatchObject({ records: 6, tombstones: 1 })
  })

  test('of CloudEvents hold their data as it is written', async () => {
    const lines = new MessageLines('t', 'id')
    const envelope = (more: string) => `{"specversion":"1.0","id":"1","source":"s","type":"t",${more}}`
    lines.add(0, [
      message(0, envelope('"data":{"n": 12345678901234567890, "t": "\\u00e9"}')),
      message(1, envelope(`"data_base64":"${Buffer.from('{"a":\n1}').toString('base64')}"`)),
      message(2, '{"note":"\\"specversion\\" is a word here"}'),
      message(3, envelope('"subject":"nothing"')),
    ])
    expect((await textOf(lines)).split('\n')).toEqual([
      '{"n": 12345678901234567890, "t": "\\u00e9"}',
      '{"a": 1}',
      '{"note":"\\"specversion\\" is a word here"}',
      envelope('"subject":"nothing"'),
      '',
    ])
  })

  test('have a head of whole lines', () => {
    const lines = new MessageLines('t', 'id')
    const value = `{"a":"${'x'.repeat(1000)}"}`
    lines.add(
      0,
      Array.from({ length: 1000 }, (_, index) => message(index, value)),
    )
    const { head } = lines.input('kafka://b/t')
    expect(head.length).toBeLessThanOrEqual(256 * 1024)
    expect(head.length).toBeGreaterThan(250 * 1024)
    expect(head.endsWith('}\n')).toBe(true)
  })
})
