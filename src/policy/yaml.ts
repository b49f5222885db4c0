/** YAML whose every value knows where it stands, read without stopping at the first mistake. */

import type Yaml from 'yaml'
import { didYouMean } from '../did-you-mean.ts'

export interface YamlFile {
  /** As messages name it. */
  readonly shown: string
  readonly text: string
}

export interface Mistake {
  /** `security/roles.yaml:12:5` */
  readonly where: string
  readonly what: string
  /** What to write instead. */
  readonly hint?: string | undefined
}

export interface Entry {
  readonly key: string
  readonly at: Value
  readonly value: Value
}

/** A value of a file. Reading it as something that it is not notes a mistake and answers undefined, or nothing. */
export class Value {
  readonly #mistakes: Mistake[]
  readonly #node: unknown
  readonly #yaml: Omit<typeof Yaml, 'default'>
  readonly where: string
  readonly #whereOf: (node: unknown) => string

  private constructor(
    mistakes: Mistake[],
    yaml: Omit<typeof Yaml, 'default'>,
    node: unknown,
    whereOf: (node: unknown) => string,
    outer: string,
  ) {
    this.#mistakes = mistakes
    this.#yaml = yaml
    this.#node = node
    this.#whereOf = whereOf
    this.where = hasRange(node) ? whereOf(node) : outer
  }

  /** The whole of a file; undefined where it is empty or no YAML. */
  static read(yaml: Omit<typeof Yaml, 'default'>, file: YamlFile, mistakes: Mistake[]): Value | undefined {
    const lines = new yaml.LineCounter()
    const place = (offset: number) => {
      const { line, col } = lines.linePos(offset)
      return `${file.shown}:${line}:${col}`
    }
    const document = yaml.parseDocument(file.text, { lineCounter: lines, prettyErrors: false })
    for (const { message, pos } of document.errors) mistakes.push({ where: place(pos[0]), what: message })
    if (document.errors.length > 0 || document.contents === null) return undefined
    const whereOf = (node: unknown) => place(hasRange(node) ? node.range[0] : 0)
    return new Value(mistakes, yaml, document.contents, whereOf, place(0))
  }

  mistake(what: string, hint?: string): undefined {
    this.#mistakes.push({ where: this.where, what, hint })
  }

  /** A name that is not among the known. */
  unknown(what: string, word: string, known: Iterable<string>): undefined {
    const names = [...known]
    const near = didYouMean(word, names)
    const few = names.length > 0 && names.length <= 12 ? `There are: ${names.join(', ')}.` : undefined
    return this.mistake(what, near === undefined ? few : `Did you mean ${near}?`)
  }

  entries(): readonly Entry[] {
    if (this.isNull) return []
    if (!this.#yaml.isMap(this.#node)) {
      this.mistake('Here should be names with what they are: `name: …`.')
      return []
    }
    return this.#node.items.map(({ key, value }) => {
      const at = this.#below(key)
      return { key: at.#plain(), at, value: this.#below(value, at.where) }
    })
  }

  /** The values of known keys; others are mistakes. */
  fields<K extends string>(known: readonly K[]): Partial<Record<K, Value>> {
    const found: Partial<Record<K, Value>> = {}
    for (const { key, at, value } of this.entries()) {
      if ((known as readonly string[]).includes(key)) found[key as K] = value
      else at.unknown(`${key} is not known here.`, key, known)
    }
    return found
  }

  items(): readonly Value[] {
    if (this.isNull) return []
    if (this.#yaml.isSeq(this.#node)) return this.#node.items.map((item) => this.#below(item))
    if (this.#yaml.isScalar(this.#node)) return [this]
    this.mistake('Here should be a list: [a, b].')
    return []
  }

  text(): string | undefined {
    if (!this.#yaml.isScalar(this.#node) || this.isNull) return this.mistake('Here should be a text.')
    const text = this.#plain()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
    return /[\x00-\x08\x0b-\x1f\x7f]/.test(text) ? this.mistake('Control characters are no text.') : text
  }

  texts(): readonly string[] {
    return this.items().flatMap((item) => item.text() ?? [])
  }

  flag(): boolean | undefined {
    const value = this.#scalar()
    return typeof value === 'boolean' ? value : this.mistake('Here should be true or false.')
  }

  whole(least: number): number | undefined {
    const value = this.#scalar()
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
    return this.mistake(`Here should be a whole number, ${least} or more.`)
  }

  get isNull(): boolean {
    return this.#node === null || this.#node === undefined || this.#scalar() === null
  }

  get isTrue(): boolean {
    return this.#scalar() === true
  }

  #scalar(): unknown {
    return this.#yaml.isScalar(this.#node) ? this.#node.value : undefined
  }

  #plain(): string {
    return String(this.#scalar() ?? '')
  }

  #below(node: unknown, outer = this.where): Value {
    return new Value(this.#mistakes, this.#yaml, node, this.#whereOf, outer)
  }
}

function hasRange(node: unknown): node is { readonly range: readonly [number, number, number] } {
  return Array.isArray((node as { range?: unknown } | null | undefined)?.range)
}
