import { conv2d, fill, sum, tidy, type Rank } from '@tensorflow/tfjs-core'

/**
 * Throughput of a 3×3 convolution [1, 56, 56, 64] → 64 on the active backend, in GFLOP/s (2 per multiply-add): the
 * median of up to 9 runs within one second, after one that is not counted.
 */
export async function convolutionGflops(): Promise<number> {
  const size = 56
  const channels = 64
  const x = fill<Rank.R4>([1, size, size, channels], 0.5)
  const filter = fill<Rank.R4>([3, 3, channels, channels], 0.25)
  const flops = 2 * size * size * 9 * channels * channels
  // Reading one number waits for a GPU to finish.
  const once = (): void => tidy(() => void sum(conv2d(x, filter, 1, [[0, 0], [1, 1], [1, 1], [0, 0]])).dataSync())
  try {
    return flops / (await medianOfSecond(async () => once())) / 1e6
  } finally {
    x.dispose()
    filter.dispose()
  }
}

/** In ms: the median of up to 9 runs within one second, after one that is not counted. */
export async function medianOfSecond(once: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  const begin = performance.now()
  await once()
  // What took the second in its first run by itself is measured by that run.
  if (performance.now() - begin > 700) times.push(performance.now() - begin)
  while (times.length < 9 && performance.now() - begin < 1000) {
    const start = performance.now()
    await once()
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  return times[times.length >> 1]!
}
