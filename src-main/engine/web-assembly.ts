/** What we use of WebAssembly, which TypeScript knows only in its browser types. */
export interface WasmMemory {
  /** Another one after `grow`. */
  readonly buffer: ArrayBuffer
  /** By so many pages of 64 KiB. */
  grow(pages: number): number
}

interface WebAssemblyGlobal {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { exports: unknown }
  Memory: new (size: { initial: number }) => WasmMemory
}
const { Module, Instance, Memory } = (globalThis as unknown as { WebAssembly: WebAssemblyGlobal }).WebAssembly

/** @param pages of 64 KiB */
export function createMemory(pages: number): WasmMemory {
  return new Memory({ initial: pages })
}

/**
 * One of our compiled kernel files (scripts/build/simd.js) over a memory.
 * @param binary the module, in base64
 * @returns its exports
 */
export function instantiate(binary: string, memory: object): unknown {
  return new Instance(new Module(Buffer.from(binary, 'base64')), { env: { memory } }).exports
}
