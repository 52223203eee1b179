import { describe, expect, test } from 'vitest'
import { importProblem, roomOf } from '../../../scripts/lint/import-direction.js'

describe('the import rule', () => {
  test.each([
    ['src-shared/domain/a.ts', '../../src-main/engine/x.ts'],
    ['src-shared/domain/a.ts', '#engine/x.ts'],
    ['src-shared/domain/a.ts', 'node:fs'],
    ['src-shared/domain/a.ts', '@tensorflow/tfjs-core'],
    ['src-main/engine/worker.ts', '#services/runs.ts'],
    ['src-main/engine/worker.ts', '#storage/npy.ts'],
    ['src-main/engine/worker.ts', '../engine-pool/pool.ts'],
    ['src-main/storage/npy.ts', '#engine/protocol.ts'],
    ['src-main/engine-pool/pool.ts', '#storage/npy.ts'],
    ['src-main/services/runs.ts', '#main/workbench.ts'],
    ['src-main/services/runs.ts', '../shells/cli/main.ts'],
    ['src-main/services/runs.ts', '@tensorflow/tfjs-core'],
    ['src-main/services/runs.ts', 'electron'],
    ['src-main/workbench.ts', './shells/cli/main.ts'],
    ['src-renderer/main.ts', '#services/runs.ts'],
    ['src-renderer/main.ts', '../src-main/engine/protocol.ts'],
    ['src-main/engine/worker.ts', '../../tests/data.ts'],
  ])('%s may not import %s', (file, specifier) => {
    expect(importProblem(file, specifier)).toContain('may not import')
  })

  test.each([
    ['src-main/engine/worker.ts', '#shared/domain/errors.ts'],
    ['src-main/engine/worker.ts', './backend/select.ts'],
    ['src-main/engine/worker.ts', '@tensorflow/tfjs-core'],
    ['src-main/engine-pool/pool.ts', '../engine/protocol.ts'],
    ['src-main/services/runs.ts', '#storage/npy.ts'],
    ['src-main/workbench.ts', '#services/runs.ts'],
    ['src-main/shells/cli/main.ts', '#main/workbench.ts'],
    ['src-main/shells/electron/main.ts', 'electron'],
    ['src-renderer/main.ts', '#shared/domain/run.ts'],
    ['src-renderer/main.ts', 'vue'],
  ])('%s may import %s', (file, specifier) => {
    expect(importProblem(file, specifier)).toBeNull()
  })

  test('the longest folder names the room', () => {
    expect(roomOf('src-main/engine-pool/pool.ts')).toBe('src-main/engine-pool')
    expect(roomOf('src-main/workbench.ts')).toBe('src-main')
    expect(roomOf('tests/data.ts')).toBeUndefined()
  })
})
