import type { MapData, Picture } from '#shared/domain/image.ts'
import type { RunFigureData } from '#shared/figure/run-figure-data.ts'

/** A picture of soft shapes, the same on every machine. */
export function examplePicture(width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const disc = Math.hypot(x - width * 0.62, y - height * 0.42) < Math.min(width, height) * 0.22 ? 1 : 0
      const at = (y * width + x) * 3
      data[at] = disc ? 214 : Math.round(90 + (60 * x) / width)
      data[at + 1] = disc ? 120 : Math.round(130 + (40 * y) / height)
      data[at + 2] = disc ? 40 : 110
    }
  }
  return { width, height, data }
}

/** A mask that marks the disc and, weakly, a second place. */
export function exampleMap(width: number, height: number): MapData {
  const data = new Float32Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = (x + 0.5) / width
      const v = (y + 0.5) / height
      const blob = (cx: number, cy: number, r: number) => Math.exp(-((u - cx) ** 2 + (v - cy) ** 2) / (2 * r * r))
      const value = 0.97 * blob(0.62, 0.42, 0.12) + 0.3 * blob(0.25, 0.75, 0.1)
      data[y * width + x] = value < 0.02 ? 0 : Math.min(1, value)
    }
  }
  return { width, height, data }
}

/** A finished run as NeuroMask might leave it, 200 iterations. */
export function exampleRun(changes: Partial<RunFigureData> = {}): RunFigureData {
  const iterations = Array.from({ length: 201 }, (_, i) => i)
  const prediction = iterations.map((i) => 0.03 + 2.2 * Math.exp(-i / 25) * (1 + 0.2 * Math.sin(i)))
  const sparsity = iterations.map((i) => 0.12 + 2.9 * Math.exp(-i / 60))
  const smoothness = iterations.map((i) => 0.04 + 60 * Math.exp(-i / 12))
  return {
    picture: examplePicture(160, 120),
    view: { picture: { width: 160, height: 120 }, crop: { left: 0, top: 0, width: 160, height: 120 }, size: { width: 64, height: 64 } },
    map: exampleMap(28, 28),
    signed: false,
    range: [0, 1],
    losses: {
      iterations,
      terms: [
        { name: 'prediction', values: prediction },
        { name: 'sparsity', values: sparsity },
        { name: 'smoothness', values: smoothness },
        { name: 'total', values: iterations.map((_, i) => prediction[i]! + sparsity[i]! + smoothness[i]!) },
      ],
      probability: iterations.map((i) => 0.97 - 0.85 * Math.exp(-i / 30) * (1 + 0.1 * Math.sin(i))),
    },
    image: 'orange.png',
    model: 'demo',
    method: 'NeuroMask',
    target: { index: 5, label: 'orange' },
    probability: { original: 0.993, masked: 0.969 },
    deletes: false,
    score: 'log-probability',
    settings: ['preset Maskscope', 'fill mean colour'],
    seed: 7,
    backend: 'wasm',
    executor: 'tfjs',
    iterations: 200,
    ...changes,
  }
}
