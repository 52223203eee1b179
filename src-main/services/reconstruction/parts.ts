import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveData, type DataItem } from '../datasets.ts'
import { halfOf } from './halves.ts'

/** What a reconstruction does with the images of a data set. No image is in two of them. */
export interface DataParts {
  /** Half A, whose salient inputs the generator learns from. */
  seen: DataItem[]
  /** Half B, as large: real images that the generator never sees. */
  unseen: DataItem[]
  /** What the report is made on; the classifier and the judge saw none of them either, where the data set keeps a test part. */
  test: DataItem[]
}

/** How many of them. null: all there are, as many on both sides. */
export interface WantedParts {
  images: number | null
  test: number
}

/** Of data without a test part, every so many images are kept for it. */
const testEvery = 10
/** Seeds of scenes that nothing was trained or tuned on, and those that no classifier bundled here was trained on but the judge. */
const firstTestScene = 2_000_000
const firstUnseenScene = 500_000

/**
 * `idx:` and `cifar10:` have a training part of their own: its images of even number are half A, the others half B, and the other part is for
 * the test. `scenes:COUNT@SEED` are half A; B and the test are scenes of other seeds. Of everything else each tenth image is for the test
 * and the rest goes to both halves in turns.
 * @throws MaskscopeError 'usage' where there is too little, with the subject `data`
 */
export async function partsOf(data: string, { images, test }: WantedParts): Promise<DataParts> {
  const { training, tested, halved } = await sides(data, images, test)
  const seen = halved ? halfOf(training, 'a') : training.slice(0, training.length / 2)
  const unseen = halved ? halfOf(training, 'b') : training.slice(training.length / 2)
  const count = Math.min(images ?? Infinity, seen.length, unseen.length)
  if (count < 2 || tested.length === 0) {
    throw new MaskscopeError('usage', `${data} has ${training.length} images to learn from and ${tested.length} for the test; a reconstruction needs at least four and one.`, { subject: 'data' })
  }
  return { seen: seen.slice(0, count), unseen: unseen.slice(0, count), test: tested.slice(0, test) }
}

async function sides(data: string, images: number | null, test: number): Promise<{ training: DataItem[]; tested: DataItem[]; halved: boolean }> {
  const scenes = /^(scenes|scenes-two|scenes-shifted):(\d+)@(\d+)$/.exec(data)
  if (scenes) {
    const [, kind, count, first] = scenes
    const wanted = Math.min(images ?? Infinity, Number(count))
    const [from, beside] = [Number(first), Number(first) < firstUnseenScene ? Number(first) + firstUnseenScene : Number(first) + Number(count)]
    if (from + Number(count) > firstTestScene || beside + wanted > firstTestScene) {
      throw new MaskscopeError('usage', `The scenes of ${data} are for tests; a generator learns from seeds below ${firstTestScene}, e.g. scenes:5000@0.`, { subject: 'data' })
    }
    const both = [...(await resolveData(`${kind}:${wanted}@${from}`)), ...(await resolveData(`${kind}:${wanted}@${beside}`))]
    return { training: both, tested: await resolveData(`${kind}:${test}@${firstTestScene}`), halved: false }
  }
  const packed = /^((?:idx|cifar10):.*?)(?::train)?$/s.exec(data)
  if (packed) return { training: await resolveData(`${packed[1]}:train`), tested: await resolveData(packed[1]!), halved: true }
  const all = await resolveData(data)
  return { training: all.filter((_, i) => i % testEvery !== testEvery - 1), tested: all.filter((_, i) => i % testEvery === testEvery - 1), halved: true }
}
