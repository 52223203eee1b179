import type { Parameter } from '#shared/domain/parameters.ts'
import type { ModelInfo, Preprocessing } from '#shared/domain/model.ts'
import type { Random } from '#shared/random/random.ts'
import type { Frame } from '../masks/compose.ts'
import { createFill, fillNames, type FillKind } from '../masks/fills.ts'

/**
 * Where zero lives: what an attribution is counted from, or what a mask hides an image with. Black is 0 of the picture. `model-zero` is
 * the colour that the network receives as 0, often the mean of its training data: the zero of programs that see the image only after
 * its normalisation.
 */
export type Zero = Exclude<FillKind, 'drawn'> | 'model-zero'

const labels: Readonly<Record<Zero, string>> = {
  zero: 'Black', 'model-zero': "The model's own zero", mean: 'Mean colour of the image', blur: 'The image, blurred', noise: 'Uniform noise',
}

/** The shared parameter `fill`, with the model's own zero besides. @param label and @param help of the method that takes it */
export function zeroParameter(label: string, help: string, fallback: Zero, offered: readonly Zero[], tuned: readonly Zero[]): Parameter {
  return {
    type: 'choice', name: 'fill', label, group: 'Fill', common: true, help,
    default: fallback, options: offered.map((value) => ({ value, label: labels[value] })), tune: { values: tuned },
  }
}

/** In pictures of [0, 1], one number per channel: (mean − lower end of the range) / (upper − lower). */
export function modelZero({ range, mean, channelOrder }: Preprocessing, channels: number): number[] {
  return Array.from({ length: channels }, (_, c) => {
    const place = channelOrder === 'bgr' ? channels - 1 - c : c
    return ((mean.length === 1 ? mean[0]! : mean[place]!) - range[0]) / (range[1] - range[0])
  })
}

/** How far one unit of what the network receives reaches in pictures of [0, 1], per channel. */
export function modelUnit({ range, std, channelOrder }: Preprocessing, channels: number): number[] {
  return Array.from({ length: channels }, (_, c) => {
    const place = channelOrder === 'bgr' ? channels - 1 - c : c
    return (std.length === 1 ? std[0]! : std[place]!) / Math.abs(range[1] - range[0])
  })
}

/**
 * The picture that stands for zero, H·W·C.
 * @param blur σ of `blur` in pixels
 * @param random the stream of `noise`
 */
export function zeroPicture(kind: Zero, info: ModelInfo, frame: Frame, image: Float32Array, blur: number, random: Random): Float32Array {
  if (kind !== 'model-zero') return createFill(kind, frame, image, blur, random).next()
  const colour = modelZero(info.preprocessing, frame.channels)
  return Float32Array.from(image, (_, i) => colour[i % frame.channels]!)
}

/** What stood for zero, for people. */
export function zeroName(kind: Zero, info: ModelInfo, channels: number): string {
  if (kind !== 'model-zero') return fillNames[kind]
  return `the model's own zero (${modelZero(info.preprocessing, channels).map((value) => value.toFixed(3)).join(', ')})`
}
