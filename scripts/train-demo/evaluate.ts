import { argMax, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core'
import type { Sequential } from '@tensorflow/tfjs-layers'
import { renderScene, sceneSize, type SceneKind } from '#engine/scenes/scenes.ts'

/** Share of scenes whose top class is the class of their object. */
export function accuracyOn(model: Sequential, { first, count, kind = 'scenes' }: { first: number; count: number; kind?: SceneKind }): number {
  const batch = 50
  const pixels = sceneSize * sceneSize * 3
  let right = 0
  for (let start = 0; start < count; start += batch) {
    const n = Math.min(batch, count - start)
    const images = new Float32Array(n * pixels)
    const truth: number[] = []
    for (let i = 0; i < n; i++) {
      const scene = renderScene(first + start + i, kind)
      images.set(scene.image.data, i * pixels)
      truth.push(scene.objects[0]!.class)
    }
    const found = tidy(() => argMax(model.apply(tensor(images, [n, sceneSize, sceneSize, 3])) as Tensor, 1).dataSync())
    for (let i = 0; i < n; i++) if (found[i] === truth[i]) right++
  }
  return right / count
}
