import type { MethodInfo } from '#shared/contract/models.ts'
import { whyNot, type Family } from '#shared/domain/method.ts'
import type { ModelInfo } from '#shared/domain/model.ts'

export interface MethodOption {
  value: string
  label: string
  note: string
  disabled: boolean
  group: string
}

/** What a method's result is made of, short. */
const familyNotes: Readonly<Record<Family, string>> = {
  mask: 'mask', gradient: 'gradient', activation: 'activation map', perturbation: 'perturbation', combination: 'combination', control: '',
}

/** In this order: what any model allows comes first. */
const groups = ['From outputs alone', 'With gradients', 'Controls'] as const

/**
 * Every method, grouped by what it asks of a model; those that the model does not allow say what they miss.
 * @param hasObject whether the image's true object is known
 */
export function methodOptions(methods: readonly MethodInfo[], info: Pick<ModelInfo, 'name' | 'access' | 'multiplyAdds'> | null, hasObject: boolean): MethodOption[] {
  const options = methods.map((method): MethodOption => {
    const missing = info !== null && whyNot(method, info, hasObject) !== null
    return {
      value: method.id, label: method.title, disabled: missing, note: missing ? missingOf(method, info!) : familyNotes[method.family],
      group: method.family === 'control' ? groups[2] : method.access === 'query' ? groups[0] : groups[1],
    }
  })
  return groups.flatMap((group) => options.filter((option) => option.group === group))
}

function missingOf(method: MethodInfo, info: Pick<ModelInfo, 'access' | 'multiplyAdds'>): string {
  if (method.access === 'gradient' && info.access !== 'gradient') return 'needs gradients'
  if (method.needs.includes('layers') && info.multiplyAdds === null) return 'needs layers'
  return 'needs the true object'
}
