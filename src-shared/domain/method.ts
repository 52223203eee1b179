import type { Access, ModelInfo } from './model.ts'

/** How methods stand in lists, in this order. */
export const families = ['mask', 'gradient', 'activation', 'perturbation', 'combination', 'control'] as const
export type Family = (typeof families)[number]

/** Stands where a run's method does of a map that was imported: no method of ours made it, and none can make it again. */
export const importedMethod = 'imported-map'

/** What a method may need besides access to outputs or gradients: the layers of a graph of ours, or the true object. */
export const needs = ['layers', 'object'] as const
export type Need = (typeof needs)[number]

/** What stands between a method and a model, one sentence; null: nothing. */
export function whyNot(method: { title: string; access: Access; needs?: readonly Need[] | undefined }, info: Pick<ModelInfo, 'name' | 'access' | 'multiplyAdds'>, hasObject = false): string | null {
  if (method.access === 'gradient' && info.access !== 'gradient') return `${method.title} needs gradients, which the model ${info.name} does not give.`
  if (method.needs?.includes('layers') && !hasLayers(info)) return `${method.title} looks into the layers, and those of ${info.name} cannot be looked into: it runs as it is.`
  if (method.needs?.includes('object') && !hasObject) return `${method.title} needs the true object, which is known of scenes and of images with boxes or segmentations.`
  return null
}

/** Whether the model became a graph of ours, whose layers have names and answers. */
export function hasLayers(info: Pick<ModelInfo, 'multiplyAdds'>): boolean {
  return info.multiplyAdds !== null
}
