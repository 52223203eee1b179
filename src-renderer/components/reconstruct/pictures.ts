import type { Pictures } from '#shared/contract/reconstruction.ts'

/** Opaque RGBA of one of the pictures, as a canvas takes it. */
export function rgbaOf({ height, width, channels, data }: Pictures, index: number): Uint8ClampedArray<ArrayBuffer> {
  const size = height * width
  const out = new Uint8ClampedArray(size * 4)
  const from = index * size * channels
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) out[i * 4 + c] = data[from + i * channels + (channels === 1 ? 0 : c)]!
    out[i * 4 + 3] = 255
  }
  return out
}

/** Pictures of one size side by side on a canvas, at their own resolution, `gap` pixels apart. */
export function drawRow(canvas: HTMLCanvasElement, pictures: Pictures, indices: readonly number[], gap: number): void {
  const { height, width } = pictures
  canvas.width = Math.max(1, indices.length * (width + gap) - gap)
  canvas.height = height
  const ctx = canvas.getContext('2d')
  if (!ctx) return
  indices.forEach((index, i) => ctx.putImageData(new ImageData(rgbaOf(pictures, index), width, height), i * (width + gap), 0))
}
