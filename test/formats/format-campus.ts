/** A warehouse that holds fixtures of one format, and what a test asks of it. */

import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import type { LoadedFile, LoadRequest } from '../../src/pipeline/load.ts'
import { type PersonalClass, pseudonym, readKey } from '../../src/pseudonym.ts'
import { packageRoot } from '../../src/sql-files.ts'
import type { Cell } from '../../src/types.ts'
import { Searcher, type Wanted } from '../faults/search.ts'
import { TryWarehouse } from '../try-warehouse.ts'

/** Somebody in the fixtures: how their id is written there, and in which id space it is. */
export interface Person {
  readonly id: string
  readonly space?: string
  readonly class?: PersonalClass
}

const EVENTS = `select e.event_id, l.learner_id, c.course_id, e.occurred_at, e.event_type, e.activity_id, e.activity_type,
    e.session_id, e.duration_seconds, e.score, e.progress, e.quantity, cast(e.attributes as varchar) as attributes
  from fact_learning_event e join learner l using (learner_key) join course c using (course_key)`
const ENROLLMENTS = `select f.enrollment_id, l.learner_id, c.course_id, f.attempt, f.enrolled_at, f.status, f.mode, f.withdrawn_at
  from fact_enrollment f join learner l using (learner_key) join course c using (course_key)`
const COMPLETIONS = `select l.learner_id, c.course_id, f.completed_at, f.final_score, f.grade, f.passed, f.days_to_complete
  from fact_course_completion f join learner l using (learner_key) join course c using (course_key)`
const COURSES = `select c.course_id, c.course_title, g.path as category, i.instructor_id, c.starts_on, c.ends_on,
    cast(c.attributes as varchar) as attributes
  from course c left join dim_course_category g using (category_key) left join dim_instructor i using (instructor_key)
  where c.course_key <> 0`
const LEARNERS = `select learner_id, email_hash is not null as has_email, country, age_band, gender, signed_up_on,
    cast(attributes as varchar) as attributes
  from learner where learner_key <> 0`

/** For fixtures most of whose records are bad. */
export const MANY_REJECTS = '[load]\nmax_rejects = "90%"\n'

export class FormatCampus implements Disposable {
  readonly #format: string
  readonly #people: readonly Person[]
  #warehouse: TryWarehouse | undefined

  private constructor(format: string, people: readonly Person[]) {
    this.#format = format
    this.#people = people
  }

  static async create(format: string, people: readonly Person[], toml = ''): Promise<FormatCampus> {
    const campus = new FormatCampus(format, people)
    await campus.#open(toml)
    return campus
  }

  /** One for all tests of a file, or of a group. */
  static shared(format: string, people: readonly Person[]): FormatCampus {
    const campus = new FormatCampus(format, people)
    beforeAll(() => campus.#open(MANY_REJECTS))
    afterAll(() => campus[Symbol.dispose]())
    return campus
  }

  async #open(toml: string): Promise<void> {
    this.#warehouse = await TryWarehouse.create(toml)
  }

  get warehouse(): TryWarehouse {
    return this.#warehouse as TryWarehouse
  }

  fixture(name: string): string {
    return join(packageRoot(), 'fixtures', this.#format, name)
  }

  text(name: string): string {
    return readFileSync(this.fixture(name), 'utf8')
  }

  /** Of a file of lines, or of one that is an array. */
  values(name: string): object[] {
    const text = this.text(name)
    return text.startsWith('[')
      ? JSON.parse(text)
      : text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
  }

  load(names: string | readonly string[], request: Partial<LoadRequest> = {}) {
    return this.warehouse.load(
      [names].flat().map((name) => this.fixture(name)),
      request,
    )
  }

  /** Every fact and dimension, a line each, with people by the ids that their fixtures give them. */
  async facts(): Promise<string> {
    await this.warehouse.build()
    const parts: string[] = []
    for (const [name, sql] of Object.entries({
      ...{ events: EVENTS, enrollments: ENROLLMENTS, completions: COMPLETIONS },
      ...{ courses: COURSES, learners: LEARNERS },
    })) {
      const rows = await this.warehouse.rows(sql)
      if (rows.length > 0) parts.push(`── ${name}\n${this.#lines(rows)}`)
    }
    return parts.join('\n')
  }

  async rejects(): Promise<string[]> {
    const rows = await this.warehouse.rows('select position, reason_code, column_name from raw.rejected_rows')
    return rows.map(([position, ...rest]) => [basename(String(position)), ...rest].join(' ').trim()).sort()
  }

  /** Searches everything that the warehouse's folder holds, decoded; first the search must find it all in the fixtures. */
  async expectNothingPersonal(names: readonly string[], values: readonly string[]): Promise<void> {
    const wanted: Wanted[] = values.map((value) => ({ kind: value, value }))
    const given = new Searcher(wanted)
    for (const name of names) await given.file(this.fixture(name), name)
    const seen = new Set(given.found.map(({ what }) => what.replace(/ as .*/, '')))
    expect(values.filter((value) => !seen.has(value))).toEqual([])
    const searcher = new Searcher(wanted)
    await searcher.folder(this.warehouse.folder)
    expect(searcher.bytesRead).toBeGreaterThan(50_000)
    expect(searcher.found).toEqual([])
  }

  [Symbol.dispose](): void {
    this.#warehouse?.[Symbol.dispose]()
  }

  #lines(rows: readonly (readonly Cell[])[]): string {
    const key = readKey(this.warehouse.config.privacy.keyFile)
    const names = new Map(
      this.#people.map(({ id, space = 'files', class: kind = 'learner' }) => [
        pseudonym(key, kind, space, id) ?? '',
        `<${id}>`,
      ]),
    )
    const shown = (cell: Cell) => {
      if (cell === null) return '-'
      const text = String(cell)
      const whole = names.get(text)
      if (whole) return whole
      // An id that is made of somebody's, behind its id space.
      const own = names.get(text.slice(-64))
      if (own) return `${text.slice(0, -64)}${own}`
      // Enrollments without an id of their own are named by the first digits of their learner's.
      return text.replace(/^[0-9a-f]{15}(?=\/)/, (start) => {
        const found = [...names].find(([pseudonym]) => pseudonym.startsWith(start))
        return found?.[1] ?? start
      })
    }
    return rows
      .map((row) => `${row.map(shown).join(' | ')}\n`)
      .sort()
      .join('')
  }
}

/** What became of each file's records, by each mapping that read it. */
export function countsOf(loaded: readonly LoadedFile[]) {
  return loaded.map(({ mappings }) => mappings.map(({ mapping, counts }) => ({ mapping, ...counts })))
}

export function goldenFacts(format: string): string {
  return join(packageRoot(), 'fixtures', 'golden', 'formats', `${format}.txt`)
}
