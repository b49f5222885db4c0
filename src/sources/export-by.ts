/** Of a mapping whose exports are of several kinds: which one this is, as a file beside it tells. */

import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { UserError } from '../errors.ts'
import { maskEmails } from '../secrets.ts'
import { byteSource } from './bytes.ts'
import { csvHead } from './csv-head.ts'
import { HEAD_BYTES, type Input } from './input.ts'
import { type ExportKind, type Mapping, packagedMappings } from './mapping.ts'
import { zipEntryOf } from './zip.ts'

/**
 * The mapping with the kind of this input's export; as it is where no file tells.
 * @throws UserError (data) when the file tells a kind that the mapping does not know.
 */
export async function withExportKind(mapping: Mapping, input: Input): Promise<Mapping> {
  if (!mapping.exportBy || !(input.stats ?? zipEntryOf(input.name))) return mapping
  const { file, name, kinds } = mapping.exportBy
  const path = join(dirname(input.name), file)
  const told = await valueIn(path, name)
  if (told === undefined) return mapping
  const kind = kinds.get(told)
  if (!kind) {
    throw new UserError('LPA-INPUT-EXPORT-KIND', `It says nothing known of ${input.name}.`, {
      exit: 'data',
      where: path,
      next: `Its line ${name} must say one of: ${[...kinds.keys()].join(', ')}`,
    })
  }
  return { ...mapping, export: kind, sha256: ofKind(mapping, kind) }
}

/** The same content is another load when it is an export of another kind. */
function ofKind({ sha256 }: Mapping, kind: ExportKind): string {
  return createHash('sha256').update(sha256).update(kind).digest('hex')
}

/** What loads by this mapping may say of it, whatever kind their export was. */
export function shasOf(mapping: Mapping): string[] {
  const kinds = [...(mapping.exportBy?.kinds.values() ?? [])]
  return [mapping.sha256, ...kinds.map((kind) => ofKind(mapping, kind))]
}

interface BundleFile {
  readonly path: string
  readonly mappings: readonly Mapping[]
}

/** What is not as a bundle should be: files that its manifest tells of and that are not there; no manifest. */
export async function bundleNotes(inputs: readonly BundleFile[]): Promise<string[]> {
  const notes: string[] = []
  for (const [folder, files] of Map.groupBy(inputs, ({ path }) => dirname(path))) {
    const tellers = files.flatMap(({ mappings }) => mappings.flatMap(({ exportBy }) => exportBy ?? []))
    notes.push(...(await missingFiles(files, new Set(tellers.map(({ name }) => name)))))
    const [first] = tellers
    if (!first || (await valueIn(join(folder, first.file), first.name)) !== undefined) continue
    const [kind, meaning] = [...first.kinds][0] ?? []
    notes.push(
      `${maskEmails(folder)}: no ${first.file} tells ${first.name}: taken as ${kind}, which is a ${meaning}.`,
    )
  }
  return notes
}

/** Only where the file that tells is an input too: then all of the bundle was meant. */
async function missingFiles(files: readonly BundleFile[], found: ReadonlySet<string>): Promise<string[]> {
  const others = files.filter(({ mappings }) => mappings.length === 0)
  const notes: string[] = []
  for (const { exportBy } of others.length > 0 ? packagedMappings() : []) {
    if (!exportBy || found.has(exportBy.name)) continue
    const { file, name, kinds } = exportBy
    const teller = others.find(({ path }) => basename(path) === file)
    const told = teller && (await valueIn(teller.path, name))
    if (teller === undefined || told === undefined || !kinds.has(told)) continue
    notes.push(`${maskEmails(teller.path)}: it says that ${name} is ${told}, and there is no such file.`)
  }
  return notes
}

async function valueIn(path: string, name: string): Promise<string | undefined> {
  let head: Buffer
  try {
    head = await byteSource(path).peek(HEAD_BYTES)
  } catch (error) {
    if ((error as UserError).code === 'LPA-INPUT-MISSING') return undefined
    throw error
  }
  const rows = csvHead(head.toString('utf8').replace(/^\ufeff/, ''), ',', 1000)
  return rows.find(([key]) => key?.trim() === name)?.[1]?.trim()
}
