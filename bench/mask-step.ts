import os from 'node:os'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { createRandom } from '#shared/random/random.ts'
import { endlessRun, randomImage } from './neuromask-step.ts'
import { median, rounded } from './timing.ts'

/** Answers at once, with the same logits and gradient each time: what remains of a step is the mask's own arithmetic. */
function freeClassifier(side: number): Classifier {
  const random = createRandom(2, 'bench')
  const logits = Float32Array.from({ length: 1000 }, () => random.normal())
  const gradient = Float32Array.from({ length: side * side * 3 }, () => 1e-3 * random.normal())
  const unused = (): never => {
    throw new Error('not needed here')
  }
  return {
    info: {
      name: 'free', sha256: '', format: 'benchmark', input: { height: side, width: side, channels: 3 }, classes: 1000, labels: null, head: 'softmax',
      access: 'gradient', parameters: 0, multiplyAdds: null, notes: [], executor: { id: 'tfjs', reason: '', measured: {}, version: null },
      preprocessing: { fit: 'squash', cropFraction: 1, resizeFilter: 'bilinear', range: [0, 1], mean: [0], std: [1], channelOrder: 'rgb' },
    },
    graph: null,
    limits: { forward: 1, gradient: 1 },
    logits: async () => logits,
    scoreGradient: async () => ({ scores: new Float32Array(1), logits, gradient }),
    activations: unused,
    relevance: unused,
    withWeights: unused,
    dispose: () => undefined,
  }
}

/** What NeuroMask itself costs at every step, in ms: the median of 600, and the fastest, which a busy machine changes little. */
export async function run(): Promise<object> {
  const milliseconds: Record<string, object> = {}
  for (const side of [32, 224]) {
    for (const preset of ['maskscope', 'imagenet-demo']) {
      const step = endlessRun(freeClassifier(side), randomImage({ height: side, width: side, channels: 3 }), { preset })
      const times: number[] = []
      for (let i = -400; i < 600; i++) {
        const start = performance.now()
        await step()
        if (i >= 0) times.push(performance.now() - start)
      }
      milliseconds[`${side} px, ${preset}`] = { median: rounded(median(times), 3), fastest: rounded(Math.min(...times), 3) }
    }
  }
  return { processor: os.cpus()[0]?.model.trim() ?? '', load: rounded(os.loadavg()[0]!), milliseconds }
}
