/**
 * Finds personal values in whatever lpa wrote, however they are wrapped: as text in several encodings, hashed without
 * a key, inside compressed columns and their statistics, in a database's tables and pages, in archives. Parquet is read
 * by hyparquet and SQLite by Node, not by what wrote them.
 */

import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

export interface Wanted {
  readonly kind: string
  readonly value: string
}

export interface Found {
  /** `email as base64` */
  readonly what: string
  /** The file, and where in it: its bytes, a column, a statistic, a table. */
  readonly where: string
}

interface Needle {
  readonly what: string
  readonly bytes: Buffer
}

/** The shortest form that cannot turn up by accident in megabytes of digests. */
const SHORTEST = 5
/** In compressed bytes, pieces of texts lie side by side that never were one. */
const SHORTEST_COMPRESSED = 8

export class Searcher {
  readonly #byStart = new Map<number, Needle[]>()
  /** Whether a needle starts with these three bytes. */
  readonly #starts = new Uint8Array(1 << 24)
  readonly #found = new Map<string, Found>()
  bytesRead = 0

  constructor(wanted: readonly Wanted[]) {
    const known = new Set<string>()
    for (const { kind, value } of wanted) {
      for (const [form, bytes] of formsOf(value)) {
        const text = bytes.toString('latin1')
        if (bytes.length < SHORTEST || known.has(text)) continue
        known.add(text)
        const start = bytes.readUIntBE(0, SHORTEST)
        this.#starts[bytes.readUIntBE(0, 3)] = 1
        const needles = this.#byStart.get(start) ?? []
        needles.push({ what: `${kind} as ${form}`, bytes })
        this.#byStart.set(start, needles)
      }
    }
  }

  /** What was found so far, each form once a place. */
  get found(): readonly Found[] {
    return [...this.#found.values()]
  }

  text(text: string, where: string): void {
    this.bytes(Buffer.from(text), where)
  }

  /** `least`: shorter forms are passed over. */
  bytes(bytes: Buffer, where: string, least = SHORTEST): void {
    this.bytesRead += bytes.length
    let start = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
    for (let at = 2; at < bytes.length; at += 1) {
      start = ((start << 8) | (bytes[at] as number)) & 0xffffff
      if (this.#starts[start] === 0) continue
      const from = at - 2
      if (from + SHORTEST > bytes.length) return
      for (const needle of this.#byStart.get(bytes.readUIntBE(from, SHORTEST)) ?? []) {
        const to = from + needle.bytes.length
        if (needle.bytes.length < least) continue
        if (to <= bytes.length && bytes.compare(needle.bytes, 0, needle.bytes.length, from, to) === 0)
          this.#found.set(`${needle.what} ${where}`, { what: needle.what, where })
      }
    }
  }

  /** Everything below a folder, but what `isLeftOut` names (paths below it). */
  async folder(folder: string, isLeftOut: (path: string) => boolean = () => false): Promise<void> {
    if (!existsSync(folder)) return
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    // Databases last: opening one moves its log into it.
    const isDatabase = (name: string) => Number(name.endsWith('.sqlite'))
    for (const name of names.sort((a, b) => isDatabase(a) - isDatabase(b))) {
      this.text(name, `the name of ${name}`)
      const path = join(folder, name)
      if (!isLeftOut(name) && lstatSync(path).isFile()) await this.file(path, name)
    }
  }

  async file(path: string, name: string): Promise<void> {
    const bytes = readFileSync(path)
    const isParquet = bytes.subarray(0, 4).toString('latin1') === 'PAR1'
    this.bytes(bytes, `${name}: bytes`, isParquet ? SHORTEST_COMPRESSED : SHORTEST)
    if (isParquet) await this.#parquet(bytes, name)
    else if (bytes.subarray(0, 15).toString('latin1') === 'SQLite format 3') this.#sqlite(path, name)
    else this.#archives(bytes, name)
  }

  async #parquet(bytes: Buffer, name: string): Promise<void> {
    // A file that its writer did not finish has no footer: nothing can decode it but its pages.
    if (bytes.length < 12 || bytes.subarray(-4).toString('latin1') !== 'PAR1') {
      this.#archives(bytes, name)
      return
    }
    const file = new Uint8Array(bytes).buffer
    const metadata = parquetMetadata(file)
    for (const { key, value } of metadata.key_value_metadata ?? [])
      this.text(`${key} ${value}`, `${name}: metadata`)
    for (const group of metadata.row_groups) {
      for (const { meta_data: column } of group.columns) {
        this.bytes(asBytes(column?.statistics), `${name}: statistics of ${column?.path_in_schema.join('.')}`)
      }
    }
    const columns = new Map<string, Buffer[]>()
    for (const row of await parquetReadObjects({ file, compressors })) {
      for (const [column, value] of Object.entries(row)) {
        const values = columns.get(column) ?? []
        values.push(asBytes(value))
        columns.set(column, values)
      }
    }
    for (const [column, values] of columns) this.bytes(Buffer.concat(values), `${name}: values of ${column}`)
  }

  #sqlite(path: string, name: string): void {
    const database = new DatabaseSync(path)
    try {
      const tables = database.prepare(`select name from sqlite_master where type = 'table'`).all()
      for (const { name: table } of tables) {
        const rows = database.prepare(`select * from "${table}"`)
        rows.setReadBigInts(true)
        for (const row of rows.iterate()) this.bytes(asBytes(row), `${name}: table ${table}`)
      }
    } finally {
      database.close()
    }
  }

  /** What is compressed inside: whole archives, and frames in the middle of a file, as in blocks that were spilled. */
  #archives(bytes: Buffer, name: string): void {
    for (const [magic, unpack] of [
      [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), zstdDecompressSync],
      [Buffer.from([0x1f, 0x8b, 0x08]), gunzipSync],
    ] as const) {
      for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
        try {
          this.bytes(unpack(bytes.subarray(at)), `${name}: compressed at ${at}`)
        } catch {
          // Not an archive, only its first bytes by accident; or one that was cut off.
        }
      }
    }
  }
}

/** A decoded value as bytes, with all that is inside it. */
function asBytes(value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (value instanceof Date) return Buffer.from(`${value.toISOString()}\n`)
  if (typeof value === 'object' && value !== null)
    return Buffer.concat(
      Object.entries(value).flatMap(([key, inner]) => [Buffer.from(`${key}\n`), asBytes(inner)]),
    )
  return Buffer.from(`${String(value)}\n`)
}

/** How a value may look where it should not be. */
function formsOf(value: string): [form: string, bytes: Buffer][] {
  const forms: [string, Buffer][] = []
  const bytes = Buffer.from(value)
  forms.push(['text', bytes], ['text in lower case', Buffer.from(value.toLowerCase())])
  forms.push(['UTF-16', Buffer.from(value, 'utf16le')], ['hex', Buffer.from(bytes.toString('hex'))])
  forms.push(['hex', Buffer.from(bytes.toString('hex').toUpperCase())])
  forms.push(['part of a URL', Buffer.from(encodeURIComponent(value))])
  const escaped = JSON.stringify(value).slice(1, -1)
  const ascii = escaped.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  forms.push(['JSON', Buffer.from(escaped)], ['JSON escapes', Buffer.from(ascii)])
  forms.push([
    'JSON escapes',
    Buffer.from(ascii.replace(/\\u[0-9a-f]{4}/g, (unit) => `\\u${unit.slice(2).toUpperCase()}`)),
  ])
  for (const encoding of ['base64', 'base64url'] as const) {
    for (const before of [0, 1, 2]) {
      // Inside a longer text, the first and the last characters depend on what stands beside it.
      const text = Buffer.concat([Buffer.alloc(before), bytes])
        .toString(encoding)
        .replace(/=+$/, '')
      const whole = Math.floor(((before + bytes.length) * 8) / 6)
      forms.push([encoding, Buffer.from(text.slice(Math.ceil((before * 8) / 6), whole))])
    }
  }
  for (const text of new Set([
    value,
    value.toLowerCase(),
    `mailto:${value}`,
    `mailto:${value.toLowerCase()}`,
  ])) {
    for (const algorithm of ['sha256', 'sha1', 'md5']) {
      const digest = createHash(algorithm).update(text).digest()
      forms.push([`${algorithm} in bytes`, digest])
      for (const encoding of ['hex', 'base64'] as const)
        forms.push([`${algorithm} in ${encoding}`, Buffer.from(digest.toString(encoding).replace(/=+$/, ''))])
    }
  }
  return forms
}
