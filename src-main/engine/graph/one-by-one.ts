import type { Executor } from './executor.ts'
import { joined } from './joined.ts'

/** An executor that takes batches, over one whose graph takes a single image at a time. */
export function oneByOne(single: Executor): Executor {
  async function each<T>(images: Float32Array, count: number, ask: (image: Float32Array, i: number) => Promise<T>): Promise<T[]> {
    const size = images.length / count
    const answers: T[] = []
    for (let i = 0; i < count; i++) answers.push(await ask(images.subarray(i * size, (i + 1) * size), i))
    return answers
  }

  return {
    id: single.id,
    async forward(images, count) {
      return joined(await each(images, count, (image) => single.forward(image, 1)))
    },
    async gradient(images, count, scores, reluRule) {
      const answers = await each(images, count, (image, i) => single.gradient(image, 1, [scores[i]!], reluRule))
      return {
        logits: joined(answers.map((a) => a.logits)),
        scores: joined(answers.map((a) => a.scores)),
        gradient: joined(answers.map((a) => a.gradient)),
      }
    },
    async activations(images, count, node, scores, reluRule) {
      const answers = await each(images, count, (image, i) => single.activations(image, 1, node, scores && [scores[i]!], reluRule))
      return {
        shape: answers[0]!.shape,
        activations: joined(answers.map((a) => a.activations)),
        gradients: scores && joined(answers.map((a) => a.gradients!)),
        logits: joined(answers.map((a) => a.logits)),
        scores: scores && joined(answers.map((a) => a.scores!)),
      }
    },
    ablated: (images, count, node, channels, most) => single.ablated(images, count, node, channels, most),
    dispose: () => single.dispose(),
  }
}
