/** Columns, and keys of JSON, that look personal: by the words of their names, or by the shape of their values. */

import { isIP } from 'node:net'
import { EMAIL_SHAPE } from '../email-shape.ts'
import { type Field, fieldLabel } from './fields.ts'
import { MAX_DEPTH } from './json-macros.ts'
import { isPrefix, type JsonPath, shortJsonPath } from './json-path.ts'
import { isPersonalName } from './personal-words.ts'
import type { Head } from './recognise.ts'
import { isKnown } from './shown-names.ts'

const EMAIL = new RegExp(EMAIL_SHAPE, 'u')
const PHONE = /^\+\d[\d ()/-]{7,}$/
const SHAPES: readonly (readonly [(text: string) => boolean, string])[] = [
  [(text) => EMAIL.test(text), 'holds e-mail addresses'],
  [(text) => areAddresses(text), 'holds IP addresses'],
  [(text) => PHONE.test(text), 'holds phone numbers'],
]
/** Longer texts are no lists of addresses that a person has. */
const LONGEST_LIST = 1000

const NAMED = 'is named like a personal value'
const NAMED_INSIDE = 'holds keys that are named like personal values'
const WORD = /^[\p{L}_][\p{L}\p{N}_ -]{0,30}$/u

/** The column or path that looks personal, as a mapping names it, and why. It quotes no value. */
export interface PersonalLook {
  readonly column: string
  readonly why: string
}

/** The first field, or path inside one, that looks personal and of which the mapping says nothing. */
export function findPersonalLook(
  fields: readonly Field[],
  head: Pick<Head, 'values'>,
): PersonalLook | undefined {
  for (const field of fields) {
    if (field.change || field.isPublic) continue
    const isTakenApart = field.inside.length > 0 || field.publicInside.length > 0
    const words = [field.name, ...field.path.slice(-1)]
    if (!isTakenApart && words.some((word) => isPersonalName(word))) {
      return { column: fieldLabel(field), why: NAMED }
    }
    for (const value of head.values(field)) {
      const look = lookAt(value, field)
      if (look) return look
    }
  }
  return undefined
}

function lookAt(value: string, field: Field): PersonalLook | undefined {
  const json = parseJson(value)
  if (json === undefined) return lookOfText(value, fieldLabel(field))
  try {
    return lookInside(json, [], field)
  } catch (error) {
    // Lists in lists, too deep for Node: as above.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function lookOfText(value: string, column: string): PersonalLook | undefined {
  const shape = SHAPES.find(([has]) => has(value))
  return shape && { column, why: shape[1] }
}

/** One IP address or several and nothing else, also with ports: 192.0.2.1:80, [2001:db8::1]:443. */
function areAddresses(text: string): boolean {
  if (text.length > LONGEST_LIST) return false
  const parts = text.trim().split(/\s*[,;|]\s*|\s+/)
  return parts.every((part) => {
    const address = part.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')
    // Without a digit, a::b is a name as programmers write them.
    return isIP(address) > 0 && /\d/.test(address)
  })
}

/** Looks at every key and text of a value, but at none that the mapping speaks of. `keys` lead to it from the field. */
function lookInside(value: unknown, keys: JsonPath, field: Field): PersonalLook | undefined {
  // Stage one refuses deeper JSON or searches its text, and every path here is as long as it is deep.
  if (keys.length > MAX_DEPTH) return undefined
  const said = [...field.inside.map((part) => part.keys), ...field.publicInside]
  if (said.some((path) => isPrefix(path, keys))) return undefined
  // Where an object should be, all else is left out.
  if (!isObject(value) && field.inside.some((part) => isPrefix(keys, part.keys))) return undefined
  const label = keys.length === 0 ? fieldLabel(field) : shortJsonPath([...field.path, ...keys])
  if (typeof value === 'string') {
    const json = parseJson(value)
    return json === undefined ? lookOfText(value, label) : lookInParts([json], keys, label, field)
  }
  if (Array.isArray(value)) return lookInParts(value, keys, label, field)
  if (!isObject(value)) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const path = [...keys, key]
    // A key may be a value itself: no path is made of it.
    const isWord = WORD.test(key) && isKnown(key)
    if (!said.some((other) => isPrefix(other, path))) {
      const shape = lookOfText(key, label)
      if (shape) return shape
      if (isPersonalName(key, inner))
        return isWord
          ? { column: shortJsonPath([...field.path, ...path]), why: NAMED }
          : { column: label, why: NAMED_INSIDE }
    }
    const look = lookInside(inner, path, field)
    if (look) return isWord ? look : lookOf(label, look)
  }
  return undefined
}

/** No path leads into a list, nor into JSON that is a text: what is found in one is said of the whole. */
function lookInParts(parts: readonly unknown[], keys: JsonPath, column: string, field: Field) {
  const apart: Field = { ...field, inside: [], publicInside: [] }
  for (const part of parts) {
    const look = lookInside(part, keys, apart)
    if (look) return lookOf(column, look)
  }
  return undefined
}

/** The same, said of what it lies in. */
function lookOf(column: string, { why }: PersonalLook): PersonalLook {
  return { column, why: why === NAMED ? NAMED_INSIDE : why }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
