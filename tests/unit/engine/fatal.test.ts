import { expect, test } from 'vitest'
import { fatalReason } from '#engine/fatal.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'

function caught(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

// (module (func (export "f") unreachable))
const trap = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11])
interface Wasm { Module: new (bytes: Uint8Array) => object; Instance: new (module: object) => { exports: { f(): void } } }

test('a WebAssembly trap and a failed allocation end a worker', () => {
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly
  expect(fatalReason(caught(() => new Instance(new Module(trap)).exports.f()))).toContain('unreachable')
  expect(fatalReason(caught(() => new ArrayBuffer(2 ** 52)))).toContain('ran out of memory')
  expect(fatalReason(new Error('Aborted(OOM). Build with -sASSERTIONS'))).toContain('ran out of memory')
})

test('errors of a run do not', () => {
  expect(fatalReason(new MaskscopeError('run', 'The loss is no longer a number.'))).toBeUndefined()
  expect(fatalReason(new RangeError('Invalid shape'))).toBeUndefined()
  expect(fatalReason('text')).toBeUndefined()
})
