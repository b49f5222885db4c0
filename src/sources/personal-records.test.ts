import { afterAll, expect, test } from 'vitest'
import { StageFolder } from './stage.test-support.ts'

// Of messages, a record that looks personal where the mapping says nothing is rejected alone, and nothing of it is kept.

const folder = new StageFolder()
afterAll(() => folder[Symbol.dispose]())

const MAPPING = `-- entity: learning_event
-- columns: id, time, who = $.actor.id, note = $.note, more = $.context
-- personal: who(learner)
-- not-personal: $.context.relay
select id as event_id, 'viewed' as event_type, time as occurred_at, who as learner_id, note as session_id,
  more as attributes from source`

const record = (number: number, more: object = {}) =>
  JSON.stringify({
    id: `e${number}`,
    time: '2026-01-01T00:00:00Z',
    actor: { id: `clear-${number}` },
    ...more,
  })

const PERSONAL: readonly (readonly [more: object, column: string])[] = [
  [{ note: 'write to clear@example.org' }, 'note'],
  [{ note: 'x%40clear.example' }, 'note'],
  [{ note: '203.0.113.7' }, 'note'],
  [{ note: ' 203.0.113.7:8080, 198.51.100.4 ' }, 'note'],
  [{ note: '2001:db8::1' }, 'note'],
  [{ note: '[2001:db8::1]:443' }, 'note'],
  [{ note: '2001:0db8:0000:0000:0000:ff00:0042:8329' }, 'note'],
  [{ note: 'fe80::1%eth0' }, 'note'],
  [{ note: '1:2:3:4:5:6:192.0.2.33' }, 'note'],
  [{ note: '\u00a0203.0.113.7\u202f' }, 'note'],
  [{ context: { 'pre\u0301nom': 'Clear' } }, 'more'],
  [{ note: '+49 (30) 901820' }, 'note'],
  [{ context: { reply: 'clear@example.org' } }, 'more'],
  [{ context: { sent: { by: 'cl\u00e9ar@example.org' } } }, 'more'],
  [{ context: { last_name: 'Clear' } }, 'more'],
  [{ context: [{ host: '203.0.113.7' }] }, 'more'],
  [{ context: { inner: JSON.stringify({ host: '+49 30 901820' }) } }, 'more'],
  [{ context: { '203.0.113.7': 1 } }, 'more'],
  [{ note: '{"student name": "Clear"}' }, 'note'],
]

const PUBLIC: readonly object[] = [
  {},
  { note: 'at 12:30:45, version 1.2.3' },
  { note: '2026-01-01T00:00:00+01:00' },
  { note: 'a::b' },
  { note: '3.7.1' },
  { note: '+1' },
  { context: { relay: '203.0.113.7', at: 12.5, ratio: '4:3' } },
  { context: { elapsed: '00:12:30', list: ['1.2', '1.2.3'] } },
  { note: 'nobody%20here', context: { text: 'a\\b "c"' } },
]

test('is rejected with its field and without its values; the others are loaded', async () => {
  const lines = [...PERSONAL.map(([more]) => more), ...PUBLIC].map((more, index) => record(index + 1, more))
  const staged = await folder.stage('mixed.ndjson', `${lines.join('\n')}\n`, MAPPING, {
    personal: 'reject record',
  })
  expect(staged.batch.load.counts).toMatchObject({
    read: lines.length,
    rejected: PERSONAL.length,
    mapped: PUBLIC.length,
  })
  const rejected = await folder.rows<Record<string, unknown>>(
    staged,
    'position, reason_code, column_name, payload, content_hmac is not null as is_known',
    'raw.rejected',
  )
  const found = rejected
    .map(({ position, ...rest }) => [Number(String(position).replace(/.*:/, '')), rest] as const)
    .sort(([a], [b]) => a - b)
  expect(found).toEqual(
    PERSONAL.map(([, column], index) => [
      index + 1,
      { reason_code: 'personal:undeclared', column_name: column, payload: null, is_known: true },
    ]),
  )
  const everything = await folder.everything(staged)
  expect(everything).toContain(`e${PERSONAL.length + 1}`)
  for (const clear of [
    'lear@example',
    'x%40',
    '203.0.113.7:8080',
    '198.51.100',
    '2001:',
    '901820',
    'Clear',
    'clear-',
  ])
    expect(everything).not.toContain(clear)
})

test('a file with one such record is refused as a whole, unless it is said', async () => {
  const content = `${record(1)}\n${record(2, { note: 'clear@example.org' })}\n`
  await expect(folder.stage('file.ndjson', content, MAPPING)).rejects.toMatchObject({
    code: 'LPA-PERSONAL-UNDECLARED',
  })
})

test('a file, too, in which an object stands where the mapping expects a text, behind all that is looked at first', async () => {
  const many = Array.from({ length: 300 }, (_, number) => record(number))
  for (const more of [{ context: { last_name: 'Clear' } }, { note: [{ 'e-mail': null }] }]) {
    const content = `${[...many, record(300, more)].join('\n')}\n`
    await expect(folder.stage('late.ndjson', content, MAPPING)).rejects.toMatchObject({
      code: 'LPA-PERSONAL-UNDECLARED',
    })
  }
})

test('a mapping that itself names a personal value and does not say so is refused either way', async () => {
  const mapping = MAPPING.replace('note = $.note', 'note = $.email')
  await expect(
    folder.stage('named.ndjson', `${record(1)}\n`, mapping, { personal: 'reject record' }),
  ).rejects.toMatchObject({ code: 'LPA-PERSONAL-UNDECLARED' })
})
