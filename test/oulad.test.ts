/**
 * The mapping that the README shows, over a file of the very shape of the Open University's studentRegistration.csv:
 * through the built command line, against what the rows say when they are read here.
 */

import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../scripts/oclif-config.ts'
import { Random } from '../src/pipeline/sample/random.ts'

const COLUMNS = ['code_module', 'code_presentation', 'id_student', 'date_registration', 'date_unregistration']
const PRESENTATIONS = ['2013B', '2013J', '2014B', '2014J']
const BEGINS: Readonly<Record<string, string>> = {
  ...{ '2013B': '2013-02-01', '2013J': '2013-10-01', '2014B': '2014-02-01', '2014J': '2014-10-01' },
}
const MAPPING = 'oulad-registrations.sql'
/** Of these nobody knows when they registered: with and without a day of unregistering. */
const UNKNOWN = new Map<number, string | undefined>([
  [17, undefined],
  [190, '-38'],
  [401, '12'],
])

interface Registration {
  readonly module: string
  readonly presentation: string
  readonly student: string
  /** Days from the beginning of the presentation. */
  readonly registered: string | undefined
  readonly unregistered: string | undefined
}

/** 420 registrations of 180 students, each once in a presentation; days as far out as the real ones. */
function registrations(): Registration[] {
  const random = new Random(20, 1)
  const rows = new Map<string, Registration>()
  while (rows.size < 420) {
    const [module, presentation] = ['AAA', 'BBB', 'FFF'].flatMap((name) =>
      PRESENTATIONS.map((of) => [name, of] as const),
    )[random.below(12)] as readonly [string, string]
    const student = String(3733 + random.below(180))
    const day = random.below(490) - 322
    // Some on the day they registered, many before the beginning.
    const left = random.perMille(310) ? String(day + random.below(300)) : undefined
    const key = `${module} ${presentation} ${student}`
    if (rows.has(key)) continue
    const isUnknown = UNKNOWN.has(rows.size)
    rows.set(key, {
      ...{ module, presentation, student },
      registered: isUnknown ? undefined : String(day),
      unregistered: isUnknown ? UNKNOWN.get(rows.size) : left,
    })
  }
  return [...rows.values()]
}

interface Layout {
  readonly none: string
  readonly quote: string
  readonly lineEnd: string
}

function csv(rows: readonly Registration[], { none, quote, lineEnd }: Layout): string {
  const lines = rows.map((row) => [
    ...[row.module, row.presentation, row.student, row.registered ?? none, row.unregistered ?? none],
  ])
  return [COLUMNS, ...lines]
    .map((line) => `${line.map((cell) => `${quote}${cell}${quote}`).join(',')}${lineEnd}`)
    .join('')
}

/** What `fact_enrollment` should hold, a line each; the pseudonym by the formula of the README's promise. */
function expectedFacts(rows: readonly Registration[], secret: Buffer): string[] {
  return rows
    .filter(({ registered }) => registered !== undefined)
    .map(({ module, presentation, student, registered, unregistered }) => {
      const day = (offset: string | undefined) => {
        if (offset === undefined) return ''
        const began = Date.parse(`${BEGINS[presentation]}T00:00:00Z`)
        return new Date(began + Number(offset) * 86_400_000).toISOString().slice(0, 10)
      }
      const person = createHmac('sha256', secret).update(`lpa:v1:learner:files:${student}`).digest('hex')
      const status = unregistered === undefined ? 'active' : 'withdrawn'
      return [person, `${module}-${presentation}`, day(registered), status, day(unregistered), 1].join(',')
    })
    .sort()
}

const FACTS = `select learner_id, course_id, cast(enrolled_at as date) as enrolled, status,
  cast(withdrawn_at as date) as withdrawn, attempt
  from fact_enrollment join learner using (learner_key) join course using (course_key)`

/** As in the file of docs/recorded-runs.md; other public copies differ in these three. */
const RECORDED: Layout = { none: '?', quote: '"', lineEnd: '\r\n' }
const COPIES: readonly (readonly [string, Layout])[] = [
  ['empty for null', { ...RECORDED, none: '' }],
  ['empty for null, nothing quoted, LF', { none: '', quote: '', lineEnd: '\n' }],
]

/** A new warehouse in a folder of its own, and lpa in it. */
class Campus implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'lpa-oulad-'))

  constructor() {
    copyFileSync(join(ROOT, 'docs', 'examples', MAPPING), join(this.folder, MAPPING))
    for (const command of ['init', 'schema apply']) this.lpa(command)
  }

  lpa(command: string, ...more: string[]): string {
    const words = [...command.split(' '), '-q', ...more]
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin', 'run.js'), ...words], {
      cwd: this.folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: process.env.HOME, XDG_CACHE_HOME: process.env.XDG_CACHE_HOME },
    })
    expect(status, `lpa ${command}\n${stdout}${stderr}`).toBe(0)
    return stdout
  }

  /** Writes the export, loads it, and answers what `lpa load` says of it. */
  load(rows: readonly Registration[], layout: Layout): Record<string, unknown> {
    writeFileSync(join(this.folder, 'studentRegistration.csv'), csv(rows, layout))
    return JSON.parse(this.lpa('load studentRegistration.csv --json', '--mapping', MAPPING))[0]
  }

  facts(): string[] {
    this.lpa('batch')
    return this.lpa('query --format csv', '--sql', FACTS).trimEnd().split('\n').slice(1).sort()
  }

  get secret(): Buffer {
    return Buffer.from(readFileSync(join(this.folder, 'pseudonym.key'), 'utf8').trim(), 'hex')
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

describe('studentRegistration.csv as recorded', () => {
  const rows = registrations()
  let campus: Campus
  beforeAll(() => {
    campus = new Campus()
  })
  afterAll(() => campus[Symbol.dispose]())

  it('loads, and every enrollment is what its row says', () => {
    expect(campus.load(rows, RECORDED)).toEqual({
      ...{ input: 'studentRegistration.csv', format: 'csv', mapping: 'oulad-registrations' },
      ...{ outcome: 'loaded', load: 1, read: 420, mapped: 417, rejected: 3, filtered: 0, doubled: 0 },
      replaced: [],
    })
    const expected = expectedFacts(rows, campus.secret)
    expect(expected.some((fact) => fact.includes('withdrawn'))).toBe(true)
    expect(campus.facts()).toEqual(expected)
  })

  it('keeps the rows without a day of registration in quarantine, by line', () => {
    const rejects = JSON.parse(campus.lpa('rejects list --json'))
    const lines = rejects.map(({ position }: { position: string }) => position).sort()
    expect(lines).toEqual([...UNKNOWN.keys()].map((row) => `studentRegistration.csv:${row + 2}`).sort())
    for (const { reason } of rejects) expect(reason).toBe('enrolled_at is missing or unreadable')
  })

  it('a later export takes its place, and the same one again changes nothing', () => {
    const later = rows.slice(5).map((row, index) => ({
      ...row,
      unregistered: row.unregistered ?? (index % 7 === 0 && row.registered ? '168' : undefined),
    }))
    const counts = { read: 415, mapped: 412, rejected: 3 }
    expect(campus.load(later, RECORDED)).toMatchObject({ outcome: 'loaded', ...counts })
    expect(campus.load(later, RECORDED)).toMatchObject({ outcome: 'unchanged' })
    expect(campus.facts()).toEqual(expectedFacts(later, campus.secret))
  })
})

it.each(COPIES)('a copy with %s gives the same', (_, layout) => {
  using campus = new Campus()
  const rows = registrations()
  expect(campus.load(rows, layout)).toMatchObject({ read: 420, mapped: 417, rejected: 3 })
  expect(campus.facts()).toEqual(expectedFacts(rows, campus.secret))
})
