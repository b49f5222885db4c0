/** Files of one command that make one snapshot, and what it replaces (docs/decisions/0011-parts-of-one-snapshot.md). */

import { UserError } from '../errors.ts'
import { unreadable } from '../sources/input.ts'
import type { Mapping } from '../sources/mapping.ts'
import type { Engine } from '../types.ts'
import { ledgerRows } from './ledger.ts'

/** What a source holds of an entity, as the files of one command say it. */
export interface Snapshot {
  readonly source: string
  readonly entity: string
  /** Names of the mappings that read its files. */
  readonly mappings: readonly string[]
  /** Places of its files among the inputs of the command, in order. */
  readonly files: readonly number[]
  /** Its parts, as far as they are loaded: by this command, or before and found unchanged. */
  readonly loads: Set<number>
}

/** The snapshots of a command, from the mappings that read each of its inputs. Pure. */
export function snapshotsOf(
  inputs: readonly {
    readonly source: string
    readonly mappings: readonly Mapping[]
    /** Replaces what was there, whatever the mapping says. */
    readonly isWhole?: boolean
  }[],
): Snapshot[] {
  const parts = inputs.flatMap(({ source, mappings, isWhole }, file) =>
    mappings
      .filter((mapping) => isWhole || mapping.export === 'snapshot')
      .map(({ entity, name }) => ({ source, entity, name, file })),
  )
  const groups = Map.groupBy(parts, ({ source, entity }) => JSON.stringify([source, entity]))
  return [...groups.values()].map((group) => ({
    ...{ source: group[0]?.source ?? '', entity: group[0]?.entity ?? '', loads: new Set<number>() },
    mappings: [...new Set(group.map(({ name }) => name))],
    files: [...new Set(group.map(({ file }) => file))],
  }))
}

/** `3 files of campus_instructor are taken as parts of one snapshot.`: for each snapshot of several files. */
export function partsNotes(snapshots: readonly Snapshot[]): string[] {
  return snapshots
    .filter(({ files }) => files.length > 1)
    .map(
      ({ files, mappings }) =>
        `${files.length} files of ${mappings.join(' and ')} are taken as parts of one snapshot.`,
    )
}

/**
 * Takes up a load as a part, made by this command or found unchanged.
 * @throws UserError (data) when the file was no part of a snapshot as the command began.
 */
export function addPart(
  snapshots: readonly Snapshot[],
  input: { readonly path: string; readonly source: string },
  { entity }: Mapping,
  loadId: number,
): void {
  const snapshot = snapshots.find((one) => one.source === input.source && one.entity === entity)
  if (!snapshot) {
    throw unreadable(input.path, 'It changed while it was read.', 'Load it again when it is complete.')
  }
  snapshot.loads.add(loadId)
}

/**
 * Loads that still count and are no part of this snapshot: they go once its last file is loaded.
 * @throws UserError (locked) when another load replaced a part meanwhile: the rest would count as the whole.
 */
export async function loadsReplacedBy(engine: Engine, snapshot: Snapshot): Promise<number[]> {
  const { source, entity, loads } = snapshot
  if (loads.size === 0) return []
  const rows = await ledgerRows(engine, 'loads-of-entity', { source, entity })
  const counting = new Set(rows.map(([loadId]) => Number(loadId)))
  if ([...loads].some((load) => !counting.has(load))) {
    throw new UserError(
      'LPA-LOAD-OVERTAKEN',
      `Another load replaced a part of this snapshot of ${source} meanwhile.`,
      {
        exit: 'locked',
        next: 'Its snapshot counts until this one is loaded again, from its first file on.',
      },
    )
  }
  return [...counting].filter((load) => !loads.has(load))
}
