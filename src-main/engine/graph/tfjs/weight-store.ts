import type { Tensor } from '@tensorflow/tfjs-core'
import { keep, tensor } from '@tensorflow/tfjs-core'
import { markFrozen, releaseFrozen } from '../../backend/frozen.ts'
import type { Weight } from '../graph.ts'

/** The graph's weights on the active backend: uploaded at first use, kept, and disposed with the executor. */
export interface WeightStore {
  get(weight: Weight): Tensor
  /** A filter whose flipped forms the backend may keep: its values never change. */
  filter(weight: Weight): Tensor
  /** Something computed once from a weight, such as its transpose; a filter too. */
  derived(weight: Weight, what: string, make: () => { shape: readonly number[]; data: Float32Array }): Tensor
  dispose(): void
}

export function createWeightStore(): WeightStore {
  const tensors = new Map<Weight, Tensor>()
  const filters = new Set<Tensor>()
  const derived = new Map<Weight, Map<string, Tensor>>()
  const upload = ({ shape, data }: Weight): Tensor => keep(tensor(data, [...shape], 'float32'))

  function get(weight: Weight): Tensor {
    let found = tensors.get(weight)
    if (!found) tensors.set(weight, (found = upload(weight)))
    return found
  }

  function frozen(filter: Tensor): Tensor {
    if (!filters.has(filter)) {
      markFrozen(filter)
      filters.add(filter)
    }
    return filter
  }

  return {
    get,
    filter: (weight) => frozen(get(weight)),
    derived(weight, what, make) {
      let forms = derived.get(weight)
      if (!forms) derived.set(weight, (forms = new Map()))
      let found = forms.get(what)
      if (!found) forms.set(what, (found = frozen(upload(make()))))
      return found
    },
    dispose() {
      for (const filter of filters) releaseFrozen(filter)
      for (const found of tensors.values()) found.dispose()
      for (const forms of derived.values()) for (const found of forms.values()) found.dispose()
      tensors.clear()
      filters.clear()
      derived.clear()
    },
  }
}
