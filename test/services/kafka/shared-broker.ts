/** The broker that test/setup/kafka.ts started. Tests make topics and groups of their own in it, and never end it. */

import { describe, inject, test } from 'vitest'
import type { Addresses } from './broker.ts'

/** Tests that need Kafka: skipped with the reason where it cannot run. */
export function describeWithKafka(name: string, tests: (kafka: Addresses) => void): void {
  const kafka = inject('kafka')
  describe(name, () => {
    if ('missing' in kafka) test('needs Kafka', (context) => context.skip(kafka.missing))
    else tests(kafka)
  })
}
