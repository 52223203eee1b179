import util from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, expect, test } from 'vitest'
import { initCuda, restoreIsNullOrUndefined } from '#engine/backend/cuda.ts'
import { backendStarters, probeBackends, selectBackend, type BackendStarter } from '#engine/backend/select.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'

const legacy = util as { isNullOrUndefined?: ((value: unknown) => boolean) | undefined }

afterEach(async () => {
  await tf.setBackend('cpu')
  if (tf.findBackendFactory('tensorflow')) tf.removeBackend('tensorflow')
})

/** Stands for tfjs-node-gpu: registers a backend named as the package's, and needs what the package needs of Node. */
function fakePackage(isUsingGpuDevice: boolean): (name: string) => Promise<unknown> {
  return (name) => {
    expect(name).toBe('@tensorflow/tfjs-node-gpu')
    // The real one throws a TypeError here on Node 23 and later.
    expect(legacy.isNullOrUndefined!(undefined)).toBe(true)
    expect(legacy.isNullOrUndefined!(0)).toBe(false)
    tf.registerBackend('tensorflow', () => {
      class FakeTensorFlow extends tf.KernelBackend {
        isUsingGpuDevice = isUsingGpuDevice
        override dispose(): void {}
      }
      return new FakeTensorFlow()
    })
    return Promise.resolve({})
  }
}

test('CUDA: the shim is there before the package is loaded, and the backend becomes active', async () => {
  const original = legacy.isNullOrUndefined
  legacy.isNullOrUndefined = undefined
  try {
    const device = await initCuda(fakePackage(true))
    expect(device).toMatch(/CUDA$/)
    expect(tf.getBackend()).toBe('tensorflow')
  } finally {
    legacy.isNullOrUndefined = original
  }
})

test('the shim leaves an existing function alone', () => {
  const original = legacy.isNullOrUndefined
  const own = (): boolean => true
  legacy.isNullOrUndefined = own
  restoreIsNullOrUndefined()
  expect(legacy.isNullOrUndefined).toBe(own)
  legacy.isNullOrUndefined = original
})

test.each([
  ['no GPU', fakePackage(false), /no CUDA device/],
  [
    'package not installed',
    () => Promise.reject(Object.assign(new Error("Cannot find package '@tensorflow/tfjs-node-gpu' imported from /a"), { code: 'ERR_MODULE_NOT_FOUND' })),
    /not installed/,
  ],
  [
    'native library missing',
    () => Promise.reject(new Error('The Node.js native addon module (tfjs_binding.node) can not be found at path: /a\nrun npm rebuild')),
    /native library .* is missing/,
  ],
  ['anything else', () => Promise.reject(new Error('boom\nstack')), /could not be loaded: boom$/],
] as const)('CUDA is rejected with the reason: %s', async (_, load, reason) => {
  await expect(initCuda(load)).rejects.toThrow(reason)
})

const failing = (id: 'cuda' | 'wasm', reason: string): BackendStarter => ({ id, use: 'test', start: () => Promise.reject(new Error(reason)) })
const wasm = backendStarters.find(({ id }) => id === 'wasm')!
const cpu = backendStarters.find(({ id }) => id === 'cpu')!

test('the best that starts is taken, and the reasons against the others are kept', async () => {
  const choice = await selectBackend(undefined, [failing('cuda', 'No GPU here'), wasm, cpu])
  expect(choice.id).toBe('wasm')
  expect(choice.device).toMatch(/WebAssembly SIMD/)
  expect(choice.rejected).toEqual([{ id: 'cuda', reason: 'No GPU here.' }])
  expect(tf.getBackend()).toBe('wasm')
  const last = await selectBackend(undefined, [failing('cuda', 'No GPU here.'), failing('wasm', 'No WebAssembly.'), cpu])
  expect(last.id).toBe('cpu')
  expect(last.rejected.map(({ id }) => id)).toEqual(['cuda', 'wasm'])
  expect(tf.getBackend()).toBe('cpu')
})

test('a backend asked for is taken or refused with the reason, never exchanged for another', async () => {
  expect((await selectBackend('cpu')).id).toBe('cpu')
  const refusal = await selectBackend('cuda', [failing('cuda', 'No GPU here.'), wasm]).catch((e: unknown) => e)
  expect(refusal).toBeInstanceOf(MaskscopeError)
  expect(refusal).toMatchObject({ code: 'unavailable', subject: 'backend', message: expect.stringContaining('No GPU here.') })
  await expect(selectBackend('metal' as 'cpu')).rejects.toThrow(/no backend "metal"/)
})

test('the probe reports every backend, measures those there are, and leaves the active one active', async () => {
  await selectBackend('wasm')
  const tensors = tf.memory().numTensors
  const reports = await probeBackends([failing('cuda', 'No GPU here.'), wasm, cpu])
  expect(reports.map(({ id, available, chosen }) => [id, available, chosen])).toEqual([
    ['cuda', false, false], ['wasm', true, true], ['cpu', true, false],
  ])
  expect(reports[0]).toMatchObject({ reason: 'No GPU here.', device: null, convolutionGflops: null })
  for (const report of reports.slice(1)) expect(report.convolutionGflops).toBeGreaterThan(0.01)
  expect(reports[1]!.convolutionGflops!).toBeGreaterThan(reports[2]!.convolutionGflops!)
  expect(tf.getBackend()).toBe('wasm')
  expect(tf.memory().numTensors).toBe(tensors)
})
