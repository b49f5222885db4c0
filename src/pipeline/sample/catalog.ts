/** The campus's categories, instructors and courses: small lists, made from the seed. */
import { hash } from './random.ts'

export interface Category {
  readonly categoryId: string
  readonly name: string
  /** Empty at the root. */
  readonly parentId: string
}

export interface Instructor {
  readonly instructorId: string
  readonly displayName: string
  readonly department: string
}

export interface Course {
  readonly courseId: string
  readonly title: string
  readonly categoryId: string
  readonly instructorId: string
  readonly coInstructorIds: readonly string[] | null
  readonly language: string
  readonly difficulty: string
  /** Hours, with at most two decimals. */
  readonly durationHours: number
  /** Dates YYYY-MM-DD; null when learners pace themselves. */
  readonly startsOn: string | null
  readonly endsOn: string | null
  readonly publishedOn: string
  readonly requiredActivities: number
  /** The required activities come first, in order. */
  readonly activities: number
  /** Days from the window's first to the start of the term; -1 when learners pace themselves. */
  readonly termDay: number
  readonly price: number
  readonly updatedAt: string
}

/** When the campus runs: `days` whole days in UTC, the first of which starts at `startMs`. */
export interface Window {
  readonly startMs: number
  readonly days: number
}

const dayMs = 86_400_000
const of = { course: 30, language: 31, staff: 32, shape: 33, price: 34, name: 35, popularity: 36 }

// id, name, parent; with a course prefix and topics where courses belong.
const fields: readonly (readonly [string, string, string, string?, string?])[] = [
  ['sci', 'Science', ''],
  ['sci-phy', 'Physics', 'sci', 'PHY', 'Mechanics|Electromagnetism|Thermodynamics|Quantum Worlds|Astronomy'],
  ['sci-bio', 'Biology', 'sci', 'BIO', 'Cell Biology|Genetics|Ecology|Evolution|Neuroscience'],
  ['sci-mat', 'Mathematics', 'sci', 'MAT', 'Calculus|Linear Algebra|Probability|Graph Theory|Proofs'],
  ['tec', 'Technology', ''],
  ['tec-cs', 'Computer Science', 'tec'],
  [
    'tec-cs-prg',
    'Programming',
    'tec-cs',
    'CS',
    'Python|"Clean" Code, Tests & Design|TypeScript|Algorithms|Databases',
  ],
  [
    'tec-cs-sec',
    'Security',
    'tec-cs',
    'SEC',
    'Cryptography|Network Security|Privacy by Design|Safe Web Services',
  ],
  [
    'tec-dat',
    'Data Science',
    'tec',
    'DAT',
    'Statistics|Machine Learning|Visualisation|Data Engineering|Experiments',
  ],
  ['tec-eng', 'Engineering', 'tec', 'ENG', 'Circuits|Materials|Robotics|Bridges|Control Systems'],
  ['hum', 'Humanities', ''],
  ['hum-his', 'History', 'hum', 'HIS', 'Ancient Rome|The Silk Roads|Modern Africa|Maps & Empires'],
  ['hum-phi', 'Philosophy', 'hum', 'PHI', 'Ethics|Logic|Aesthetics|Philosophy of Mind'],
  ['hum-lan', 'Languages', 'hum'],
  ['hum-lan-es', 'Spanish', 'hum-lan', 'SPA', 'Spanish for Travel|Spanish Grammar|Spanish Cinema'],
  ['hum-lan-ja', 'Japanese', 'hum-lan', 'JPN', 'Japanese Scripts|Everyday Japanese|Reading Haiku'],
  ['bus', 'Business', ''],
  ['bus-fin', 'Finance', 'bus', 'FIN', 'Accounting|Investing|Corporate Finance|Household Budgets'],
  ['bus-mgt', 'Management', 'bus', 'MGT', 'Leadership|Project Management|Negotiation|Operations'],
  ['hea', 'Health', '', 'HEA', 'Public Health|Nutrition|First Aid|Sleep|Epidemiology'],
  ['art', 'Arts', '', 'ART', 'Drawing|Music Theory|Rock, Pop & Jazz|Photography|Typography'],
]
const subjects = fields.filter((field) => field[3] !== undefined)
const languages = 'en en en en en fr es de pt ja ar hi'.split(' ')
const introductions: Record<string, string> = {
  en: 'Introduction to %',
  fr: 'Découvrir : %',
  es: 'Introducción a %',
  de: 'Grundlagen für %',
  pt: 'Introdução: %',
  ja: '%入門',
  ar: 'مقدمة في %',
  hi: '% का परिचय',
}
const difficulties = ['beginner', 'beginner', 'intermediate', 'intermediate', 'advanced']
const laterTitles = [
  '% in Practice',
  'Foundations of %',
  'Advanced %',
  '%: A Project Course',
  '% for Everyone',
]
const staffGiven =
  'Amara Bruno Chloé Dimitri Elif Farid Greta Hiroshi Ingrid Jamal Katya Liam Mei Nadia Omar'.split(' ')
const staffFamilies =
  'Abernathy Bergström Castellanos Dubois Eriksen Fukuda Gunawardena Horváth Iglesias Janáček Karimi Lundqvist Mbeki Novotný Oyelaran'.split(
    ' ',
  )

export function categories(): Category[] {
  return fields.map(([categoryId, name, parentId]) => ({ categoryId, name, parentId }))
}

/** One instructor for every four courses, at least three. */
export function instructors(seed: number, courseCount: number): Instructor[] {
  return Array.from({ length: Math.max(3, Math.floor(courseCount / 4)) }, (_, index) => {
    const given = staffGiven[hash(seed, of.name, index) % staffGiven.length]
    const family = staffFamilies[(index + (hash(seed, of.name, 0) % 15)) % staffFamilies.length]
    const department = subjects[hash(seed, of.staff, index) % subjects.length]?.[1] as string
    // Some exports write the family name first, so the file has quoted commas.
    const displayName = index % 5 === 4 ? `${family}, ${given}` : `${given} ${family}`
    return { instructorId: `T${String(index + 1).padStart(4, '0')}`, displayName, department }
  })
}

/** The course with this number. `version` 0 is its earlier state: last year's title, level and lead. */
export function courseAt(
  seed: number,
  index: number,
  staff: number,
  window: Window,
  version: 0 | 1 = 1,
): Course {
  const [categoryId, , , prefix, topics] = subjects[index % subjects.length] as (typeof fields)[number]
  const round = Math.floor(index / subjects.length)
  const courseId = `${prefix}${101 + round}`
  const shape = hash(seed, of.shape, index)
  const lead = hash(seed, of.staff, index + 1_000_000) % staff
  const others = shape % 5 === 0 ? 1 + (shape % 2) : 0
  const termDay = shape % 10 < 3 ? -1 : startOfTerm((shape >>> 4) % termCount(window), window)
  const requiredActivities = 5 + ((shape >>> 8) % 6)
  const weeks = 5 + ((shape >>> 12) % 4)
  const publishedMs = window.startMs - (30 + ((shape >>> 5) % 900)) * dayMs
  return {
    courseId,
    title: title(seed, index, round, (topics as string).split('|')) + (version === 0 ? ' (2025)' : ''),
    categoryId,
    instructorId: instructorId((lead + (version === 0 ? 1 : 0)) % staff),
    coInstructorIds:
      others === 0 ? null : Array.from({ length: others }, (_, n) => instructorId((lead + n + 1) % staff)),
    language: languageOf(seed, index),
    difficulty: difficulties[((shape >>> 16) + (version === 0 ? 2 : 0)) % difficulties.length] as string,
    durationHours: weeks * (2 + ((shape >>> 20) % 3)) + ((shape >>> 22) % 4) / 4,
    startsOn: termDay < 0 ? null : isoDate(window.startMs + termDay * dayMs),
    endsOn: termDay < 0 ? null : isoDate(window.startMs + (termDay + weeks * 7 - 3) * dayMs),
    publishedOn: isoDate(publishedMs),
    requiredActivities,
    activities: requiredActivities + ((shape >>> 24) % 4),
    termDay,
    price: 19 + 10 * (hash(seed, of.price, index) % 18),
    updatedAt: new Date(version === 0 ? publishedMs : window.startMs - (shape % 20) * dayMs).toISOString(),
  }
}

/** One course in twelve was changed since it was published. */
export const courseHasHistory = (seed: number, index: number) => hash(seed, of.course, index) % 12 === 0

/** What a course draws compared with others: 1 / (rank + 3), as popularity usually falls. */
export function courseWeights(seed: number, courseCount: number): Float64Array {
  const byRank = Array.from({ length: courseCount }, (_, index) => index).sort(
    (a, b) => hash(seed, of.popularity, a) - hash(seed, of.popularity, b) || a - b,
  )
  const weights = new Float64Array(courseCount)
  byRank.forEach((course, rank) => {
    weights[course] = 1 / (rank + 3)
  })
  return weights
}

const activityKinds = ['video', 'reading', 'video', 'quiz', 'video', 'forum', 'reading', 'assignment']

/** What the course's activity with this order (from 0) is. */
export function activityKind(courseIndex: number, order: number): string {
  return activityKinds[(courseIndex * 3 + order) % activityKinds.length] as string
}

/** A term starts about every 40 days: the courses of a term start together, on a Monday. */
function termCount(window: Window): number {
  return Math.max(1, Math.floor(window.days / 40))
}

function startOfTerm(term: number, window: Window): number {
  const day = term * 40 + 6
  const weekday = (Math.floor(window.startMs / dayMs) + day + 3) % 7 // 1970-01-01 was a Thursday: 0 is a Monday
  return Math.min(window.days - 1, day - weekday)
}

function title(seed: number, index: number, round: number, topics: readonly string[]): string {
  const topic = topics[round % topics.length] as string
  const language = languageOf(seed, index)
  const turn = Math.floor(round / topics.length)
  const pattern = turn === 0 ? introductions[language] : laterTitles[(turn - 1) % laterTitles.length]
  const part = Math.floor(turn / (laterTitles.length + 1))
  return `${(pattern as string).replace('%', topic)}${part > 0 ? ` ${part + 1}` : ''}`
}

const languageOf = (seed: number, index: number) =>
  languages[hash(seed, of.language, index) % languages.length] as string
const instructorId = (index: number) => `T${String(index + 1).padStart(4, '0')}`
const isoDate = (ms: number) => new Date(ms).toISOString().slice(0, 10)
