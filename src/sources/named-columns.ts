/** The columns of a table that a mapping reads: those that it lists, or else those that its SELECT names. */

import { openDuckDB } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import { inputsOf } from './entities.ts'
import type { Mapping } from './mapping.ts'
import { namedIn, parseSelect } from './select-tree.ts'

/**
 * @param header the columns of a table
 * @returns columns of the header, in its order; all others are never read
 * @throws UserError LPA-MAPPING-SQL when the SELECT takes columns that neither it nor the mapping names.
 */
export async function namedColumns(mapping: Mapping, header: readonly string[]): Promise<readonly string[]> {
  await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
  const { names, endsInStar, unnamed } = namedIn(await parseSelect(database.connection, mapping))
  if (unnamed) {
    throw new UserError(
      'LPA-MAPPING-SQL',
      `It takes ${unnamed}: only columns that a mapping names are read.`,
      {
        exit: 'config',
        where: mapping.path,
        next: 'Name them in the SELECT, or list what may be read: -- columns: a, b, c',
      },
    )
  }
  const wanted = new Set([...names].map((name) => name.toLowerCase()))
  if (endsInStar) for (const { name } of inputsOf(mapping.entity)) wanted.add(name)
  const isWanted = (name: string) =>
    wanted.has(name) || (endsInStar && /^(attributes(\..+)?|deleted)$/.test(name))
  return header.filter((name) => isWanted(name.toLowerCase()))
}
