/**
 * What other people wrote, in every place where lpa takes text, and what comes of it on a terminal: nothing but text.
 * Each run gets all hostile texts at once, so that few processes are needed.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { initPlace, lpa, lpaOk, newPlace, type Place, removePlaces } from './faults/lpa.ts'
import { misdeeds } from './hostile/terminal.ts'
import { FAMILIES, TEXTS } from './hostile/texts.ts'

/** For arguments and the environment, which hold no NUL, as one word. */
const WORD = `a${TEXTS.join(' ').replaceAll('\0', '')}`
/** For names of files, which hold no slash either and at most 255 bytes. */
const NAMES = packed(
  TEXTS.filter((text) => text.length < 100).map((text) => text.replace(/[\0/]/g, '|')),
  180,
)

/** For CSV, which has no carriage returns and NULs that all readers take alike. */
const IN_CSV = TEXTS.map((text) => text.replace(/[\r\0]/g, ''))

function packed(texts: readonly string[], bytes: number): string[] {
  const names: string[] = []
  let name = ''
  for (const text of texts) {
    if (Buffer.byteLength(name + text) > bytes) {
      names.push(name)
      name = ''
    }
    name += text
  }
  return [...names, name]
}

/** A text of TOML, everything in it that is not plain ASCII as an escape. */
function toml(text: string): string {
  const escaped = [...text].map((character) =>
    /[ !#-[\]-~]/.test(character)
      ? character
      : `\\U${character.codePointAt(0)?.toString(16).padStart(8, '0')}`,
  )
  return `"${escaped.join('')}"`
}

function csv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\n`).join('')
}

/** A command line with a name for its test, which is printed on somebody's terminal. */
function named(args: readonly string[]): [string, readonly string[]] {
  return [args.map((word) => (/^[ -~]{0,40}$/.test(word) ? word : '…')).join(' '), args]
}

/** How a terminal gets it: both outputs in one, colours on, 80 columns. */
const AS_ON_TERMINAL = {
  under: ['bash', '-c', 'exec "$@" 2>&1', 'bash'],
  env: { LANG: 'C.UTF-8', FORCE_COLOR: '1', COLUMNS: '80', LPA_LOAD_LOCK_WAIT: '1m' },
}

interface Printed {
  readonly code: number | null
  readonly text: string
}

async function print(
  at: Place,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Printed> {
  const { code, stdout } = await lpa(at, args, { ...AS_ON_TERMINAL, env: { ...AS_ON_TERMINAL.env, ...env } })
  return { code, text: stdout }
}

/** Nothing happened to the terminal, and the hostile text is there: else the run proves nothing. */
async function expectHarmless({ code, text }: Printed, csv = false): Promise<void> {
  expect(await misdeeds(text, { csv })).toEqual([])
  expect(text).toMatch(/\\e|\\x|\\u/)
  // Not an accident on the way.
  expect(text).not.toContain('LPA-INTERNAL')
  expect(code).not.toBeNull()
}

afterAll(removePlaces)

describe('the terminal of this test', () => {
  test('is tried with 200 texts and more', () => {
    expect(new Set(TEXTS).size).toBeGreaterThan(200)
  })

  test.each(Object.entries(FAMILIES))('notices each text printed as it is: %s', async (_, texts) => {
    const missed: string[] = []
    for (const text of texts) {
      if ((await misdeeds(`Course ${text} is here.\n`)).length === 0) missed.push(text)
    }
    expect(missed).toEqual([])
  })

  test.each([
    ['\x1b]0;owned\x07', ['title', 'OSC 0']],
    ['\x1b]52;c;cm0=\x07', ['OSC 52']],
    ['\x1b[6n', ['CSI n', 'reply "\\u001b[24;5R"']],
    ['\x1bP$qm\x1b\\', ['DCS $q', 'reply "\\u001bP1$r0m\\u001b\\\\"']],
    ['\x1b[?1049h', ['alternate screen', 'CSI ?h']],
    ['\x1b[?2004h', ['mode']],
    ['\x1b[?1003h', ['mode']],
    ['\x1b[H', ['screen']],
    ['\x1b[2J', ['screen']],
    ['\x1bc', ['screen', 'ESC c']],
    ['\x1b(0', ['what comes next']],
    ['\x1b[8m', ['colour left on']],
    ['\x07', ['bell']],
  ])('tells what %j does', async (text, deeds) => {
    expect(await misdeeds(`what${text}else\n`)).toEqual(
      expect.arrayContaining(deeds.filter((d) => d !== 'title' || !text.endsWith('c'))),
    )
  })

  test('lets colours, wide characters and long lines be', async () => {
    const text = `\x1b[1mhead\x1b[22m ${'東京'.repeat(100)} 👩‍👩‍👧 می‌خواهم ❤️\n${'x'.repeat(300)}\n`.repeat(40)
    expect(await misdeeds(text)).toEqual([])
  })
})

/** As the text of an SQL string and of an SQL name. */
const IN_STRING = WORD.replaceAll("'", "''")
const IN_NAME = WORD.replaceAll('"', '""')

let place: Place
let loaded: Printed
let runId: string

beforeAll(async () => {
  place = await initPlace('hostile', `[sources.${toml(WORD)}]\nuri = "exports/**/*"`)
  writeExports(place)
  const outputs = ['--log-file', 'run.log', '--report', 'report.json']
  loaded = await print(place, ['load', WORD, '-vv', '--max-rejects', '100%', ...outputs])
  await lpaOk(place, ['batch', '--quiet'])
  writeFileSync(join(place.root, 'plain.csv'), 'course_id,course_title\nC1,One\n')
  runId = JSON.parse(fileOf('report.json')).runId
})

const fileOf = (name: string) => readFileSync(join(place.root, name), 'utf8')

describe.concurrent('data on its way in', () => {
  test('load', async () => {
    expect(loaded.code).toBe(0)
    await expectHarmless(loaded)
  })

  test.each(['run.log', 'report.json'])('%s', async (name) => {
    await expectHarmless({ code: 0, text: fileOf(name) })
  })

  test.each([
    [
      'csv',
      'fields.csv',
      () =>
        csv([
          ['course_id', 'course_title', ...IN_CSV],
          ['C1', 'x'],
        ]),
    ],
    ['JSON', 'keys.ndjson', () => JSON.stringify({ [WORD]: WORD, course: { [WORD]: WORD } })],
  ])('columns of %s that no mapping fits, or that are left out', async (_, name, text) => {
    writeFileSync(join(place.root, name), text())
    for (const more of [[], ['--mapping', 'campus_course_category', '--json']]) {
      const { code, text } = await print(place, ['load', name, '--dry-run', '-v', ...more])
      expect(code).not.toBe(0)
      expect(await misdeeds(text)).toEqual([])
    }
  })

  const select = 'select course_id, course_title from source'
  test.each([
    [
      'a header like one',
      `-- entity: course\n-- titel\u0007\u009b2J: x\n-- personal: ${WORD}(${WORD})\n${select}`,
    ],
    ['an entity', `-- entity: ${WORD}\n${select}`],
    ['a title', `-- title: ${WORD}\n-- entity: course\n-- not-personal: course_id\nselect 1`],
    ['columns', `-- entity: course\n-- columns: ${WORD}\n${select}`],
    [
      'SQL that fails',
      `-- entity: course\n-- columns: course_id, course_title\nselect "${IN_NAME}" from source`,
    ],
    [
      'SQL that cannot be read',
      `-- entity: course\n-- columns: course_id, course_title\nselect '${IN_STRING}' ${WORD}`,
    ],
    [
      'columns of its own',
      `-- entity: course\n-- columns: course_id, course_title\nselect course_id as "${IN_NAME}" from source`,
    ],
  ])('a mapping with %s', async (what, text) => {
    const name = `${what}${NAMES[0]}.sql`
    writeFileSync(join(place.root, name), text)
    const printed = await print(place, ['load', 'plain.csv', '--mapping', name, '--dry-run', '-v'])
    expect(printed.code).not.toBe(0)
    await expectHarmless(printed)
  })
})

describe.concurrent('data on its way out', () => {
  const titles = `select course_title, language as "${IN_NAME}", length(course_title) as n from course order by course_key`

  test.each(['table', 'markdown', 'csv', 'ndjson', 'json', 'chart'])('query as %s', async (format) => {
    const printed = await print(place, ['query', '--sql', titles, '--format', format])
    expect(printed.code).toBe(0)
    await expectHarmless(printed, format === 'csv')
    if (format.endsWith('json')) {
      const lines = printed.text.split('\n').filter((line) => line.startsWith('{'))
      const found = lines.map((line) => JSON.parse(line.replace(/,$/, '')).course_title)
      expect(found).toEqual(
        expect.arrayContaining(TEXTS.filter((text) => !text.includes('\0') && text.trim() === text)),
      )
    }
  })

  test.each([
    [
      'nested values',
      [
        'query',
        '--sql',
        `select [session_id] as l, {'${IN_STRING}': activity_id} as s from fact_learning_event limit 20`,
      ],
    ],
    ['a report', ['query', 'course-table', '--format', 'chart']],
    ['a picture', ['dash', '--once']],
    ['a wide picture', ['dash', '--once'], { COLUMNS: '150', LINES: '40' }],
    ['a picture as JSON', ['dash', '--format', 'json']],
    ['an error of the engine', ['query', '--sql', `select "${IN_NAME}" from course`]],
    ['counted rejects', ['rejects']],
    ['rejects', ['rejects', 'list']],
    ['rejects as CSV', ['rejects', 'list', '--format', 'csv', '--source', WORD]],
    ['settings', ['doctor']],
    ['settings as JSON', ['doctor', '--format', 'json']],
  ] as const)('%s', async (_, args, env: Readonly<Record<string, string>> = {}) => {
    await expectHarmless(await print(place, args, env), args.join(' ').includes('--format csv'))
  })

  test('one reject, one run', async () => {
    const [{ load_id: load, position }] = JSON.parse(
      (await lpaOk(place, ['rejects', 'list', '--limit', '1', '--json', '--quiet'])).stdout,
    )
    await expectHarmless(await print(place, ['rejects', 'show', String(load), position]))
    await expectHarmless(await print(place, ['runs', 'show', runId]))
    expect(await misdeeds((await print(place, ['runs'])).text)).toEqual([])
  })
})

describe.concurrent('the command line', () => {
  test.each(
    [
      [WORD],
      [`batch ${WORD}`],
      ['help', WORD],
      ['load', `--${WORD}`],
      ['load', `--batsch\u009b2J=${WORD}`],
      ['batch', WORD],
      ['dash', '--screen', WORD],
      ['query', '--format', WORD],
      ['query', WORD, '-v'],
      ['query', `funel${NAMES[3]}`],
      ['query', 'at-risk', '--param', WORD],
      ['query', 'at-risk', '--param', `${WORD}=1`],
      ['query', 'at-risk', '--param', `days=${WORD}`],
      ['query', 'funnel', '--at', WORD],
      ['query', '--file', WORD],
      ['load', WORD],
      ['load', NAMES[0] ?? '', '--as', WORD],
      ['load', 'plain.csv', '--as', WORD],
      ['load', 'plain.csv', '--mapping', WORD],
      ['load', 'plain.csv', '--max-rejects', WORD],
      ['batch', '--select', WORD],
      ['rejects', 'list', '--load', WORD],
      ['rejects', 'show', '1', WORD],
      ['runs', 'show', WORD, '--verbose'],
      ['runs', '--limit', WORD],
      ['runs', '--lock-wait', WORD],
      ['runs', '--config', WORD],
      ['runs', '--profile', WORD, '--json'],
      ['runs', '--log-file', `no/${WORD}`],
      ['runs', '--report', `no/${WORD}`],
      ['schema', 'apply', WORD],
      ['sample', WORD, '--learners', '1'],
      ['completion', WORD],
      ['init', `plain.csv/${WORD}`],
    ].map(named),
  )('%s', async (_, args) => {
    await expectHarmless(await print(place, args))
  })
})

describe.concurrent('what is not repeated', () => {
  test.each(
    [
      ['query', 'course-ranking', '--explain', '--param', `metric=${WORD}`],
      ['query', '--sql', WORD, '--json'],
      ['query', '--explain', '--sql', `select '${IN_STRING}' as x`],
      ['sample', 'x', '--bad-rows', WORD],
    ].map(named),
  )('%s', async (_, args) => {
    expect(await misdeeds((await print(place, args)).text)).toEqual([])
  })
})

describe.concurrent('configuration', () => {
  const key = toml(WORD)
  test.each([
    ['a key', `[warehouse]\n${key} = 1`],
    ['a key like one', `[warehouse]\n${toml('paht\u009b2J\u202e')} = 1`],
    ['a section', `[${key}]\npath = "x"`],
    ['a value', `[warehouse]\nengine = ${key}`],
    ['a time zone', `[warehouse]\ntimezone = ${key}`],
    ['a key of a source', `[sources.${key}]\nuri = "x"\n${key} = 1`],
    ['a profile', `[profiles.${key}]\n${key} = 1`],
    ['a term', `[terms.${key}]\nfrom = ${key}`],
    ['terms that overlap', `[terms.${key}]\nfrom = "2026-01-01"\nto = "2025-01-01"`],
    ['what is not TOML', `[warehouse]\npath = ${WORD}`],
    ['a folder', `[warehouse]\npath = ${key}`],
    ['a key file', `[privacy]\nkey_file = ${toml(NAMES[1] ?? '')}`],
  ])('%s', async (_, text) => {
    const other = newPlace('hostile-toml')
    writeFileSync(join(other.root, 'lpa.toml'), text)
    const printed = await print(other, ['doctor'])
    expect(printed.code).not.toBe(0)
    // What is wrong with TOML is told by its place, not by its text.
    if (text.includes(`path = ${WORD}`)) expect(await misdeeds(printed.text)).toEqual([])
    else await expectHarmless(printed)
  })

  test.each(
    [
      'LPA_WAREHOUSE_TIMEZONE',
      'LPA_PROFILE',
      'LPA_CONFIG',
      'LPA_LOAD_LOCK_WAIT',
      `LPA_LOAD_${NAMES[0]?.replaceAll('=', '')}`,
    ].map((variable) => [named([variable])[0], variable] as const),
  )('the environment: %s', async (_, variable) => {
    await expectHarmless(await print(place, ['runs'], { [variable]: WORD }))
  })

  test('init and up, where folders, key and exports have such names', async () => {
    const outer = newPlace('hostile-up')
    const root = join(outer.root, NAMES[2] ?? '')
    mkdirSync(root)
    writeFileSync(
      join(root, 'lpa.toml'),
      `[privacy]\nkey_file = ${toml(NAMES[1] ?? '')}\n[load]\nmax_rejects = "100%"`,
    )
    await expectHarmless(await print(outer, ['init', NAMES[2] ?? '']))
    const name = `${NAMES[4]}.csv`
    writeFileSync(
      join(root, name),
      csv([['course_id', 'course_title'], ...IN_CSV.map((text, n) => [`C${n}`, text])]),
    )
    await expectHarmless(await print({ ...outer, root }, ['up', name]))
  })
})

describe.concurrent('a terminal', () => {
  /** util-linux's script gives a process a terminal. */
  const onTerminal = (args: readonly string[]) =>
    lpa(place, args, {
      under: [
        'bash',
        '-c',
        'printf -v line "%q " "$@"; exec script -qec "stty cols 80 rows 24; $line" /dev/null',
        'bash',
      ],
      env: { LANG: 'C.UTF-8', TERM: 'xterm', SHELL: '/bin/bash', LPA_LOAD_LOCK_WAIT: '1m' },
    })

  test.each([
    ['load', ['load', WORD, '--dry-run', '--max-rejects', '100%', '--format', 'markdown']],
    ['query --raw', ['query', '--raw', '--format', 'csv', '--sql', 'select course_title from course']],
    ['dash', ['dash', '--once']],
  ])('%s, with progress', async (_, args) => {
    const { code, stdout } = await onTerminal(args)
    expect(code).toBe(0)
    expect(stdout).toMatch(/\\e|\\x|\\u/)
    expect(await misdeeds(stdout, { progress: true, csv: args.includes('csv') })).toEqual([])
  })
})

describe.concurrent('a reader that has enough', () => {
  test.each([
    ['--help'],
    ['load --help'],
    ['help query'],
    ['completion bash'],
    ['query --list'],
    ['query at-risk --explain'],
    ['query --sql "select range, repeat(chr(120), 100) as x from range(100000)" --format ndjson'],
    ['query --sql "select range, repeat(chr(120), 100) as x from range(20000)"'],
    ['dash --once'],
    ['doctor'],
    ['rejects list --limit 10000 --format csv'],
    ['rejects'],
    ['runs'],
    ['runs show $RUN'],
    ['schema plan'],
    ['schema status'],
    ['grant plan'],
    ['grant show lpa_analyst'],
    ['key show'],
    ['load exports --dry-run --max-rejects 100% --json'],
    ['no-such-command'],
  ])('lpa %s | head -1', async (words) => {
    const { stdout, stderr } = await lpa(place, [words], {
      under: ['bash', '-c', 'eval "$1 $2 $3" | head -1; echo "code $PIPESTATUS"', 'bash'],
      env: { RUN: runId, LPA_LOAD_LOCK_WAIT: '1m' },
    })
    expect(stderr).not.toMatch(/EPIPE|node:|\.[jt]s:\d/)
    expect(stdout).toMatch(/code (0|1|2|141)\n$/)
  })
})

function writeExports({ root }: Place): void {
  const folder = join(root, 'exports')
  mkdirSync(folder)
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const at = '2026-03-02T10:00:00Z'
  put(
    'courses.json',
    JSON.stringify(
      TEXTS.map((text, n) => ({
        course_id: `C${n}${text}`,
        course_title: text,
        category_id: `K${n}${text}`,
        instructor_id: `T${n}`,
        language: text,
        difficulty: text,
        updated_at: at,
      })),
    ),
  )
  put(
    'categories.csv',
    csv([
      ['category_id', 'category_name', 'parent_category_id'],
      ...IN_CSV.map((text, n) => [`K${n}${text}`, text, '']),
    ]),
  )
  put(
    'instructors.csv',
    csv([['instructor_id', 'display_name', 'department'], ...IN_CSV.map((text, n) => [`T${n}`, text, text])]),
  )
  put(
    'events.ndjson',
    TEXTS.map((text, n) =>
      JSON.stringify({
        event_id: `E${n}${text}`,
        event_type: n % 2 === 0 ? 'viewed' : text,
        learner_id: `S${n}`,
        course_id: `C${n}${text}`,
        activity_id: text,
        activity_type: text,
        session_id: text,
        occurred_at: n % 3 === 0 ? text : at,
        attributes: { [text]: text },
        [text]: 'left out',
      }),
    ).join('\n'),
  )
  const head = [
    'enrollment_id',
    'learner_id',
    'course_id',
    'enrolled_at',
    'status',
    'mode',
    'price_amount',
    'price_currency',
    'updated_at',
  ]
  put(
    'enrollments.csv',
    csv([
      head,
      ...IN_CSV.map((text, n) => [
        `E${n}${text}`,
        `S${n}`,
        `C${n}${text}`,
        at,
        n % 2 === 0 ? 'active' : text,
        text,
        '1',
        text,
        at,
      ]),
    ]),
  )
  for (const [n, name] of NAMES.entries()) {
    put(`${name}.csv`, csv([head, [`F${n}`, `S${n}`, `C${n}`, 'no time', 'active', '', '', '', at]]))
  }
}
