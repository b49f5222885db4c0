import { readFileSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import {
  describeTerminal,
  exactJson,
  type Format,
  type Terminal,
  type WriteOptions,
  writeRows,
  writeText,
} from './output.ts'
import { rememberSecret } from './secrets.ts'
import type { Cell, Result, ResultStream } from './types.ts'

const WIDE: Terminal = {
  isTerminal: false,
  width: Number.POSITIVE_INFINITY,
  height: 24,
  color: false,
  unicode: true,
}
const AT_80: Terminal = { ...WIDE, isTerminal: true, width: 80 }

/** Keeps what is written; with `delayMs`, a slow reader. */
class Kept extends Writable {
  readonly chunks: Buffer[] = []
  pending = 0
  mostPending = 0
  readonly delayMs: number
  constructor(delayMs = 0) {
    super({ highWaterMark: 1024 })
    this.delayMs = delayMs
  }
  override async _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.mostPending = Math.max(this.mostPending, this.writableLength)
    if (this.delayMs > 0) await sleep(this.delayMs)
    this.chunks.push(chunk)
    done()
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString('utf8')
  }
}

async function print(
  rows: Result | ResultStream,
  format: Format,
  more: Partial<WriteOptions> = {},
): Promise<string> {
  const to = new Kept()
  await writeRows(rows, { format, to, terminal: WIDE, ...more })
  return to.text
}

const COURSES: Result = {
  columns: [
    { name: 'course_title', type: 'text' },
    { name: 'enrollments', type: 'integer' },
    { name: 'price', type: 'decimal' },
    { name: 'rate', type: 'double' },
    { name: 'open', type: 'boolean' },
    { name: 'starts_on', type: 'date' },
    { name: 'updated_at', type: 'timestamp' },
    { name: 'attributes', type: 'json' },
  ],
  rows: [
    ['Intro to SQL', 1612, '49.90', 0.505, true, '2026-01-12', '2026-01-12T08:13:22.120Z', '{"a": 1.50}'],
    ['Größe, 東京 🙂', 9007199254740993n, '-0.01', Number.NaN, false, null, null, null],
    [null, null, null, Number.NEGATIVE_INFINITY, null, null, null, '[1,\n2]'],
  ],
}

const one = (type: Result['columns'][number]['type'], ...cells: Cell[]): Result => ({
  columns: [{ name: 'value', type }],
  rows: cells.map((cell) => [cell]),
})

function stream(result: Result, times: number): ResultStream {
  async function* chunks() {
    for (let time = 0; time < times; time++) yield result.rows
  }
  return { columns: result.columns, chunks: chunks() }
}

describe('json', () => {
  it('is exact: large integers, decimals, JSON columns; NaN and infinities by name', async () => {
    expect(await print(COURSES, 'json')).toBe(
      `[
{"course_title":"Intro to SQL","enrollments":1612,"price":49.90,"rate":0.505,"open":true,"starts_on":"2026-01-12","updated_at":"2026-01-12T08:13:22.120Z","attributes":{"a": 1.50}},
{"course_title":"Größe, 東京 🙂","enrollments":9007199254740993,"price":-0.01,"rate":"NaN","open":false,"starts_on":null,"updated_at":null,"attributes":null},
{"course_title":null,"enrollments":null,"price":null,"rate":"-Infinity","open":null,"starts_on":null,"updated_at":null,"attributes":[1, 2]}
]
`,
    )
    const lines = (await print(COURSES, 'ndjson')).trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines.map((line) => JSON.parse(line).course_title)).toEqual([
      'Intro to SQL',
      'Größe, 東京 🙂',
      null,
    ])
  })

  it('has an empty array for no rows, and nothing in ndjson', async () => {
    expect(await print({ ...COURSES, rows: [] }, 'json')).toBe('[]\n')
    expect(await print({ ...COURSES, rows: [] }, 'ndjson')).toBe('')
    expect(await print(stream({ ...COURSES, rows: [] }, 3), 'json')).toBe('[]\n')
  })

  it('keeps every value of columns with one name', async () => {
    const twice: Result = {
      columns: ['a', 'a', 'a_2', '__proto__'].map((name) => ({ name, type: 'integer' })),
      rows: [[1, 2, 3, 4]],
    }
    expect(await print(twice, 'ndjson')).toBe('{"a":1,"a_2":2,"a_2_2":3,"__proto__":4}\n')
  })

  it('stays valid whatever the text, and acts on no terminal', async () => {
    const hostile = 'a\x1b[2J\u009b31m\u202eb\u2028"\\\n\ud800'
    const text = await print(one('text', hostile), 'ndjson')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(text.trimEnd()).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028\u202e]/)
    expect(JSON.parse(text).value).toBe(hostile)
    expect(await print(one('json', '{not json'), 'ndjson')).toBe('{"value":"{not json"}\n')
    expect(await print(one('decimal', '00012'), 'ndjson')).toBe('{"value":"00012"}\n')
  })

  it('exactJson prints nested values exactly', () => {
    expect(exactJson({ rows: 2n ** 63n, share: Number.POSITIVE_INFINITY, list: [1n, null] })).toBe(
      '{"rows":9223372036854775808,"share":"Infinity","list":[1,null]}',
    )
  })
})

describe('csv', () => {
  it('has a header, quotes what needs it and tells null from empty text', async () => {
    expect(await print(COURSES, 'csv')).toBe(
      `course_title,enrollments,price,rate,open,starts_on,updated_at,attributes
Intro to SQL,1612,49.90,0.505,true,2026-01-12,2026-01-12T08:13:22.120Z,"{""a"": 1.50}"
"Größe, 東京 🙂",9007199254740993,-0.01,NaN,false,,,
,,,-Infinity,,,,"[1,
2]"
`,
    )
    const pair: Result = {
      columns: [...COURSES.columns.slice(0, 1), { name: 'b', type: 'text' }],
      rows: [['', null]],
    }
    expect(await print(pair, 'csv')).toBe('course_title,b\n"",\n')
    expect(await print(one('text', null, 'x'), 'csv')).toBe('value\n""\nx\n')
  })

  it.each(['=1+1', '+1', '-1', '-2+3*A1', '@SUM(A1)', '\t=1', '＝1', '=cmd|"/c calc"!A1'])(
    'escapes the formula %j, unless raw',
    async (formula) => {
      const [, ...fields] = (await print(one('text', formula), 'csv')).split('\n')
      expect(fields.join('\n').replace(/^"/, '').startsWith("'")).toBe(true)
      const raw = (await print(one('text', formula), 'csv', { raw: true })).split('\n').slice(1).join('\n')
      expect(raw.replace(/^"/, '').replaceAll('""', '"').startsWith(formula)).toBe(true)
    },
  )

  it('leaves numbers alone that start with a sign', async () => {
    expect(await print(one('decimal', '-1.50'), 'csv')).toBe('value\n-1.50\n')
    expect(await print(one('integer', -7), 'csv')).toBe('value\n-7\n')
  })

  it('is safe for a terminal, raw or not, and exact when raw and not on a terminal', async () => {
    const hostile = one('text', '\x1b]0;owned\x07')
    expect(await print(hostile, 'csv')).toBe('value\n\\e]0;owned\\x07\n')
    expect(await print(hostile, 'csv', { raw: true, terminal: AT_80 })).toBe('value\n\\e]0;owned\\x07\n')
    expect(await print(hostile, 'csv', { raw: true })).toBe('value\n\x1b]0;owned\x07\n')
  })
})

it('markdown escapes layout and aligns numbers', async () => {
  const result: Result = {
    columns: [
      { name: 'a|b', type: 'text' },
      { name: 'n', type: 'integer' },
    ],
    rows: [['x | <b> *y* [l](u) `c` \\', 1]],
  }
  expect(await print(result, 'markdown')).toBe(
    '| a\\|b | n |\n| --- | --: |\n| x \\| \\<b> \\*y\\* \\[l\\](u) \\`c\\` \\\\ | 1 |\n',
  )
})

/** What of a line lies from a cell on. */
function startOfColumn(line: string, cell: number): string {
  let at = 0
  for (const { segment, index } of new Intl.Segmenter().segment(line)) {
    if (at >= cell) return line.slice(index)
    at += stringWidth(segment)
  }
  return ''
}

describe('table', () => {
  it('aligns numbers right and shows what is missing', async () => {
    const result = {
      columns: COURSES.columns.slice(0, 4),
      rows: COURSES.rows.map((row) => row.slice(0, 4)),
    }
    expect(await print(result, 'table')).toBe(
      `┌────────────────┬──────────────────┬───────┬───────────┐
│ course_title   │      enrollments │ price │      rate │
├────────────────┼──────────────────┼───────┼───────────┤
│ Intro to SQL   │             1612 │ 49.90 │     0.505 │
│ Größe, 東京 🙂 │ 9007199254740993 │ -0.01 │       NaN │
│ –              │                – │     – │ -Infinity │
└────────────────┴──────────────────┴───────┴───────────┘
`,
    )
  })

  it('uses ASCII where the locale is not UTF-8', async () => {
    const text = await print(one('text', 'x'.repeat(100), null), 'table', {
      terminal: { ...AT_80, width: 20, unicode: false },
    })
    expect(text).toBe(
      `value
--------------------
xxxxxxxxxxxxxxxxxxxx
xxxxxxxxxxxxxxxxxxxx
xxxxxxxxxxxxxxxxxxx~
-
`,
    )
    expect(
      await print(one('text', 'x', null), 'table', { terminal: { ...AT_80, unicode: false } }),
    ).toBe(`+-------+
| value |
+-------+
| x     |
| -     |
+-------+
`)
  })

  it.each([44, 60, 80, 120])('fits %d columns, with no number cut', async (width) => {
    const result: Result = {
      columns: [
        { name: 'course_title', type: 'text' },
        { name: 'note', type: 'text' },
        { name: 'n', type: 'integer' },
      ],
      rows: [
        ['東京'.repeat(40), 'क्षत्रिय '.repeat(20), 9007199254740993n],
        ['👩‍👩‍👧'.repeat(30), 'short', 7],
        ['e\u0301'.repeat(90), 'Intro to SQL '.repeat(9), -1],
      ],
    }
    const text = await print(result, 'table', { terminal: { ...AT_80, width } })
    const lines = text.trimEnd().split('\n')
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBe(width)
    // The numbers end where the rule under the head ends.
    const numbers = lines.filter((line) => / (n|9007199254740993|7|-1)$/.test(line))
    expect(numbers.map((line) => stringWidth(line))).toEqual(Array(4).fill(width))
    const starts = stringWidth(lines[1]?.split('  ')[0] ?? '') + 2
    for (const line of lines) expect(startOfColumn(line, starts)).toMatch(/^(\S|$)/)
  })

  it.each([
    [8, 'a box'],
    [9, 'blanks'],
    [11, 'one blank'],
    [12, 'records'],
  ])('of %d numbers at 80 columns are set apart by %s', async (count, ruling) => {
    const many: Result = {
      columns: Array.from({ length: count }, (_, index) => ({ name: `c${index}`, type: 'integer' })),
      rows: [Array.from({ length: count }, () => 123456)],
    }
    const [first = '', second = ''] = (await print(many, 'table', { terminal: AT_80 })).split('\n')
    const found = first.startsWith('┌')
      ? 'a box'
      : first.startsWith('──')
        ? 'records'
        : second.includes('─  ─')
          ? 'blanks'
          : 'one blank'
    expect(found).toBe(ruling)
  })

  it('goes on in the next line, so that what names a row can be read and copied', async () => {
    const runs: Result = {
      columns: [
        { name: 'run_id', type: 'text' },
        { name: 'completion_percent', type: 'double' },
        { name: 'summary', type: 'text' },
      ],
      rows: [
        ['20260112-081322-4f2a91', 50.5, '8 files: Größe überprüft, 東京 loaded'],
        ['short', 7, null],
      ],
    }
    expect(await print(runs, 'table', { terminal: { ...AT_80, width: 50 } })).toBe(
      `run_id             completion_  summary
                       percent
─────────────────  ───────────  ──────────────────
20260112-081322-          50.5  8 files: Größe
4f2a91                          überprüft, 東京
                                loaded
short                        7  –
`,
    )
  })

  it('breaks no day and no short head', async () => {
    const risk: Result = {
      columns: [
        { name: 'load_id', type: 'integer' },
        { name: 'seen_on', type: 'date' },
        { name: 'seen_at', type: 'timestamp' },
        { name: 'reason', type: 'text' },
      ],
      rows: [[1, '2026-03-03', '2026-03-03T08:13:22.120Z', 'no event since 2026-03-03, the course ended']],
    }
    const text = await print(risk, 'table', { terminal: { ...AT_80, width: 46 } })
    expect(text).toMatch(/^load_id {2}seen_on {5}seen_at +reason$/m)
    expect(text.match(/2026-03-03/g)).toHaveLength(3)
  })

  it.each([
    [1, 1],
    [51, 1],
    [120, 3],
  ])('has each of %d rows once where no box fits, also in %d pieces', async (count, pieces) => {
    const wide: Result = {
      columns: ['a', 'b'].map((name) => ({ name, type: 'text' })),
      rows: Array.from({ length: count }, (_, index) => [`${index}-`.padEnd(48, 'x'), 'y'.repeat(28)]),
    }
    const text = await print(stream(wide, pieces), 'table', { terminal: AT_80 })
    const numbers = text.split('\n').flatMap((line) => /^(\d+)-x/.exec(line)?.slice(1).map(Number) ?? [])
    expect(numbers).toEqual(Array.from({ length: count * pieces }, (_, index) => index % count))
  })

  it('shows records when the columns cannot fit', async () => {
    const many: Result = {
      columns: Array.from({ length: 12 }, (_, index) => ({ name: `number_${index}`, type: 'integer' })),
      rows: [Array.from({ length: 12 }, () => 12345678), Array.from({ length: 12 }, () => 7)],
    }
    const text = await print(many, 'table', { terminal: AT_80 })
    expect(text.split('\n').slice(0, 3)).toEqual(['── 1 ──', 'number_0   12345678', 'number_1   12345678'])
    expect(text).toContain('── 2 ──')
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('prints its head without rows, and one head over many pieces', async () => {
    expect(await print({ columns: COURSES.columns.slice(1, 2), rows: [] }, 'table')).toBe(
      '┌─────────────┐\n│ enrollments │\n└─────────────┘\n',
    )
    const text = await print(stream(one('integer', 1, 2, 3), 700), 'table')
    const lines = text.trimEnd().split('\n')
    expect(lines).toHaveLength(2100 + 4)
    expect(lines.filter((line) => line.includes('value'))).toHaveLength(1)
    expect(lines.at(-1)).toMatch(/^└─+┘$/)
  })

  it('disarms text and headers', async () => {
    const text = await print(
      { columns: [{ name: 'a\x1b[2J', type: 'text' }], rows: [['b\x1b]0;owned\x07\nc']] },
      'table',
      { terminal: AT_80 },
    )
    expect(text).toContain('a\\e[2J')
    expect(text).toContain('b\\e]0;owned\\x07\\nc')
    expect(text).not.toContain('\x1b')
  })

  it('has bold heads where there is colour', async () => {
    const text = await print(one('text', 'é'), 'table', { terminal: { ...AT_80, color: true } })
    expect(text).toContain('│ \x1b[1mvalue\x1b[22m │')
  })
})

describe('streams', () => {
  it.each(['csv', 'ndjson', 'json', 'markdown', 'table'] as const)(
    '%s keeps to the pace of a slow reader',
    async (format) => {
      const to = new Kept(1)
      const rows = Array.from({ length: 100 }, (_, index) => [`row ${index}`] as const)
      let made = 0
      async function* chunks() {
        for (let piece = 0; piece < 20; piece++) {
          made = piece
          // Never more than what is being written and the piece being made.
          expect(to.chunks.length).toBeGreaterThanOrEqual(piece - 1)
          yield rows
        }
      }
      const count = await writeRows(
        { columns: [{ name: 'value', type: 'text' }], chunks: chunks() },
        { format, to, terminal: WIDE },
      )
      expect(made).toBe(19)
      expect(count).toBe(2000)
    },
  )
})

describe('chart and parquet come from the caller', () => {
  it('draws all rows', async () => {
    const text = await print(stream(one('integer', 1, 2), 3), 'chart', {
      draw: (result, size) => `${result.rows.length} rows in ${size.width} x ${size.height}`,
    })
    expect(text).toBe('6 rows in 80 x 20\n')
  })

  it('passes the bytes of the file that the caller wrote', async () => {
    const bytes = Buffer.from([0x50, 0x41, 0x52, 0x31, 0xff, 0x00])
    const to = new Kept()
    let file = ''
    const parquet = async (path: string) => {
      file = path
      await writeFile(path, bytes)
    }
    await writeRows(one('integer', 1), { format: 'parquet', to, terminal: WIDE, parquet })
    expect(Buffer.concat(to.chunks)).toEqual(bytes)
    expect(() => readFileSync(file)).toThrow('ENOENT')
  })

  it('refuses binary on a terminal, and what the caller cannot do', async () => {
    const parquet = async (path: string) => writeFileSync(path, '')
    await expect(print(COURSES, 'parquet', { parquet, terminal: AT_80 })).rejects.toThrow(/garble/)
    await expect(print(COURSES, 'parquet')).rejects.toThrow('This cannot be shown as parquet.')
    await expect(print(COURSES, 'chart')).rejects.toThrow('This cannot be shown as chart.')
  })
})

it('hides secrets in every text', async () => {
  rememberSecret('s3cret-canary')
  expect(await print(one('text', 'x s3cret-canary y'), 'csv')).toBe('value\nx [secret] y\n')
  const to = new Kept()
  await writeText('s3cret-canary', to)
  expect(to.text).toBe('[secret]\n')
})

it('reports what a closed output says', async () => {
  const to = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) })
  to.on('error', () => {})
  await expect(writeRows(COURSES, { format: 'csv', to, terminal: WIDE })).rejects.toThrow('EPIPE')
})

describe('describeTerminal', () => {
  const utf8 = { LANG: 'C.UTF-8', TERM: 'xterm' }
  const terminal = { isTTY: true, columns: 100, rows: 40 }
  it.each([
    ['a terminal', terminal, utf8, { width: 100, height: 40, color: true, unicode: true }],
    ['a pipe', {}, utf8, { width: Number.POSITIVE_INFINITY, color: false }],
    ['a pipe with COLUMNS', {}, { ...utf8, COLUMNS: '60' }, { width: 60 }],
    ['NO_COLOR', terminal, { ...utf8, NO_COLOR: '1' }, { color: false }],
    ['TERM=dumb', terminal, { ...utf8, TERM: 'dumb' }, { color: false }],
    ['FORCE_COLOR', {}, { ...utf8, FORCE_COLOR: '1' }, { color: true }],
    ['FORCE_COLOR=0', {}, { ...utf8, FORCE_COLOR: '0' }, { color: false }],
    ['the C locale', terminal, { LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, { unicode: false }],
    ['a terminal of unknown width', { isTTY: true }, utf8, { width: 80 }],
  ])('%s', (_, stream, env, wanted) => {
    expect(describeTerminal(stream, env)).toMatchObject(wanted)
  })
  it('--no-color', () => {
    expect(describeTerminal(terminal, utf8, true).color).toBe(false)
  })
})
