import type { ImageBatch } from '#shared/domain/image.ts'
import type { RunOrderManifest } from '#storage/manifests.ts'
import { resolveScenes, type DataItem, type LoadedItem } from './datasets.ts'
import { decodeImage } from './images.ts'
import { prepareItem } from './prepared-input.ts'
import { methodOf } from './provenance.ts'

export interface Pixels {
  height: number
  width: number
  /** 8-bit RGB */
  data: Uint8Array<ArrayBuffer>
}

/** What the classifier saw of a run's image, and what stands where the mask hides it. */
export interface RunInputs {
  seen: Pixels
  fill: Pixels | null
  fillName: string
}

/** @throws MaskscopeError 'input' for a picture that cannot be read */
export async function runInputs(order: RunOrderManifest, item: LoadedItem): Promise<RunInputs> {
  const { image } = await prepareItem(item, order.model)
  const { height, width, channels } = image
  const baseline = methodOf(order.method)?.baseline?.({ image: image.data, height, width, channels, parameters: order.parameters, seed: order.seed }) ?? null
  return {
    seen: pixelsOf(image, image.data),
    fill: baseline ? pixelsOf(image, baseline.picture) : null,
    fillName: baseline?.name ?? '',
  }
}

/** The picture of a run as it was given: a scene is rendered again, a file comes from the study. */
export function runItem(image: RunOrderManifest['image'], reference: string, read: () => Promise<Uint8Array>): DataItem {
  const scene = image.kind === 'scene' ? resolveScenes(image.reference)[0] : undefined
  return scene ?? { kind: 'file', reference, load: async () => decodeImage(await read(), image.reference) }
}

/** Grey becomes three equal channels. */
function pixelsOf({ height, width, channels }: Pick<ImageBatch, 'height' | 'width' | 'channels'>, values: Float32Array): Pixels {
  const data = new Uint8Array(height * width * 3)
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let k = 0; k < 3; k++) {
      const value = values[pixel * channels + Math.min(k, channels - 1)]!
      data[pixel * 3 + k] = Math.round(Math.min(1, Math.max(0, value)) * 255)
    }
  }
  return { height, width, data }
}
