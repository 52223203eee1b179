import type { Classifier } from '#engine/classifier/classifier.ts'
import type { Step } from '#engine/methods/method.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import type { Pool } from '#pool/pool.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import type { Explanation } from '#shared/domain/run.ts'
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
  /** The peer's variant and batch: the fastest of those tried. Ours are those of the methods. */
  chosen: Record<PeerKind, Record<string, string>>
  /** What the peer tried, in ms per image. */
  tried: object[]
}

const rounds = 3
const most = 1e-4

/**
 * The same explanations by us and by the peer, in turns; ours by the methods themselves, RISE in the workers of a pool as any run.
 * @throws Error where the two do not compute the same
 */
export async function measurePeer(
  peer: Peer, network: Network, task: Task, classifier: Classifier, pool: Pool, source: ModelSource,
): Promise<PeerTimes> {
  const { name } = network
  const { image, target } = task
  const logits = await classifier.logits({ count: 1, ...classifier.info.input, data: image })
  const difference = Math.max(...Object.values((await peer.load(name)).logits).flatMap((theirs) => theirs.map((value, k) => Math.abs(value - logits[k]!))))
  if (!(difference < most)) throw new Error(`The peer's logits of ${name} differ by ${difference}: it does not run the same network.`)
  const { rows, chosen } = await peer.calibrate(name)
  const riseJob = {
    method: 'rise', parameters: resolveParameters(findMethod('rise'), { preset: 'torchray', masks: 512, score: 'probability', sigmoid: false, fill: 'zero' }),
    images: { count: 1, ...classifier.info.input, data: image }, targets: [target], seeds: [runSeed], executor: 'onnxruntime' as const,
  }
  // Helpers are found, and which way of using the cores is the better one.
  for (let i = 0; i < 2; i++) await pool.explain(source, riseJob)

  let loss = NaN
  let attributions = NaN
  const pairs = {
    neuromask100: {
      ours: async () => void (loss = await neuromask(classifier, task, { preset: 'imagenet-demo', iterations: 100 })),
      theirs: (kind: PeerKind) => peer.run('neuromask', name, 100, kind),
    },
    rise512: {
      ours: async () => void (await pool.explain(source, riseJob)),
      theirs: (kind: PeerKind) => peer.run('rise', name, 512, kind),
    },
    integratedGradients50: {
      ours: async () => {
        const { saliency } = await explainHere('integrated-gradients', classifier, task, { steps: 50, quadrature: 'middle' })
        attributions = saliency.data.reduce((a, b) => a + b, 0)
      },
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
  return { jobs, neuromask100Maskscope, checks, chosen, tried: rows }
}

/** To 2%: ReLU's kinks fall to either side by rounding. */
function requireSame(what: string, [ours, theirs]: [number, number], network: string): void {
  if (Math.abs(ours - theirs) <= 0.02 * Math.abs(theirs) + 1e-3) return
  throw new Error(`The ${what} of ${network} are ${ours} and the peer's ${theirs}: they do not compute the same.`)
}

/** The whole method, from the clean image's class to the finished mask. @returns the total loss of the last step */
async function neuromask(classifier: Classifier, task: Task, set: ParameterValues): Promise<number> {
  let total = NaN
  await explainHere('neuromask', classifier, task, set, ({ iteration, iterations, losses }) => {
    if (iteration === iterations - 1) total = losses['total']!
  })
  return total
}

/** A whole method in this process. */
async function explainHere(
  id: string, classifier: Classifier, { image, target }: Task, set: ParameterValues, see: (step: Step) => void = () => undefined,
): Promise<Explanation> {
  const method = findMethod(id)
  const steps = method.explain({
    classifier, images: { count: 1, ...classifier.info.input, data: image }, targets: [target], seeds: [runSeed],
    parameters: resolveParameters(method, set), signal: new AbortController().signal,
  })
  while (true) {
    const step = await steps.next()
    if (step.done) return step.value[0]!
    see(step.value)
  }
}
