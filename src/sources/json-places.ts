/** Where stage one finds values in a record of JSON, as SQL over `r`, a struct that json_transform gives. */

import { quoteName, quoteText } from '../duckdb.ts'
import { ancestorOf, type Field, isJson, placesOf } from './fields.ts'
import { formatJsonPath, isPrefix, isSamePath, type JsonPath } from './json-path.ts'
import { isList } from './values.ts'

export class JsonPlaces {
  readonly #fields: readonly Field[]
  readonly #parsed: readonly JsonPath[]
  /** Taken out as JSON, to look inside; none lies in another. */
  readonly #whole: readonly JsonPath[]
  /** Those of them that only lead to what fields take. */
  readonly wholes: readonly JsonPath[]

  constructor(fields: readonly Field[], parsed: readonly JsonPath[]) {
    this.#fields = fields
    const places = fields.flatMap(placesOf)
    this.#parsed = parsed.filter((path) => places.some((place) => isPrefix(path, place)))
    const several = fields.filter(({ otherPaths }) => otherPaths !== undefined).flatMap(placesOf)
    const ways = [...this.#parsed, ...several]
    const own = fields.filter((field) => isJson(field) || isList(field) || this.#isParent(field))
    this.#whole = outermost([...ways, ...own.map(({ path }) => path)])
    this.wholes = this.#whole.filter((path) => ways.some((way) => isSamePath(way, path)))
  }

  /** DuckDB's structure for json_transform: nested keys down to texts, or to JSON kept whole. */
  structure(): Record<string, unknown> {
    const root: Record<string, unknown> = Object.create(null)
    const put = (path: JsonPath, type: 'JSON' | 'VARCHAR') => {
      let node = root
      for (const key of path.slice(0, -1)) {
        node[key] ??= Object.create(null)
        node = node[key] as Record<string, unknown>
      }
      node[path.at(-1) ?? ''] = type
    }
    for (const path of this.#whole) put(path, 'JSON')
    for (const field of this.#fields) if (!this.isInWhole(field)) put(field.path, 'VARCHAR')
    return root
  }

  /** Whether its value is taken out of JSON. */
  isInWhole(field: Field): boolean {
    return placesOf(field).some((place) => this.#wholeOf(place) !== undefined)
  }

  /** A field's clear value. */
  valueOf(field: Field): string {
    if (field.otherPaths) {
      const each = placesOf(field).map((place) => `lpa_scalar(${this.jsonAt(place)})`)
      return `coalesce(${each.join(', ')})`
    }
    const whole = this.#wholeOf(field.path)
    if (!whole) return this.memberOf(field.path)
    const isTaken = isJson(field) || (isList(field) && !this.#isParent(field))
    return isTaken ? this.jsonAt(field.path) : `(${this.jsonAt(field.path)} ->> '$')`
  }

  /** What stands at a path, as JSON; the path must lie in one that is taken whole. */
  jsonAt(path: JsonPath): string {
    const whole = this.#wholeOf(path) ?? path
    const texts = this.#parsed.filter((text) => text.length > whole.length && isPrefix(text, path))
    let value = this.memberOf(whole)
    let at = whole
    const isText = (place: JsonPath) => this.#parsed.some((text) => isSamePath(text, place))
    for (const next of [...texts.sort((a, b) => a.length - b.length), path]) {
      if (isText(at)) value = `lpa_parsed(${value})`
      if (next.length > at.length) value = `(${value} -> ${quoteText(formatJsonPath(next.slice(at.length)))})`
      at = next
    }
    return value
  }

  memberOf(path: JsonPath): string {
    return `r${path.map((key) => `.${quoteName(key)}`).join('')}`
  }

  #wholeOf(path: JsonPath): JsonPath | undefined {
    return this.#whole.find((whole) => isPrefix(whole, path))
  }

  #isParent(field: Field): boolean {
    return this.#fields.some((other) => ancestorOf(other, this.#fields) === field)
  }
}

/** Each path that lies in none of the others, once. */
function outermost(paths: readonly JsonPath[]): JsonPath[] {
  return paths.filter(
    (path, index) =>
      !paths.some(
        (other, place) =>
          isPrefix(other, path) && (other.length < path.length || (isSamePath(other, path) && place < index)),
      ),
  )
}
