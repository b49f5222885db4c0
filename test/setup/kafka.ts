/** Before the tests of test/services/kafka: one Kafka broker for all of them, with a free address for each way in. */

import type { TestProject } from 'vitest/node'
import { NoKafka } from '../../scripts/kafka-jars.ts'
import { type Addresses, Broker } from '../services/kafka/broker.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Or why there is none. */
    readonly kafka: Addresses | { readonly missing: string }
  }
}

export async function setup({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  try {
    const broker = await Broker.start()
    provide('kafka', broker.addresses)
    return () => broker.stop()
  } catch (error) {
    if (!(error instanceof NoKafka)) throw error
    provide('kafka', { missing: error.message })
    return undefined
  }
}
