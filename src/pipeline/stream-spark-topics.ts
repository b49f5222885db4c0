/** Which topics Spark has read, in a file beside its checkpoint: Spark knows them by their names only. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { topicRecreated } from './stream-offsets.ts'

/**
 * Holds the ids of topics against those of the run before, and keeps them for the next one.
 * @throws UserError data (65) for a topic that was made anew
 */
export function assertSameTopics(file: string, ids: ReadonlyMap<string, string>, where: string): void {
  const before: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  for (const [topic, id] of ids)
    if (Object.hasOwn(before, topic) && before[topic] !== id) throw topicRecreated(topic, where)
  writeFileSync(file, JSON.stringify({ ...before, ...Object.fromEntries(ids) }), { mode: 0o600 })
}
