import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Two: tests open DuckDB and start processes, each with memory of its own.
    maxWorkers: 2,
    // The same within a file, for tests that say they may run beside each other.
    maxConcurrency: 2,
    // DuckDB's native part is not for worker threads.
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['{src,commands,scripts}/**/*.test.ts'],
          globalSetup: 'test/setup/extensions.ts',
          testTimeout: 10_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts'],
          exclude: ['test/services/**'],
          globalSetup: ['test/setup/extensions.ts', 'test/setup/build.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Apart, so that the broker starts for its own tests only; one of them writes to Snowflake.
        extends: true,
        test: {
          name: 'kafka',
          include: ['test/services/kafka/**/*.test.ts'],
          globalSetup: [
            'test/setup/extensions.ts',
            'test/setup/build.ts',
            'test/setup/kafka.ts',
            'test/setup/snowflake.ts',
          ],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Apart, so that the emulator starts for its own tests only.
        extends: true,
        test: {
          name: 'snowflake',
          include: ['test/services/snowflake/**/*.test.ts'],
          globalSetup: ['test/setup/extensions.ts', 'test/setup/build.ts', 'test/setup/snowflake.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Apart, so that their packages are fetched for its own tests only.
        extends: true,
        test: {
          name: 'python',
          include: ['test/services/python/**/*.test.ts'],
          globalSetup: ['test/setup/extensions.ts', 'test/setup/build.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Apart, so that Spark starts for its own tests only.
        extends: true,
        test: {
          name: 'spark',
          include: ['test/services/spark/**/*.test.ts'],
          globalSetup: ['test/setup/extensions.ts', 'test/setup/build.ts', 'test/setup/spark.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
