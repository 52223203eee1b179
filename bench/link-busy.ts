import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { loadModel } from '#services/models.ts'
import { endlessRun, randomImage } from './neuromask-step.ts'

/** Computes NeuroMask with WASM until it is ended: what an engine worker does all the time. */
await selectBackend('wasm')
const classifier = await loadClassifier((await loadModel('demo')).source)
const step = endlessRun(classifier, randomImage(classifier.info.input), { preset: 'maskscope' })
process.on('disconnect', () => process.exit())
await step()
process.send!('busy')
for (;;) {
  await step()
  // Lets the end of the other side be heard.
  await new Promise((resolve) => setImmediate(resolve))
}
