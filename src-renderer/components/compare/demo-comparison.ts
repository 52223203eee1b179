import type { MethodInfo } from '#shared/contract/models.ts'
import { whyNot } from '#shared/domain/method.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import { useComparison } from '../../stores/comparison.ts'
import { demoScene, useDemo } from '../../stores/demo.ts'
import { useImages } from '../../stores/images.ts'
import { useModels } from '../../stores/models.ts'
import { useOrder } from '../../stores/order.ts'

/** One of each family, quick ones; those that the model allows. */
const wanted = ['neuromask', 'grad-cam', 'integrated-gradients', 'rise', 'occlusion', 'lime', 'sensitivity-mask'] as const

export function usualMethods(methods: readonly MethodInfo[], info: Pick<ModelInfo, 'name' | 'access' | 'multiplyAdds'> | null): string[] {
  return wanted.filter((id) => {
    const method = methods.find((one) => one.id === id)
    return method && (info === null || whyNot(method, info) === null)
  }).slice(0, 4)
}

/** So many scenes stand below each other. */
const scenes = 3

/** The bundled model, three scenes and four methods, in one click; what goes wrong stands with the model or the images. */
export async function openDemoComparison(): Promise<void> {
  const [comparison, demo, images, models, order] = [useComparison(), useDemo(), useImages(), useModels(), useOrder()]
  if (models.current === null) await models.open({ bundled: models.bundled[0]?.name ?? 'demo' })
  const first = Number(demoScene.split(':')[1])
  await images.open({ scene: `scenes:${scenes}@${first}` })
  if (models.current === null || demo.opening || images.error) return
  for (const method of usualMethods(order.methods, models.info)) comparison.addColumn({ method })
}
