import type { ParameterSchema } from '#shared/domain/parameters.ts'
import { wordOf } from '../methods/common/parameters.ts'
import { compose, inPlace } from '../methods/masks/compose.ts'
import { ask } from './hiding.ts'
import type { JudgedMap, MetricTask } from './metric.ts'
import { blurParameters, renderStandIn, standInChoice, type StandIn } from './stand-ins.ts'

/**
 * A map as a mask in [0, 1]. What is a mask stays what it is; the positive part of a signed map is divided by its
 * greatest value; any other map is stretched from its least to its greatest. A constant map shows all where it is above 0, else nothing.
 */
export function maskOf({ saliency: { data }, signed, mask }: JudgedMap): Float32Array {
  if (mask) return data.map((value) => Math.min(1, Math.max(0, value)))
  return stretchedMask(data, signed)
}

/** The same, but stretched in any case, as the metrics of average drop ask for. */
export function stretchedMask(data: Float32Array, signed: boolean): Float32Array {
  let least = Infinity
  let most = -Infinity
  for (const value of data) {
    if (value < least) least = value
    if (value > most) most = value
  }
  if (least === most) return data.map((value) => (value > 0 ? 1 : 0))
  const floor = signed ? 0 : least
  return data.map((value) => (most > floor ? Math.max(0, value - floor) / (most - floor) : 0))
}

export const shownSchema: ParameterSchema = {
  parameters: [standInChoice('mean'), ...blurParameters],
  presets: [
    { id: 'mean', title: 'Over the mean colour', source: 'Ours: what is hidden becomes the mean colour of the image.', values: { fill: 'mean' } },
    { id: 'product', title: 'Product', source: "As torch-cam and Xplique multiply: what is hidden becomes 0 on the model's own scale.", values: { fill: 'model-zero' } },
  ],
}

export interface Shown {
  /** Probability of the target in the whole image, and in what the map shows of it. */
  clean: number
  masked: number
  /** Mean of the mask: what is shown. */
  area: number
}

export async function show(task: MetricTask): Promise<Shown> {
  const { frame, image, map, parameters } = task
  const mask = stretchedMask(map.saliency.data, map.signed)
  const { picture } = await renderStandIn(wordOf<Exclude<StandIn, 'road'>>(parameters, 'fill'), task)
  const { scores } = await ask(task, 2, 'probability', (i, out) => {
    if (i === 0) out.set(image)
    else compose(frame, image, mask, picture, 'preserve', inPlace, out)
  })
  return { clean: scores[0]!, masked: scores[1]!, area: mask.reduce((sum, value) => sum + value, 0) / mask.length }
}
