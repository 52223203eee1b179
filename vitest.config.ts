import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { LongFirst } from './tests/long-first.ts'

const common = { setupFiles: ['tests/property-seed.ts'], testTimeout: 60_000 }

export default defineConfig({
  test: {
    globalSetup: ['tests/build-once.ts'],
    reporters: ['./tests/skip-reporter.ts', 'default'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        plugins: [vue()],
        test: { name: 'unit', ...common, include: ['tests/unit/**/*.test.ts', 'tests/integration/**/*.test.ts'] },
      },
      // The window in a browser, with the engine behind it.
      { test: { name: 'e2e', ...common, include: ['tests/e2e/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 60_000 } },
    ],
  },
})
