import type { Classifier } from '#engine/classifier/classifier.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import { integratedGradients, rise } from '../loops.ts'
import { runSeed, type Task } from '../networks/files.ts'
import type { Network } from '../networks/layers.ts'
import { median, rounded } from '../timing.ts'
import type { Peer, PeerKind } from './pytorch.ts'

export interface PeerTimes {
  /** Medians in ms. */
  jobs: Record<'neuromask100' | 'rise512' | 'integratedGradients50', { ours: number } & Record<PeerKind, number>>
  /** NeuroMask's 100 steps with our preset, which the peer does not have. */
  neuromask100Maskscope: number
  /** What is the same in both: the largest difference of two logits, the losses of the last step, the sums of the attributions. */
  checks: { logits: number; loss: [ours: number, theirs: number]; attributions: [ours: number, theirs: number] }
  /** Images in one of our calls, and the peer's variant and batch: the fastest of those tried. */
  chosen: { ours: Record<'rise' | 'integratedGradients', number>; theirs: Record<PeerKind, Record<string, string>> }
  /** What the peer tried, in ms per image. */
  tried: object[]
}

const rounds = 3
const most = 1e-4

/**
 * The same explanations by us and by the peer, in turns.
 * @throws Error where the two do not compute the same
 */
export async function measurePeer(peer: Peer, network: Network, task: Task, classifier: Classifier): Promise<PeerTimes> {
  const { name } = network
  const { image, target } = task
  const logits = await classifier.logits({ count: 1, ...classifier.info.input, data: image })
  const difference = Math.max(...Object.values((await peer.load(name)).logits).flatMap((theirs) => theirs.map((value, k) => Math.abs(value - logits[k]!))))
  if (!(difference < most)) throw new Error(`The peer's logits of ${name} differ by ${difference}: it does not run the same network.`)
  const { rows, chosen } = await peer.calibrate(name)
  const batches = await chooseBatches(classifier, image)

  let loss = NaN
  let attributions = NaN
  const pairs = {
    neuromask100: {
      ours: async () => void (loss = await neuromask(classifier, task, { preset: 'imagenet-demo', iterations: 100 })),
      theirs: (kind: PeerKind) => peer.run('neuromask', name, 100, kind),
    },
    rise512: {
      ours: async () => void (await rise(classifier, image, target, 512, batches.rise)),
      theirs: (kind: PeerKind) => peer.run('rise', name, 512, kind),
    },
    integratedGradients50: {
      ours: async () => void (attributions = (await integratedGradients(classifier, image, target, 50, batches.integratedGradients)).reduce((a, b) => a + b, 0)),
      theirs: (kind: PeerKind) => peer.run('integratedGradients', name, 50, kind),
    },
  }
  const results: Record<string, number> = {}
  const jobs = {} as PeerTimes['jobs']
  for (const [job, { ours, theirs }] of Object.entries(pairs)) {
    const times: Record<'ours' | PeerKind, number[]> = { ours: [], usual: [], tuned: [] }
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      await ours()
      times.ours.push(performance.now() - start)
      for (const kind of ['usual', 'tuned'] as const) {
        const answer = await theirs(kind)
        times[kind].push(answer.milliseconds)
        results[job] = answer.result
      }
    }
    jobs[job as keyof PeerTimes['jobs']] = { ours: rounded(median(times.ours), 1), usual: rounded(median(times.usual), 1), tuned: rounded(median(times.tuned), 1) }
  }
  const checks: PeerTimes['checks'] = {
    logits: Number(difference.toPrecision(2)),
    loss: [rounded(loss, 4), rounded(results['neuromask100']!, 4)],
    attributions: [rounded(attributions, 4), rounded(results['integratedGradients50']!, 4)],
  }
  requireSame('losses', checks.loss, name)
  requireSame('attributions', checks.attributions, name)
  const start = performance.now()
  await neuromask(classifier, task, { preset: 'maskscope', iterations: 100 })
  const neuromask100Maskscope = rounded(performance.now() - start, 1)
  return { jobs, neuromask100Maskscope, checks, chosen: { ours: batches, theirs: chosen }, tried: rows }
}

/** To 2%: ReLU's kinks fall to either side by rounding. */
function requireSame(what: string, [ours, theirs]: [number, number], network: string): void {
  if (Math.abs(ours - theirs) <= 0.02 * Math.abs(theirs) + 1e-3) return
  throw new Error(`The ${what} of ${network} are ${ours} and the peer's ${theirs}: they do not compute the same.`)
}

/** The whole method, from the clean image's class to the finished mask. @returns the total loss of the last step */
async function neuromask(classifier: Classifier, { image, target }: Task, set: ParameterValues): Promise<number> {
  const method = findMethod('neuromask')
  const parameters = resolveParameters(method, set)
  let total = NaN
  const steps = method.explain({
    classifier, images: { count: 1, ...classifier.info.input, data: image }, targets: [target], seeds: [runSeed], parameters,
    signal: new AbortController().signal,
  })
  for await (const { iteration, iterations, losses } of steps) if (iteration === iterations - 1) total = losses['total']!
  return total
}

/** The fastest per image, as the peer chooses its own. */
async function chooseBatches(classifier: Classifier, image: Float32Array): Promise<PeerTimes['chosen']['ours']> {
  const frame = classifier.info.input
  async function fastest(sizes: readonly number[], work: (count: number, data: Float32Array) => Promise<unknown>): Promise<number> {
    const times: [count: number, perImage: number][] = []
    for (const count of sizes) {
      const data = new Float32Array(count * image.length)
      for (let i = 0; i < count; i++) data.set(image, i * image.length)
      await work(count, data)
      let best = Infinity
      for (let i = 0; i < 3; i++) {
        const start = performance.now()
        await work(count, data)
        best = Math.min(best, (performance.now() - start) / count)
      }
      times.push([count, best])
    }
    return times.reduce((a, b) => (b[1] < a[1] ? b : a))[0]
  }
  return {
    rise: await fastest([1, 8, 32], (count, data) => classifier.logits({ count, ...frame, data })),
    integratedGradients: await fastest([1, 5, 10], (count, data) =>
      classifier.scoreGradient({ count, ...frame, data }, new Array(count).fill({ kind: 'logit', target: 1 }))),
  }
}
