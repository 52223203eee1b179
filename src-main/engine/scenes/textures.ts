import type { Random } from '#shared/random/random.ts'
import { clampUnit, drawPalette, type Rgb } from './colour.ts'
import { fractalNoise, valueNoise, type Field } from './field.ts'

/**
 * Seeded textures without any object in them: the backgrounds of the scenes, and fills for masked images. Every family
 * turns random numbers into a scalar field in [0, 1], which runs through the colours of a palette. Their cells, dots and
 * strokes stay below the size of an object (12 px at 64), so that no texture holds a class.
 */
type Painter = (random: Random, height: number, width: number, scale: number) => Field

const painters = {
  clouds: (random, height, width, scale) => fractalNoise(random, height, width, random.between(8, 24) * scale),
  blotches,
  stripes,
  checks,
  cells,
  dots,
  strokes,
  weave,
  ripples,
  bricks,
  grain: (random, height, width, scale) => valueNoise(random, height, width, random.between(1.2, 2.5) * scale),
} satisfies Record<string, Painter>

export type TextureFamily = keyof typeof painters

/** The families of `scenes` and `scenes-two`. */
export const commonFamilies: readonly TextureFamily[] = ['clouds', 'blotches', 'stripes', 'checks', 'cells', 'dots', 'strokes']
/** The families of `scenes-shifted`; no training scene has them. */
export const shiftedFamilies: readonly TextureFamily[] = ['weave', 'ripples', 'bricks', 'grain']

export interface TextureOptions {
  /** Default: `commonFamilies`. */
  families?: readonly TextureFamily[]
  /** Two colours or more; drawn where absent. */
  palette?: readonly Rgb[]
}

/**
 * A texture of any size; half of them are two families divided by a wandering border. Feature sizes scale with
 * min(height, width) / 64.
 * @returns [height, width, 3], values in [0, 1]
 */
export function renderTexture(random: Random, height: number, width: number, options: TextureOptions = {}): Float32Array {
  const families = options.families ?? commonFamilies
  const palette = options.palette ?? drawPalette(random)
  const scale = Math.min(height, width) / 64
  const paint = (): Field => painters[families[random.below(families.length)]!](random, height, width, scale)
  const field = paint()
  if (random.uniform() < 0.5) {
    const border = valueNoise(random, height, width, random.between(18, 36) * scale)
    const other = paint()
    for (let i = 0; i < field.length; i++) if (border[i]! > 0.5) field[i] = other[i]!
  }
  return throughPalette(field, palette, random.uniform() < 0.5)
}

/** Values 0 to 1 run through the colours in turn, in 1,024 steps. */
function throughPalette(field: Field, palette: readonly Rgb[], reversed: boolean): Float32Array {
  const steps = 1024
  const table = new Float32Array(3 * (steps + 1))
  for (let n = 0; n <= steps; n++) {
    const place = (n / steps) * (palette.length - 1)
    const lower = Math.min(palette.length - 2, Math.floor(place))
    const a = palette[lower]!
    const b = palette[lower + 1]!
    for (let k = 0; k < 3; k++) table[3 * n + k] = a[k]! + (b[k]! - a[k]!) * (place - lower)
  }
  const picture = new Float32Array(field.length * 3)
  for (let i = 0; i < field.length; i++) {
    const value = clampUnit(field[i]!)
    const entry = 3 * Math.round((reversed ? 1 - value : value) * steps)
    picture[3 * i] = table[entry]!
    picture[3 * i + 1] = table[entry + 1]!
    picture[3 * i + 2] = table[entry + 2]!
  }
  return picture
}

function blotches(random: Random, height: number, width: number, scale: number): Field {
  const field = fractalNoise(random, height, width, random.between(8, 16) * scale)
  const low = random.between(0.3, 0.45)
  const high = random.between(0.55, 0.7)
  for (let i = 0; i < field.length; i++) field[i] = field[i]! < low ? 0 : field[i]! < high ? 0.5 : 1
  return field
}

function stripes(random: Random, height: number, width: number, scale: number): Field {
  const angle = random.between(0, Math.PI)
  const frequency = (2 * Math.PI) / (random.between(4, 11) * scale)
  const kx = Math.cos(angle) * frequency
  const ky = Math.sin(angle) * frequency
  const phase = random.between(0, 2 * Math.PI)
  const sharpness = random.between(0.6, 4)
  const field = valueNoise(random, height, width, random.between(14, 30) * scale)
  const warp = random.between(0, 6)
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) field[i] = soften(Math.sin(kx * x + ky * y + phase + warp * field[i]!), sharpness)
  }
  return field
}

function checks(random: Random, height: number, width: number, scale: number): Field {
  const angle = random.between(0, Math.PI / 2)
  const frequency = Math.PI / (random.between(3.5, 7) * scale)
  const c = Math.cos(angle) * frequency
  const s = Math.sin(angle) * frequency
  const phase = random.between(0, 2 * Math.PI)
  const field = new Float32Array(height * width)
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) field[i] = soften(2 * Math.sin(c * x + s * y + phase) * Math.sin(c * y - s * x), 3)
  }
  return field
}

/** Voronoi cells of points on a jittered lattice, one value per cell. */
function cells(random: Random, height: number, width: number, scale: number): Field {
  return nearestPoint(random, height, width, random.between(5.5, 10) * scale, (_distance, value) => value)
}

function dots(random: Random, height: number, width: number, scale: number): Field {
  const cell = random.between(5, 8.5) * scale
  const radius = cell * random.between(0.2, 0.32)
  return nearestPoint(random, height, width, cell, (distance, value) => {
    const inside = Math.min(1, Math.max(0, radius - distance + 0.5))
    return 0.15 + inside * (0.35 + 0.5 * value)
  })
}

function nearestPoint(
  random: Random, height: number, width: number, cell: number, shade: (distance: number, value: number) => number,
): Field {
  const columns = Math.ceil(width / cell) + 3
  const rows = Math.ceil(height / cell) + 3
  const pointX = new Float32Array(rows * columns)
  const pointY = new Float32Array(rows * columns)
  const value = new Float32Array(rows * columns)
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++, i++) {
      pointX[i] = (c - 1 + random.between(0.1, 0.9)) * cell
      pointY[i] = (r - 1 + random.between(0.1, 0.9)) * cell
      value[i] = random.uniform()
    }
  }
  const field = new Float32Array(height * width)
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor(y / cell)
    for (let x = 0; x < width; x++, i++) {
      const start = row * columns + Math.floor(x / cell)
      let best = Infinity
      let nearest = 0
      for (let r = start; r < start + 3 * columns; r += columns) {
        for (let p = r; p < r + 3; p++) {
          const dx = pointX[p]! - x
          const dy = pointY[p]! - y
          const distance = dx * dx + dy * dy
          if (distance < best) {
            best = distance
            nearest = p
          }
        }
      }
      field[i] = shade(Math.sqrt(best), value[nearest]!)
    }
  }
  return field
}

/** Short straight strokes over one another, like hatching or grass. */
function strokes(random: Random, height: number, width: number, scale: number): Field {
  const field = new Float32Array(height * width).fill(random.between(0.2, 0.8))
  const main = random.between(0, Math.PI)
  const spread = random.between(0.2, Math.PI / 2)
  const count = Math.round((random.between(90, 160) * height * width) / (64 * 64 * scale * scale))
  for (let n = 0; n < count; n++) {
    const angle = main + random.between(-spread, spread)
    const half = random.between(2, 5) * scale
    const thick = random.between(0.5, 1.1) * scale
    const value = random.uniform()
    const cx = random.between(0, width)
    const cy = random.between(0, height)
    const dx = Math.cos(angle)
    const dy = Math.sin(angle)
    const reachX = Math.abs(dx) * half + thick + 1
    const reachY = Math.abs(dy) * half + thick + 1
    for (let y = Math.max(0, Math.ceil(cy - reachY)); y <= Math.min(height - 1, cy + reachY); y++) {
      for (let x = Math.max(0, Math.ceil(cx - reachX)); x <= Math.min(width - 1, cx + reachX); x++) {
        const along = Math.max(0, Math.abs((x - cx) * dx + (y - cy) * dy) - half)
        const beside = (y - cy) * dx - (x - cx) * dy
        const alpha = Math.min(1, Math.max(0, thick - Math.sqrt(along * along + beside * beside) + 0.5))
        const i = y * width + x
        field[i] = field[i]! + (value - field[i]!) * alpha
      }
    }
  }
  return field
}

/** Two crossing bands of threads of their own widths, like cloth. */
function weave(random: Random, height: number, width: number, scale: number): Field {
  const angle = random.between(0, Math.PI / 2)
  const c = Math.cos(angle)
  const s = Math.sin(angle)
  const first = Math.PI / (random.between(2.5, 6) * scale)
  const second = Math.PI / (random.between(2.5, 6) * scale)
  const field = new Float32Array(height * width)
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const across = soften(Math.sin((c * x + s * y) * first), 3)
      const along = soften(Math.sin((c * y - s * x) * second), 3)
      field[i] = 0.6 * across + 0.4 * along
    }
  }
  return field
}

/** Plane waves of three directions added up. */
function ripples(random: Random, height: number, width: number, scale: number): Field {
  const field = new Float32Array(height * width).fill(0.5)
  for (let n = 0; n < 3; n++) {
    const angle = random.between(0, Math.PI)
    const frequency = (2 * Math.PI) / (random.between(4, 12) * scale)
    const phase = random.between(0, 2 * Math.PI)
    const kx = Math.cos(angle) * frequency
    const ky = Math.sin(angle) * frequency
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) field[i] = field[i]! + Math.sin(kx * x + ky * y + phase) / 6
    }
  }
  return field
}

/** Rows of bricks, each of its own value, with joints between them. */
function bricks(random: Random, height: number, width: number, scale: number): Field {
  const angle = random.between(0, Math.PI)
  const c = Math.cos(angle)
  const s = Math.sin(angle)
  const course = random.between(3.5, 6) * scale
  const length = course * random.between(1.4, 2)
  const joint = 0.6 * scale
  const shade = new Float32Array(1024)
  for (let i = 0; i < shade.length; i++) shade[i] = random.between(0.35, 1)
  const shift = random.between(0.3, 0.7)
  const field = new Float32Array(height * width)
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const v = (c * y - s * x) / course
      const row = Math.floor(v)
      const u = (c * x + s * y) / length + row * shift
      const column = Math.floor(u)
      const toJoint = Math.min((u - column) * length, (v - row) * course)
      field[i] = Math.min(1, toJoint / joint) * shade[(column * 37 + row * 101) & 1023]!
    }
  }
  return field
}

/** A wave in [−1, 1] to [0, 1], steeper with `sharpness`. */
function soften(wave: number, sharpness: number): number {
  const steep = wave * sharpness
  return 0.5 + 0.5 * (steep / (1 + Math.abs(steep))) * (1 + 1 / sharpness)
}
