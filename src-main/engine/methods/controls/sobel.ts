import type { MapData } from '#shared/domain/image.ts'
import type { Frame } from '../masks/compose.ts'

/**
 * The length of the brightness gradient by Sobel's kernels divided by 8, per pixel; the border continues. Brightness is .299 R + .587 G + .114 B,
 * or the one channel.
 * @param image H·W·C in [0, 1]
 * @returns in [0, 1]: a step from black to white along a side gives ½
 */
export function sobel({ height, width, channels }: Frame, image: Float32Array): MapData {
  const weights = channels === 3 ? [0.299, 0.587, 0.114] : new Array<number>(channels).fill(1 / channels)
  const brightness = Float32Array.from({ length: height * width }, (_, i) => weights.reduce((sum, weight, c) => sum + weight * image[i * channels + c]!, 0))
  const data = new Float32Array(height * width)
  for (let y = 0; y < height; y++) {
    const [up, here, down] = [Math.max(0, y - 1) * width, y * width, Math.min(height - 1, y + 1) * width]
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)]
      const at = (row: number, column: number): number => brightness[row + column]!
      const across = at(up, right) - at(up, left) + 2 * (at(here, right) - at(here, left)) + at(down, right) - at(down, left)
      const along = at(down, left) - at(up, left) + 2 * (at(down, x) - at(up, x)) + at(down, right) - at(up, right)
      data[here + x] = Math.hypot(across, along) / 8
    }
  }
  return { height, width, data }
}
