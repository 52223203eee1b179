import process from 'node:process'
import { sampleCorrelation } from 'simple-statistics'
import { selectBackend } from '#engine/backend/select.ts'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { findMethod } from '#engine/methods/registry.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import { batchesOf, loadPretrained, logitsOf, pretrainedNetworks, recognised, samplesOf, type PretrainedNetwork } from './pretrained-networks.ts'

const executors: readonly ExecutorId[] = ['tfjs', 'onnxruntime']
const neuromask = findMethod('neuromask')
const steps = 300

interface Outcome {
  top1: number
  top5: number
  logits: Float32Array
  gradient: Float32Array
  /** With our preset, and with the published one. */
  ours: Float32Array
  published: Float32Array
  nudged: Float32Array | null
}

/** The table of docs/evidence/pretrained.md, as Markdown: every pretrained network on both executors, side by side. */
export async function measure(): Promise<string> {
  const root = process.env['MASKSCOPE_DATA']
  if (root === undefined) throw new Error('Set MASKSCOPE_DATA to the folder of the real data sets.')
  await selectBackend('wasm')
  const rows: string[][] = []
  for (const network of pretrainedNetworks) {
    const [tfjs, native] = [await outcomeOn(root, network, executors[0]!), await outcomeOn(root, network, executors[1]!)]
    rows.push([
      network.folder, known(network), counts(network, tfjs), counts(network, native),
      largestDifference(tfjs.logits, native.logits).toExponential(1), correlation(tfjs.gradient, native.gradient).toFixed(6),
      correlation(tfjs.published, native.published).toFixed(4), correlation(tfjs.ours, native.ours).toFixed(4), correlation(native.ours, native.nudged!).toFixed(4),
    ])
  }
  const head = [
    'network', 'known: top-1, top-5', 'tfjs (WASM)', 'onnxruntime', 'largest difference of logits', 'gradients, correlation',
    'masks, published preset', 'masks, our preset', 'our preset, one executor, picture changed by 1e-6',
  ]
  return [
    'Counts are images recognised: of 110 photos (central crop), or of the first 1,000 test images of CIFAR-10; "known" was measured elsewhere on the same files.',
    'The logits are those of all these images; gradients (of the log-odds of the top class, with respect to the image) and masks are of the first one. Masks are those',
    `of NeuroMask after ${steps} steps from the same seed, compared between the executors by Pearson correlation. The last column shows what rounding alone does to`,
    'the course of an optimisation.',
    '',
    ...[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n')
}

async function outcomeOn(root: string, network: PretrainedNetwork, executor: ExecutorId): Promise<Outcome> {
  const classifier = await loadPretrained(root, network, executor)
  try {
    const samples = await samplesOf(root, network.data)
    const batches = await batchesOf(classifier, samples, 10)
    const logits = await logitsOf(classifier, batches)
    const { top1, top5 } = recognised(logits, network, samples)
    const first: ImageBatch = { ...batches[0]!, count: 1, data: batches[0]!.data.slice(0, batches[0]!.data.length / batches[0]!.count) }
    const target = topClass(logits.subarray(0, classifier.info.classes))
    const { gradient } = await classifier.scoreGradient(first, [{ kind: 'log-odds', target }])
    const ours = await maskOf(classifier, first, target, {})
    const published = await maskOf(classifier, first, target, { preset: network.data === 'cifar10' ? 'cifar10-demo' : 'imagenet-demo' })
    // What rounding alone does: the same executor, its picture changed in the seventh digit.
    const nudged = executor === 'tfjs' ? null : await maskOf(classifier, { ...first, data: first.data.map((v, i) => v * (1 + (i % 2 === 0 ? 1e-6 : -1e-6))) }, target, {})
    return { top1, top5, logits, gradient, ours, published, nudged }
  } finally {
    classifier.dispose()
  }
}

async function maskOf(classifier: Classifier, images: ImageBatch, target: number, set: ParameterValues): Promise<Float32Array> {
  const parameters = resolveParameters(neuromask, { ...set, iterations: steps })
  const run = neuromask.explain({ classifier, images, targets: [target], seeds: [1], parameters, signal: new AbortController().signal })
  let step = await run.next()
  while (!step.done) step = await run.next()
  return step.value[0]!.saliency.data
}

function topClass(row: Float32Array): number {
  return row.indexOf(row.reduce((max, z) => Math.max(max, z), -Infinity))
}

function counts({ data }: PretrainedNetwork, { top1, top5 }: Outcome): string {
  return data === 'cifar10' ? String(top1) : `${top1}, ${top5}`
}

function known({ known: { top1, top5 } }: PretrainedNetwork): string {
  return top5 === null ? String(top1) : `${top1}, ${top5}`
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0)
}

function correlation(a: Float32Array, b: Float32Array): number {
  return sampleCorrelation([...a], [...b])
}
