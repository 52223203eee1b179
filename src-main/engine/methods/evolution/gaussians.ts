import { gridMasks } from './cells.ts'
import { raise } from './blobs.ts'
import { midwayRepair } from './evolution.ts'
import { gridSize, type Genotype } from './genotype.ts'

/** Cells along the shorter side of the rendered mask. */
const renderedCells = 32
/** Standard deviations as shares of the shorter side. */
const sigmas = [0.05, 0.25] as const
const genesPerHill = 6

/** Six genes make an elliptic hill (place, two standard deviations, angle, height); the mask is the highest of a few. */
export function createGaussians(image: { height: number; width: number }, hills: number): Genotype {
  const { height, width } = gridSize(image, renderedCells)
  const shorter = Math.min(height, width)
  const length = (gene: number): number => shorter * (sigmas[0] + (sigmas[1] - sigmas[0]) * gene)
  return {
    genes: genesPerHill * hills,
    values: height * width,
    height,
    width,
    sample: (random) => Float64Array.from({ length: genesPerHill * hills }, () => random.uniform()),
    repair: midwayRepair,
    render(genes) {
      const cells = new Float32Array(height * width)
      for (let k = 0; k < hills; k++) {
        const [x, y, along, across, angle, weight] = genes.subarray(genesPerHill * k, genesPerHill * (k + 1)) as unknown as [number, number, number, number, number, number]
        raise(cells, height, width, {
          x: x * width - 0.5, y: y * height - 0.5, along: length(along), across: length(across), angle: Math.PI * angle, weight,
        })
      }
      return cells
    },
    ...gridMasks(height, width),
  }
}
