import { composeScene, sceneClasses, sceneSize, type Overrides } from '#engine/scenes/scenes.ts'
import { drawRecipe } from '#engine/scenes/recipe.ts'
import { createRandom } from '#shared/random/random.ts'
import type { Network } from './networks.ts'

export interface Batch {
  /** [count, 64, 64, 3] */
  images: Float32Array
  /** [count, 10], smoothed */
  labels: Float32Array
  /** [count, 8·8, 11]: the shares of each 8×8 patch that belong to the object's class and, last, to none. */
  patches: Float32Array
}

export interface BatchOptions {
  batch: number
  /** New scenes per step. The rest of a batch are scenes of earlier steps, turned and mirrored anew. */
  fresh: number
  /** Scenes kept for drawing. */
  pool: number
  labelSmoothing: number
  /** Share of scenes without an object, labelled uniformly; a third of them on a background of one colour. */
  objectFree: number
  /**
   * Over so many first scenes the task grows: the share of plain ones (one background colour, half without distractors)
   * falls from 1 to 0, and the objects' turns grow from none to any.
   */
  easyScenes: number
}

const size = sceneSize
const pixels = size * size * 3
/** Patches per side: the places of the networks' last feature map. */
export const patchSide = 8
const patchesPerScene = patchSide * patchSide

/** Batches without end, the same for the same network seed and round. Every round has scenes of its own. */
export function* trainingBatches(network: Network, options: BatchOptions, round = 0): Generator<Batch, never> {
  const pool = new Uint8Array(options.pool * pixels)
  const poolPatches = new Float32Array(options.pool * patchesPerScene)
  const poolClasses = new Int8Array(options.pool)
  const random = createRandom(network.seed, 'batches', ...(round > 0 ? [round] : []))
  const [first, end] = network.scenes
  const start = first + round * 100_000
  let rendered = 0
  const renderNext = (): void => {
    const seed = start + (rendered % (end - start))
    const slot = rendered++ % options.pool
    const lot = random.uniform()
    const objectFree = lot < options.objectFree
    const ease = options.easyScenes > 0 ? Math.min(1, rendered / options.easyScenes) : 1
    const plain = random.uniform() > ease
    const bare = plain && random.uniform() < 0.5
    const overrides: Overrides = {
      withoutObjects: objectFree,
      withoutDistractors: bare,
      background: plain || lot < options.objectFree / 3 ? 'flat' : 0,
    }
    const recipe = drawRecipe(seed)
    const objects = recipe.objects.map((object) => ({ ...object, angle: object.angle * ease, mirrored: object.mirrored && ease === 1 }))
    const scene = composeScene({ ...recipe, objects }, overrides)
    const { data } = scene.image
    for (let i = 0; i < pixels; i++) pool[slot * pixels + i] = data[i]! * 255 + 0.5
    poolPatches.set(patchShares(scene.objects[0]?.mask), slot * patchesPerScene)
    poolClasses[slot] = objectFree ? -1 : scene.recipe.objects[0]!.class
  }
  while (rendered < Math.min(options.pool, 64 * options.fresh)) renderNext()
  for (;;) {
    for (let n = 0; n < options.fresh; n++) renderNext()
    const images = new Float32Array(options.batch * pixels)
    const classes = sceneClasses.length
    const labels = new Float32Array(options.batch * classes)
    const patches = new Float32Array(options.batch * patchesPerScene * (classes + 1))
    for (let n = 0; n < options.batch; n++) {
      // The newest scenes first, so that each is seen at least once.
      const slot = n < options.fresh ? (rendered - 1 - n) % options.pool : random.below(Math.min(rendered, options.pool))
      const turn = rendered < options.easyScenes ? 0 : random.below(8)
      const gain = random.between(0.85, 1.1)
      forEachTurned(size, turn, (from, to) => {
        for (let k = 0; k < 3; k++) {
          images[n * pixels + 3 * to + k] = Math.min(1, (pool[slot * pixels + 3 * from + k]! / 255) * gain)
        }
      })
      const label = poolClasses[slot]!
      forEachTurned(patchSide, turn, (from, to) => {
        const share = poolPatches[slot * patchesPerScene + from]!
        const row = (n * patchesPerScene + to) * (classes + 1)
        patches[row + classes] = 1 - share
        if (label >= 0) patches[row + label] = share
      })
      for (let c = 0; c < classes; c++) {
        const rest = options.labelSmoothing / classes
        labels[n * classes + c] = label < 0 ? 1 / classes : rest + (c === label ? 1 - options.labelSmoothing : 0)
      }
    }
    yield { images, labels, patches }
  }
}

function patchShares(mask: Uint8Array | undefined): Float32Array {
  const shares = new Float32Array(patchesPerScene)
  const side = size / patchSide
  mask?.forEach((inside, i) => {
    const patch = Math.floor(i / size / side) * patchSide + Math.floor((i % size) / side)
    if (inside) shares[patch] = shares[patch]! + 1 / (side * side)
  })
  return shares
}

/** Source and target index of every place of a square, for one of the eight quarter turns and mirrorings. */
function forEachTurned(side: number, turn: number, visit: (from: number, to: number) => void): void {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const u = turn & 1 ? side - 1 - x : x
      const v = turn & 2 ? side - 1 - y : y
      visit(turn & 4 ? u * side + v : v * side + u, y * side + x)
    }
  }
}
