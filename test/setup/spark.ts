/** Before the tests of test/services/spark: one Spark for all of them. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { NoSpark, sparkJars } from '../../scripts/spark-jars.ts'
import { freePort, startLocalServer, stopLocalServer } from '../../src/engines/spark/local-server.ts'
import { QUICK_JAVA, SPARK_SETTINGS, type SparkPlace } from '../services/spark/shared-spark.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Or why there is none. */
    readonly spark: SparkPlace | { readonly missing: string }
  }
}

export async function setup({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const state = mkdtempSync(join(tmpdir(), 'lpa-spark-state-'))
  process.env.XDG_STATE_HOME = state
  Object.assign(process.env, QUICK_JAVA)
  const [port, events] = [await freePort(), join(state, 'events')]
  mkdirSync(events)
  const shown = {
    ...{ 'spark.ui.enabled': 'true', 'spark.ui.port': String(port), 'spark.eventLog.enabled': 'true' },
    ...{ 'spark.eventLog.dir': `file:${events}`, 'spark.eventLog.compress': 'false' },
  }
  try {
    await sparkJars()
    const { signal } = new AbortController()
    await startLocalServer({ memory: '1500m', settings: { ...SPARK_SETTINGS, ...shown }, signal })
    provide('spark', { state, events, pages: `http://127.0.0.1:${port}` })
  } catch (error) {
    rmSync(state, { recursive: true, force: true })
    if (!(error instanceof NoSpark)) throw error
    provide('spark', { missing: error.message })
    return undefined
  }
  return async () => {
    await stopLocalServer()
    rmSync(state, { recursive: true, force: true })
  }
}
