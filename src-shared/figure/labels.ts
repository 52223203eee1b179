/**
 * Moves labels apart along one direction: each stays as near to its wish as the others and the limits allow, in the
 * same order. `gap` is the least distance of neighbours; where all do not fit they are spread evenly.
 */
export function spreadLabels(wishes: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wishes.map((wish, index) => ({ wish, index })).sort((a, b) => a.wish - b.wish || a.index - b.index)
  const step = order.length > 1 ? Math.min(gap, (high - low) / (order.length - 1)) : gap
  // Blocks of touching labels, each centred on the mean of its wishes (pool adjacent violators).
  const blocks: { sum: number; count: number; first: number }[] = []
  for (const { wish } of order) {
    let block = { sum: clamp(wish, low, high), count: 1, first: 0 }
    block.first = block.sum
    let previous = blocks[blocks.length - 1]
    while (previous && previous.first + previous.count * step > block.first + 1e-9) {
      blocks.pop()
      // Wishes relative to the block's first place.
      const sum = previous.sum + block.sum - previous.count * block.count * step
      const count = previous.count + block.count
      block = { sum, count, first: clamp(sum / count, low, high - (count - 1) * step) }
      previous = blocks[blocks.length - 1]
    }
    blocks.push(block)
  }
  const places: number[] = new Array(wishes.length).fill(0)
  let at = 0
  for (const block of blocks) {
    for (let i = 0; i < block.count; i++) places[(order[at++] as { index: number }).index] = block.first + i * step
  }
  return places
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
