/**
 * Nothing personal: everything that lpa writes and says, in good runs and bad ones, is searched for what identifies
 * the learners of a campus, down to each decoded column. First the search must find what is planted.
 */

import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDuckDB, quoteText } from '../src/duckdb.ts'
import { generateCampus } from '../src/pipeline/sample/campus.ts'
import { ipAddress, personalValues } from '../src/pipeline/sample/people.ts'
import {
  initPlace,
  isFull,
  lpa,
  noStrace,
  type Place,
  type Ran,
  removePlaces,
  type StartOptions,
  startLpa,
} from './faults/lpa.ts'
import { Searcher, type Wanted } from './faults/search.ts'
import { type Watch, watchFiles } from './faults/watch.ts'

const SEED = 23
const LEARNERS = isFull ? 2000 : 300
const EVENTS = isFull ? 200_000 : 6000
/** So little that models spill. */
const LITTLE = { LPA_WAREHOUSE_MEMORY_LIMIT: '100MB' }
/** Folders that hold what was given to lpa, and what it must keep secret in its own way. */
const GIVEN = /^(exports|given|pseudonym\.key)(\/|$)/

afterAll(removePlaces)

function wantedValues(): Wanted[] {
  const wanted: Wanted[] = personalValues(SEED, LEARNERS)
  for (let learner = 0; learner < LEARNERS; learner += 1)
    for (const place of [0, 1, 2]) wanted.push({ kind: 'ip', value: ipAddress(SEED, learner, place) })
  for (let instructor = 1; instructor <= 10; instructor += 1)
    wanted.push({ kind: 'instructor_id', value: `T${String(instructor).padStart(4, '0')}` })
  return wanted
}

describe('the search finds what is planted', () => {
  const email = 'Zoë.Müller@example.org'
  let place: Place
  beforeAll(async () => {
    place = await initPlace('planted')
  })

  async function searched(name: string, make: (path: string) => void | Promise<void>) {
    const folder = join(place.root, `planted-${name}`)
    mkdirSync(folder)
    await make(join(folder, name))
    const searcher = new Searcher([{ kind: 'email', value: email }])
    await searcher.folder(folder)
    return searcher.found.map(({ what, where }) => `${what} in ${where}`)
  }

  async function writeParquet(path: string, select: string): Promise<void> {
    await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
    await database.connection.run(`copy (${select}) to ${quoteText(path)} (format parquet, compression zstd)`)
  }

  test('in a dictionary of a compressed Parquet column, where no byte search sees it', async () => {
    const found = await searched('dictionary.parquet', async (path) => {
      await writeParquet(
        path,
        // Its parts come first, so that zstd writes it as references to them.
        `select ['Zoë.Mülle', 'ler@exam', 'mple.org', ${quoteText(email)}][1 + i % 4] as note from range(9000) t(i)`,
      )
      expect(readFileSync(path).includes(email)).toBe(false)
    })
    expect(found).toEqual(['email as text in dictionary.parquet: values of note'])
  })

  test('in a statistic', async () => {
    const found = await searched('statistics.parquet', (path) =>
      writeParquet(
        path,
        `select case when i = 7 then ${quoteText(email)} else 'a' end as note from range(9000) t(i)`,
      ),
    )
    expect(found).toContain('email as text in statistics.parquet: statistics of note')
  })

  test('inside a VARIANT', async () => {
    const found = await searched('variant.parquet', (path) =>
      writeParquet(
        path,
        `select cast(json_object('a', [json_object('b', ${quoteText(email)}), i]) as variant) as v from range(500) t(i)`,
      ),
    )
    expect(found).toContain('email as text in variant.parquet: values of v')
  })

  test('in the catalog, and in the log of a catalog that was not moved into it yet', async () => {
    const found = await searched('catalog.sqlite', (path) => {
      copyFileSync(join(place.warehouse, 'catalog.sqlite'), path)
      const database = new DatabaseSync(path)
      database.exec('pragma journal_mode = wal')
      // Longer than a page, so that its bytes do not lie in one piece.
      database
        .prepare('insert into ducklake_tag values (1, 1, null, ?, ?)')
        .run('comment', `${'x'.repeat(4070 - 12)}${email}${'y'.repeat(9000)}`)
      copyFileSync(`${path}-wal`, `${path}-log`)
      database.close()
    })
    expect(found).toContain('email as text in catalog.sqlite: table ducklake_tag')
  })

  test.each([
    ['base64', `{"m":"${Buffer.from(`mail ${email}!`).toString('base64')}"}`],
    ['hex', Buffer.from(`<${email}>`).toString('hex')],
    ['JSON escapes', '"Zo\\u00eb.M\\u00fcller@example.org"'],
    ['UTF-16', Buffer.from(`an ${email} here`, 'utf16le')],
    ['part of a URL', `https://x.example/?m=${encodeURIComponent(email)}`],
    ['sha256 in hex', 'fdb2a1d8', email],
    ['sha1 in hex', 'xapi', `mailto:${email}`],
  ])('as %s', async (form, content, hashed?: string) => {
    const { createHash } = await import('node:crypto')
    const text =
      hashed === undefined
        ? content
        : createHash(form.split(' ')[0] as string)
            .update(hashed)
            .digest('hex')
    const found = await searched(`${form.replaceAll(' ', '-')}.log`, (path) => writeFileSync(path, text))
    expect(found.some((line) => line.startsWith(`email as ${form} in `))).toBe(true)
  })

  test('in a compressed block in the middle of a file, as in what is spilled', async () => {
    const block = zstdCompressSync(
      Buffer.from(`${'Zoë.Mülle ler@exam mple.org '.repeat(99)}${email} and so on`),
    )
    const found = await searched('spilled.tmp', (path) =>
      writeFileSync(path, Buffer.concat([Buffer.alloc(64, 7), block])),
    )
    expect(found).toEqual([expect.stringContaining('email as text in spilled.tmp: compressed at 64')])
  })
})

describe('nothing personal is written or said', () => {
  let place: Place
  let watch: Watch
  const said: (Ran & { readonly command: string })[] = []

  async function say(args: readonly string[], options?: StartOptions): Promise<Ran> {
    const ran = await lpa(place, args, options)
    said.push({ ...ran, command: args.join(' ') })
    return ran
  }

  async function sayOk(args: readonly string[], options?: StartOptions): Promise<void> {
    const { code, stderr } = await say(args, options)
    expect(`${code} ${code === 0 ? '' : stderr}`).toBe('0 ')
  }

  const given = (name: string, content: string | Buffer) => {
    const folder = join(place.root, 'given')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, name), content)
    return `given/${name}`
  }

  beforeAll(async () => {
    place = await initPlace('privacy')
    await generateCampus(join(place.root, 'exports'), {
      ...{ learners: LEARNERS, events: EVENTS, seed: SEED, courses: 20, badRows: 0.02 },
    })
    watch = watchFiles([join(place.warehouse, 'tmp'), place.tmp], join(place.root, 'kept'))
  }, 600_000)

  test('a load full of bad rows: checked, refused, killed, and loaded', async () => {
    const more = ['--log-file', 'lpa.log', '-vv']
    await sayOk(['load', 'exports/', '--dry-run', '--max-rejects', '5%', ...more])
    const refused = await say([
      'load',
      'exports/learners.csv',
      '--max-rejects',
      '0',
      '--report',
      'refused.json',
      ...more,
    ])
    expect(refused.code).toBe(65)
    expect(refused.stderr).toContain('LPA-LOAD-REJECTS')

    const { child, ended } = startLpa(place, ['load', 'exports/events.ndjson', '--max-rejects', '5%'])
    // In the middle of reading, when its first file is there.
    for (const before = watch.count(); watch.count() === before; ) await sleep(2)
    child.kill('SIGKILL')
    expect(await ended).toMatchObject({ signal: 'SIGKILL' })

    await sayOk(['load', 'exports/', '--max-rejects', '5%', '--report', 'load.json', ...more])
    const learners = readFileSync(join(place.root, 'exports', 'learners.csv'), 'utf8')
    await sayOk(['load', '-', '--source', 'again', '--max-rejects', '5%', ...more], { stdin: learners })
  }, 600_000)

  test('inputs that cannot be read, with everything that --verbose tells', async () => {
    const lines = readFileSync(join(place.root, 'exports', 'learners.csv'), 'utf8').split('\n')
    const events = readFileSync(join(place.root, 'exports', 'events.ndjson'), 'utf8').split('\n')
    const [header = '', first = '', second = ''] = lines
    const cases: [string, string | Buffer, number][] = [
      ['quote.csv', `${header}\n${first}\n"${second}\n${lines.slice(3, 50).join('\n')}\n`, 65],
      ['latin1.csv', Buffer.from(`${header}\n${lines.slice(1, 60).join('\n')}\n`, 'latin1'), 65],
      ['utf16.csv', Buffer.from(`\ufeff${header}\n${first}\n`, 'utf16le'), 65],
      ['double.csv', `${header},email\n${first},${first.split(',')[3]}\n`, 65],
      ['long.csv', `${header}\n${first}\n${`${second.split(',')[3]} `.repeat(400_000)},a,b\n`, 65],
      ['return.ndjson', events.slice(0, 3).join('\r'), 65],
      [
        'cut.ndjson',
        events
          .slice(0, 40)
          .map((line) => line.slice(0, -20))
          .join('\n'),
        65,
      ],
      ['cut.json', `[${events.slice(0, 20).join(',')}`.slice(0, -30), 65],
      ['other.csv', `student_email,points\n${first.split(',')[3]},12\n`, 65],
      ['deep.ndjson', `${'{"user_name":'.repeat(3000)}"${first.split(',')[3]}"${'}'.repeat(3000)}\n`, 65],
    ]
    for (const [name, content, exit] of cases) {
      const ran = await say([
        'load',
        given(name, content),
        '-vv',
        '--log-file',
        'lpa.log',
        '--report',
        `${name}.json`,
      ])
      expect({ name, code: ran.code, stderr: ran.stderr }).toMatchObject({ code: exit })
    }
  }, 600_000)

  test('mappings of a user, with errors of every kind', async () => {
    const [, first = ''] = readFileSync(join(place.root, 'exports', 'learners.csv'), 'utf8').split('\n')
    const [id = '', , , email = ''] = first.split(',')
    const grades = given(
      'grades.csv',
      `student_no,email,points,remark\n${id},${email},12,Zaphod Beeblebrox\n`,
    )
    const mapping = (name: string, headers: string, select: string) =>
      given(name, `-- entity: enrollment\n${headers}\n${select}\n`)
    const declared = '-- personal: student_no(learner), email(email)\n-- not-personal: remark'
    const fine = `select student_no as learner_id, 'CS1' as course_id, '2026-01-01' as enrolled_at`
    const cases: [string, string, string, number][] = [
      ['undeclared.sql', '-- personal: student_no(learner)', `${fine}, email as mode from source`, 65],
      ['unnamed.sql', '-- personal: student_no(learner)', `${fine} from source`, 0],
      ['runs-not.sql', declared, `${fine}, nothing from source`, 78],
      ['casts.sql', declared, `${fine}, cast(remark as integer) as price_amount from source`, 65],
      ['fails.sql', declared, `${fine}, error('it is ' || remark) as mode from source`, 65],
      ['dates.sql', declared, `${fine}, strptime(remark, '%Y') as effective_at from source`, 65],
      ['fine.sql', declared, `${fine} from source`, 0],
    ]
    for (const [name, headers, select, exit] of cases) {
      const ran = await say([
        'load',
        grades,
        '--mapping',
        mapping(name, headers, select),
        '-vv',
        '--log-file',
        'lpa.log',
      ])
      expect({ name, code: ran.code, stderr: ran.stderr }).toMatchObject({ code: exit })
      expect(ran.stdout + ran.stderr).not.toContain('Zaphod')
    }
    expect(readFileSync(join(place.root, 'lpa.log'), 'utf8')).not.toContain('Zaphod')
  }, 600_000)

  test('batches, reports, quarantine, history and diagnosis', async () => {
    await sayOk(['batch', '-vv', '--log-file', 'lpa.log', '--report', 'batch.json'])
    await sayOk(['batch', '--full'], isFull ? { env: LITTLE } : {})
    const spilled = readdirSync(join(place.root, 'kept')).filter((name) =>
      name.includes('duckdb_temp_storage'),
    )
    if (isFull) expect(spilled).not.toEqual([])
    const commands = [
      ...['enrollments', 'at-risk', 'course-table', 'active-learners'].map((report) => [
        'query',
        report,
        '--format',
        'csv',
      ]),
      ['query', '--sql', 'select * from dim_learner limit 400', '--json'],
      ['query', '--sql', 'select * from raw.rejected_rows', '--format', 'ndjson'],
      ['query', '--sql', 'select payload from raw.raw_learning_events limit 400', '--format', 'ndjson'],
      ['query', '--sql', `select * from dim_learner where gender = 'nobody's'`, '-vv'],
      ...[
        ['rejects'],
        ['rejects', 'list'],
        ['runs'],
        ['doctor', '--verify'],
        ['key', 'show'],
        ['schema', 'status'],
      ],
      ['dash', '--once'],
    ]
    for (const command of commands) {
      const { code, stderr } = await say(command)
      expect({ command, code, stderr }).not.toMatchObject({ code: 70 })
    }
  }, 600_000)

  test('a stream, what is read again, a role, pictures, erasure and a new key', async () => {
    const [header = '', ...learners] = readFileSync(
      join(place.root, 'exports', 'learners.csv'),
      'utf8',
    ).split('\n')
    const events = readFileSync(join(place.root, 'exports', 'events.ndjson'), 'utf8').split('\n')
    mkdirSync(join(place.root, 'given', 'drop'), { recursive: true })
    const cut = events.slice(40, 50).map((line) => line.slice(0, -9))
    given('drop/events.ndjson', `${[...events.slice(0, 40), ...cut].join('\n')}\n`)
    given('ids.csv', [header, ...learners.slice(0, 3)].join('\n'))
    const more = ['--log-file', 'lpa.log', '-vv']
    const drop = ['stream', 'dir:given/drop', '--source', 'drop', '--until-caught-up', '--max-rejects', '50%']
    await sayOk([...drop, '--metrics-file', 'drop.prom', ...more])
    await sayOk(['grant', 'apply', ...more])
    const commands: [number, string[]][] = [
      // What was cut off stays so.
      [1, ['rejects', 'requeue', ...more]],
      [0, ['query', '--role', 'lpa_engineer', '--sql', 'select * from core.dim_learner limit 400', ...more]],
      ...['svg', 'html', 'csv'].map((kind): [number, string[]] => [
        0,
        ['dash', '--screen', 'learners', '--export', `learners.${kind}`],
      ]),
      [0, ['erase', '--from', 'given/ids.csv:learner_id', '--id-space', 'again', '--apply', ...more]],
      [2, ['erase', '--from', 'given/ids.csv:email', '--plan', ...more]],
    ]
    for (const [exit, command] of commands) {
      const { code, stderr } = await say(command)
      expect({ command, code, stderr }).toMatchObject({ code: exit })
    }
    await sayOk(['key', 'rotate', ...more])
    await sayOk(['load', 'exports/learners.csv', '--source', 'new-key', '--max-rejects', '5%', ...more])
  }, 600_000)

  test('nowhere', async () => {
    const kept = watch.stop()
    expect(kept).toBeGreaterThan(20)
    const searcher = new Searcher(wantedValues())
    for (const { command, stdout, stderr } of said) {
      searcher.text(stdout, `what lpa ${command} printed`)
      searcher.text(stderr, `what lpa ${command} said`)
    }
    await searcher.folder(place.root, (path) => GIVEN.test(path))
    expect(searcher.bytesRead).toBeGreaterThan(5e6)
    expect(searcher.found).toEqual([])
  }, 600_000)

  test('the search would have found it: the exports are full of it', async () => {
    const searcher = new Searcher(wantedValues())
    await searcher.file(join(place.root, 'exports', 'learners.csv'), 'learners.csv')
    const kinds = new Set(searcher.found.map(({ what }) => what))
    for (const kind of ['learner_id', 'family_name', 'email', 'birth_date'])
      expect(kinds).toContain(`${kind} as text`)
    const logged = new Searcher(wantedValues())
    await logged.file(join(place.root, 'exports', 'events.ndjson'), 'events.ndjson')
    const inEvents = new Set(logged.found.map(({ what }) => what))
    for (const kind of ['learner_id', 'user_name', 'ip']) expect(inEvents).toContain(`${kind} as text`)
  })

  // Not in `npm test`: it needs strace.
  const traced = isFull ? test : undefined
  traced?.(
    'a load writes in no other place than those searched',
    async (context) => {
      const reason = noStrace()
      if (reason !== undefined) context.skip(reason)
      const list = join(place.root, 'given', 'opened.txt')
      await lpa(place, ['load', 'exports/', '--source', 'traced', '--max-rejects', '5%'], {
        under: [
          'strace',
          '-f',
          '-qq',
          '-o',
          list,
          '-e',
          'trace=openat,creat,rename,renameat2,mkdir,symlink,link',
        ],
      })
      const written = readFileSync(list, 'utf8')
        .split('\n')
        .filter(
          (line) => /O_WRONLY|O_RDWR|O_CREAT|creat\(|rename|mkdir|link\(/.test(line) && !/ = -1 /.test(line),
        )
        .flatMap((line) => [...line.matchAll(/"([^"]+)"/g)].map((match) => match[1] as string))
        .filter((path) => path.startsWith('/') && !path.startsWith(`${place.root}/`))
      const expected = /^\/dev\/|^\/proc\/self\/|\/lpa\/(compile|extensions)(\/|$)/
      expect([...new Set(written)].filter((path) => !expected.test(path))).toEqual([])
    },
    600_000,
  )
})
