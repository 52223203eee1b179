import type { DataId, Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import { free, type WasmBackend } from './wasm-memory.ts'

/**
 * Filters in the forms that the gradient kernels need (flipped, transposed, cut into phases). A frozen network would
 * have them made anew at every step, so its filters are marked and their forms kept. Filters that are trained are not
 * marked: every step gives them new data, and their forms are made and freed within the kernel.
 */
interface Kept {
  backend: WasmBackend | undefined
  forms: Map<string, TensorInfo[]>
}

const kept = new Map<DataId, Kept>()

/**
 * Keep the transformed forms of this filter from now on. The caller promises that its values never change and calls
 * `releaseFrozen` before it disposes the tensor. Marking twice does no harm. No effect on backends other than WASM.
 */
export function markFrozen(filter: Tensor): void {
  if (!kept.has(filter.dataId)) kept.set(filter.dataId, { backend: undefined, forms: new Map() })
}

/** Free what `markFrozen` made the kernels keep. The tensor itself stays. */
export function releaseFrozen(filter: Tensor): void {
  const entry = kept.get(filter.dataId)
  if (!entry) return
  kept.delete(filter.dataId)
  if (entry.backend) for (const forms of entry.forms.values()) free(entry.backend, ...forms)
}

/** Number of marked filters and of tensors kept for them, for tests. */
export function frozenCounts(): { filters: number; tensors: number } {
  let tensors = 0
  for (const { forms } of kept.values()) for (const infos of forms.values()) tensors += infos.length
  return { filters: kept.size, tensors }
}

/**
 * Run `use` with the forms of a filter: the kept ones of a frozen filter, or new ones that are freed afterwards.
 * @param key names the form and everything but the filter's values that it depends on
 */
export function withForms<T>(
  backend: WasmBackend,
  filter: TensorInfo,
  key: string,
  make: () => TensorInfo[],
  use: (forms: TensorInfo[]) => T,
): T {
  const entry = kept.get(filter.dataId)
  if (!entry) {
    const forms = make()
    try {
      return use(forms)
    } finally {
      free(backend, ...forms)
    }
  }
  let forms = entry.forms.get(key)
  if (!forms) {
    forms = make()
    entry.backend = backend
    entry.forms.set(key, forms)
  }
  return use(forms)
}
