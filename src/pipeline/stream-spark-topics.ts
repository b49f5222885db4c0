/** Which topics Spark has read, in a file beside its checkpoint: Spark knows them by their names only. */

import { existsSync, readFileSync } from 'node:fs'
import { writeWhole } from '../report-file.ts'
import { topicRecreated } from './stream-offsets.ts'

/**
 * Holds the ids of topics against those of the run before, and keeps them for the next one.
 * @throws UserError data (65) for a topic that was made anew
 */
export async function assertSameTopics(
  file: string,
  ids: ReadonlyMap<string, string>,
  where: string,
): Promise<void> {
  const before: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const isKnown = (topic: string) => Object.hasOwn(before, topic)
  for (const [topic, id] of ids)
    if (isKnown(topic) && before[topic] !== id) throw topicRecreated(topic, where)
  if ([...ids.keys()].every(isKnown)) return
  await writeWhole(file, JSON.stringify({ ...before, ...Object.fromEntries(ids) }))
}
