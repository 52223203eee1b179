import type { Path } from './quadrature.ts'

/** A picture of the path from the baseline to the image. */
interface Node {
  /** Where on the path, 0 to 1. */
  at: number
  score: number
  /** The score's slope along the path. */
  slope: number
  /** H·W·C; kept while a cell beside it may still be halved. */
  gradient: Float32Array | null
}

/** Between two neighbours on the path. */
interface Cell {
  left: Node
  right: Node
  /** By how far its trapezoid misses the rise of the score in it, which is known. */
  gap: number
}

/** So many cells at most may be halved: the gradients at their ends are kept, of large pictures fewer. */
const mostOpen = 64
const leastOpen = 8
const keptBytes = 128 << 20
/** A share of the steps goes through the path evenly; the rest is added in so many rounds. */
const evenly = 1 / 4
const rounds = 12

/**
 * The trapezoid on cells of their own width. Inside each cell the rise of the score is known, so the cells that miss it most are halved,
 * again and again, until the steps are used up: paths through a network of ReLUs have most of their kinks in few places.
 * @param steps gradients in all, at least 2
 * @param length of a gradient
 * @param budget bytes of gradients that are kept
 */
export function createAdaptivePath(steps: number, length: number, budget = keptBytes): Path {
  const open = Math.min(mostOpen, Math.max(leastOpen, Math.floor(budget / (4 * length)) - 1))
  const first = Math.min(steps, open + 1, Math.max(2, Math.round(steps * evenly) + 1))
  const perRound = Math.max(1, Math.ceil((steps - first) / rounds))
  const integral = new Float64Array(length)
  const cells: Cell[] = []
  let taken = 0
  let asked: { at: number; cell: Cell | null }[] = []
  let answered = 0
  let before: Node | null = null

  const cellOf = (left: Node, right: Node): Cell => ({ left, right, gap: Math.abs(right.score - left.score - ((right.at - left.at) * (left.slope + right.slope)) / 2) })

  function add(gradient: Float32Array, weight: number): void {
    for (let i = 0; i < length; i++) integral[i]! += weight * gradient[i]!
  }

  /** Those that miss most stay open, the others' gradients are let go. */
  function close(): void {
    cells.sort((a, b) => b.gap - a.gap || a.left.at - b.left.at)
    const closed = cells.splice(open)
    const needed = new Set(cells.flatMap(({ left, right }) => [left, right]))
    for (const node of closed.flatMap(({ left, right }) => [left, right])) if (!needed.has(node)) node.gradient = null
  }

  return {
    integral,
    next() {
      if (taken === 0) asked = Array.from({ length: first }, (_, i) => ({ at: i / (first - 1), cell: null }))
      else {
        close()
        asked = cells.slice(0, Math.min(perRound, steps - taken)).map((cell) => ({ at: (cell.left.at + cell.right.at) / 2, cell }))
      }
      answered = 0
      return asked.map(({ at }) => at)
    },
    take(score, slope, gradient) {
      const { at, cell } = asked[answered++]!
      const node: Node = { at, score, slope, gradient: gradient.slice() }
      taken++
      if (!cell) {
        add(gradient, (at === 0 || at === 1 ? 0.5 : 1) / (first - 1))
        if (before) cells.push(cellOf(before, node))
        before = node
        return
      }
      const { left, right } = cell
      const width = right.at - left.at
      add(gradient, width / 2)
      add(left.gradient!, -width / 4)
      add(right.gradient!, -width / 4)
      cells.splice(cells.indexOf(cell), 1, cellOf(left, node), cellOf(node, right))
    },
  }
}
