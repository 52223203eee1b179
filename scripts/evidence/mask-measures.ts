import type { Classifier } from '#engine/classifier/classifier.ts'
import { averagePrecision } from '#engine/metrics/average-precision.ts'
import { energyPointingGame } from '#engine/metrics/energy-pointing-game.ts'
import { outlineImage, topClasses, topClassesUnderMask } from '#engine/metrics/keep-rate.ts'
import { harshFills, renderUnseenFill, unseenFills, type HarshFill, type UnseenFill } from '#engine/metrics/unseen-fills.ts'
import { createFill, type FillKind } from '#engine/methods/masks/fills.ts'
import type { Method } from '#engine/methods/method.ts'
import { renderScene, type SceneKind } from '#engine/scenes/scenes.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import type { Explanation } from '#shared/domain/run.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'

/** A scene that the classifier gets right. */
export interface Subject {
  seed: number
  image: ImageBatch
  target: number
  /** Another class, drawn by the scene's seed. */
  wrong: number
  /** 0 or 1 per pixel: the object that decides the class. */
  object: Uint8Array
}

/** The first `count` scenes from a seed on whose class the classifier names. */
export async function subjectsFrom(classifier: Classifier, first: number, count: number, kind: SceneKind = 'scenes'): Promise<Subject[]> {
  const subjects: Subject[] = []
  for (let seed = first; subjects.length < count; seed++) {
    const { image, objects } = renderScene(seed, kind)
    const object = objects[0]!
    const [top] = await topClasses(classifier, image)
    if (top !== object.class) continue
    const others = classifier.info.classes - 1
    const wrong = (object.class + 1 + createRandom(seed, 'wrong-class').below(others)) % classifier.info.classes
    subjects.push({ seed, image, target: object.class, wrong, object: object.mask })
  }
  return subjects
}

/** Explains every subject for its own class or the wrong one, in batches; seeds are the scenes'. */
export async function explainAll(
  method: Method, classifier: Classifier, subjects: readonly Subject[], set: Record<string, unknown>, target: 'target' | 'wrong' = 'target',
): Promise<Explanation[]> {
  const parameters = resolveParameters(method, set)
  const explanations: Explanation[] = []
  for (let from = 0; from < subjects.length; from += 20) {
    const part = subjects.slice(from, from + 20)
    const size = part[0]!.image.data.length
    const data = new Float32Array(part.length * size)
    part.forEach((subject, i) => data.set(subject.image.data, i * size))
    const run = method.explain({
      classifier, images: { ...part[0]!.image, count: part.length, data }, targets: part.map((subject) => subject[target]),
      seeds: part.map((subject) => subject.seed), parameters, signal: new AbortController().signal,
    })
    let step = await run.next()
    while (!step.done) step = await run.next()
    explanations.push(...step.value)
  }
  return explanations
}

/** Shares in [0, 1], means over the subjects. */
export interface KeepRates {
  /** Under the fill that the mask was optimised with, several draws where it is drawn. */
  own: number
  unseen: Record<UnseenFill, number>
  unseenMean: number
  /** At full contrast. */
  harsh: Record<HarshFill, number>
  /** The outline alone. */
  maskOnly: number
}

/** A mask to be judged: an explanation's, or another of the image's size. */
export type JudgedMask = Pick<Explanation, 'saliency' | 'target'>

/** How often a classifier (the explained one or a judge) names the target under finished masks. */
export async function keepRates(
  judge: Classifier, subjects: readonly Subject[], masks: readonly JudgedMask[], fill: FillKind, blur: number,
): Promise<KeepRates> {
  const kinds = [...unseenFills, ...harshFills]
  const sums: Record<string, number> = {}
  const count = (name: string, hits: number): void => {
    sums[name] = (sums[name] ?? 0) + hits / subjects.length
  }
  for (const [i, { seed, image }] of subjects.entries()) {
    const { saliency, target } = masks[i]!
    const { height, width, channels } = image
    const random = createRandom(seed, 'keep-rate')
    const own = createFill(fill, { height, width, channels }, image.data, blur, createRandom(seed, 'keep-rate', 'own'))
    const draws = Array.from({ length: own.changes ? 8 : 1 }, () => own.next().slice())
    const others = kinds.map((kind) => renderUnseenFill(kind, image.data, height, width, channels, saliency.data, random))
    const tops = await topClassesUnderMask(judge, image, saliency.data, [...draws, ...others])
    const [outline] = await topClasses(judge, { ...image, data: outlineImage(saliency.data, channels) })
    const hit = (top: number | undefined): number => (top === target ? 1 : 0)
    count('own', tops.slice(0, draws.length).reduce((sum, top) => sum + hit(top), 0) / draws.length)
    kinds.forEach((kind, k) => count(kind, hit(tops[draws.length + k])))
    count('maskOnly', hit(outline))
  }
  const rate = (name: string): number => sums[name] ?? 0
  return {
    own: rate('own'),
    unseen: { noise: rate('noise'), road: rate('road'), checkerboard: rate('checkerboard') },
    unseenMean: (rate('noise') + rate('road') + rate('checkerboard')) / 3,
    harsh: { 'full-noise': rate('full-noise'), 'full-checkerboard': rate('full-checkerboard') },
    maskOnly: rate('maskOnly'),
  }
}

/** The object itself as a mask, grown by some pixels: what the best of masks can reach. */
export function objectMasks(subjects: readonly Subject[], margin: number): JudgedMask[] {
  return subjects.map(({ image: { height, width }, object, target }) => {
    const data = new Float32Array(height * width)
    object.forEach((bit, i) => {
      if (bit === 0) return
      const y = Math.floor(i / width)
      const x = i % width
      for (let v = Math.max(0, y - margin); v <= Math.min(height - 1, y + margin); v++) {
        for (let u = Math.max(0, x - margin); u <= Math.min(width - 1, x + margin); u++) data[v * width + u] = 1
      }
    })
    return { saliency: { height, width, data }, target }
  })
}

export interface Localisation {
  averagePrecision: { mean: number; sd: number }
  /** Energy inside the object divided by the object's share of the image (what a uniform mask scores), median. */
  energyRatio: number
  /** Mean of the mask over the image. */
  area: number
}

/** Maps are ranked by their values before the sigmoid, enlarged exactly. */
export function localise(subjects: readonly Subject[], explanations: readonly Explanation[]): Localisation {
  const precisions: number[] = []
  const ratios: number[] = []
  let area = 0
  for (const [i, { object }] of subjects.entries()) {
    const { saliency, ranking } = explanations[i]!
    const ranked = ranking ? upsample(ranking, saliency.height, saliency.width) : saliency
    precisions.push(averagePrecision(ranked.data, object))
    const share = object.reduce((sum, bit) => sum + bit, 0) / object.length
    ratios.push(energyPointingGame(saliency.data, object) / share)
    area += saliency.data.reduce((sum, value) => sum + value, 0) / saliency.data.length / subjects.length
  }
  const mean = precisions.reduce((sum, value) => sum + value, 0) / precisions.length
  const sd = Math.sqrt(precisions.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, precisions.length - 1))
  ratios.sort((a, b) => a - b)
  const middle = ratios.length >> 1
  const energyRatio = ratios.length % 2 === 1 ? ratios[middle]! : (ratios[middle - 1]! + ratios[middle]!) / 2
  return { averagePrecision: { mean, sd }, energyRatio, area }
}
