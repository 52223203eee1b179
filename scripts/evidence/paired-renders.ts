import type { Classifier } from '#engine/classifier/classifier.ts'
import { drawRecipe, type SceneKind } from '#engine/scenes/recipe.ts'
import { composeScene, type Overrides } from '#engine/scenes/scenes.ts'

/** Shares of scenes, in [0, 1]. */
export interface Proof {
  scenes: number
  /** The top class is the object's. */
  right: number
  /** Of the scenes classified rightly: the object's class keeps less than .2 when the object is taken away. */
  needsObject: number
  /** Of these too: the top class stays when the background is replaced. */
  keepsOnOtherBackground: number
  /** Of the rightly classified: the object's class has at most .2 where only the distractors are left, on one colour. */
  distractorsAlone: number
  /** Of all scenes, and harder: then no class at all exceeds .2. */
  distractorsSayNothing: number
  /** The same on the scene's own background: no class at all exceeds .2. */
  restSaysNothing: number
}

/** Does the object decide? Renders of the same scene that differ in one thing, by softmax classifiers, each of which sees every render. */
export async function pairedRenders(classifiers: readonly Classifier[], first: number, count: number): Promise<Proof[]> {
  const whole = await probabilitiesOf(classifiers, first, count, {})
  const without = await probabilitiesOf(classifiers, first, count, { withoutObjects: true })
  const moved = await probabilitiesOf(classifiers, first, count, { background: 1 })
  const bare = await probabilitiesOf(classifiers, first, count, { withoutObjects: true, background: 'flat' })
  const truth = Array.from({ length: count }, (_, i) => drawRecipe(first + i).objects[0]!.class)
  return classifiers.map((_, k) => proofOf(truth, { whole: whole[k]!, without: without[k]!, moved: moved[k]!, bare: bare[k]! }))
}

function proofOf(truth: readonly number[], { whole, without, moved, bare }: Record<'whole' | 'without' | 'moved' | 'bare', Float64Array[]>): Proof {
  const all = truth.map((_, i) => i)
  const right = all.filter((i) => topOf(whole[i]!) === truth[i])
  const share = (of: number[], holds: (i: number) => boolean): number => of.filter(holds).length / of.length
  return {
    scenes: truth.length,
    right: right.length / truth.length,
    needsObject: share(right, (i) => without[i]![truth[i]!]! < 0.2),
    keepsOnOtherBackground: share(right, (i) => topOf(moved[i]!) === truth[i]),
    distractorsAlone: share(right, (i) => bare[i]![truth[i]!]! <= 0.2),
    distractorsSayNothing: share(all, (i) => Math.max(...bare[i]!) <= 0.2),
    restSaysNothing: share(all, (i) => Math.max(...without[i]!) <= 0.2),
  }
}

/** Share of scenes whose top class is that of objects[0], by classifier. */
export async function accuracies(classifiers: readonly Classifier[], first: number, count: number, kind: SceneKind = 'scenes'): Promise<number[]> {
  const truth = Array.from({ length: count }, (_, i) => drawRecipe(first + i, kind).objects[0]!.class)
  return (await probabilitiesOf(classifiers, first, count, {}, kind)).map((found) => found.filter((p, i) => topOf(p) === truth[i]).length / count)
}

/** By classifier, then by scene; a scene is rendered once. */
async function probabilitiesOf(
  classifiers: readonly Classifier[], first: number, count: number, overrides: Overrides, kind: SceneKind = 'scenes',
): Promise<Float64Array[][]> {
  const batch = 50
  const rows = classifiers.map((): Float64Array[] => [])
  for (let start = 0; start < count; start += batch) {
    const images = Array.from({ length: Math.min(batch, count - start) }, (_, i) => composeScene(drawRecipe(first + start + i, kind), overrides).image)
    const size = images[0]!.data.length
    const data = new Float32Array(images.length * size)
    images.forEach((image, i) => data.set(image.data, i * size))
    for (const [k, classifier] of classifiers.entries()) {
      const logits = await classifier.logits({ ...images[0]!, count: images.length, data })
      const classes = logits.length / images.length
      for (let i = 0; i < images.length; i++) rows[k]!.push(softmax(logits.subarray(i * classes, (i + 1) * classes)))
    }
  }
  return rows
}

function softmax(logits: Float32Array): Float64Array {
  const most = Math.max(...logits)
  const powers = Float64Array.from(logits, (value) => Math.exp(value - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((value) => value / sum)
}

function topOf(probabilities: Float64Array): number {
  return probabilities.indexOf(Math.max(...probabilities))
}
