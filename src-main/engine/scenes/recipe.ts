import { createRandom, type Random } from '#shared/random/random.ts'
import { distanceFromPalette, drawColour, drawPalette, type Rgb } from './colour.ts'
import { drawDistractorShape, type DistractorShape } from './distractors.ts'
import { forms, unitRadius } from './forms.ts'

/**
 * A scene as plain data, drawn before anything is rendered. Every part has its own stream of random numbers, and only the
 * stream `class` decides the class: size, place, rotation, colours, light, background and distractors are drawn without
 * knowing it (room is kept for the widest form), so they tell nothing about it.
 */
export interface SceneRecipe {
  seed: number
  kind: SceneKind
  /** objects[0] decides the class. */
  objects: readonly ObjectRecipe[]
  distractors: readonly DistractorRecipe[]
  palette: readonly Rgb[]
  /** Which draw of the background: 0 is the scene's own. */
  background: number
  light: Light
  /** Standard deviation of the pixel noise. */
  grain: number
}

export const sceneKinds = ['scenes', 'scenes-two', 'scenes-shifted'] as const
export type SceneKind = (typeof sceneKinds)[number]

/** Height and width of every scene, in pixels. */
export const sceneSize = 64

export interface Fill {
  colour: Rgb
  /** Change of brightness per pixel along x and y, about the shape's place. */
  shade: readonly [number, number]
  stripes: { amplitude: number; kx: number; ky: number; phase: number }
}

export interface ObjectRecipe {
  /** Index into `sceneClasses`. */
  class: number
  /** In pixels. */
  area: number
  /** Of the centroid, in pixels. */
  x: number
  y: number
  angle: number
  mirrored: boolean
  fill: Fill
}

export interface DistractorRecipe {
  shape: DistractorShape
  radius: number
  x: number
  y: number
  angle: number
  fill: Fill
}

export interface Light {
  gain: number
  /** Relative change of brightness from the picture's centre to its border. */
  slope: readonly [number, number]
}

/** Shares of the picture that an object covers. */
const areas: Record<SceneKind, readonly (readonly [number, number])[]> = {
  'scenes': [[0.05, 0.11]],
  'scenes-two': [[0.05, 0.07]],
  'scenes-shifted': [[0.042, 0.05], [0.11, 0.142]],
}

/** Objects and distractors keep this distance in RGB from every colour of the background. */
export const leastContrast = 0.4

/** Room between two shapes and from the border, in pixels. */
const gap = 1.5

export function drawRecipe(seed: number, kind: SceneKind = 'scenes'): SceneRecipe {
  const palette = drawPalette(createRandom(seed, kind, 'palette', 0))
  const circles = drawObjectCircles(createRandom(seed, kind, 'objects'), kind)
  const classes = drawClasses(createRandom(seed, kind, 'class'), circles.length)
  const turns = createRandom(seed, kind, 'turns')
  const colours = createRandom(seed, kind, 'colours')
  const objects = circles.map(({ area, x, y }, i) => ({
    class: classes[i]!, area, x, y,
    angle: turns.between(0, 2 * Math.PI), mirrored: turns.uniform() < 0.5, fill: drawFill(colours, palette),
  }))
  const light = createRandom(seed, kind, 'light')
  return {
    seed, kind, objects, palette, background: 0,
    distractors: drawDistractors(createRandom(seed, kind, 'distractors'), circles, palette),
    light: { gain: light.between(0.75, 1.1), slope: [light.between(-0.2, 0.2), light.between(-0.2, 0.2)] },
    grain: light.between(0.005, 0.035),
  }
}

/**
 * The same scene on another background, drawn as the scene's own was: one against which its objects and distractors keep
 * their contrast.
 * @param number which one, from 1
 */
export function withBackground(recipe: SceneRecipe, number: number): SceneRecipe {
  const fills = [...recipe.objects, ...recipe.distractors].map((shape) => shape.fill.colour)
  const random = createRandom(recipe.seed, recipe.kind, 'palette', number)
  let best = drawPalette(random)
  let contrast = leastContrastOf(fills, best)
  for (let tries = 0; tries < 1000 && contrast < leastContrast; tries++) {
    const palette = drawPalette(random)
    const found = leastContrastOf(fills, palette)
    if (found > contrast) [best, contrast] = [palette, found]
  }
  return { ...recipe, palette: best, background: number }
}

function leastContrastOf(fills: readonly Rgb[], palette: readonly Rgb[]): number {
  return Math.min(...fills.map((colour) => distanceFromPalette(colour, palette)))
}

interface Circle {
  x: number
  y: number
  radius: number
}

function drawObjectCircles(random: Random, kind: SceneKind): (Circle & { area: number })[] {
  for (;;) {
    const circles = Array.from({ length: kind === 'scenes-two' ? 2 : 1 }, () => {
      const [least, most] = areas[kind][random.below(areas[kind].length)]!
      const area = least * (most / least) ** random.uniform() * sceneSize * sceneSize
      return { area, ...drawPlace(random, unitRadius * Math.sqrt(area)) }
    })
    if (circles.every((a, i) => circles.every((b, j) => i === j || apart(a, b)))) return circles
  }
}

/** Uniform over the places where the circle lies within the picture. */
function drawPlace(random: Random, radius: number): Circle {
  const margin = radius + gap
  return { radius, x: random.between(margin, sceneSize - margin), y: random.between(margin, sceneSize - margin) }
}

function apart(a: Circle, b: Circle): boolean {
  return Math.hypot(a.x - b.x, a.y - b.y) >= a.radius + b.radius + gap
}

/** Different classes, each equally likely. */
function drawClasses(random: Random, count: number): number[] {
  return random.shuffle(forms.map((_, i) => i)).slice(0, count)
}

/** One to three, clear of the objects' circles and of one another; the first always finds a place (a corner is free). */
function drawDistractors(random: Random, objects: readonly Circle[], palette: readonly Rgb[]): DistractorRecipe[] {
  const wanted = 1 + random.below(3)
  const taken = [...objects]
  const distractors: DistractorRecipe[] = []
  for (let n = 0; n < wanted; n++) {
    let radius = random.between(6, 13)
    for (let tries = 0; tries < 80 || distractors.length === 0; tries++) {
      const circle = drawPlace(random, radius)
      if (taken.every((other) => apart(circle, other))) {
        taken.push(circle)
        distractors.push({ shape: drawDistractorShape(random), ...circle, angle: random.between(0, 2 * Math.PI), fill: drawFill(random, palette) })
        break
      }
      radius = Math.max(5, radius * 0.98)
    }
  }
  return distractors
}

function drawFill(random: Random, palette: readonly Rgb[]): Fill {
  let colour = drawColour(random)
  for (let tries = 0; tries < 1000 && distanceFromPalette(colour, palette) < leastContrast; tries++) colour = drawColour(random)
  const frequency = (2 * Math.PI) / random.between(3, 8)
  const angle = random.between(0, Math.PI)
  const amplitude = random.uniform() < 0.5 ? 0 : random.between(0.03, 0.12)
  return {
    colour,
    shade: [random.between(-0.008, 0.008), random.between(-0.008, 0.008)],
    stripes: { amplitude, kx: Math.cos(angle) * frequency, ky: Math.sin(angle) * frequency, phase: random.between(0, 2 * Math.PI) },
  }
}
