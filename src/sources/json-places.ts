/**
 * Where stage one finds values in a record of JSON, as SQL. Each JSON is taken apart once, by json_transform: every
 * function that looks into one holds a copy of what it read for a whole vector of records.
 */

import { quoteName, quoteText } from '../duckdb.ts'
import { type Field, isJson, placesOf } from './fields.ts'
import type { JsonPath } from './json-path.ts'
import { isList } from './values.ts'

interface Node {
  /** What is taken here: a text, or JSON to be judged or looked into. */
  taken?: 'VARCHAR' | 'JSON'
  isParsed?: true
  readonly children: Map<string, Node>
}

/** JSON that is taken whole, as the column `whole`, and whose parts are in the column `parts`. */
interface Station {
  readonly from: string
  readonly whole: string
  readonly parts: string
  readonly node: Node
}

export class JsonPlaces {
  readonly #root: Node = { children: new Map() }
  readonly #stations: Station[] = []
  /** SQL of what is taken at a path, by the path as JSON. */
  readonly #taken = new Map<string, string>()
  readonly #fields: readonly Field[]

  constructor(fields: readonly Field[], parsed: readonly JsonPath[]) {
    this.#fields = fields
    for (const field of fields) {
      const isWhole = field.otherPaths !== undefined || isJson(field) || isList(field)
      for (const place of placesOf(field)) {
        const node = this.#nodeAt(place, true)
        if (node) node.taken = isWhole ? 'JSON' : (node.taken ?? 'VARCHAR')
      }
    }
    for (const path of parsed) {
      const node = this.#nodeAt(path, false)
      if (node) node.isParsed = true
    }
    this.#walk(this.#root, 'r', [])
  }

  /** DuckDB's structure for json_transform of a record: nested keys down to texts, or to JSON. */
  structure(): string {
    return structureOf(this.#root)
  }

  /** Adds the columns that values are read from to a relation that has the record as `r`. */
  relation(records: string): string {
    const withStations = this.#stations.reduce((sql, { from, whole, parts, node }) => {
      const json = node.isParsed ? `lpa_parsed(${from})` : from
      const taken = `(select *, ${json} as ${whole} from ${sql})`
      if (node.children.size === 0) return taken
      return `(select *, json_transform(${whole}, ${quoteText(structureOf(node))}) as ${parts} from ${taken})`
    }, records)
    const several = this.#several().map((field, index) => {
      const each = placesOf(field).map((place) => `lpa_scalar(${this.takenAt(place)})`)
      return `coalesce(${each.join(', ')}) as ${severalName(index)}`
    })
    return several.length === 0 ? withStations : `(select *, ${several.join(', ')} from ${withStations})`
  }

  /** All columns that values are read from. */
  columns(): string[] {
    const stations = this.#stations.flatMap(({ whole, parts, node }) =>
      node.children.size === 0 ? [whole] : [whole, parts],
    )
    return ['r', ...stations, ...this.#several().map((_, index) => severalName(index))]
  }

  /** JSON that was a text: what is wrong inside it nobody has seen yet. */
  parsed(): string[] {
    return this.#stations.filter(({ node }) => node.isParsed).map(({ whole }) => whole)
  }

  /** A field's clear value. */
  valueOf(field: Field): string {
    const index = this.#several().indexOf(field)
    if (index >= 0) return severalName(index)
    const value = this.takenAt(field.path)
    if (isJson(field) || isList(field)) return value
    return this.#nodeAt(field.path, false)?.taken === 'JSON' || this.isWhole(field)
      ? `(${value} ->> '$')`
      : value
  }

  /** Whether its value is taken out of JSON that is judged by itself. */
  isWhole(field: Field): boolean {
    return (
      field.otherPaths !== undefined || this.#stations.some(({ whole }) => whole === this.takenAt(field.path))
    )
  }

  takenAt(path: JsonPath): string {
    return this.#taken.get(JSON.stringify(path)) ?? 'cast(null as varchar)'
  }

  #several(): Field[] {
    return this.#fields.filter(({ otherPaths }) => otherPaths !== undefined)
  }

  #nodeAt(path: JsonPath, isNew: boolean): Node | undefined {
    let node: Node | undefined = this.#root
    for (const key of path) {
      const next: Node | undefined = node.children.get(key) ?? (isNew ? { children: new Map() } : undefined)
      if (!next) return undefined
      node.children.set(key, next)
      node = next
    }
    return node
  }

  #walk(node: Node, struct: string, path: JsonPath): void {
    for (const [key, child] of node.children) {
      const at = [...path, key]
      const member = `${struct}.${quoteName(key)}`
      if (!isStation(child)) {
        this.#taken.set(JSON.stringify(at), member)
        this.#walk(child, member, at)
        continue
      }
      const number = this.#stations.length
      const [whole, parts] = [`lpa_whole_${number}`, `lpa_parts_${number}`]
      this.#stations.push({ from: member, whole, parts, node: child })
      this.#taken.set(JSON.stringify(at), whole)
      this.#walk(child, parts, at)
    }
  }
}

function severalName(index: number): string {
  return `lpa_several_${index}`
}

function isStation({ taken, isParsed, children }: Node): boolean {
  return isParsed === true || (taken !== undefined && children.size > 0)
}

function structureOf(node: Node): string {
  const structure = ({ children }: Node): Record<string, unknown> =>
    Object.assign(
      Object.create(null),
      Object.fromEntries(
        [...children].map(([key, child]) => [
          key,
          isStation(child) ? 'JSON' : child.children.size > 0 ? structure(child) : child.taken,
        ]),
      ),
    )
  return JSON.stringify(structure(node))
}
