/** What stage one takes from each record: columns and paths that the mapping names, and what becomes of each value. */

import { UserError } from '../errors.ts'
import { isPrefix, isSamePath, type JsonPath, parseJsonPath, shortJsonPath } from './json-path.ts'
import type { Coarse, ConditionalDrop, Mapping, Personal, SourceColumn } from './mapping.ts'
import { shownNames } from './shown-names.ts'

/** What replaces a value: a pseudonym, a coarser value, or nothing at all. */
export type Change =
  | { readonly kind: 'pseudonym'; readonly personal: Personal }
  | { readonly kind: 'coarse'; readonly to: Coarse }
  | { readonly kind: 'drop' }

/** One column of the file that stage one writes. */
export interface Field extends SourceColumn {
  readonly change: Change | undefined
  /** Values inside this one, which is JSON then, that are changed: by their keys from here. */
  readonly inside: readonly { readonly keys: JsonPath; readonly change: Change }[]
  /** `-- not-personal:` names it. */
  readonly isPublic: boolean
  /** Paths inside this one that `-- not-personal:` names: by their keys from here. */
  readonly publicInside: readonly JsonPath[]
  /** It is left out where the value at another path is one of these texts, or unless it is. */
  readonly dropIf: readonly (Pick<ConditionalDrop, 'when' | 'values'> & { readonly other: JsonPath })[]
  /** Whether the mapping's SELECT sees it as a column; all fields are part of `payload`. */
  readonly isColumn: boolean
}

/** A table's columns, and those of them that a mapping without `-- columns` reads. */
export interface TableColumns {
  readonly header: readonly string[]
  readonly named: readonly string[]
}

/**
 * The fields that a mapping needs of an input.
 * @param table undefined for JSON
 * @throws UserError (data) when a table has no column that the mapping declares personal.
 */
export function fieldsOf(mapping: Mapping, table: TableColumns | undefined): Field[] {
  const header = table?.header
  const columns = columnsOf(mapping, table)
  const pathOf = (target: string): JsonPath => {
    const column = columns.find(({ name }) => sameName(name, target, header))
    return column?.path ?? parseJsonPath(target)?.keys ?? [inHeader(target, header) ?? target]
  }
  if (header && !mapping.columns) assertDeclared(mapping, header)
  const changes: { path: JsonPath; change: Change }[] = [
    ...mapping.personal.map((personal) => ({
      path: pathOf(personal.target),
      change: personal.kind ? ({ kind: 'pseudonym', personal } as const) : ({ kind: 'drop' } as const),
    })),
    ...mapping.generalise.map(({ target, to }) => ({
      path: pathOf(target),
      change: { kind: 'coarse', to } as const,
    })),
  ]
  const drops = mapping.dropIf.map(({ target, when, other, values }) => ({
    path: pathOf(target),
    drop: { when, other: pathOf(other), values },
  }))
  const publicPaths = [...mapping.notPersonal].map(pathOf)
  const fields: Field[] = []
  const add = (column: SourceColumn, isColumn: boolean) => {
    const places = placesOf(column)
    // What is inside a personal value is personal.
    const own = changes.find(({ path }) => places.some((place) => isPrefix(path, place)))
    if (own?.change.kind === 'drop') return
    const conditions = drops.filter(({ path }) =>
      // A value in which what is left out would lie goes as a whole.
      places.some((place) => isPrefix(path, place) || isPrefix(place, path)),
    )
    // Nobody can tell where the column is missing that would.
    if (header && conditions.some(({ drop }) => inHeader(drop.other[0] ?? '', header) === undefined)) return
    const isOpen = (path: JsonPath) =>
      places.length === 1 && path.length > column.path.length && isPrefix(column.path, path)
    const inside = changes
      .filter(({ path }) => isOpen(path))
      .map(({ path, change }) => ({ keys: path.slice(column.path.length), change }))
    fields.push({
      ...column,
      change: own?.change,
      inside,
      dropIf: conditions.map(({ drop }) => drop),
      isColumn,
      isPublic: publicPaths.some((path) => isPrefix(path, column.path)),
      publicInside: publicPaths.filter(isOpen).map((path) => path.slice(column.path.length)),
    })
  }
  const addHidden = (path: JsonPath, type: SourceColumn['type']) => {
    if (fields.some((field) => isPrefix(field.path, path))) return
    add({ name: `lpa_kept_${fields.length}`, path, type }, false)
  }
  for (const column of columns) add(column, true)
  // Of a table, also by the name of a column.
  for (const path of mapping.keep)
    if (!header) addHidden(path, 'json')
    else addHidden([inHeader(path[0] ?? '', header) ?? path[0] ?? '', ...path.slice(1)], 'text')
  for (const { path, change } of changes) if (change.kind !== 'drop') addHidden(path, 'text')
  for (const { spaceFrom } of mapping.personal) if (spaceFrom) addHidden(pathOf(spaceFrom), 'text')
  for (const { drop } of drops) {
    if (fields.some(({ path }) => isSamePath(path, drop.other))) continue
    add({ name: `lpa_kept_${fields.length}`, path: drop.other, type: 'text' }, false)
  }
  return fields
}

function columnsOf(mapping: Mapping, table: TableColumns | undefined): SourceColumn[] {
  if (!mapping.columns)
    return (table?.named ?? []).map((name) => ({ name, path: [name], type: 'text' as const }))
  // The columns of a table are found by name, in any case.
  const spelled = ([first = '', ...rest]: JsonPath) => [inHeader(first, table?.header) ?? first, ...rest]
  return mapping.columns.map((column) => ({
    ...column,
    path: spelled(column.path),
    ...(column.otherPaths && { otherPaths: column.otherPaths.map(spelled) }),
  }))
}

/** Where a column's value may stand, the first place first. */
export function placesOf({ path, otherPaths }: SourceColumn): readonly JsonPath[] {
  return otherPaths ? [path, ...otherPaths] : [path]
}

function sameName(a: string, b: string, header: readonly string[] | undefined): boolean {
  return header ? a.toLowerCase() === b.toLowerCase() : a === b
}

/** A column's name as the table spells it. */
export function inHeader(name: string, header: readonly string[] | undefined): string | undefined {
  return header?.find((column) => sameName(column, name, header))
}

function assertDeclared(mapping: Mapping, header: readonly string[]): void {
  for (const { target } of [...mapping.personal, ...mapping.dropIf]) {
    const column = parseJsonPath(target)?.keys[0] ?? target
    if (inHeader(column, header) !== undefined) continue
    throw new UserError(
      'LPA-PERSONAL-MISSING',
      `There is no column ${column}, which ${mapping.name} declares.`,
      {
        exit: 'data',
        where: mapping.path,
        next: [
          `Its columns: ${shownNames(header)}`,
          `Was it renamed? Mend the line: -- personal: ${target}(…)`,
        ],
      },
    )
  }
}

/** The field that a personal value's id space is read from. */
export function spaceField(target: string, fields: readonly Field[]): Field | undefined {
  const path = parseJsonPath(target)?.keys
  return fields.find(
    (field) =>
      field.name === target ||
      (path && field.path.length === path.length && isPrefix(field.path, path)) ||
      (!path && field.path.length === 1 && field.path[0]?.toLowerCase() === target.toLowerCase()),
  )
}

/** The field that holds this one inside itself. */
export function ancestorOf(field: Field, fields: readonly Field[]): Field | undefined {
  return fields.find((other) => other.path.length < field.path.length && isPrefix(other.path, field.path))
}

/** Whether a field's value is JSON, and not a text. */
export function isJson({ type, inside, change }: Field): boolean {
  return !change && (type === 'json' || inside.length > 0)
}

/** A field for messages: as the mapping names it. */
export function fieldLabel(field: Field): string {
  return field.isColumn ? field.name : shortJsonPath(field.path)
}
