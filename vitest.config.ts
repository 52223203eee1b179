import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/unit/**/*.test.ts', 'tests/integration/**/*.test.ts'],
    globalSetup: ['tests/build-once.ts'],
    reporters: ['./tests/data-reporter.ts', 'default'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
  },
})
