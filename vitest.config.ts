import { pathToFileURL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { requiredPackages } from './scripts/build/required-packages.js'
import { KindByKind } from './tests/sequence.ts'

const common = { setupFiles: ['tests/property-seed.ts'], testTimeout: 60_000 }
const plugins = [requiredPackages(JSON.stringify(pathToFileURL(import.meta.filename).href)), vue()]

const rooms = ['shared', 'storage', 'engine', 'engine-pool', 'services', 'renderer']
const together = rooms.map((room) => `tests/unit/${room}/**/*.test.ts`)
const others = ['tests/unit/*.test.ts', `tests/unit/!(${rooms.join('|')})/**/*.test.ts`]
// It counts what is alive in the whole process.
const alone = ['tests/unit/engine/backend/wasm-kernels.test.ts']

export default defineConfig({
  test: {
    globalSetup: ['tests/build-once.ts'],
    reporters: ['./tests/skip-reporter.ts', 'default'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: KindByKind },
    projects: [
      // Two processes for all of them: loading TensorFlow.js, Vue and the rest anew took longer than most of these tests.
      { plugins, test: { name: 'unit', ...common, isolate: false, include: together, exclude: alone } },
      { plugins, test: { name: 'alone', ...common, include: [...alone, ...others] } },
      { plugins, test: { name: 'integration', ...common, isolate: false, include: ['tests/integration/**/*.test.ts'] } },
      // The window in a browser, with the engine behind it; a process keeps its browser from file to file.
      { plugins, test: { name: 'e2e', ...common, isolate: false, include: ['tests/e2e/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 60_000 } },
    ],
  },
})
