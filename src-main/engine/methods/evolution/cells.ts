import { joined } from '../../graph/joined.ts'
import { variation } from '../masks/variation.ts'
import { raise } from './blobs.ts'
import { midwayRepair } from './evolution.ts'
import { gridSize, type Genotype } from './genotype.ts'

/** Standard deviations of the hills of a first individual, as shares of the grid's shorter side. */
const firstSigma = [0.08, 0.3] as const

/** Every gene is a cell of a coarse grid. First individuals are the highest of one to three round hills. */
export function createCells(image: { height: number; width: number }, resolution: number): Genotype {
  const { height, width } = gridSize(image, resolution)
  const shorter = Math.min(height, width)
  return {
    genes: height * width,
    values: height * width,
    height,
    width,
    sample(random) {
      const cells = new Float32Array(height * width)
      const hills = 1 + random.below(3)
      for (let k = 0; k < hills; k++) {
        const sigma = shorter * random.between(...firstSigma)
        raise(cells, height, width, { x: random.between(-0.5, width - 0.5), y: random.between(-0.5, height - 0.5), along: sigma, across: sigma, angle: 0, weight: 1 })
      }
      return Float64Array.from(cells)
    },
    repair: midwayRepair,
    render: (genes) => Float32Array.from(genes),
    ...gridMasks(height, width),
  }
}

/** What masks on a grid have in common, however their cells came about. */
export function gridMasks(height: number, width: number): Pick<Genotype, 'masks' | 'area' | 'variation' | 'picture'> {
  return {
    masks: (rendered) => ({ form: 'grid', count: rendered.length, height, width, cells: joined(rendered) }),
    area: (cells) => cells.reduce((sum, cell) => sum + cell, 0) / cells.length,
    variation: (cells) => variation(cells, height, width, 1),
    picture: (cells) => cells,
  }
}
