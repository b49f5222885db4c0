/** A vitest reporter for scripts/test.mjs: counts to the file named in LPA_TEST_SUMMARY, skips with their reason. */

import { writeFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const summary = { passed: 0, failed: errors.length, skipped: [] as string[] }
    for (const module of modules) {
      // A file that could not be imported, or a failed hook, has no failed test of its own.
      summary.failed += module.errors().length
      for (const suite of module.children.allSuites()) summary.failed += suite.errors().length
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') summary.passed++
        else if (result.state === 'failed') summary.failed++
        else
          summary.skipped.push(
            `${module.relativeModuleId} > ${test.fullName}: ${('note' in result && result.note) || 'no reason given'}`,
          )
      }
    }
    const file = process.env.LPA_TEST_SUMMARY
    if (file) writeFileSync(file, JSON.stringify(summary))
  }
}
