import type { Random } from '#shared/random/random.ts'
import type { Images } from './data.ts'

export interface Augmentation {
  /** Pixels at most, in both directions; the border is repeated. */
  shift: number
  /** Half of the images left and right exchanged. */
  mirror: boolean
  /** So large a share of the images is mixed with its smoothed self, by a part between none and all. */
  smooth: number
}

/** Image `index`, changed by what is drawn, as values in [0, 1] from `offset` of `into`. */
export function writeAugmented(images: Images, index: number, { shift, mirror, smooth }: Augmentation, random: Random, into: Float32Array, offset: number): void {
  const { height, width, channels, pixels } = images
  const down = random.below(2 * shift + 1) - shift
  const across = random.below(2 * shift + 1) - shift
  const mirrored = random.uniform() < 0.5 && mirror
  const part = random.uniform() < smooth ? random.uniform() : 0
  const from = index * height * width * channels
  const rows = Int32Array.from({ length: height + 2 }, (_, y) => clamp(y - 1 + down, height))
  const columns = Int32Array.from({ length: width + 2 }, (_, x) => (mirrored ? width - 1 - clamp(x - 1 + across, width) : clamp(x - 1 + across, width)))
  const at = (y: number, x: number, c: number): number => pixels[from + (rows[y]! * width + columns[x]!) * channels + c]!
  for (let y = 1; y <= height; y++) {
    for (let x = 1; x <= width; x++) {
      for (let c = 0; c < channels; c++) {
        let value = at(y, x, c)
        if (part > 0) value += part * (binomial(at, y, x, c) - value)
        into[offset++] = value / 255
      }
    }
  }
}

/** The 3×3 mean of weights 1, 2, 1. */
function binomial(at: (y: number, x: number, c: number) => number, y: number, x: number, c: number): number {
  let sum = 0
  for (let v = -1; v <= 1; v++) for (let u = -1; u <= 1; u++) sum += (2 - Math.abs(v)) * (2 - Math.abs(u)) * at(y + v, x + u, c)
  return sum / 16
}

function clamp(i: number, size: number): number {
  return Math.min(size - 1, Math.max(0, i))
}
