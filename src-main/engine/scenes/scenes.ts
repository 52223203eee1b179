import type { ImageBatch } from '#shared/domain/image.ts'
import { createRandom } from '#shared/random/random.ts'
import { distractorDistance } from './distractors.ts'
import { forms } from './forms.ts'
import { rasterise, type Placement } from './rasterise.ts'
import { drawRecipe, sceneSize, withBackground, type Fill, type ObjectRecipe, type SceneKind, type SceneRecipe } from './recipe.ts'
import { commonFamilies, renderTexture, shiftedFamilies } from './textures.ts'

export { sceneKinds, sceneSize, type SceneKind } from './recipe.ts'

/** The ten classes, in the order of the demo classifiers' outputs. */
export const sceneClasses: readonly string[] = forms.map((form) => form.name)

export interface SceneObject {
  /** Index into `sceneClasses`. */
  class: number
  /** [64·64], 1 where the object covers at least half of the pixel; nothing lies over an object. */
  mask: Uint8Array
}

export interface Scene {
  seed: number
  kind: SceneKind
  /** [1, 64, 64, 3] in [0, 1]. */
  image: ImageBatch
  /** objects[0] decides the class. Empty where the objects were left out. */
  objects: SceneObject[]
  recipe: SceneRecipe
}

/** A paired render: the same scene, in the same light and with the same noise, but for what is named. */
export interface Overrides {
  withoutObjects?: boolean
  withoutDistractors?: boolean
  /** 1, 2, …: another background drawn the same way; `flat`: one colour of the palette. */
  background?: number | 'flat'
}

/**
 * The scene of a seed. Seeds: 0–999,999 training, 1,000,000–1,999,999 tuning, 2,000,000 and up evaluation.
 * The same seed gives the same bytes.
 */
export function renderScene(seed: number, kind: SceneKind = 'scenes', overrides: Overrides = {}): Scene {
  return composeScene(drawRecipe(seed, kind), overrides)
}

export function composeScene(drawn: SceneRecipe, overrides: Overrides = {}): Scene {
  const { background = 0, withoutObjects = false, withoutDistractors = false } = overrides
  const recipe = typeof background === 'number' && background > 0 ? withBackground(drawn, background) : drawn
  const data = renderBackground(recipe, background === 'flat')
  const objects = withoutObjects ? [] : recipe.objects.map((object) => paintObject(data, object))
  if (!withoutDistractors) {
    for (const { shape, radius, x, y, angle, fill } of recipe.distractors) {
      paint(data, distractorDistance(shape), { x, y, angle, mirrored: false, scale: radius, radius }, fill)
    }
  }
  lightAndGrain(data, recipe)
  const image = { count: 1, height: sceneSize, width: sceneSize, channels: 3, data }
  return { seed: recipe.seed, kind: recipe.kind, image, objects, recipe }
}

function renderBackground(recipe: SceneRecipe, flat: boolean): Float32Array {
  if (flat) {
    const [r, g, b] = recipe.palette[1]!
    const data = new Float32Array(sceneSize * sceneSize * 3)
    for (let i = 0; i < data.length; i += 3) data.set([r, g, b], i)
    return data
  }
  const random = createRandom(recipe.seed, recipe.kind, 'background', recipe.background)
  const families = recipe.kind === 'scenes-shifted' ? shiftedFamilies : commonFamilies
  return renderTexture(random, sceneSize, sceneSize, { families, palette: recipe.palette })
}

/** Where an object's form lies: its area is the recipe's. */
export function objectPlacement(object: ObjectRecipe): Placement {
  const form = forms[object.class]!
  const scale = Math.sqrt(object.area / form.area)
  return { x: object.x, y: object.y, angle: object.angle, mirrored: object.mirrored, scale, radius: form.radius * scale }
}

function paintObject(data: Float32Array, object: ObjectRecipe): SceneObject {
  const mask = new Uint8Array(sceneSize * sceneSize)
  paint(data, forms[object.class]!.signedDistance, objectPlacement(object), object.fill, (index, coverage) => {
    mask[index] = coverage >= 0.5 ? 1 : 0
  })
  return { class: object.class, mask }
}

function paint(
  data: Float32Array,
  signedDistance: (x: number, y: number) => number,
  place: Placement,
  fill: Fill,
  visit: (index: number, coverage: number) => void = () => {},
): void {
  const { colour, shade, stripes } = fill
  rasterise(signedDistance, place, sceneSize, sceneSize, (index, coverage) => {
    const dx = (index % sceneSize) - place.x
    const dy = Math.floor(index / sceneSize) - place.y
    const tone = shade[0] * dx + shade[1] * dy + stripes.amplitude * Math.sin(stripes.kx * dx + stripes.ky * dy + stripes.phase)
    for (let k = 0; k < 3; k++) {
      const i = 3 * index + k
      data[i] = data[i]! + (colour[k]! + tone - data[i]!) * coverage
    }
    visit(index, coverage)
  })
}

function lightAndGrain(data: Float32Array, recipe: SceneRecipe): void {
  const random = createRandom(recipe.seed, recipe.kind, 'grain')
  const { gain, slope } = recipe.light
  // A byte is uniform over [0, 256) with standard deviation 73.9.
  const noise = recipe.grain / 73.9
  for (let y = 0, i = 0; y < sceneSize; y++) {
    for (let x = 0; x < sceneSize; x++, i += 3) {
      const level = gain * (1 + slope[0] * (x / 32 - 1) + slope[1] * (y / 32 - 1))
      const bits = random.uint32()
      for (let k = 0; k < 3; k++) {
        const value = data[i + k]! * level + (((bits >>> (8 * k)) & 255) - 127.5) * noise
        data[i + k] = value < 0 ? 0 : value > 1 ? 1 : value
      }
    }
  }
}
