export const backendIds = ['cuda', 'wasm', 'cpu'] as const
export type BackendId = (typeof backendIds)[number]

/** Which backend a worker runs on, and why not a faster one. */
export interface BackendChoice {
  id: BackendId
  /** E.g. "CPU, WebAssembly SIMD" or the GPU's name. */
  device: string
  rejected: readonly { id: BackendId; reason: string }[]
}

/** One row of `maskscope doctor`. */
export interface BackendReport {
  id: BackendId
  available: boolean
  /** Why it is not available, or what it is good for. */
  reason: string
  device: string | null
  /** Measured: a 3×3 convolution [1,56,56,64] → 64, GFLOP/s (2 per multiply-add), median; null where unavailable. */
  convolutionGflops: number | null
  chosen: boolean
}
