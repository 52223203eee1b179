import { memory } from '@tensorflow/tfjs-core'
import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { loadModel } from '#services/models.ts'
import { endlessRun, randomImage } from './neuromask-step.ts'
import { rounded } from './timing.ts'

const steps = 1000
const settled = 50

/** Resident memory after garbage collection where node runs with --expose-gc, as it stands otherwise. */
function residentMegabytes(): number {
  ;(globalThis as { gc?: () => void }).gc?.()
  return process.memoryUsage().rss / 2 ** 20
}

/** 1,000 steps of NeuroMask with the bundled classifier: tensors and resident memory before, after step 50, at the end. */
export async function run(): Promise<object> {
  await selectBackend('wasm')
  const { source } = await loadModel('demo')
  const classifier = await loadClassifier(source)
  const step = endlessRun(classifier, randomImage(classifier.info.input), { preset: 'maskscope' })
  // The first gradient prepares what the classifier keeps for all later ones.
  await step()
  const before = memory().numTensors
  let early = 0
  for (let i = 1; i <= steps; i++) {
    await step()
    if (i === settled) early = residentMegabytes()
  }
  const late = residentMegabytes()
  const after = memory().numTensors
  classifier.dispose()
  return {
    backend: 'wasm', steps,
    tensors: { before, after, difference: after - before },
    residentMegabytes: { afterStep50: rounded(early, 1), atTheEnd: rounded(late, 1) },
    residentRatio: rounded(late / early, 3),
  }
}
