import type { Frame } from '../masks/compose.ts'

/**
 * sRGB in [0, 1] to CIELAB (D65, 2° observer): L in [0, 100], a and b about ±100. A grey channel stands for all three.
 * @returns [pixels, 3]
 */
export function toLab(frame: Frame, image: Float32Array): Float64Array {
  const { height, width, channels } = frame
  const out = new Float64Array(height * width * 3)
  for (let i = 0; i < height * width; i++) {
    const red = linear(image[i * channels]!)
    const green = channels === 3 ? linear(image[i * channels + 1]!) : red
    const blue = channels === 3 ? linear(image[i * channels + 2]!) : red
    const x = cubeRoot((0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047)
    const y = cubeRoot(0.2126729 * red + 0.7151522 * green + 0.072175 * blue)
    const z = cubeRoot((0.0193339 * red + 0.119192 * green + 0.9503041 * blue) / 1.08883)
    out[3 * i] = 116 * y - 16
    out[3 * i + 1] = 500 * (x - y)
    out[3 * i + 2] = 200 * (y - z)
  }
  return out
}

function linear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

/** With CIE's straight line near black. */
function cubeRoot(t: number): number {
  return t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116
}
